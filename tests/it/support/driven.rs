//! A story that is stepped in this process, over the real native performer: it can be stopped after effect k, and any
//! effect can be answered by the test instead. Waiting takes no time. The Action's module can be stepped beside it.

use std::cell::RefCell;
use std::io::Write;
use std::rc::Rc;

use hublease::effect::{Asked, Effect, End, Outcome, Perform, Step};
use hublease::environment::Environment;
use hublease::error::Error;
use hublease::native::arguments::{ReadArguments, read};
use hublease::native::run::prepare;
use hublease::native::{Performer, Setup};
use hublease::plan::Plan;

use super::World;
use super::job::Job;
use super::module::{self, Beside};

/// How far a story may go; none of ours has a tenth of it.
const MOST_EFFECTS: usize = 2000;

/// What came of a driven story.
pub struct Driven {
    /// None if it was stopped.
    pub end: Option<End>,
    /// Every effect in order.
    pub trace: Vec<Asked>,
    pub stdout: String,
    pub stderr: String,
}

impl Driven {
    /// The exit code.
    #[track_caller]
    pub fn code(&self) -> u8 {
        match self.end.as_ref().unwrap_or_else(|| panic!("it was stopped")) {
            Ok(code) => *code,
            Err(error) => error.exit_code(),
        }
    }

    /// The failure.
    #[track_caller]
    pub fn error(&self) -> &Error {
        match self.end.as_ref().unwrap_or_else(|| panic!("it was stopped")) {
            Ok(code) => panic!("it ended with {code}\n{}\n{}", self.stdout, self.stderr),
            Err(error) => error,
        }
    }
}

/// Steps a job's story. `answer` may answer an effect instead of the world.
pub fn drive(job: Job<'_>, stop_after: Option<usize>, answer: impl FnMut(usize, &Asked) -> Option<Outcome>) -> Driven {
    drive_beside(job, Beside::default(), stop_after, answer)
}

/// The same, with modules that must say the same at every step.
pub fn drive_beside(
    job: Job<'_>,
    mut beside: Beside,
    stop_after: Option<usize>,
    mut answer: impl FnMut(usize, &Asked) -> Option<Outcome>,
) -> Driven {
    let world = job.world();
    let mut driven = Driven { end: None, trace: Vec::new(), stdout: String::new(), stderr: String::new() };
    let (mut plan, setup) = match planned(&job) {
        Ok(prepared) => prepared,
        Err(error) => {
            let step = Step::Over(Err(error.clone()));
            beside.begin(&step, None);
            return Driven { end: Some(Err(error)), ..driven };
        }
    };
    let fixed = (!beside.is_empty()).then(|| module::Setup::of(&setup));
    beside.dress(&mut plan);
    let (stdout, stderr) = (Sink::default(), Sink::default());
    let mut performer = Performer::new(setup, Box::new(stdout.clone()), Box::new(stderr.clone()));
    let mut session = hublease::session(plan);
    let mut step = session.step(None);
    beside.begin(&step, fixed.as_ref());
    while driven.trace.len() < MOST_EFFECTS {
        let asked = match step {
            Step::Asked(asked) => asked,
            Step::Over(end) => {
                driven.end = Some(end);
                break;
            }
        };
        let number = driven.trace.len();
        let outcome = answer(number, &asked).unwrap_or_else(|| performed(&mut performer, &asked));
        driven.trace.push(asked);
        if stop_after == Some(number) {
            break;
        }
        step = session.step(Some(outcome.clone()));
        beside.advance(&outcome, &step);
    }
    driven.stdout = stdout.text();
    driven.stderr = stderr.text();
    world.search_texts(&driven.stdout, &driven.stderr);
    driven
}

fn performed(performer: &mut Performer, asked: &Asked) -> Outcome {
    match &asked.effect {
        Effect::Sleep { .. } => Outcome::Done,
        _ => performer.perform(asked),
    }
}

fn planned(job: &Job<'_>) -> Result<(Plan, Setup), Error> {
    let variables = job.variables().iter().map(|(name, value)| (name.clone(), value.clone()));
    let environment = Environment::new(variables);
    let words: Vec<_> = job.words().into_iter().map(Into::into).collect();
    match read(&words, &environment)? {
        ReadArguments::Run(typed) => prepare(&typed, environment, job.directory()),
        ReadArguments::Show(text) => panic!("{text}"),
    }
}

/// A shared buffer.
#[derive(Clone, Default)]
struct Sink(Rc<RefCell<Vec<u8>>>);

impl Sink {
    fn text(&self) -> String {
        String::from_utf8(self.0.borrow().clone()).unwrap()
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.borrow_mut().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// Whether a world still holds a Docker Hub credential that was leased, by the kinds of the sandbox.
pub fn leased(world: &World) -> Vec<String> {
    let live = world.sandbox.live().into_iter().filter(|item| item.kind != "token");
    live.map(|item| format!("{} {}", item.kind, item.id)).collect()
}
