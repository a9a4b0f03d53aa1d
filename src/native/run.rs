//! From the words that were typed to an exit code.

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::time::Duration;

use hublease_protocol::ci::{Ci, LaterStepsForm};

use super::arguments::{ReadArguments, read};
use super::{Performer, Reporting, Setup, Trusted, read_certificates};
use crate::cli::{Arguments, Command};
use crate::effect::{Level, Perform, Stop, drive};
use crate::environment::Environment;
use crate::error::{Error, Problem};
use crate::plan::{CaCert, Machine, Plan, shown};
use crate::session;

/// How long a login may go forward.
const LOGIN: Duration = Duration::from_secs(90);

/// A start of the program, as `main` finds it.
#[derive(Debug)]
pub struct Invocation {
    /// Without the program's name.
    pub arguments: Vec<OsString>,
    /// The snapshot of the environment.
    pub environment: Environment,
    /// The workspace; empty if it is gone.
    pub working_directory: PathBuf,
}

/// Runs one command on the real streams and returns the exit code. A failure is shown on standard error: a sentence,
/// its causes, its hint.
pub fn run(invocation: Invocation) -> u8 {
    match try_run(invocation) {
        Ok(code) => code,
        Err(error) => {
            // Nothing is left to do if even this cannot be written.
            let _ = writeln!(io::stderr(), "error: {error}");
            error.exit_code()
        }
    }
}

fn try_run(invocation: Invocation) -> Result<u8, Error> {
    let Invocation { arguments, environment, working_directory } = invocation;
    let arguments = match read(&arguments, &environment)? {
        ReadArguments::Run(arguments) => arguments,
        ReadArguments::Show(text) => return print(&text),
    };
    if arguments.is_on("dry-run") {
        let plan = Plan::new(&arguments, &environment, machine())?;
        let text = if arguments.one("output") == Some("json") { shown::json(&plan) } else { shown::text(&plan) };
        return print(&if arguments.command == Command::Login { inert(&text) } else { text });
    }
    let is_exec = arguments.command == Command::Exec;
    let prepared = prepare(&arguments, environment, working_directory);
    let (plan, setup) = prepared.map_err(|error| if is_exec { error.before_the_command() } else { error })?;
    let mut performer = Performer::new(setup, Box::new(io::stdout()), Box::new(io::stderr()));
    performer.watch_signals().map_err(|_refused| Error::bug("no signal handler"))?;
    let end = drive(session(plan), &mut performer);
    // Whatever a story that was stopped ends with, the signal is why.
    match (end, performer.stop()) {
        (Err(error), Some(stop @ Stop::Signal(_))) if error.problem() != Problem::Bug => Err(stop.error()),
        (end, _) => end,
    }
}

/// Resolves what was typed, and fixes everything that the performer needs.
///
/// # Errors
/// Usage errors, and no identity here.
pub fn prepare(
    arguments: &Arguments,
    environment: Environment,
    working_directory: PathBuf,
) -> Result<(Plan, Setup), Error> {
    let mut plan = Plan::new(arguments, &environment, machine())?;
    plan.ready()?;
    let setup = setup(arguments, &mut plan, environment, working_directory)?;
    Ok((plan, setup))
}

fn machine() -> Machine {
    Machine { terminal: io::stdout().is_terminal() }
}

fn setup(
    arguments: &Arguments,
    plan: &mut Plan,
    environment: Environment,
    working_directory: PathBuf,
) -> Result<Setup, Error> {
    let fixed = plan.fixed(arguments);
    let trusted = fixed.ca_cert.map(|ca_cert| certificates(arguments, &ca_cert)).transpose();
    let trusted = match (trusted, &mut *plan) {
        // Docker can be logged out without them, and perhaps the system vouches for the provider.
        (Err(error), Plan::Logout(logout)) => {
            logout.refusal.get_or_insert(error);
            None
        }
        (trusted, _) => trusted?,
    };
    Ok(Setup {
        destinations: fixed.destinations,
        certificates: trusted,
        identity_file: fixed.identity_file.map(PathBuf::from),
        working_directory,
        // A logout has nothing to go forward to: all of it is undone within the limit for that.
        forward_limit: Some(if arguments.command == Command::Logout { Duration::ZERO } else { LOGIN }),
        reporting: reporting(arguments, &environment),
        later_steps: later_steps(&environment),
        environment,
    })
}

/// The files in which later steps learn variables.
fn later_steps(environment: &Environment) -> Vec<(PathBuf, LaterStepsForm)> {
    let file = |ci: Ci| {
        let steps = ci.job().later_steps.filter(|steps| !steps.marked_jobs_only || environment.is_job(ci))?;
        Some((PathBuf::from(environment.value(steps.file)?), steps.form))
    };
    Ci::ALL.into_iter().filter_map(file).collect()
}

fn reporting(arguments: &Arguments, environment: &Environment) -> Reporting {
    let quiet = arguments.is_on("quiet");
    let terminal = io::stderr().is_terminal();
    Reporting {
        threshold: if arguments.is_on("verbose") {
            Level::Detail
        } else if quiet {
            Level::Warning
        } else {
            Level::Note
        },
        progress: terminal && !quiet,
        colours: terminal && environment.value("NO_COLOR").is_none(),
        mask: Ci::ALL.into_iter().any(|ci| ci.job().masks && environment.is_job(ci)),
        json: arguments.one("output") == Some("json"),
    }
}

fn certificates(arguments: &Arguments, ca_cert: &CaCert) -> Result<Trusted, Error> {
    let certificates = read_certificates(ca_cert.path.as_ref())
        .map_err(|why| Error::new(Problem::CertificateFile, &arguments.label("ca-cert")).because(&why))?;
    Ok(Trusted { certificates, provider_only: ca_cert.provider_only })
}

/// The plan of a login, in a form in which a shell runs nothing: people let one run what a login prints
/// (`eval "$(hublease login …)"`), and what is in a plan may have come from a branch's name. Lines become comments; in JSON,
/// where values stand in double quotes, what is special there is escaped.
fn inert(plan: &str) -> String {
    if plan.starts_with('{') {
        return plan.replace('$', "\\u0024").replace('`', "\\u0060");
    }
    if io::stdout().is_terminal() { plan.to_owned() } else { plan.lines().map(|line| format!("# {line}\n")).collect() }
}

/// Text that was asked for; a reader that went away is a failure like any other.
fn print(text: &str) -> Result<u8, Error> {
    let mut stdout = io::stdout();
    let written = writeln!(stdout, "{}", text.trim_end()).and_then(|()| stdout.flush());
    written.map(|()| 0).map_err(|error| Error::new(Problem::OutputLost, "").because(&error.kind().to_string()))
}
