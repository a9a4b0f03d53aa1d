//! What was typed: the one table of commands and flags, and the values given for them.
//!
//! Flags have environment twins. An empty variable is unset; an empty flag is a usage error. The same table makes
//! the command line parser, the check that a provider honours a wish, and the tables in the documentation, so the
//! three cannot differ. What the values mean is decided in `plan.rs`.

mod flags;
mod nearest;
mod table;
mod value;

use std::collections::BTreeMap;

pub use self::flags::FLAGS;
pub use self::nearest::{nearest, refuse_misspelled};
pub use self::table::table;
pub use self::value::{Value, boolean};
use crate::environment::Environment;
use crate::error::{Error, Problem};

/// The longest value of a flag or variable, in bytes; paths and scopes of fifty repositories fit.
pub const LONGEST_VALUE: usize = 8192;

/// The most values of a repeatable flag.
pub const MOST_VALUES: usize = 64;

/// How the names of our variables begin.
const OURS: &str = "HUBLEASE_";

/// The commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Command {
    /// Log in.
    Login,
    /// Undo a login.
    Logout,
    /// Log in, run a command, undo.
    Exec,
    /// Exchange only.
    Token,
    /// Show what this job can prove.
    Whoami,
    /// Show what docker's login is good for.
    Check,
}

impl Command {
    /// Every command, in the order of the help.
    pub const ALL: &[Self] = &[Self::Login, Self::Logout, Self::Exec, Self::Token, Self::Whoami, Self::Check];

    /// As typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Logout => "logout",
            Self::Exec => "exec",
            Self::Token => "token",
            Self::Whoami => "whoami",
            Self::Check => "check",
        }
    }

    /// One line of help.
    pub fn about(self) -> &'static str {
        match self {
            Self::Login => "Exchange this job's identity for a credential that lives for minutes, and log docker in",
            Self::Logout => "Log docker out, revoke what `login` got, and say what was confirmed",
            Self::Exec => "Log in to a private directory, run a command with it, and revoke on every way out",
            Self::Token => "Exchange only, and print the credential",
            Self::Whoami => "Show what this job can prove, and the narrowest rule that would accept it",
            Self::Check => "Show docker's login, its pull window, and which images it may pull and push",
        }
    }

    /// Examples for the help.
    pub fn examples(self) -> &'static [&'static str] {
        match self {
            Self::Login => &["hublease login --broker-url https://broker.example.com"],
            Self::Logout => &[
                "hublease logout --broker-url https://broker.example.com",
                "hublease logout --workflow --broker-url https://broker.example.com",
            ],
            Self::Exec => &["hublease exec --broker-url https://broker.example.com -- docker push acme/app:1"],
            Self::Token => &[
                "hublease token --format secret --broker-url https://broker.example.com | skopeo login --username acme --password-stdin docker.io",
            ],
            Self::Whoami => &["hublease whoami --provider vault --vault-addr https://vault.example.com"],
            Self::Check => &["hublease check --push acme/app:1 alpine"],
        }
    }
}

/// Who turns an identity into a credential, by its name on the command line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ProviderName {
    /// Docker Identity, an OIDC connection.
    Docker,
    /// An RFC 8693 token endpoint.
    Broker,
    /// HashiCorp Vault or OpenBao.
    Vault,
    /// A username and token that the CI system already holds.
    Static,
}

impl ProviderName {
    /// Every provider, in the order of the tables.
    pub const ALL: &[Self] = &[Self::Docker, Self::Broker, Self::Vault, Self::Static];

    /// As typed.
    pub fn name(self) -> &'static str {
        match self {
            Self::Docker => "docker",
            Self::Broker => "broker",
            Self::Vault => "vault",
            Self::Static => "static",
        }
    }
}

/// What a provider does with a wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Support {
    /// It is part of a request to the provider.
    Sent,
    /// hublease does it itself.
    Local,
    /// It cannot be honoured, and is refused.
    Refused,
}

/// One flag.
#[derive(Debug)]
pub struct Flag {
    /// Long name without the dashes.
    pub name: &'static str,
    /// Environment twins, the first that is set wins.
    pub variables: &'static [&'static str],
    /// What it takes.
    pub value: Value,
    /// Which commands know it.
    pub commands: &'static [Command],
    /// What docker, broker, vault and static do with it.
    pub support: [Support; 4],
    /// One line of help.
    pub help: &'static str,
}

