//! The one stepping primitive, and the loop over it.

use std::cell::RefCell;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use super::{Asked, Effects, Outcome, Stop};
use crate::error::Error;

/// How a story ends: the exit code, or the failure.
pub type End = Result<u8, Error>;

/// What one step brought.
#[derive(Debug, PartialEq)]
pub enum Step {
    /// The story waits for the outcome of this.
    Asked(Asked),
    /// The story is over.
    Over(End),
}

/// What parks between the story and whoever steps it.
#[derive(Default)]
pub(super) struct Mailbox {
    pub(super) asked: Option<Asked>,
    pub(super) outcome: Option<Outcome>,
}

/// A story in progress.
pub struct Session {
    mailbox: Rc<RefCell<Mailbox>>,
    story: Option<Pin<Box<dyn Future<Output = End>>>>,
    waiting: Option<Asked>,
}

impl fmt::Debug for Session {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Session").field("waiting", &self.waiting).finish_non_exhaustive()
    }
}

impl Session {
    /// Prepares a story; nothing happens before the first step.
    pub fn start<F: Future<Output = End> + 'static>(story: impl FnOnce(Effects) -> F) -> Self {
        let mailbox = Rc::new(RefCell::new(Mailbox::default()));
        let story = Box::pin(story(Effects::new(Rc::clone(&mailbox))));
        Self { mailbox, story: Some(story), waiting: None }
    }

    /// Hands in the outcome of what was asked last (none at the first step), and runs to the next ask or the end.
    ///
    /// A missing outcome, one of the wrong kind, or a step after the end, ends the session with exit code 70.
    pub fn step(&mut self, outcome: Option<Outcome>) -> Step {
        let expected = match (&self.waiting, &outcome) {
            (None, None) => true,
            (Some(asked), Some(outcome)) => asked.accepts(outcome),
            _ => false,
        };
        let Some(mut story) = self.story.take().filter(|_| expected) else {
            return Step::Over(Err(Error::bug("an outcome that answers nothing")));
        };
        self.waiting = None;
        self.mailbox.borrow_mut().outcome = outcome;
        // No borrow is held here: the story borrows the mailbox itself when it asks.
        if let Poll::Ready(end) = story.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return Step::Over(end);
        }
        let asked = self.mailbox.borrow_mut().asked.take();
        match asked {
            Some(asked) => {
                self.story = Some(story);
                self.waiting = Some(asked.clone());
                Step::Asked(asked)
            }
            None => Step::Over(Err(Error::bug("a story that waits for nothing"))),
        }
    }
}

/// Whoever performs effects.
pub trait Perform {
    /// Whether the story has to come to its end, and why. Once `Some`, forward effects are not performed any more.
    fn stop(&mut self) -> Option<Stop>;

    /// Does what was asked, within the limits of its kind.
    fn perform(&mut self, asked: &Asked) -> Outcome;
}

/// Runs a story to its end. After a stop every forward effect is answered [`Outcome::Stopped`], the story takes its
/// undo path, and undo effects still run.
pub fn drive(mut session: Session, performer: &mut dyn Perform) -> End {
    let mut outcome = None;
    loop {
        match session.step(outcome) {
            Step::Over(end) => return end,
            Step::Asked(asked) => {
                let stop = performer.stop().filter(|_| asked.is_forward());
                outcome = Some(stop.map_or_else(|| performer.perform(&asked), Outcome::Stopped));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Session, Step};
    use crate::effect::{Effect, Outcome, Stop};

    fn session() -> Session {
        Session::start(|effects| async move {
            let now = effects.now().await?;
            Ok(u8::try_from(now).unwrap_or(9))
        })
    }

    #[test]
    fn a_story_pauses_at_its_ask_and_ends_with_its_code() {
        let mut session = session();
        assert!(matches!(session.step(None), Step::Asked(asked) if asked.effect == Effect::Now));
        assert_eq!(session.step(Some(Outcome::Now(7))), Step::Over(Ok(7)));
    }

    #[test]
    fn whatever_answers_nothing_ends_the_session_with_70() {
        let code = |step: Step| match step {
            Step::Over(Err(error)) => error.exit_code(),
            other => panic!("{other:?}"),
        };
        assert_eq!(code(session().step(Some(Outcome::Done))), 70);
        for outcome in [None, Some(Outcome::Done), Some(Outcome::Stopped(Stop::Deadline))] {
            let mut session = session();
            session.step(None);
            assert_eq!(code(session.step(outcome)), 70);
            assert_eq!(code(session.step(Some(Outcome::Now(1)))), 70);
        }
        let mut over = session();
        over.step(None);
        over.step(Some(Outcome::Now(1)));
        assert_eq!(code(over.step(None)), 70);
    }
}
