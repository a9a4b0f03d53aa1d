//! What Vault needs: where it is, how to log in there, and which path gives the credential.

use hublease_protocol::endpoint::Origin;

use super::value::{required, vault_address, vault_namespace, vault_path};
use crate::cli::Arguments;
use crate::error::{Error, Problem};
use crate::provider::vault::address::Address;
use crate::provider::vault::{PathMethod, Vault};

pub(super) fn plan(arguments: &Arguments) -> Result<Vault, Error> {
    let path = required(arguments, "vault-path", "the path that gives the credential")?;
    let mut data = Vec::new();
    for pair in arguments.many("vault-data") {
        match pair.split_once('=') {
            Some((key, value)) if !key.is_empty() => data.push((key.to_owned(), value.to_owned())),
            _ => return Err(arguments.refuse("vault-data", "it has the form KEY=VALUE")),
        }
    }
    let method = match arguments.one("vault-method") {
        Some("read") if !data.is_empty() => {
            return Err(Error::new(Problem::Conflict, "`--vault-data` and `--vault-method read`"));
        }
        Some("read") => PathMethod::Read,
        Some("write") => PathMethod::Write,
        _ if !data.is_empty() => PathMethod::Write,
        _ => PathMethod::ReadThenWrite,
    };
    Ok(Vault {
        address: address(arguments)?,
        auth_path: vault_path(arguments, "vault-auth-path", arguments.one("vault-auth-path").unwrap_or("jwt"))?
            .trim_start_matches("auth/")
            .to_owned(),
        role: arguments.one("vault-role").map(str::to_owned),
        path: vault_path(arguments, "vault-path", path)?,
        method,
        data,
        username_field: arguments.one("vault-username-field").unwrap_or("username").to_owned(),
        secret_field: arguments.one("vault-secret-field").map(str::to_owned),
    })
}

pub(super) fn address(arguments: &Arguments) -> Result<Address, Error> {
    Ok(Address {
        endpoint: vault_address(arguments)?,
        namespace: namespace(arguments)?,
        redirect: redirect(arguments)?,
    })
}

pub(super) fn namespace(arguments: &Arguments) -> Result<Option<String>, Error> {
    arguments.one("vault-namespace").map(|namespace| vault_namespace(arguments, namespace)).transpose()
}

pub(super) fn redirect(arguments: &Arguments) -> Result<Option<Origin>, Error> {
    let redirect = arguments.one("vault-redirect-origin").map(Origin::parse).transpose();
    redirect.map_err(|error| arguments.refuse("vault-redirect-origin", &error.to_string()))
}
