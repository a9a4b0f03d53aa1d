//! What Vault needs: where it is, how to log in there, and which path gives the credential.

use super::provider::{endpoint, required};
use crate::{
    cli::Typed,
    endpoint::Origin,
    error::{Error, Problem},
    provider::vault::{Address, Method, Vault},
};

pub(super) fn plan(typed: &Typed) -> Result<Vault, Error> {
    let path = required(typed, "vault-path", "the path that gives the credential")?;
    let mut data = Vec::new();
    for pair in typed.many("vault-data") {
        match pair.split_once('=') {
            Some((key, value)) if !key.is_empty() => data.push((key.to_owned(), value.to_owned())),
            _ => return Err(typed.refuse("vault-data", "it has the form KEY=VALUE")),
        }
    }
    let method = match typed.one("vault-method") {
        Some("read") if !data.is_empty() => {
            return Err(Error::new(Problem::Conflict, "`--vault-data` and `--vault-method read`"));
        }
        Some("read") => Method::Read,
        Some("write") => Method::Write,
        _ if !data.is_empty() => Method::Write,
        _ => Method::ReadThenWrite,
    };
    Ok(Vault {
        address: address(typed)?,
        auth_path: vault_path(typed, "vault-auth-path", typed.one("vault-auth-path").unwrap_or("jwt"))?
            .trim_start_matches("auth/")
            .to_owned(),
        role: typed.one("vault-role").map(str::to_owned),
        path: vault_path(typed, "vault-path", path)?,
        method,
        data,
        username_field: typed.one("vault-username-field").unwrap_or("username").to_owned(),
        secret_field: typed.one("vault-secret-field").map(str::to_owned),
    })
}

pub(super) fn address(typed: &Typed) -> Result<Address, Error> {
    let redirect = typed.one("vault-redirect-origin").map(Origin::parse).transpose();
    Ok(Address {
        endpoint: endpoint(typed, "vault-addr", "the address of Vault or OpenBao")?,
        namespace: typed
            .one("vault-namespace")
            .map(|namespace| vault_path(typed, "vault-namespace", namespace))
            .transpose()?,
        redirect: redirect.map_err(|error| typed.refuse("vault-redirect-origin", &error.to_string()))?,
    })
}

/// A path as Vault knows them: plain segments, so that it can stand in a URL and in a header as it is.
fn vault_path(typed: &Typed, flag: &'static str, text: &str) -> Result<String, Error> {
    let path = text.trim_matches('/');
    let path = path.strip_prefix("v1/").unwrap_or(path);
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~@+=:,".contains(&byte);
    if path
        .split('/')
        .all(|segment| !segment.is_empty() && !matches!(segment, "." | "..") && segment.bytes().all(is_plain))
    {
        Ok(path.to_owned())
    } else {
        Err(typed
            .refuse(flag, "it is made of segments with letters, digits and `-._~@+=:,`, separated by single slashes"))
    }
}
