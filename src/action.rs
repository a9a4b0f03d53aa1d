//! The story as the GitHub Action's module tells it: JSON in, JSON out, one effect at a time.
//!
//! `action/module/wit/world.wit` shows every message. The module is this file and nothing else of its own: the story,
//! the providers and the errors are the very code of the program. What comes from outside is read into types; an
//! error in it is told by line and column, never by its text, and a call out of turn ends the session.

mod inputs;
mod way_back;

use std::collections::BTreeMap;

use hublease_protocol::secret::Secret;
use serde::{Deserialize, Serialize};

use self::inputs::{Begun, begin};
pub use self::inputs::{INPUTS_OF_OTHERS, OWN_INPUTS, is_input};
use crate::effect::http::Destination;
use crate::effect::{Asked, Effect, End, Outcome, Session, Step};
use crate::error::Error;
use crate::plan::{CaCert, Fixed};

/// The largest message that is read, in bytes: a body of 1 MiB in which every character is escaped, and some.
pub const LARGEST_MESSAGE: usize = 8 * 1024 * 1024;

/// One run of one stage.
#[derive(Debug, Default)]
pub enum Module {
    /// Nothing has begun.
    #[default]
    Idle,
    /// An effect was asked.
    Going(Session),
    /// The end was told.
    StoryEnd,
}

impl Module {
    /// Begins `stage` with what it is given, the inputs for `login` and what that left for `logout`, and runs to the first effect or the end.
    pub fn begin(&mut self, stage: &str, inputs: &Secret) -> Secret {
        if !matches!(self, Self::Idle) {
            return self.over(Err(Error::bug("a second beginning")));
        }
        match begin(stage, inputs) {
            Ok(Begun { fixed, way_back, session }) => self.step(session, None, Some(FixedSetup::of(fixed, way_back))),
            Err(error) => self.over(Err(error)),
        }
    }

    /// Hands in the outcome of the effect that was asked last, and runs to the next one or the end.
    pub fn advance(&mut self, outcome: &Secret) -> Secret {
        match (std::mem::replace(self, Self::StoryEnd), read::<Outcome>(outcome, "outcome")) {
            (Self::Going(session), Ok(outcome)) => self.step(session, Some(outcome), None),
            (Self::Going(_), Err(error)) => self.over(Err(error)),
            (Self::Idle | Self::StoryEnd, _) => self.over(Err(Error::bug("an outcome out of turn"))),
        }
    }

    fn step(&mut self, mut session: Session, outcome: Option<Outcome>, setup: Option<FixedSetup>) -> Secret {
        match session.step(outcome) {
            Step::Asked(mut asked) => {
                *self = Self::Going(session);
                if let Effect::Say(line) = &mut asked.effect {
                    line.text = of_inputs(&line.text);
                }
                written(&ModuleReply { setup, ask: Some(AskedEffect::of(&asked)), over: None })
            }
            Step::Over(end) => self.over(end),
        }
    }

    fn over(&mut self, end: End) -> Secret {
        *self = Self::StoryEnd;
        let (code, error) = match end {
            Ok(code) => (code, None),
            Err(error) => (error.exit_code(), Some(of_inputs(&error.to_string()))),
        };
        written(&ModuleReply { setup: None, ask: None, over: Some(StoryEnd { code, error }) })
    }
}

/// A text for people, who have inputs here where the program has flags of the same names.
fn of_inputs(text: &str) -> String {
    text.replace("`--", "`")
}

/// What the module says: an effect, the first time with what is fixed, or the end.
#[derive(Serialize)]
struct ModuleReply<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    setup: Option<FixedSetup>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ask: Option<AskedEffect<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    over: Option<StoryEnd>,
}

#[derive(Serialize)]
struct FixedSetup {
    destinations: BTreeMap<Destination, String>,
    ca_cert: Option<CaCert>,
    identity_file: Option<String>,
    /// What the host keeps in the step's state for the post step.
    #[serde(skip_serializing_if = "Option::is_none")]
    way_back: Option<String>,
}

impl FixedSetup {
    fn of(fixed: Fixed, way_back: Option<String>) -> Self {
        let mut destinations = BTreeMap::new();
        for (name, origin) in fixed.destinations {
            destinations.insert(name, origin.to_string());
        }
        Self { destinations, ca_cert: fixed.ca_cert, identity_file: fixed.identity_file, way_back }
    }
}

#[derive(Serialize)]
struct AskedEffect<'a> {
    effect: &'a Effect,
    undo: bool,
    forward: bool,
    mint: bool,
}

impl<'a> AskedEffect<'a> {
    fn of(asked: &'a Asked) -> Self {
        Self { effect: &asked.effect, undo: asked.undo, forward: asked.is_forward(), mint: asked.is_mint() }
    }
}

#[derive(Serialize)]
struct StoryEnd {
    code: u8,
    error: Option<String>,
}

/// A message from outside. Its text may be secret, so an error says where and not what.
fn read<'a, T: Deserialize<'a>>(message: &'a Secret, what: &'static str) -> Result<T, Error> {
    if message.len() > LARGEST_MESSAGE {
        return Err(Error::bug(what).because("it is larger than 8 MiB"));
    }
    serde_json::from_str(message.expose()).map_err(|error| {
        Error::bug(what).because(&format!("not of this form at line {}, column {}", error.line(), error.column()))
    })
}

/// Every type here can be written, so there is always a message.
fn written(answer: &ModuleReply<'_>) -> Secret {
    Secret::new(serde_json::to_string(answer).unwrap_or_default())
}

#[cfg(test)]
mod tests;
