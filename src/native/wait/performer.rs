//! Performs effects, one at a time, and waits for answer, deadline or signal.
//!
//! A forward effect that a signal meets is given up at once, unless it is a mint: knowing what was minted is what
//! makes it revocable, so its true outcome is waited for a little longer. Undo effects go on until their time is
//! used up. While the command of `exec` runs, signals are its business and stop nothing else than the effect that
//! they meet.

use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use hublease_protocol::printable::printable;
use hublease_protocol::secret::Secret;

use crate::effect::child::{Act, Seen};
use crate::effect::docker::{Client, Config, Directory, Ended, Found, Run, Verb};
use crate::effect::http::{Failure, Obstacle, Request};
use crate::effect::{Asked, Effect, Outcome, Perform, Stop};
use crate::native::Setup;
use crate::native::docker::places::Places;
use crate::native::docker::{command, config, helper};
use crate::native::http::request;
use crate::native::identity::{circleci, file};
use crate::native::process::exec;
use crate::native::process::programs::Programs;
use crate::native::store::records;
use crate::native::terminal::Terminal;
use crate::native::wait::deadline::Ending;
use crate::native::wait::signals;
use crate::native::wait::waiter::{Wait, Waited};
use crate::native::wait::worker::{WorkResult, Workers};

/// How much longer than its own limit an answer is waited for, so that the worker can tell how it failed.
const GRACE: Duration = Duration::from_millis(500);

/// How long reading the identity token file may take.
const FILE: Duration = Duration::from_secs(10);

/// The native host.
pub struct Performer {
    http: Arc<request::HttpClient>,
    pub(in crate::native) programs: Programs,
    pub(in crate::native) places: Places,
    identity_file: Option<PathBuf>,
    pub(in crate::native) terminal: Terminal,
    pub(in crate::native) ending: Ending,
    pub(in crate::native) workers: Workers,
    pub(in crate::native) command: exec::ExecCommand,
}

impl fmt::Debug for Performer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Performer").field("ending", &self.ending).finish_non_exhaustive()
    }
}

impl Performer {
    /// Takes over the setup and starts the story's time.
    pub fn new(setup: Setup, stdout: Box<dyn Write>, stderr: Box<dyn Write>) -> Self {
        let Setup { environment, working_directory, .. } = setup;
        // One copy for all: it holds whatever the CI system put there.
        let environment = Arc::new(environment);
        let records = records::directory(&environment);
        Self {
            http: Arc::new(request::HttpClient::new(setup.destinations, setup.certificates, Arc::clone(&environment))),
            programs: Programs::new(Arc::clone(&environment), &working_directory),
            places: Places::new(environment, working_directory, records),
            identity_file: setup.identity_file,
            terminal: Terminal::new(setup.reporting, setup.later_steps, stdout, stderr),
            ending: Ending::new(setup.forward_limit, Instant::now()),
            workers: Workers::new(),
            command: exec::ExecCommand::default(),
        }
    }

    /// From now on INT, TERM and HUP stop the story instead of the process.
    ///
    /// # Errors
    /// The system refuses a handler or a thread.
    pub fn watch_signals(&mut self) -> io::Result<()> {
        signals::watch(self.workers.sender())
    }

