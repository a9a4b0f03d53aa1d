//! The handle with which the story asks, one typed question per kind of effect.

use std::cell::RefCell;
use std::fmt;
use std::future::poll_fn;
use std::rc::Rc;
use std::task::Poll;

use hublease_protocol::secret::Secret;

use crate::effect::session::Mailbox;
use crate::effect::{Asked, Effect, Level, Line, Outcome, Output, child, docker, http, record};
use crate::error::Error;

/// All that the story can do is ask. Cheap to clone; [`Effects::undoing`] gives the handle of the way back.
#[derive(Clone)]
pub struct Effects {
    mailbox: Rc<RefCell<Mailbox>>,
    undo: bool,
}

impl fmt::Debug for Effects {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Effects").field("undo", &self.undo).finish_non_exhaustive()
    }
}

impl Effects {
    pub(super) fn new(mailbox: Rc<RefCell<Mailbox>>) -> Self {
        Self { mailbox, undo: false }
    }

    /// The handle whose effects are performed even after a signal or a deadline.
    #[must_use]
    pub fn undoing(&self) -> Self {
        Self { mailbox: Rc::clone(&self.mailbox), undo: true }
    }

    /// Whether this is the handle of the way back.
    pub fn is_undoing(&self) -> bool {
        self.undo
    }

    /// Parks an effect and waits for its outcome.
    pub async fn ask(&self, effect: Effect) -> Outcome {
        self.mailbox.borrow_mut().asked = Some(Asked { effect, undo: self.undo });
        poll_fn(|_| self.mailbox.borrow_mut().outcome.take().map_or(Poll::Pending, Poll::Ready)).await
    }

    /// Sends one request.
    pub async fn http(&self, request: http::Request) -> Result<Result<http::Response, http::Failure>, Error> {
        match self.ask(Effect::Http(request)).await {
            Outcome::Http(answer) => Ok(answer),
            other => Err(unanswered(&other)),
        }
    }

    /// Runs the container client once.
    pub async fn docker(&self, run: docker::Run) -> Result<docker::Ended, Error> {
        match self.ask(Effect::Docker(run)).await {
            Outcome::Docker(ended) => Ok(ended),
            other => Err(unanswered(&other)),
        }
    }

    /// Accesses a configuration directory, or asks a credential helper.
    pub async fn config(&self, config: docker::Config) -> Result<Result<docker::Found, docker::Trouble>, Error> {
        match self.ask(Effect::Config(config)).await {
            Outcome::Config(found) => Ok(found),
            other => Err(unanswered(&other)),
        }
    }

    /// Accesses the record directory.
    pub async fn record(&self, access: record::Access) -> Result<Result<Vec<record::Stored>, record::Trouble>, Error> {
        match self.ask(Effect::Record(access)).await {
            Outcome::Record(records) => Ok(records),
            other => Err(unanswered(&other)),
        }
    }

    /// Asks for an identity token by file or by CircleCI's program.
    pub async fn token(&self, effect: Effect) -> Result<Result<Secret, String>, Error> {
        match self.ask(effect).await {
            Outcome::Token(token) => Ok(token),
            other => Err(unanswered(&other)),
        }
    }

    /// Random bytes, as lower-case hexadecimal.
    pub async fn random(&self, bytes: usize) -> Result<String, Error> {
        match self.ask(Effect::Random { bytes }).await {
            Outcome::Text(text) => Ok(text),
            other => Err(unanswered(&other)),
        }
    }

    /// Seconds since 1970.
    pub async fn now(&self) -> Result<u64, Error> {
        match self.ask(Effect::Now).await {
            Outcome::Now(now) => Ok(now),
            other => Err(unanswered(&other)),
        }
    }

    /// Acts on the command of `exec`.
    pub async fn child(&self, act: child::Act) -> Result<child::Seen, Error> {
        match self.ask(Effect::Child(act)).await {
            Outcome::Child(seen) => Ok(seen),
            other => Err(unanswered(&other)),
        }
    }

    /// Hides a value from the CI system's log.
    pub async fn mask(&self, secret: &Secret) -> Result<(), Error> {
        self.done(Effect::Mask(secret.clone())).await
    }

    /// Gives out what the command was run for.
    pub async fn output(&self, output: Output) -> Result<(), Error> {
        self.done(Effect::Output(output)).await
    }

    /// Waits.
    pub async fn sleep(&self, milliseconds: u64) -> Result<(), Error> {
        self.done(Effect::Sleep { milliseconds }).await
    }

    /// Says something that `-v` shows.
    pub async fn detail(&self, text: String) -> Result<(), Error> {
        self.done(Effect::Say(Line { level: Level::Detail, text })).await
    }

    /// Says something that `--quiet` hides.
    pub async fn note(&self, text: String) -> Result<(), Error> {
        self.done(Effect::Say(Line { level: Level::Note, text })).await
    }

    /// Says something that is always shown.
    pub async fn warn(&self, text: String) -> Result<(), Error> {
        self.done(Effect::Say(Line { level: Level::Warning, text })).await
    }

    async fn done(&self, effect: Effect) -> Result<(), Error> {
        match self.ask(effect).await {
            Outcome::Done => Ok(()),
            other => Err(unanswered(&other)),
        }
    }
}

/// The session has refused outcomes of the wrong kind already; what is left is a stop.
fn unanswered(outcome: &Outcome) -> Error {
    match outcome {
        Outcome::Stopped(stop) => stop.error(),
        _ => Error::bug("an outcome of the wrong kind"),
    }
}
