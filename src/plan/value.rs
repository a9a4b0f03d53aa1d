//! The grammar of single values: what a flag or variable may hold, whatever the provider does with it.

use hublease_protocol::endpoint::{Endpoint, Origin};
use hublease_protocol::vault_path;

use crate::cli::{Arguments, Source};
use crate::error::{Error, Problem};

/// A path as Vault knows them.
pub(super) fn vault_path(arguments: &Arguments, flag: &'static str, text: &str) -> Result<String, Error> {
    let wrong = "it is made of segments of printable text, separated by single slashes";
    vault_path::plain_path(text).map(str::to_owned).ok_or_else(|| arguments.refuse(flag, wrong))
}

/// A namespace of Vault.
pub(super) fn vault_namespace(arguments: &Arguments, text: &str) -> Result<String, Error> {
    let wrong = "it is made of segments of visible ASCII, separated by single slashes, because it stands in a header";
    vault_path::namespace(text).map(str::to_owned).ok_or_else(|| arguments.refuse("vault-namespace", wrong))
}

/// The address of Vault.
pub(super) fn vault_address(arguments: &Arguments) -> Result<Endpoint, Error> {
    vault_path::address(required(arguments, "vault-addr", "the address of Vault or OpenBao")?)
        .map_err(|error| arguments.refuse("vault-addr", &error.to_string()))
}

/// The grammar of a username: it stands on docker's command line and before a colon.
pub(super) fn username(arguments: &Arguments, flag: &'static str, text: Option<&str>) -> Result<String, Error> {
    let text = text.ok_or_else(|| arguments.refuse(flag, "the variable that it names is unset or empty"))?;
    if crate::effect::username::is_username(text) {
        Ok(text.to_owned())
    } else {
        Err(arguments
            .refuse(flag, "a username has at most 255 letters, digits and `-._`, and begins with a letter or digit"))
    }
}

/// The grammar of a variable's name (POSIX).
pub(super) fn variable<'a>(arguments: &Arguments, flag: &'static str, name: &'a str) -> Result<&'a str, Error> {
    let is_name = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        && !name.starts_with(|first: char| first.is_ascii_digit());
    if is_name {
        Ok(name)
    } else {
        Err(arguments.refuse(flag, "it is the name of a variable: letters, digits and `_`"))
    }
}

pub(super) fn endpoint(arguments: &Arguments, flag: &'static str, what: &str) -> Result<Endpoint, Error> {
    Endpoint::parse(required(arguments, flag, what)?).map_err(|error| arguments.refuse(flag, &error.to_string()))
}

pub(super) fn required<'a>(arguments: &'a Arguments, flag: &'static str, what: &str) -> Result<&'a str, Error> {
    arguments.one(flag).ok_or_else(|| missing(&format!("--{flag}"), what))
}

pub(super) fn missing(flags: &str, what: &str) -> Error {
    Error::new(Problem::Missing, &format!("`{flags}`")).because(&format!("it gives {what}"))
}

pub(super) fn connection_id<'a>(arguments: &Arguments, text: &'a str) -> Result<&'a str, Error> {
    let wrong = || arguments.refuse("connection-id", "a connection id is a UUID, as Docker Home shows it");
    if is_uuid(text) { Ok(text) } else { Err(wrong()) }
}

pub(super) fn ours(arguments: &Arguments, flag: &'static str) -> bool {
    matches!(arguments.source(flag), Some(Source::Flag | Source::Ours(_)))
}

pub(super) fn origin_of(text: &str) -> Option<Origin> {
    Endpoint::parse(text).ok().map(|endpoint| endpoint.origin)
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.char_indices().all(|(index, character)| {
            if matches!(index, 8 | 13 | 18 | 23) { character == '-' } else { character.is_ascii_hexdigit() }
        })
}
