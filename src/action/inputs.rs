//! From the Action's inputs to a story.
//!
//! An input is a flag of `login` or `logout` by its name: the login takes both, and leaves for its post step what that needs.
//! `whoami` takes those that are its own. An empty input is unset, as with variables; one that may be repeated has a value on
//! each line.

use std::collections::BTreeMap;
use std::fmt;

use hublease_protocol::secret::Secret;
use serde::Deserialize;

use super::read;
use super::way_back::WayBack;
use crate::cli::{Arguments, Command, FLAGS, Flag, Value, boolean, nearest, refuse_misspelled};
use crate::effect::{Output, Session};
use crate::environment::Environment;
use crate::error::{Error, Problem};
use crate::plan::{Fixed, Frontend, Login, Logout, Plan, Whoami, shown, undoing};
use crate::provider::Purpose;
use crate::provider::revocation::Revoker;
use crate::{login, logout, whoami};

/// Flags of `login` and `logout` that are no inputs: the runner decides what is shown and whose records there
/// are, and a post step speaks for its own job.
pub const INPUTS_OF_OTHERS: &[&str] = &["all", "as", "output", "quiet", "verbose", "workflow"];

/// Inputs that are no flags.
pub const OWN_INPUTS: &[&str] = &[EXPOSE_TOKEN, MODE];

/// Whether later steps get the credential as an output.
const EXPOSE_TOKEN: &str = "expose-token";
/// What the step is run for.
const MODE: &str = "mode";

/// What people write who come from an action that takes the secret itself.
const HOLDS_SECRET: &[&str] = &["password", "token", "secret"];

/// What the host hands in.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Given {
    inputs: BTreeMap<String, String>,
    environment: BTreeMap<String, String>,
}

impl fmt::Debug for Given {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Given").field("inputs", &self.inputs.keys()).finish_non_exhaustive()
    }
}

/// A story that can be stepped, and what is fixed before that.
pub(super) struct Begun {
    pub(super) fixed: Fixed,
    /// What a login leaves for its post step.
    pub(super) way_back: Option<String>,
    pub(super) session: Session,
}

/// Whether the Action has an input of this name.
pub fn is_input(name: &str) -> bool {
    OWN_INPUTS.contains(&name) || flag(name).is_some()
}

fn flag(name: &str) -> Option<&'static Flag> {
    let belongs = |flag: &&Flag| {
        flag.name == name
            && !INPUTS_OF_OTHERS.contains(&name)
            && (flag.commands.contains(&Command::Login) || flag.commands.contains(&Command::Logout))
    };
    FLAGS.iter().find(belongs)
}

/// Begins a stage: `login` with its inputs, `logout` with what that left.
///
/// # Errors
/// Usage errors, no identity here, a stage that does not exist.
pub(super) fn begin(stage: &str, given: &Secret) -> Result<Begun, Error> {
    match stage {
        "login" => {
            let Given { inputs, environment } = read(given, "inputs")?;
            let (words, environment) = (Words::of(&inputs)?, Environment::new(environment));
            if words.is_whoami { who_am_i(&words, &environment) } else { log_in(&words, &environment) }
        }
        "logout" => Ok(log_out(WayBack::read(given))),
        _ => Err(Error::bug("an unknown stage")),
    }
}

fn log_in(words: &Words, environment: &Environment) -> Result<Begun, Error> {
    refuse_misspelled(environment)?;
    let (arguments, mut login) = words.login(environment)?;
    // What only the post step uses is checked before anything is minted, too.
    let logout = words.logout(environment)?;
    login.frontend = Frontend::Action { expose_token: words.expose_token };
    login.exchange.purpose = Purpose::ActionJob;
    let logout = Logout {
        revoker: Revoker::of(&login.exchange.provider),
        refusal: None,
        job: login.job.clone(),
        all: true,
        strict: logout.is_on("strict-revoke"),
        probe: logout.is_on("probe-dead"),
        json: false,
    };
    let plan = Plan::Login(login);
    let fixed = plan.fixed(&arguments);
    if arguments.is_on("dry-run") {
        return Ok(Begun { fixed, way_back: None, session: show(&plan) });
    }
    plan.ready()?;
    let Plan::Login(login) = plan else { return Err(Error::bug("a login that is none")) };
    let way_back = Some(WayBack::new(&logout, fixed.ca_cert.clone()).text());
    Ok(Begun { fixed, way_back, session: Session::start(|host| login::login(host, login)) })
}