/// Where a value came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The command line.
    Flag,
    /// A variable of ours: as good as a flag.
    Ours(&'static str),
    /// A variable of a neighbour (`VAULT_ADDR`): a default that is there for others too.
    Neighbour(&'static str),
}

/// The values of one command line, flags before variables.
#[derive(Debug)]
pub struct Arguments {
    /// The command.
    pub command: Command,
    /// The command of `exec`, or the images of `check`.
    pub rest: Vec<String>,
    given: BTreeMap<&'static str, (Source, Vec<String>)>,
}

impl Arguments {
    /// Joins what the parser found with the environment, and checks the form of every value.
    ///
    /// # Errors
    /// Empty flags, control characters, values over the limits, words that a switch or a list does not know.
    pub fn new(
        command: Command,
        mut flags: BTreeMap<&'static str, Vec<String>>,
        rest: Vec<String>,
        environment: &Environment,
    ) -> Result<Self, Error> {
        let mut given = BTreeMap::new();
        for flag in FLAGS.iter().filter(|flag| flag.commands.contains(&command)) {
            let found = match flags.remove(flag.name) {
                Some(values) => Some((Source::Flag, values)),
                None => flag.from(environment),
            };
            if let Some((source, mut values)) = found {
                for value in &mut values {
                    flag.check(source, value)?;
                    flag.normalize(value);
                }
                if values.len() > MOST_VALUES {
                    return Err(flag.refuse(source, "at most 64 values are accepted"));
                }
                given.insert(flag.name, (source, values));
            }
        }
        Ok(Self { command, rest, given })
    }

    /// The one value of a flag.
    pub fn one(&self, name: &'static str) -> Option<&str> {
        self.given.get(name).and_then(|(_, values)| values.first()).map(String::as_str)
    }

    /// All values of a flag.
    pub fn many(&self, name: &'static str) -> &[String] {
        self.given.get(name).map_or(&[], |(_, values)| values)
    }

    /// Whether a switch is on.
    pub fn is_on(&self, name: &'static str) -> bool {
        self.one(name).is_some_and(|value| value != "false")
    }

    /// Where the value of a flag came from.
    pub fn source(&self, name: &'static str) -> Option<Source> {
        self.given.get(name).map(|(source, _)| *source)
    }

    /// Every flag that was given, with its source.
    pub fn given(&self) -> impl Iterator<Item = (&'static Flag, Source)> {
        FLAGS.iter().filter_map(|flag| self.source(flag.name).map(|source| (flag, source)))
    }

    /// How a person would name the input: `--flag` or the variable.
    pub fn label(&self, name: &'static str) -> String {
        label(name, self.source(name).unwrap_or(Source::Flag))
    }

    /// A usage error about the value of a flag.
    pub fn refuse(&self, name: &'static str, why: &str) -> Error {
        Error::new(Problem::InvalidValue, &self.label(name)).because(why)
    }
}

impl Flag {
    /// The value in the environment, if a twin is set.
    fn from(&self, environment: &Environment) -> Option<(Source, Vec<String>)> {
        let (name, value) =
            self.variables.iter().find_map(|name| environment.value(name).map(|value| (*name, value)))?;
        let source = if name.starts_with(OURS) { Source::Ours(name) } else { Source::Neighbour(name) };
        let values = match self.value {
            Value::Many(_) if self.name != "scope" => {
                value.split(' ').filter(|word| !word.is_empty()).map(str::to_owned).collect()
            }
            _ => vec![value.to_owned()],
        };
        Some((source, values))
    }

    /// What every value must be, whatever it means.
    fn check(&self, source: Source, value: &str) -> Result<(), Error> {
        if value.is_empty() {
            return Err(Error::new(Problem::EmptyFlag, &label(self.name, source)));
        }
        if value.len() > LONGEST_VALUE {
            return Err(self.refuse(source, "at most 8192 bytes are accepted"));
        }
        if value.contains(char::REPLACEMENT_CHARACTER) {
            return Err(self.refuse(source, "it is not UTF-8"));
        }
        if value.chars().any(char::is_control) {
            return Err(self.refuse(source, "control characters are not accepted"));
        }
        match self.value {
            Value::Choice(words) if !words.contains(&value) => {
                Err(self.refuse(source, &format!("it is one of: {}", words.join(", "))))
            }
            Value::Switch if boolean(value).is_none() => Err(self.refuse(source, "it is `true` or `false`")),
            _ => Ok(()),
        }
    }

    /// Writes a boolean in the one way in which it is looked at later.
    fn normalize(&self, value: &mut String) {
        let is_switch = matches!(self.value, Value::Switch);
        if let Some(on) = boolean(value).filter(|_| is_switch) {
            *value = on.to_string();
        }
    }

    fn refuse(&self, source: Source, why: &str) -> Error {
        Error::new(Problem::InvalidValue, &label(self.name, source)).because(why)
    }
}

fn label(name: &str, source: Source) -> String {
    match source {
        Source::Flag => format!("`--{name}`"),
        Source::Ours(variable) | Source::Neighbour(variable) => format!("`{variable}`"),
    }
}
