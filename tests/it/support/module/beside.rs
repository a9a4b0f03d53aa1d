//! Modules that are told what the program's own session is told, and must say the same at every step.
//!
//! All that a story depends on comes in by inputs and outcomes, so the same outcomes must bring the same effects to the
//! last byte: bodies, headers, masks, sentences, the order of everything. One performer performs each effect once, so
//! what is true of the requests and of what lives on is true of every form at once.

use hublease::effect::{Outcome, Step};
use hublease::plan::{Frontend, Plan};
use hublease::provider::Purpose;

use super::{Answer, Code, Form, Given, Guest, Limits, Setup};

/// Instances that follow a session.
#[derive(Default)]
pub struct Beside {
    stage: String,
    given: Given,
    guests: Vec<(Form, Guest)>,
}

impl Beside {
    /// Modules at `stage`, with the inputs that both stages are given.
    pub fn of(codes: &[Code], stage: &str, given: Given) -> Self {
        let guests = codes.iter().map(|code| (code.form(), code.start(Limits::default()))).collect();
        Self { stage: stage.to_owned(), given, guests }
    }

    /// Whether nobody follows.
    pub fn is_empty(&self) -> bool {
        self.guests.is_empty()
    }

    /// Gives the session's plan the Action's face, as the module does.
    pub fn dress(&self, plan: &mut Plan) {
        if let Plan::Login(login) = plan {
            let expose_token = self.given.inputs.get("expose-token").is_some_and(|value| value == "true");
            login.frontend = Frontend::Action { expose_token };
            login.exchange.purpose = Purpose::ActionJob;
        }
    }

    /// The first step of the session.
    #[track_caller]
    pub fn begin(&mut self, step: &Step, setup: Option<&Setup>) {
        let given = if self.stage == "logout" { self.given.way_back() } else { self.given.json() };
        for (form, guest) in &mut self.guests {
            let mut answer = Answer::read(&guest.begin(&self.stage, &given).unwrap());
            let way_back = answer.setup.as_mut().and_then(|setup| setup.way_back.take());
            assert_eq!(way_back.is_some(), self.stage == "login" && setup.is_some(), "{form:?}");
            assert_eq!(answer, Answer::of(step, setup.cloned()), "{form:?}");
            assert_eq!(guest.printed(), "", "{form:?}");
        }
    }

    /// A later step of the session, after this outcome.
    #[track_caller]
    pub fn advance(&mut self, outcome: &Outcome, step: &Step) {
        for (form, guest) in &mut self.guests {
            let answer = guest.advance(&serde_json::to_string(outcome).unwrap()).unwrap();
            assert_eq!(Answer::read(&answer), Answer::of(step, None), "{form:?}");
            assert_eq!(guest.printed(), "", "{form:?}");
        }
    }
}
