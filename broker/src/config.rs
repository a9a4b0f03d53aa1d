//! The configuration file: read whole, checked whole, and either understood to the last key or refused with the line.
//!
//! TOML. Unknown keys are errors, because a misspelt limit would be a missing limit. Secrets are never in the file, and
//! are not read here: it names the file, the variable or the place in Vault that holds them, see [`crate::secret_source`].

mod account;
mod file;
mod guarded;
mod issuer;
mod reach;
mod rule;
mod server;

use std::fmt;
use std::net::SocketAddr;
use std::ops::Range;
use std::path::PathBuf;

use hublease_protocol::endpoint::Endpoint;
use hublease_protocol::printable::printable;
pub use rule::BeyondPool;
pub use server::{Rates, Server, TlsFiles};

use crate::account::Account;
use crate::identity::issuer::Issuer;
use crate::journal::JournalLocation;
use crate::limits::{DEFAULT_KEEP_DAYS, MAX_KEEP_DAYS, MIN_KEEP_DAYS};
use crate::rules::Rule;
use crate::secret_file::GuardedFile;

/// The longest message, in characters: room for the list of every key that could have stood there.
const LONGEST_REASON: usize = 1000;

/// A configuration that can be served.
pub struct Config {
    /// Where to listen.
    pub listen: SocketAddr,
    /// The broker's address for clients; nothing for `auto`, which means the address that is listened on.
    pub public_url: Option<String>,
    /// How it is reached there, and how often.
    pub server: Server,
    /// What tells this broker's tokens from another's.
    pub instance: String,
    /// Where leases are written down.
    pub journal: JournalLocation,
    /// How long leases that are over are kept, in seconds.
    pub keep: u64,
    /// Whose identity tokens are accepted.
    pub issuers: Vec<Issuer>,
    /// Who issues.
    pub accounts: Vec<Account>,
    /// Who may have what.
    pub rules: Vec<Rule>,
    /// What its author should think over.
    pub warnings: Vec<BeyondPool>,
    /// Every file that others must not have access to, the journal last.
    pub guarded: Vec<GuardedFile>,
}

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The line, counted from 1, when one line is to blame.
    pub line: Option<usize>,
    /// A sentence.
    pub reason: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(formatter, "line {line}: {}", self.reason),
            None => formatter.write_str(&self.reason),
        }
    }
}

impl std::error::Error for ConfigError {}

/// What is wrong, and at which bytes; turned into a line at the end.
struct SpannedError {
    at: Option<Range<usize>>,
    reason: String,
}

impl SpannedError {
    fn at(at: Range<usize>, reason: impl Into<String>) -> Self {
        Self { at: Some(at), reason: reason.into() }
    }
}

impl Config {
    /// Reads a configuration.
    ///
    /// # Errors
    /// With the first thing that is wrong.
    pub fn parse(text: &str) -> Result<Self, ConfigError> {
        let line_of = |at: Range<usize>| {
            text.as_bytes()[..at.start.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1
        };
        let file: file::File = toml::from_str(text)
            .map_err(|error| ConfigError { line: error.span().map(line_of), reason: one_line(error.message()) })?;
        check(file).map_err(|blame| ConfigError { line: blame.at.map(line_of), reason: one_line(&blame.reason) })
    }
}

fn check(file: file::File) -> Result<Config, SpannedError> {
    let listen = server::address(&file.listen, "listen")?;
    let public_url = server::public_url(&file.public_url, listen)?;
    let server = server::check(&file, listen)?;
    let instance = file.instance.as_ref();
    if !is_name(instance) || instance.len() > 32 {
        return Err(SpannedError::at(file.instance.span(), "`instance` is 1 to 32 lower-case letters, digits and `-`"));
    }
    let guarded = guarded::files(&file);
    let (journal, keep) = journal(file.journal)?;
    let issuers = issuer::check(file.issuer)?;
    let accounts = account::check(&file.account)?;
    let (rules, warnings) = rule::check(file.rule, &issuers, &accounts)?;
    let instance = instance.clone();
    Ok(Config { listen, public_url, server, instance, journal, keep, issuers, accounts, rules, warnings, guarded })
}

fn journal(journal: file::JournalTable) -> Result<(JournalLocation, u64), SpannedError> {
    if !journal.path.as_ref().starts_with('/') {
        return Err(SpannedError::at(
            journal.path.span(),
            "`path` of the journal starts with `/`: it must not depend on where one is",
        ));
    }
    let days = match journal.keep_days {
        None => DEFAULT_KEEP_DAYS,
        Some(days) if (MIN_KEEP_DAYS..=MAX_KEEP_DAYS).contains(days.as_ref()) => days.into_inner(),
        Some(days) => {
            let reason = format!("`keep_days` lies between {MIN_KEEP_DAYS} and {MAX_KEEP_DAYS}");
            return Err(SpannedError::at(days.span(), reason));
        }
    };
    let location = JournalLocation::Sqlite(PathBuf::from(journal.path.into_inner()));
    Ok((location, days * 24 * 3600))
}

/// An address that a secret or a key may come from: `https`, or `http` on this machine.
fn is_address(url: &str) -> bool {
    Endpoint::parse(url).is_ok()
}

/// Lower-case letters, digits and dashes: what is safe in a label, a log and a message.
fn is_name(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.len() <= 64 && text.bytes().all(is_plain)
}

/// A claim's name, which refusals repeat: what may stand in an `error_description` (RFC 6749 appendix A.8), without spaces and
/// without the marks that we put around it.
fn is_claim_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\`".contains(&byte))
}

/// What is said of any other.
const WRONG_CLAIM_NAME: &str = "a claim's name is printable and holds no quote and no backslash";

/// A message as one line that a terminal can be given: the parser's own may have several, and names of the file stand in it.
fn one_line(text: &str) -> String {
    let words: Vec<_> = text.split_whitespace().map(printable).collect();
    words.join(" ").chars().take(LONGEST_REASON).collect()
}

/// The first name that comes twice.
fn repeated(names: &[&toml::Spanned<String>]) -> Option<SpannedError> {
    let twice = names
        .iter()
        .enumerate()
        .find(|(index, name)| names[..*index].iter().any(|before| before.as_ref() == name.as_ref()));
    twice.map(|(_, name)| SpannedError::at(name.span(), format!("the name `{}` comes twice", name.as_ref())))
}

#[cfg(test)]
mod tests;
