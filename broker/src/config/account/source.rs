//! Where an account's secrets are: one place each.

use std::ops::Range;
use std::path::PathBuf;

use hublease_protocol::vault_path;
use toml::Spanned;

use super::super::{SpannedError, file};
use crate::secret_source::{SecretSource, VaultSource};

/// Where Vault's JWT method is usually mounted.
const DEFAULT_AUTH_PATH: &str = "jwt";
/// The field that holds a password in most KV secrets.
const DEFAULT_FIELD: &str = "password";

/// The places that an account names for its password, with their keys.
pub(super) fn named(account: &file::AccountTable) -> Vec<(Range<usize>, &'static str)> {
    let file = account.password_file.as_ref().map(|path| (path.span(), "password_file"));
    let variable = account.password_env.as_ref().map(|name| (name.span(), "password_env"));
    let vault = account.password_vault.as_ref().map(|vault| (vault.span(), "password_vault"));
    [file, variable, vault].into_iter().flatten().collect()
}

/// Where the account's password is.
pub(super) fn password(account: &file::AccountTable) -> Result<SecretSource, SpannedError> {
    match (&account.password_file, &account.password_env, &account.password_vault) {
        (Some(path), None, None) => Ok(SecretSource::File(PathBuf::from(path.as_ref()))),
        (None, Some(name), None) => variable(name),
        (None, None, Some(place)) => vault(place.as_ref()),
        _ => Err(SpannedError::at(
            account.name.span(),
            "an account has one of `password_file`, `password_env` and `password_vault`",
        )),
    }
}

/// Where a token of a pool is.
pub(super) fn token(token: &file::TokenTable) -> Result<SecretSource, SpannedError> {
    match (&token.token_file, &token.token_env) {
        (Some(path), None) => Ok(SecretSource::File(PathBuf::from(path.as_ref()))),
        (None, Some(name)) => variable(name),
        _ => Err(SpannedError::at(token.name.span(), "a token has either `token_file` or `token_env`")),
    }
}

fn variable(name: &Spanned<String>) -> Result<SecretSource, SpannedError> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    if !name.as_ref().is_empty() && name.as_ref().bytes().all(is_plain) {
        Ok(SecretSource::Variable(name.as_ref().clone()))
    } else {
        Err(SpannedError::at(name.span(), "a variable's name is letters, digits and `_`"))
    }
}

fn vault(vault: &file::VaultTable) -> Result<SecretSource, SpannedError> {
    let address = vault_path::address(vault.address.as_ref())
        .map_err(|error| SpannedError::at(vault.address.span(), format!("`address` of Vault: {error}")))?;
    let default_auth_path = DEFAULT_AUTH_PATH.to_owned();
    Ok(SecretSource::Vault(Box::new(VaultSource {
        address,
        namespace: vault.namespace.as_ref().map(namespace).transpose()?,
        auth_path: vault.auth_path.as_ref().map_or(Ok(default_auth_path), path)?.trim_start_matches("auth/").to_owned(),
        role: vault.role.as_ref().map(|role| role.as_ref().clone()),
        identity_token_file: PathBuf::from(vault.identity_token_file.as_ref()),
        path: path(&vault.path)?,
        field: vault.field.as_ref().map_or(DEFAULT_FIELD, |field| field.as_ref()).to_owned(),
        ca_file: vault.ca_file.as_ref().map(|path| PathBuf::from(path.as_ref())),
    })))
}

fn path(text: &Spanned<String>) -> Result<String, SpannedError> {
    let reason = "a path in Vault is made of segments of printable text, separated by single slashes";
    vault_path::plain_path(text.as_ref()).map(str::to_owned).ok_or_else(|| SpannedError::at(text.span(), reason))
}

fn namespace(text: &Spanned<String>) -> Result<String, SpannedError> {
    let reason = "a namespace of Vault is made of segments of visible ASCII, separated by single slashes";
    vault_path::namespace(text.as_ref()).map(str::to_owned).ok_or_else(|| SpannedError::at(text.span(), reason))
}
