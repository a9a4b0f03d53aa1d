//! `[[account]]`: which Docker Hub identities mint, and where their passwords are.

use toml::Spanned;

use super::{Blame, Secrets, file, is_name, repeated};
use crate::hub::start::unfit_password;
use crate::hub::{Account, Kind};
use hublease::secret::Secret;

/// Organization tokens on a Team plan; a Business plan has 100.
const DEFAULT_QUOTA: u64 = 10;

pub(super) fn check(accounts: Vec<file::Account>, secrets: &dyn Secrets) -> Result<Vec<Account>, Blame> {
    let names: Vec<_> = accounts.iter().map(|account| &account.name).collect();
    if let Some(blame) = repeated(&names) {
        return Err(blame);
    }
    accounts.into_iter().map(|account| check_one(account, secrets)).collect()
}

fn check_one(account: file::Account, secrets: &dyn Secrets) -> Result<Account, Blame> {
    if !is_name(account.name.as_ref()) {
        return Err(Blame::at(account.name.span(), "a name is lower-case letters, digits and `-`"));
    }
    for id in [Some(&account.username), account.organization.as_ref()].into_iter().flatten() {
        if !is_docker_id(id.as_ref()) {
            return Err(Blame::at(id.span(), "a Docker ID is lower-case letters, digits, `-` and `_`"));
        }
    }
    let kind = kind(&account)?;
    let password = password(&account, secrets)?;
    Ok(Account::new(account.name.into_inner(), kind, account.username.into_inner(), password))
}

fn kind(account: &file::Account) -> Result<Kind, Blame> {
    match (account.kind.as_ref().as_str(), &account.organization, &account.quota) {
        ("oat", Some(organization), quota) => Ok(Kind::Oat {
            organization: organization.as_ref().clone(),
            quota: quota.as_ref().map_or(DEFAULT_QUOTA, |quota| *quota.as_ref()),
        }),
        ("oat", None, _) => Err(Blame::at(account.kind.span(), "`kind = \"oat\"` needs `organization`")),
        ("pat", None, None) => Ok(Kind::Pat),
        ("pat", Some(stray), _) => Err(Blame::at(stray.span(), "`kind = \"pat\"` has no `organization`")),
        ("pat", None, Some(stray)) => Err(Blame::at(stray.span(), "`kind = \"pat\"` has no `quota`")),
        _ => Err(Blame::at(account.kind.span(), "`kind` is `oat` or `pat`")),
    }
}

fn password(account: &file::Account, secrets: &dyn Secrets) -> Result<Secret, Blame> {
    let (at, read) = match (&account.password_file, &account.password_env) {
        (Some(path), None) => (path.span(), secrets.file(path.as_ref())),
        (None, Some(name)) => (name.span(), secrets.variable(name.as_ref())),
        _ => {
            let reason = "an account has either `password_file` or `password_env`";
            return Err(Blame::at(account.name.span(), reason));
        }
    };
    let password = read.map_err(|reason| Blame::at(at.clone(), reason))?;
    match unfit_password(password.expose()) {
        Some(unfit) => Err(Blame::at(at, unfit.to_string())),
        None if password.expose().is_empty() => Err(Blame::at(at, "the password is empty")),
        None => Ok(password),
    }
}

/// What can stand in a path and in `docker login -u`.
fn is_docker_id(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
    !text.starts_with('-') && (1..=64).contains(&text.len()) && text.bytes().all(is_plain)
}

/// The namespace whose repositories the account's tokens reach; nothing when they reach whatever the account does.
pub(super) fn namespace(account: &Account) -> Option<&str> {
    match &account.kind {
        Kind::Oat { organization, .. } => Some(organization),
        Kind::Pat => None,
    }
}

/// The account of that name.
pub(super) fn named<'a>(accounts: &'a [Account], name: &Spanned<String>) -> Result<&'a Account, Blame> {
    let found = accounts.iter().find(|account| account.name == *name.as_ref());
    found.ok_or_else(|| Blame::at(name.span(), format!("there is no account `{}`", name.as_ref())))
}
