//! `cargo xtask demo | check | test | peers | soak | wasm | orb | dist | bench`: what a developer and CI run.
//!
//! Exit codes: 0 done, 1 something failed, 2 the words after `cargo xtask` make no sense.

mod beforehand;
mod bench;
mod binaries;
mod broker;
mod demo;
mod failure;
mod files;
mod guard;
mod image;
mod notices;
mod orb;
mod process;
mod terminal;
mod test;
mod wasm;
mod workspace;
mod world;

use std::env;
use std::process::ExitCode;

use self::failure::Failure;
use self::terminal::Terminal;
use self::workspace::Workspace;

/// What `cargo xtask --help` prints.
const HELP: &str = "\
usage: cargo xtask COMMAND [OPTIONS]

  demo     build everything, start the sandbox, and tell the story of a job: log in, use the
           credential, log out, be refused. Needs cargo and a C compiler; with a docker CLI on
           PATH the login is the real `docker login`.
  check    format, rules, lints and unit tests: a minute, before each commit.
  test     format, lints, rules of the source, licences, minimum Rust version, documentation,
           every test, and the static build. Needs cargo, a C compiler, and on Debian root (to
           install what is missing) or the programs that it names.
  peers    real servers and clients, fetched by version, beside the sandbox and the programs. What Go
           builds needs Go; what is missing is named.
  soak     one kind of test for up to an hour, going on where it stopped.
  wasm     build the module of the GitHub Action, and write action/hublease.wasm.
  orb      pack orb/src to target/orb/orb.yml, and look at it as a reviewer would.
  notices  write the licences of what is linked in to THIRD-PARTY-NOTICES.
  image    compare archives of the broker's image with what deploy/Containerfile promises.
  dist     `--check`: action/hublease.wasm is what its source builds.
  bench    the client beside curl: time, memory, size.

`cargo xtask COMMAND --help` lists the options of a command.
";

/// A command, given its options.
type Start = fn(&[String], &Workspace, &Terminal) -> Result<(), Failure>;

fn main() -> ExitCode {
    let words: Vec<String> = env::args().skip(1).collect();
    let terminal = Terminal::detect();
    // For the runner of the tests, which starts each of them by it; not for people.
    if let Some(("guard", words)) = words.split_first().map(|(first, rest)| (first.as_str(), rest)) {
        return guard::run(words).unwrap_or_else(|sentence| {
            terminal.complain(&sentence);
            ExitCode::FAILURE
        });
    }
    match run(&words, &terminal) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Told) => ExitCode::FAILURE,
        Err(Failure::Broken(sentence)) => {
            terminal.complain(&sentence);
            ExitCode::FAILURE
        }
        Err(Failure::Usage(sentence)) => {
            terminal.complain(&format!("{sentence}; see `cargo xtask --help`"));
            ExitCode::from(2)
        }
    }
}

fn run(words: &[String], terminal: &Terminal) -> Result<(), Failure> {
    let Some((command, options)) = words.split_first() else {
        terminal.say(HELP.trim_end());
        return Err(Failure::Usage("no command was given".to_owned()));
    };
    let wants_help = options.iter().any(|option| option == "--help" || option == "-h");
    let (help, start): (&str, Start) = match command.as_str() {
        "demo" => (demo::HELP, demo::run),
        "check" => (test::CHECK_HELP, test::check),
        "test" => (test::HELP, test::run),
        "peers" => (test::peers::HELP, test::peers::run),
        "soak" => (test::soak::HELP, test::soak::run),
        "wasm" => (wasm::HELP, wasm::run),
        "orb" => (orb::HELP, orb::run),
        "notices" => (notices::HELP, notices::run),
        "image" => (image::HELP, image::run),
        "dist" => (wasm::DIST_HELP, wasm::dist),
        "bench" => (bench::HELP, bench::run),
        "help" | "--help" | "-h" => {
            terminal.say(HELP.trim_end());
            return Ok(());
        }
        other => return Err(Failure::Usage(format!("there is no command `{other}`"))),
    };
    if wants_help {
        terminal.say(help.trim_end());
        return Ok(());
    }
    start(options, &Workspace::find()?, terminal)
}