    fn http(&mut self, asked: &Asked, request: &Request) -> Outcome {
        let until = self.until(asked, request::REQUEST);
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Outcome::Http(Err(Failure::Slow));
        }
        let (http, request) = (Arc::clone(&self.http), request.clone());
        let job = Box::new(move || WorkResult::Http(http.send(&request, left)));
        let Ok(number) = self.workers.start(job) else {
            return Outcome::Http(Err(Failure::Unreachable(Obstacle::Other)));
        };
        match self.wait(number, Wait { asked, until: Some(until + GRACE), what: "waiting for an answer" }) {
            Waited::WorkResult(WorkResult::Http(answer)) => Outcome::Http(answer),
            Waited::Stopped(stop) => {
                self.workers.abandon();
                Outcome::Stopped(stop)
            }
            Waited::WorkResult(_) | Waited::Late => {
                self.workers.abandon();
                Outcome::Http(Err(Failure::Slow))
            }
        }
    }

    fn docker(&mut self, asked: &Asked, run: &Run) -> Outcome {
        let place = match run.client {
            Client::Podman => self.places.file(run.client, &run.directory),
            Client::Docker | Client::None => self.places.directory(&run.directory),
        };
        // The story has looked there before; a directory that is gone since then holds no login.
        let Ok(place) = place else { return Outcome::Docker(refused("its configuration directory is gone")) };
        let Some(program) = command::program(&mut self.programs, run.client, &run.verb, &place) else {
            let skipped = self.programs.skipped(run.client.name());
            return Outcome::Docker(skipped.map_or(Ended::NotFound, Ended::Skipped));
        };
        Outcome::Docker(match self.program(asked, program, command::limit(&run.verb), "waiting for docker") {
            Ok(Ok(finished)) => {
                // One of the two was kept.
                let said = if run.verb == Verb::Version { finished.stdout } else { finished.stderr };
                Ended::Exit { code: finished.code, message: said.lossy() }
            }
            Ok(Err(error)) => refused(&format!("it cannot be run: {error}")),
            Err(None) => Ended::Slow,
            Err(Some(stop)) => return Outcome::Stopped(stop),
        })
    }

    fn config(&mut self, asked: &Asked, config: &Config) -> Outcome {
        match config {
            Config::List { helper } => self.list(asked, helper),
            Config::Get { helper, client, registry } => self.get(asked, helper, registry.key(*client)),
            other => Outcome::Config(config::perform(&self.places, &mut self.programs, other)),
        }
    }

    fn list(&mut self, asked: &Asked, helper: &str) -> Outcome {
        match self.helper(asked, helper, "list", "unused") {
            Ok(answer) => Outcome::Config(Ok(Found::Users(answer.and_then(|answer| helper::users(&answer))))),
            Err(stop) => Outcome::Stopped(stop),
        }
    }

    fn get(&mut self, asked: &Asked, helper: &str, server: &str) -> Outcome {
        match self.helper(asked, helper, "get", server) {
            Ok(answer) => Outcome::Config(Ok(Found::Kept(answer.unwrap_or_default()))),
            Err(stop) => Outcome::Stopped(stop),
        }
    }

    /// What a credential helper says; none of one that does not answer.
    fn helper(&mut self, asked: &Asked, helper: &str, verb: &str, stdin: &str) -> Result<Option<Secret>, Stop> {
        let Some(program) = helper::program(&mut self.programs, helper, verb, stdin) else { return Ok(None) };
        match self.program(asked, program, helper::LIMIT, "waiting for docker's credential helper") {
            Ok(finished) => Ok(helper::answer(finished)),
            Err(None) => Ok(None),
            Err(Some(stop)) => Err(stop),
        }
    }

    fn circleci(&mut self, asked: &Asked, audience: &str) -> Outcome {
        let Some(program) = circleci::program(&mut self.programs, audience) else {
            let skipped = self.programs.skipped("circleci").map(|path| Ended::skipped(&path));
            return Outcome::Token(Err(skipped.unwrap_or_else(|| "there is no program `circleci` on PATH".to_owned())));
        };
        match self.program(asked, program, circleci::LIMIT, "waiting for CircleCI's identity token") {
            Ok(finished) => Outcome::Token(circleci::token(finished)),
            Err(None) => Outcome::Token(Err("it took too long".to_owned())),
            Err(Some(stop)) => Outcome::Stopped(stop),
        }
    }

    fn identity_file(&mut self, asked: &Asked) -> Outcome {
        let Some(path) = self.identity_file.clone() else {
            return Outcome::Token(Err("no file was named".to_owned()));
        };
        // On the worker, because the file may be a pipe that nobody writes to.
        let until = self.until(asked, FILE);
        let Ok(number) = self.workers.start(Box::new(move || WorkResult::Token(file::read(&path)))) else {
            return Outcome::Token(Err("the system gives no thread".to_owned()));
        };
        let waited = self.wait(number, Wait { asked, until: Some(until), what: "waiting for the identity token file" });
        match waited {
            Waited::WorkResult(WorkResult::Token(token)) => Outcome::Token(token),
            Waited::WorkResult(_) | Waited::Late => {
                self.workers.abandon();
                Outcome::Token(Err("it took too long".to_owned()))
            }
            Waited::Stopped(stop) => {
                self.workers.abandon();
                Outcome::Stopped(stop)
            }
        }
    }

    fn child(&mut self, act: &Act) -> Outcome {
        Outcome::Child(match act {
            Act::Start { command, directory, client } => {
                match self.places.directory(&Directory::Private(directory.clone())) {
                    Ok(directory) => {
                        let seen = self.command.start(command, &directory, *client, self.workers.sender());
                        if seen == Seen::Running {
                            self.ending.lift();
                        }
                        seen
                    }
                    Err(_) => Seen::Unusable("its private directory is gone".to_owned()),
                }
            }
            Act::Wait { seconds } => {
                let until = seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds));
                self.terminal.clear();
                loop {
                    if let Some(seen) = self.command.news() {
                        break seen;
                    }
                    if !self.command.is_running() {
                        break Seen::NotFound;
                    }
                    match self.workers.next(until) {
                        Some(event) => drop(self.note(event)),
                        None => break Seen::Deadline,
                    }
                }
            }
            Act::Forward { signal } => {
                self.command.forward(*signal);
                Seen::Running
            }
        })
    }

    fn sleep(&mut self, asked: &Asked, milliseconds: u64) -> Outcome {
        let until = self.until(asked, Duration::from_millis(milliseconds));
        // No job has this number, so only time or a signal ends the wait.
        match self.wait(0, Wait { asked, until: Some(until), what: "waiting to try again" }) {
            Waited::Stopped(stop) => Outcome::Stopped(stop),
            Waited::WorkResult(_) | Waited::Late => Outcome::Done,
        }
    }
}

