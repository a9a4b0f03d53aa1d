//! The messages of `action/module/wit/world.wit`, as a host sees them; a member that is not in there is an error.

use std::collections::BTreeMap;

use hublease::action::Module;
use hublease::cli::FLAGS;
use hublease::effect::http::Destination;
use hublease::effect::{Asked, Effect, Step};
use hublease::native;
use hublease_protocol::secret::Secret;
use serde::{Deserialize, Serialize};

use crate::support::job::Job;

/// The variables that the Action's host hands on, with all that begin with `HUBLEASE_` and those that inputs name.
const HANDED_ON: [&str; 13] = [
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "ACTIONS_ID_TOKEN_REQUEST_URL",
    "DOCKERHUB_OIDC_CONNECTIONID",
    "DOCKERHUB_OIDC_EXPIREIN",
    "DOCKER_AUTH_CONFIG",
    "GITHUB_ACTIONS",
    "GITHUB_JOB",
    "GITHUB_RUN_ATTEMPT",
    "GITHUB_RUN_ID",
    "RUNNER_TEMP",
    "VAULT_ADDR",
    "VAULT_CACERT",
    "VAULT_NAMESPACE",
];

/// Inputs whose value is the name of a variable.
const NAMING: [&str; 3] = ["identity-token-env", "secret-env", "username-env"];

/// What `begin` is given.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Given {
    pub inputs: BTreeMap<String, String>,
    pub environment: BTreeMap<String, String>,
}

impl Given {
    /// The flags of a job as inputs, and of its variables the ones that the host hands on.
    pub fn of(job: &Job<'_>) -> Self {
        let mut inputs: BTreeMap<String, String> = BTreeMap::new();
        let words = job.words();
        let mut words = words.iter().skip(1).peekable();
        while let Some(word) = words.next() {
            let flag = word.strip_prefix("--").unwrap_or_else(|| panic!("{word} is no long flag"));
            let (name, value) = match flag.split_once('=') {
                Some((name, value)) => (name, value.to_owned()),
                None => {
                    (flag, words.next_if(|next| !next.starts_with("--")).map_or_else(|| "true".into(), Clone::clone))
                }
            };
            assert!(FLAGS.iter().any(|flag| flag.name == name), "{name}");
            // What may be repeated has a value on each line.
            inputs.entry(name.to_owned()).and_modify(|lines| *lines = format!("{lines}\n{value}")).or_insert(value);
        }
        let named: Vec<&String> = NAMING.iter().filter_map(|name| inputs.get(*name)).collect();
        let is_handed_on = |name: &String| {
            HANDED_ON.contains(&name.as_str()) || name.starts_with("HUBLEASE_") || named.contains(&name)
        };
        let environment = job.variables().iter().filter(|(name, _)| is_handed_on(name));
        let environment = environment.map(|(name, value)| (name.clone(), value.clone())).collect();
        Self { inputs, environment }
    }

    /// With one more input.
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.inputs.insert(name.to_owned(), value.to_owned());
        self
    }

    /// What a login with these inputs leaves for its post step.
    pub fn way_back(&self) -> String {
        let first = Module::default().begin("login", &Secret::new(self.json()));
        Answer::read(first.expose()).setup.and_then(|setup| setup.way_back).unwrap()
    }

    pub fn json(&self) -> String {
        serde_json::to_string(self).unwrap()
    }
}

/// Whatever a call answers.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    pub setup: Option<Setup>,
    pub ask: Option<Ask>,
    pub over: Option<Over>,
}

/// What is fixed before the story begins.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Setup {
    pub destinations: BTreeMap<Destination, String>,
    pub ca_cert: Option<serde_json::Value>,
    pub identity_file: Option<String>,
    pub way_back: Option<String>,
}

/// An effect, with what a host must know of it.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ask {
    pub effect: Effect,
    pub undo: bool,
    pub forward: bool,
    pub mint: bool,
}

/// The end.
#[derive(Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Over {
    pub code: u8,
    pub error: Option<String>,
}

impl Answer {
    /// Reads one; the text may hold secrets, so a failure does not show it.
    #[track_caller]
    pub fn read(text: &str) -> Self {
        serde_json::from_str(text).unwrap_or_else(|error| panic!("not an answer of this form: {error}"))
    }

    /// What the module has to say where the program's own session takes this step.
    pub fn of(step: &Step, setup: Option<Setup>) -> Self {
        match step {
            Step::Asked(asked) => Self { setup, ask: Some(Ask::of(asked)), over: None },
            Step::Over(Ok(code)) => Self { setup: None, ask: None, over: Some(Over { code: *code, error: None }) },
            // The program speaks of flags, the Action of inputs: the same names without the dashes.
            Step::Over(Err(error)) => {
                let over = Over { code: error.exit_code(), error: Some(error.to_string().replace("`--", "`")) };
                Self { setup: None, ask: None, over: Some(over) }
            }
        }
    }

    /// The end, which this is.
    #[track_caller]
    pub fn over(self) -> Over {
        self.over.unwrap_or_else(|| panic!("it goes on"))
    }
}

impl Ask {
    fn of(asked: &Asked) -> Self {
        Self { effect: asked.effect.clone(), undo: asked.undo, forward: asked.is_forward(), mint: asked.is_mint() }
    }
}

impl Setup {
    /// What the native performer was told. It reads the certificates itself, so no test here has any.
    pub fn of(native: &native::Setup) -> Self {
        let destinations = native.destinations.iter().map(|(name, origin)| (*name, origin.to_string())).collect();
        assert!(native.certificates.is_none(), "certificates are not compared");
        let identity_file = native.identity_file.as_ref().map(|path| path.display().to_string());
        Self { destinations, ca_cert: None, identity_file, way_back: None }
    }
}
