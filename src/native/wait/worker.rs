//! One thread does what may block: requests and programs.
//!
//! The performer waits on one channel for everything that can happen: an answer of the worker, a signal, the end of
//! `exec`'s command. A worker whose job is given up is left to finish it alone, its answer is never looked at, and
//! the next job gets a new worker.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};
use std::{io, thread};

use hublease_protocol::secret::Secret;

use crate::effect::http::{Failure, Response};
use crate::native::process::once::Finished;

/// The longest single wait on the channel; a limit far away is waited for in pieces of this.
const PIECE: Duration = Duration::from_secs(3600);

/// Something that happened.
#[derive(Debug)]
pub(in crate::native) enum Event {
    /// A signal arrived.
    Signal(Signal),
    /// A worker has finished the job of this number.
    WorkResult(u64, WorkResult),
    /// The command of `exec` has ended with this code.
    CommandEnded(u8),
}

/// A signal that arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::native) struct Signal {
    /// Its number.
    pub(in crate::native) number: u8,
    /// Whether the terminal sent it to everybody in front of it, children included.
    pub(in crate::native) from_terminal: bool,
}

/// What a job brought.
#[derive(Debug)]
pub(in crate::native) enum WorkResult {
    Http(Result<Response, Failure>),
    Program(io::Result<Finished>),
    Token(Result<Secret, String>),
}

type Work = Box<dyn FnOnce() -> WorkResult + Send>;

/// The channel and whoever works at its other end.
#[derive(Debug)]
pub(in crate::native) struct Workers {
    sender: Sender<Event>,
    receiver: Receiver<Event>,
    current: Option<Sender<(u64, Work)>>,
    number: u64,
}

impl Workers {
    pub(in crate::native) fn new() -> Self {
        let (sender, receiver) = mpsc::channel();
        Self { sender, receiver, current: None, number: 0 }
    }

    /// A way in for signals and for the end of `exec`'s command.
    pub(in crate::native) fn sender(&self) -> Sender<Event> {
        self.sender.clone()
    }

    /// Hands a job to the worker; its number comes back with the answer.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(in crate::native) fn start(&mut self, job: Work) -> io::Result<u64> {
        self.number += 1;
        let job = match &self.current {
            Some(worker) => match worker.send((self.number, job)) {
                Ok(()) => return Ok(self.number),
                Err(mpsc::SendError((_, job))) => job,
            },
            None => job,
        };
        let worker = self.new_worker()?;
        // It has just been made and waits for exactly this.
        drop(worker.send((self.number, job)));
        self.current = Some(worker);
        Ok(self.number)
    }

    /// Gives the running job up.
    pub(in crate::native) fn abandon(&mut self) {
        self.current = None;
    }

    /// The next event, or none when `until` has come; none for `until` waits as long as it takes.
    pub(in crate::native) fn next(&self, until: Option<Instant>) -> Option<Event> {
        loop {
            let left = until.map_or(PIECE, |until| until.saturating_duration_since(Instant::now()).min(PIECE));
            match self.receiver.recv_timeout(left) {
                Ok(event) => return Some(event),
                Err(RecvTimeoutError::Timeout) if until.is_none_or(|until| Instant::now() < until) => {}
                // We hold a sender ourselves, so the channel is never closed.
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return None,
            }
        }
    }

    fn new_worker(&self) -> io::Result<Sender<(u64, Work)>> {
        let (sender, jobs) = mpsc::channel::<(u64, Work)>();
        let events = self.sender.clone();
        thread::Builder::new().name("worker".to_owned()).spawn(move || {
            for (number, job) in jobs {
                if events.send(Event::WorkResult(number, job())).is_err() {
                    break;
                }
            }
        })?;
        Ok(sender)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;
    use std::time::Instant;

    use super::{Event, WorkResult, Workers};
    use crate::effect::http::Failure;

    fn failing(failure: Failure) -> super::Work {
        Box::new(move || WorkResult::Http(Err(failure)))
    }

    #[test]
    fn answers_carry_the_number_of_their_job() {
        let mut workers = Workers::new();
        for failure in [Failure::Slow, Failure::Cut] {
            let number = workers.start(failing(failure)).unwrap();
            let event = workers.next(None);
            assert!(
                matches!(&event, Some(Event::WorkResult(answered, WorkResult::Http(Err(seen)))) if *answered == number && *seen == failure),
                "{event:?}"
            );
        }
    }

    #[test]
    fn a_job_that_was_given_up_does_not_hold_up_the_next() {
        let mut workers = Workers::new();
        let (release, blocked) = mpsc::channel::<()>();
        let stuck = workers.start(Box::new(move || {
            let _ = blocked.recv();
            WorkResult::Http(Err(Failure::Slow))
        }));
        workers.abandon();
        let next = workers.start(failing(Failure::Cut)).unwrap();
        assert!(matches!(workers.next(None), Some(Event::WorkResult(number, _)) if number == next));
        drop(release);
        assert!(matches!(workers.next(None), Some(Event::WorkResult(number, _)) if Some(number) == stuck.ok()));
    }

    #[test]
    fn a_time_that_has_come_brings_what_is_there_or_nothing() {
        let workers = Workers::new();
        assert!(workers.next(Some(Instant::now())).is_none());
        workers.sender().send(Event::CommandEnded(3)).unwrap();
        assert!(matches!(workers.next(Some(Instant::now())), Some(Event::CommandEnded(3))));
    }
}
