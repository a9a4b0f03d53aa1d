//! Which files of a configuration others must not have access to.

use std::path::PathBuf;

use super::file;
use crate::secret_file::{Guard, GuardedFile};

/// In the order of the file, the journal last.
pub(super) fn files(file: &file::File) -> Vec<GuardedFile> {
    let one = |what: String, path: &str, guard| GuardedFile { what, path: PathBuf::from(path), guard };
    let mut found = Vec::new();
    if let Some(tls) = &file.tls {
        found.push(one("the key of `[tls]`".to_owned(), tls.key_file.as_ref(), Guard::Secret));
    }
    for account in &file.account {
        let name = account.name.as_ref();
        let password = account.password_file.iter();
        found.extend(password.map(|path| one(format!("the password of `{name}`"), path.as_ref(), Guard::Secret)));
        let vault = account.password_vault.iter().map(|vault| vault.as_ref().identity_token_file.as_ref());
        found.extend(vault.map(|path| one(format!("the identity token of `{name}`"), path, Guard::Projected)));
        for token in &account.token {
            let what = format!("the token `{}` of `{name}`", token.name.as_ref());
            found.extend(token.token_file.iter().map(|path| one(what.clone(), path.as_ref(), Guard::Secret)));
        }
    }
    found.push(one("the journal".to_owned(), file.journal.path.as_ref(), Guard::Journal));
    found
}
