//! What Vault needs: where it is, how to log in there, and which path gives the credential.

use hublease_protocol::endpoint::Origin;

use super::value::{endpoint, required, vault_path};
use crate::cli::Typed;
use crate::error::{Error, Problem};
use crate::provider::vault::address::Address;
use crate::provider::vault::{Method, Vault};

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
    Ok(Address {
        endpoint: endpoint(typed, "vault-addr", "the address of Vault or OpenBao")?,
        namespace: typed
            .one("vault-namespace")
            .map(|namespace| vault_path(typed, "vault-namespace", namespace))
            .transpose()?,
        redirect: redirect(typed)?,
    })
}

pub(super) fn redirect(typed: &Typed) -> Result<Option<Origin>, Error> {
    let redirect = typed.one("vault-redirect-origin").map(Origin::parse).transpose();
    redirect.map_err(|error| typed.refuse("vault-redirect-origin", &error.to_string()))
}
