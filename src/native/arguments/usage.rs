//! What is wrong with a command line: the place of the word, and the word that is probably meant.
//!
//! A word in the wrong place may be a secret, so none that was typed is shown: only its number, and words of ours.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::cli::{Command, FLAGS, Flag, Value, nearest};
use crate::error::{Error, Problem};

/// The parser's complaint about these words, in ours.
pub(super) fn error(complaint: &clap::Error, words: &[OsString]) -> Error {
    let words: Vec<_> = words.iter().map(|word| word.to_string_lossy()).collect();
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    let line = Line { words: &words };
    let named = complaint.get(ContextKind::InvalidArg).or_else(|| complaint.get(ContextKind::InvalidSubcommand));
    let named = match named {
        Some(ContextValue::String(name)) => name.split(' ').next().unwrap_or_default(),
        _ => "",
    };
    let cause = match complaint.kind() {
        ErrorKind::UnknownArgument => line.unknown(named),
        ErrorKind::InvalidSubcommand => line.no_command(named),
        ErrorKind::MissingSubcommand | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            "a command is missing".to_owned()
        }
        ErrorKind::MissingRequiredArgument => "the command to run is missing; it stands behind `--`".to_owned(),
        ErrorKind::InvalidUtf8 => "an argument is not UTF-8".to_owned(),
        ErrorKind::ArgumentConflict => line.about("a flag is given twice", named),
        ErrorKind::TooManyValues | ErrorKind::TooFewValues | ErrorKind::WrongNumberOfValues => {
            line.about("a value is missing, or one is too many", named)
        }
        _ => line.about("a value is missing or of the wrong form", named),
    };
    Error::new(Problem::CommandLine, "").because(&cause)
}

/// The words as they were typed, without the program's name.
struct Line<'w> {
    words: &'w [&'w str],
}

impl Line<'_> {
    /// A word that the command does not know.
    fn unknown(&self, word: &str) -> String {
        let what = self.about("there is no such argument", word);
        let before =
            self.number(word).and_then(|number| self.words.get(number.checked_sub(2)?)).and_then(|word| flag(word));
        match (flag(word), self.command()) {
            (Some(_), None) => format!("{what}; it stands before the command, and flags stand behind it"),
            (Some(flag), Some(_)) => format!("{what}; it belongs to {}", names(flag)),
            (None, Some(Command::Exec)) if !word.starts_with('-') && before.is_none() => {
                format!("{what}; the command to run stands behind `--`")
            }
            (None, _) if !word.starts_with('-') => match before.filter(|flag| is_switch(flag)) {
                Some(flag) => format!("{what}; a value of `--{0}` stands behind a `=`, as in `--{0}=true`", flag.name),
                None => format!("{what}; a value stands behind its flag, as in `--broker-url URL`"),
            },
            (None, command) => {
                let known = |flag: &&Flag| command.is_none_or(|command| flag.commands.contains(&command));
                let names = FLAGS.iter().filter(known).map(|flag| flag.name);
                // `-broker-url` is read as `-b`; the whole word tells more.
                let typed = self.number(word).and_then(|number| self.words.get(number - 1)).unwrap_or(&word);
                maybe(what, nearest(bare(typed), names).map(|name| format!("--{name}")))
            }
        }
    }

    fn no_command(&self, word: &str) -> String {
        let what = self.about("there is no such command", word);
        maybe(what, nearest(word, Command::ALL.iter().map(|command| command.name())).map(str::to_owned))
    }

    /// What is wrong, where, and with which of our words.
    fn about(&self, what: &str, word: &str) -> String {
        match (flag(word), self.number(word)) {
            (Some(flag), Some(number)) => format!("{what}: number {number} (`--{}`)", flag.name),
            (Some(flag), None) => format!("{what}: `--{}`", flag.name),
            (None, Some(number)) => format!("{what}: number {number}"),
            (None, None) => what.to_owned(),
        }
    }

    /// The number of the word, counted from 1; of several the last, since the earlier ones were good. What stands behind `--`
    /// is another program's.
    fn number(&self, word: &str) -> Option<usize> {
        let own = self.words.iter().take_while(|other| **other != "--");
        let is_short = word.len() == 2 && word.starts_with('-');
        let is_meant = |other: &&str| match other.strip_prefix(word) {
            Some(rest) => is_short || rest.is_empty() || rest.starts_with('='),
            None => false,
        };
        let found = own.enumerate().filter(|(_, other)| !word.is_empty() && is_meant(other)).last();
        found.map(|(index, _)| index + 1)
    }

    fn command(&self) -> Option<Command> {
        let first = self.words.first()?;
        Command::ALL.iter().copied().find(|command| command.name() == *first)
    }
}

fn maybe(what: String, near: Option<String>) -> String {
    match near {
        Some(near) => format!("{what}; did you mean `{near}`?"),
        None => what,
    }
}

/// A word without the dashes before it and the value behind it.
fn bare(word: &str) -> &str {
    word.trim_start_matches('-').split('=').next().unwrap_or_default()
}

/// The flag that a word names, whatever the command.
fn flag(word: &str) -> Option<&'static Flag> {
    let name = word.strip_prefix("--")?.split('=').next()?;
    FLAGS.iter().find(|flag| flag.name == name)
}

fn is_switch(flag: &Flag) -> bool {
    matches!(flag.value, Value::Switch)
}

fn names(flag: &Flag) -> String {
    flag.commands.iter().map(|command| format!("`{}`", command.name())).collect::<Vec<_>>().join(", ")
}
