//! The command line: a parser made from the table of flags.
//!
//! Nothing is decided here. The parser finds commands, flags and the words after `--`; what a value may be is the
//! business of `cli.rs`, so that flags and variables are checked by the same code.

mod usage;

use std::collections::BTreeMap;
use std::ffi::OsString;

use clap::error::ErrorKind;
use clap::{Arg, ArgAction, ArgMatches};

use crate::cli::{Arguments, Command, FLAGS, Flag, Value, refuse_misspelled};
use crate::environment::Environment;
use crate::error::{Error, Problem};

/// The most bytes that all arguments together may have; the rest of `exec`'s command is the kernel's business.
const MOST_BYTES: usize = 1024 * 1024;

/// The longest line of a flag's help, in characters; with its indentation it fits a hundred columns.
const HELP_WIDTH: usize = 88;

/// What the arguments ask for.
#[derive(Debug)]
pub enum ReadArguments {
    /// A command.
    Run(Arguments),
    /// `--help` or `--version`: text for standard output.
    Show(String),
}

/// Reads the arguments (without the program's name) and joins them with the environment.
///
/// # Errors
/// Usage errors. The parser's own message is shown without the values that were typed.
pub fn read(arguments: &[OsString], environment: &Environment) -> Result<ReadArguments, Error> {
    let too_long = arguments.iter().map(|argument| argument.len()).sum::<usize>() > MOST_BYTES;
    if too_long {
        return Err(Error::new(Problem::CommandLine, "").because("the arguments are longer than 1 MiB"));
    }
    let matches = match parser().try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) => return shown(&error, arguments),
    };
    let Some((name, matches)) = matches.subcommand() else {
        return Err(Error::new(Problem::CommandLine, "").because("a command is missing"));
    };
    let command = Command::ALL
        .iter()
        .copied()
        .find(|command| command.name() == name)
        .ok_or_else(|| Error::bug("a command without a name"))?;
    let rest = match command {
        Command::Exec => words(matches, "command"),
        Command::Check => words(matches, "image"),
        _ => Vec::new(),
    };
    if command != Command::Logout {
        refuse_misspelled(environment)?;
    }
    if command == Command::Login {
        // What only the logout reads would keep it from undoing anything.
        Arguments::new(Command::Logout, BTreeMap::new(), Vec::new(), environment)?;
    }
    Arguments::new(command, given(command, matches), rest, environment).map(ReadArguments::Run)
}

/// Help and version are not failures; everything else is.
fn shown(error: &clap::Error, words: &[OsString]) -> Result<ReadArguments, Error> {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Ok(ReadArguments::Show(error.to_string())),
        _ => Err(usage::error(error, words)),
    }
}

/// The parser, which also writes the help.
pub fn parser() -> clap::Command {
    let mut parser = clap::Command::new("hublease")
        .bin_name("hublease")
        .about("A CI job proves who it is and gets a Docker Hub credential that lives for minutes")
        .version(env!("CARGO_PKG_VERSION"))
        .no_binary_name(true)
        .subcommand_required(true)
        .arg_required_else_help(false)
        .disable_help_subcommand(true)
        .after_help("Exit codes: 0 done, 2 usage, 3 no identity here, 4 refused, 5 provider unreachable or failing,\n6 docker login failed, 7 not revoked (--strict-revoke), 70 a bug, 128+n stopped by a signal");
    for command in Command::ALL {
        parser = parser.subcommand(subcommand(*command));
    }
    parser
}

fn subcommand(command: Command) -> clap::Command {
    let mut parser =
        clap::Command::new(command.name()).about(command.about()).next_line_help(true).after_help(examples(command));
    for flag in FLAGS.iter().filter(|flag| flag.commands.contains(&command)) {
        parser = parser.arg(argument(flag));
    }
    if command == Command::Exec {
        let words = Arg::new("command").value_name("COMMAND").num_args(1..).last(true).required(true);
        parser = parser.arg(words.help("The command and its arguments"));
    }
    if command == Command::Check {
        let words = Arg::new("image").value_name("IMAGE").num_args(0..);
        parser = parser.arg(words.help("Image at Docker Hub, with a tag or digest; up to 50"));
    }
    parser
}

fn examples(command: Command) -> String {
    let title = if command.examples().len() == 1 { "Example:" } else { "Examples:" };
    [title].iter().chain(command.examples()).copied().collect::<Vec<_>>().join("\n  ")
}

fn argument(flag: &'static Flag) -> Arg {
    let mut argument = Arg::new(flag.name).long(flag.name).help(help(flag));
    argument = match flag.name {
        "verbose" => argument.short('v'),
        "quiet" => argument.short('q'),
        _ => argument,
    };
    match flag.value {
        Value::One(name) => argument.value_name(name).action(ArgAction::Set),
        Value::Many(name) => argument.value_name(name).action(ArgAction::Append),
        Value::Choice(_) => argument.value_name("WORD").action(ArgAction::Set),
        // Written as `--switch` or `--switch=false`, never with a space: the next word may be a command.
        Value::Switch => argument
            .value_name("true|false")
            .action(ArgAction::Set)
            .num_args(0..=1)
            .require_equals(true)
            .default_missing_value("true")
            .hide_possible_values(true),
    }
}

