//! What is wrong with a command line: the place of the word, and the word that is probably meant, as in the client.
//!
//! A word in the wrong place may be a secret, so none that was typed is shown: only its number, and words of ours.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use hublease_protocol::nearest::nearest;

use super::command;
use crate::observe::console::write_line;

/// Wrong usage.
const USAGE: u8 = 2;

/// Tells the parser's complaint, or the help that was asked for.
pub(super) fn tell(complaint: &clap::Error, words: &[OsString]) -> ExitCode {
    match complaint.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            complaint.exit()
        }
        _ => {
            let typed: Vec<_> = words.iter().skip(1).map(|word| word.to_string_lossy()).collect();
            let typed: Vec<&str> = typed.iter().map(AsRef::as_ref).collect();
            write_line(&format!(
                "error: the command line is not understood\n  because: {}\nhint: `hublease-broker --help` lists the \
                 commands, `hublease-broker COMMAND --help` the flags of one",
                cause(complaint, &typed)
            ));
            ExitCode::from(USAGE)
        }
    }
}

fn cause(complaint: &clap::Error, typed: &[&str]) -> String {
    let named = match complaint.get(ContextKind::InvalidArg).or_else(|| complaint.get(ContextKind::InvalidSubcommand)) {
        Some(ContextValue::String(name)) => name.split(' ').next().unwrap_or_default().to_owned(),
        Some(ContextValue::Strings(names)) => names.join(", "),
        _ => String::new(),
    };
    let (commands, flags) = known();
    let place = typed.iter().rposition(|word| !named.is_empty() && word.split('=').next() == Some(&named));
    let number = place.map(|index| format!(": number {}", index + 1)).unwrap_or_default();
    let near =
        |known: &[String]| nearest(named.trim_start_matches('-'), known.iter().map(String::as_str)).map(str::to_owned);
    match complaint.kind() {
        ErrorKind::UnknownArgument => {
            let meant = near(&flags).map(|name| format!("; did you mean `--{name}`?")).unwrap_or_default();
            format!("there is no such argument{number}{meant}")
        }
        ErrorKind::InvalidSubcommand => {
            let meant = near(&commands).map(|name| format!("; did you mean `{name}`?")).unwrap_or_default();
            format!("there is no such command{number}{meant}")
        }
        // What is missing is named in our words.
        ErrorKind::MissingRequiredArgument => format!("`{named}` is missing"),
        ErrorKind::MissingSubcommand => "a command is missing".to_owned(),
        ErrorKind::InvalidUtf8 => "an argument is not UTF-8".to_owned(),
        // The flag is ours, its value is not shown; the words that it takes are ours again.
        _ if flags.iter().any(|name| named.strip_prefix("--") == Some(name)) => {
            let takes = match complaint.get(ContextKind::ValidValue) {
                Some(ContextValue::Strings(words)) if !words.is_empty() => format!("; it takes: {}", words.join(", ")),
                _ => String::new(),
            };
            format!("a value is missing, of the wrong form, or given twice: `{named}`{number}{takes}")
        }
        _ => format!("a value is missing or of the wrong form{number}"),
    }
}

/// The names of every command, and of every flag.
fn known() -> (Vec<String>, Vec<String>) {
    let (mut commands, mut flags, mut left) = (Vec::new(), vec!["help".to_owned()], vec![command()]);
    while let Some(command) = left.pop() {
        flags.extend(command.get_arguments().filter_map(|argument| argument.get_long().map(str::to_owned)));
        for inner in command.get_subcommands() {
            commands.push(inner.get_name().to_owned());
            left.push(inner.clone());
        }
    }
    (commands, flags)
}

#[cfg(test)]
mod tests {
    use super::cause;
    use crate::operator::command;

    #[test]
    fn the_place_is_told_and_never_the_word() {
        for (words, expected) in [
            (&["srve"][..], "there is no such command: number 1; did you mean `serve`?"),
            (&["hunter2"], "there is no such command: number 1"),
            (&["check", "--confg", "x"], "there is no such argument: number 2; did you mean `--config`?"),
            (&["check", "--confg=hunter2"], "there is no such argument: number 2; did you mean `--config`?"),
            (&["check", "--hunter2"], "there is no such argument: number 2"),
            (&["check", "--config", "x", "hunter2"], "there is no such argument: number 4"),
            (&["check"], "`--config <FILE>` is missing"),
        ] {
            let typed = ["hublease-broker"].iter().chain(words);
            let complaint = command().try_get_matches_from(typed).unwrap_err();
            assert_eq!(cause(&complaint, words), expected, "{words:?}");
        }
        // Each flag that takes words of ours, with another.
        for words in [&["init", "--ci", "hunter2"][..], &["leases", "list", "--config", "x", "--output", "hunter2"]] {
            let typed = ["hublease-broker"].iter().chain(words);
            let told = cause(&command().try_get_matches_from(typed).unwrap_err(), words);
            assert!(told.contains("; it takes: ") && !told.contains("hunter2"), "{told}");
        }
    }
}