/// Shows what the job can prove. Of the inputs those count that say for whom.
fn who_am_i(words: &Words, environment: &Environment) -> Result<Begun, Error> {
    let arguments = words.arguments(Command::Whoami, environment, |flag| flag.commands.contains(&Command::Whoami))?;
    let plan = Plan::Whoami(Whoami::new(&arguments, environment, false)?);
    let fixed = plan.fixed(&arguments);
    plan.ready()?;
    let Plan::Whoami(whoami) = plan else { return Err(Error::bug("a whoami that is none")) };
    Ok(Begun { fixed, way_back: None, session: Session::start(|host| whoami::whoami(host, whoami)) })
}

/// Undoes what the login did that left this.
fn log_out(way_back: WayBack) -> Begun {
    let (logout, ca_cert) = way_back.logout();
    let fixed = Fixed { destinations: undoing(&logout), ca_cert, identity_file: None };
    Begun { fixed, way_back: None, session: Session::start(|host| logout::logout(host, logout)) }
}

/// The story of `dry-run`: the plan, and nothing else.
fn show(plan: &Plan) -> Session {
    let text = shown::text(plan);
    Session::start(|host| async move { host.output(Output::Report(text)).await.map(|()| 0) })
}

/// The inputs by their flags.
struct Words {
    flags: BTreeMap<&'static str, Vec<String>>,
    expose_token: bool,
    is_whoami: bool,
}

impl Words {
    fn of(inputs: &BTreeMap<String, String>) -> Result<Self, Error> {
        let mut words = Self { flags: BTreeMap::new(), expose_token: false, is_whoami: false };
        for (name, value) in inputs {
            let value = value.trim();
            if name == EXPOSE_TOKEN {
                words.expose_token = switch(value)?;
            } else if name == MODE {
                words.is_whoami = is_whoami(value)?;
            } else if let Some(flag) = flag(name) {
                let values: Vec<String> = match flag.value {
                    Value::Many(_) => {
                        value.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
                    }
                    _ => Some(value).filter(|value| !value.is_empty()).map(str::to_owned).into_iter().collect(),
                };
                if !values.is_empty() {
                    words.flags.insert(flag.name, values);
                }
            } else {
                return Err(unknown(name));
            }
        }
        Ok(words)
    }

    fn login(&self, environment: &Environment) -> Result<(Arguments, Login), Error> {
        let arguments = self.arguments(Command::Login, environment, |flag| flag.commands.contains(&Command::Login))?;
        let login = Login::resolve(&arguments, environment)?;
        Ok((arguments, login))
    }

    fn logout(&self, environment: &Environment) -> Result<Arguments, Error> {
        self.arguments(Command::Logout, environment, |flag| !flag.commands.contains(&Command::Login))
    }

    fn arguments(
        &self,
        command: Command,
        environment: &Environment,
        takes: fn(&Flag) -> bool,
    ) -> Result<Arguments, Error> {
        let mut flags = BTreeMap::new();
        for flag in FLAGS.iter().filter(|flag| takes(flag)) {
            if let Some(values) = self.flags.get(flag.name) {
                flags.insert(flag.name, values.clone());
            }
        }
        Arguments::new(command, flags, Vec::new(), environment)
    }
}

/// An input that does not exist, with the one that is probably meant; never with its value.
fn unknown(name: &str) -> Error {
    let error = Error::new(Problem::UnknownInput, name);
    if HOLDS_SECRET.contains(&name) {
        return error.because(
            "no input holds a secret: with `provider` at `static`, `secret-env` names the variable that holds the token",
        );
    }
    let inputs = FLAGS.iter().map(|flag| flag.name).chain(OWN_INPUTS.iter().copied()).filter(|name| is_input(name));
    match nearest(name, inputs) {
        Some(near) => error.because(&format!("did you mean `{near}`?")),
        None => error,
    }
}

fn is_whoami(mode: &str) -> Result<bool, Error> {
    match mode {
        "" | "login" => Ok(false),
        "whoami" => Ok(true),
        _ => Err(Error::new(Problem::InvalidValue, &format!("`{MODE}`")).because("it is `login` or `whoami`")),
    }
}

fn switch(value: &str) -> Result<bool, Error> {
    if value.is_empty() {
        return Ok(false);
    }
    let wrong = || Error::new(Problem::InvalidValue, &format!("`{EXPOSE_TOKEN}`")).because("it is `true` or `false`");
    boolean(value).ok_or_else(wrong)
}