/// The line of the table, the words of a list, and the variables, in lines that fit a terminal.
fn help(flag: &Flag) -> String {
    let mut words: Vec<String> = flag.help.split(' ').map(str::to_owned).collect();
    if let Value::Choice(choices) = flag.value {
        words.push(format!("({})", choices.join(", ")));
    }
    words.extend(flag.variables.iter().map(|name| format!("[{name}]")));
    let mut lines = vec![String::new()];
    for word in words {
        match lines.last_mut() {
            Some(line) if line.is_empty() => line.push_str(&word),
            Some(line) if line.len() + 1 + word.len() <= HELP_WIDTH => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.push(word),
        }
    }
    lines.join("\n")
}

/// What was typed for each flag of the command.
fn given(command: Command, matches: &ArgMatches) -> BTreeMap<&'static str, Vec<String>> {
    FLAGS
        .iter()
        .filter(|flag| flag.commands.contains(&command))
        .filter(|flag| matches.value_source(flag.name) == Some(clap::parser::ValueSource::CommandLine))
        .map(|flag| (flag.name, words(matches, flag.name)))
        .collect()
}

fn words(matches: &ArgMatches, name: &str) -> Vec<String> {
    matches.get_many::<String>(name).map(|values| values.cloned().collect()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{ReadArguments, parser, read};
    use crate::environment::Environment;

    #[test]
    fn the_parser_is_consistent() {
        parser().debug_assert();
    }

    #[test]
    fn a_switch_does_not_swallow_the_next_word() {
        let words = ["exec", "--renew", "--isolated=false", "--", "echo", "--renew=false"].map(Into::into).to_vec();
        let Ok(ReadArguments::Run(arguments)) = read(&words, &Environment::default()) else { panic!("not read") };
        assert!(arguments.is_on("renew"));
        assert!(!arguments.is_on("isolated"));
        assert_eq!(arguments.rest, ["echo", "--renew=false"]);
    }

    #[test]
    fn a_misspelled_variable_is_refused_unless_something_is_undone() {
        for (name, near) in [
            ("HUBLEASE_BROKER_ULR", Some("HUBLEASE_BROKER_URL")),
            ("HUBLEASE_BROKERURL", Some("HUBLEASE_BROKER_URL")),
            ("HUBLEASE_VAULT_PATHS", Some("HUBLEASE_VAULT_PATH")),
            ("HUBLEASE_ISOLATE", Some("HUBLEASE_ISOLATED")),
            ("HUBLEASE_BROKER_URL", None),
            ("HUBLEASE_BROKER_BIN", None),
            ("HUBLEASE_ORB_SCOPE", None),
            ("HUBLEASE_VERSION", None),
            ("BROKER_ULR", None),
        ] {
            let environment = Environment::new([(name.to_owned(), "https://PLANTED.example.com".to_owned())]);
            let run = |command: &str| read(&[command.into()], &environment).map(|_| ()).err();
            let said = run("login").map(|error| error.to_string());
            let expected = near.map(|near| format!("there is no variable `{name}`\n  because: did you mean `{near}`?"));
            assert_eq!(said.is_some(), expected.is_some(), "{name}: {said:?}");
            assert!(said.unwrap_or_default().starts_with(&expected.unwrap_or_default()), "{name}");
            assert_eq!(run("logout"), None, "{name}");
        }
    }

    #[test]
    fn a_usage_error_names_the_place_and_our_word_and_never_the_value() {
        for (line, cause) in [
            ("login --broker-ulr=PLANTED", "there is no such argument: number 2; did you mean `--broker-url`?"),
            ("login -v --brokerurl PLANTED", "there is no such argument: number 3; did you mean `--broker-url`?"),
            ("login -broker-url=PLANTED", "there is no such argument: number 2; did you mean `--broker-url`?"),
            ("login --role PLANTED", "there is no such argument: number 2; did you mean `--vault-role`?"),
            ("login --PLANTED", "there is no such argument: number 2"),
            ("login --pasword=PLANTED", "there is no such argument: number 2"),
            ("login PLANTED", "number 2; a value stands behind its flag, as in `--broker-url URL`"),
            (
                "exec --renew PLANTED -- true",
                "number 3; a value of `--renew` stands behind a `=`, as in `--renew=true`",
            ),
            ("exec docker push PLANTED", "there is no such argument: number 2; the command to run stands behind `--`"),
            ("exec --client podman docker push PLANTED", "number 4; the command to run stands behind `--`"),
            ("exec --client podman", "the command to run is missing; it stands behind `--`"),
            ("exec --clinet podman -- docker --clinet", "number 2; did you mean `--client`?"),
            ("lgoin PLANTED", "there is no such command: number 1; did you mean `login`?"),
            ("PLANTED", "there is no such command: number 1"),
            ("--broker-url PLANTED login", "number 1 (`--broker-url`); it stands before the command, and flags stand"),
            ("logout --scope PLANTED", "number 2 (`--scope`); it belongs to `login`, `exec`, `token`"),
            ("login --client=docker --client=PLANTED", "a flag is given twice: number 3 (`--client`)"),
            ("login -v --broker-url", "a value is missing or of the wrong form: number 3 (`--broker-url`)"),
            ("", "a command is missing"),
        ] {
            let words: Vec<_> = line.split_whitespace().map(Into::into).collect();
            let error = read(&words, &Environment::default()).map(|_| ()).unwrap_err().to_string();
            assert!(error.contains(cause), "{line}: {error}");
            assert!(!error.contains("PLANTED"), "{line}: {error}");
        }
    }
}