impl Perform for Performer {
    fn stop(&mut self) -> Option<Stop> {
        let now = Instant::now();
        while let Some(event) = self.workers.next(Some(now)) {
            self.note(event);
        }
        self.ending.stop(now)
    }

    fn perform(&mut self, asked: &Asked) -> Outcome {
        match &asked.effect {
            Effect::Http(request) => self.http(asked, request),
            Effect::Docker(run) => self.docker(asked, run),
            Effect::Config(config) => self.config(asked, config),
            Effect::Record(access) => Outcome::Record(records::access(self.places.records(), access)),
            Effect::IdentityFile => self.identity_file(asked),
            Effect::CircleciIdentity { audience } => self.circleci(asked, audience),
            // Without random bytes there is no id and no request id, so nothing may go on.
            Effect::Random { bytes } => match crate::native::random(*bytes) {
                Ok(text) => Outcome::Text(text),
                Err(_) => Outcome::Done,
            },
            Effect::Mask(secret) => {
                self.terminal.mask(secret);
                Outcome::Done
            }
            Effect::Output(output) => match self.terminal.output(output) {
                Ok(()) => Outcome::Done,
                Err(_) => {
                    self.ending.stop_for(Stop::Output, Instant::now());
                    if asked.is_forward() { Outcome::Stopped(Stop::Output) } else { Outcome::Done }
                }
            },
            Effect::Say(line) => {
                self.terminal.say(line);
                Outcome::Done
            }
            Effect::Sleep { milliseconds } => self.sleep(asked, *milliseconds),
            Effect::Now => {
                Outcome::Now(SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()))
            }
            Effect::Child(act) => self.child(act),
        }
    }
}

/// A program that did not run, in the terms of one that did; shells use the same code.
fn refused(sentence: &str) -> Ended {
    Ended::Exit { code: 126, message: Secret::new(printable(sentence)) }
}

#[cfg(test)]
mod tests;
