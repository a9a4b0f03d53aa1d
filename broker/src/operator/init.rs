//! `hublease-broker init`: writes a configuration for one CI system, commented and ready to be filled in.
//!
//! Each is a file beside this one behind the part that all have in common. What they say about claims follows the CI systems'
//! own documentation: CircleCI "OpenID Connect tokens", GitHub "OpenID Connect reference", GitLab "ID token authentication",
//! Kubernetes' projected service account tokens.

use std::collections::BTreeMap;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;

use clap::{Arg, ArgMatches, Command};
use hublease_protocol::ci::Ci;
use hublease_protocol::printable::printable;

use crate::broker::random;
use crate::observe::console::say;
use crate::operator::CommandError;
use crate::operator::output::print;

/// What all of them begin with.
const HEAD: &str = include_str!("init/head.toml");

/// Stands in the head for random digits at the end of `instance`.
const SUFFIX: &str = "000000";

/// What is the own of a CI system.
const fn template(ci: Ci) -> &'static str {
    match ci {
        Ci::Github => include_str!("init/github.toml"),
        Ci::Circleci => include_str!("init/circleci.toml"),
        Ci::Gitlab => include_str!("init/gitlab.toml"),
        Ci::Kubernetes => include_str!("init/kubernetes.toml"),
    }
}

/// All of them by name, each with what is its own.
fn systems() -> BTreeMap<&'static str, &'static str> {
    Ci::ALL.into_iter().map(|ci| (ci.name(), template(ci))).collect()
}

pub(super) fn command() -> Command {
    Command::new("init")
        .about("Write a commented configuration, ready to be filled in")
        .arg(
            Arg::new("ci")
                .long("ci")
                .value_name("SYSTEM")
                .required(true)
                .value_parser(systems().into_keys().collect::<Vec<_>>())
                .help("The CI system whose jobs get tokens"),
        )
        .arg(
            Arg::new("output")
                .long("output")
                .value_name("FILE")
                .help("A new file, for its owner only; standard output when it is not given"),
        )
        .after_help("Example: hublease-broker init --ci circleci --output /etc/hublease/broker.toml")
}

pub(super) fn run(matches: &ArgMatches) -> Result<u8, CommandError> {
    let wanted = matches.get_one::<String>("ci").map(String::as_str);
    let Some(own) = wanted.and_then(|name| systems().remove(name)) else {
        return Err(CommandError::of(2, "there is no such CI system"));
    };
    let text = filled(own)?;
    match matches.get_one::<String>("output") {
        None => print(&text)?,
        Some(path) => {
            write(path, &text)?;
            let path = printable(path);
            say(&format!("wrote {path}: fill it in, then run `hublease-broker check --config {path} --strict`"));
        }
    }
    Ok(0)
}

/// The configuration, whose `instance` nobody else has: two teams that share a Docker Hub organization and left it as it was
/// would take each other's tokens for their own.
fn filled(own: &str) -> Result<String, CommandError> {
    let suffix = random::<3>().ok_or_else(|| CommandError::of(1, "the system gives no randomness"))?;
    Ok(format!("{HEAD}{own}").replacen(SUFFIX, &suffix, 1))
}

/// Never over a file that is there: it may be the only copy of somebody's rules.
fn write(path: &str, text: &str) -> Result<(), CommandError> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    let written = file.and_then(|mut file| {
        // Half a file would only be in the way of the next attempt.
        file.write_all(text.as_bytes()).inspect_err(|_| drop(std::fs::remove_file(path)))
    });
    written.map_err(|error| {
        let path = printable(path);
        CommandError::of(
            1,
            match error.kind() {
                ErrorKind::AlreadyExists => format!("`{path}` is there already, and is left alone"),
                _ => format!("cannot write `{path}`: {error}"),
            },
        )
    })
}

#[cfg(test)]
mod tests;
