//! The one wait: for an answer, the end of a time, or a signal, whichever comes first.

use std::io;
use std::time::{Duration, Instant};

use crate::effect::{Asked, Level, Line, Stop};
use crate::native::process::once::{self, Finished, Program};
use crate::native::process::supervised::Running;
use crate::native::wait::deadline::MINT;
use crate::native::wait::performer::Performer;
use crate::native::wait::worker::{Event, Signal, WorkResult};

/// How long a killed program may take to be gone.
const GONE: Duration = Duration::from_secs(2);

/// After how long a person is told what is waited for.
const PATIENCE: Duration = Duration::from_secs(2);

/// How a wait ended.
pub(in crate::native) enum Waited {
    WorkResult(WorkResult),
    Late,
    Stopped(Stop),
}

/// What is waited for.
#[derive(Clone, Copy)]
pub(in crate::native) struct Wait<'a> {
    /// The effect.
    pub(in crate::native) asked: &'a Asked,
    /// How long.
    pub(in crate::native) until: Option<Instant>,
    /// What a person is told after a while.
    pub(in crate::native) what: &'static str,
}

/// What a wait must know of an event.
#[derive(Debug)]
pub(in crate::native) enum Happened {
    WorkResult(u64, WorkResult),
    Signal(Signal),
}

impl Performer {
    /// Until when an effect may take: its own limit, and what the story has left.
    pub(in crate::native) fn until(&self, asked: &Asked, limit: Duration) -> Instant {
        let now = Instant::now();
        let story = if asked.undo { self.ending.undo_until(now) } else { self.ending.forward_until() };
        story.map_or(now + limit, |story| story.min(now + limit))
    }

    /// Runs a program; `Err(None)` if it took too long.
    pub(in crate::native) fn program(
        &mut self,
        asked: &Asked,
        program: Program,
        limit: Duration,
        what: &'static str,
    ) -> Result<io::Result<Finished>, Option<Stop>> {
        let until = self.until(asked, limit);
        if until <= Instant::now() {
            return Err(None);
        }
        let running = Running::default();
        let handle = running.clone();
        let job = Box::new(move || WorkResult::Program(once::run(program, &handle)));
        let number = match self.workers.start(job) {
            Ok(number) => number,
            Err(error) => return Ok(Err(error)),
        };
        let stop = match self.wait(number, Wait { asked, until: Some(until), what }) {
            Waited::WorkResult(WorkResult::Program(finished)) => return Ok(finished),
            Waited::WorkResult(_) | Waited::Late => None,
            Waited::Stopped(stop) => Some(stop),
        };
        running.kill();
        self.wait_until_gone(number);
        Err(stop)
    }

    /// Waits for the answer of job `number`.
    pub(in crate::native) fn wait(&mut self, number: u64, wait: Wait<'_>) -> Waited {
        let Wait { asked, mut until, what } = wait;
        let mut remark = Some(Instant::now() + PATIENCE);
        loop {
            let next = [until, remark].into_iter().flatten().min();
            let Some(event) = self.workers.next(next) else {
                if until.is_some_and(|until| Instant::now() >= until) {
                    self.terminal.clear();
                    return Waited::Late;
                }
                remark = None;
                self.terminal.waiting(what);
                continue;
            };
            match self.note(event) {
                Some(Happened::WorkResult(answered, answer)) if answered == number => {
                    self.terminal.clear();
                    return Waited::WorkResult(answer);
                }
                Some(Happened::WorkResult(..)) | None => {}
                Some(Happened::Signal(signal)) => {
                    let now = Instant::now();
                    let limit = if asked.is_mint() {
                        now + if self.ending.gives_up() { Duration::ZERO } else { MINT }
                    } else if asked.is_forward() {
                        self.terminal.clear();
                        return Waited::Stopped(Stop::Signal(signal.number));
                    } else {
                        self.until(asked, Duration::from_secs(3600))
                    };
                    until = Some(until.map_or(limit, |until| until.min(limit)));
                }
            }
        }
    }

    /// Waits for the answer of a job whose program was killed.
    fn wait_until_gone(&mut self, number: u64) {
        let until = Instant::now() + GONE;
        while let Some(event) = self.workers.next(Some(until)) {
            match event {
                Event::WorkResult(answered, _) if answered == number => return,
                event => drop(self.note(event)),
            }
        }
        self.workers.abandon();
    }

    /// Notes an event, and tells what the waiting effect must know of it.
    pub(in crate::native) fn note(&mut self, event: Event) -> Option<Happened> {
        match event {
            Event::WorkResult(number, answer) => Some(Happened::WorkResult(number, answer)),
            Event::CommandEnded(code) => {
                self.command.ended(code);
                None
            }
            Event::Signal(signal) => {
                if self.command.is_running() {
                    self.command.keep(signal);
                } else if self.ending.signal(signal.number, Instant::now()) {
                    let text = "interrupted again: what was not undone yet is left as it is".to_owned();
                    self.terminal.say(&Line { level: Level::Warning, text });
                }
                Some(Happened::Signal(signal))
            }
        }
    }
}
