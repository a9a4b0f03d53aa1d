//! What the typed words mean: every default resolved, only valid states.
//!
//! After this stage nobody reads the environment. A wish that the chosen provider cannot honour is refused here, so
//! that nothing is sent, started or written for a plan that is not valid.

mod identity;
mod provider;
pub mod shown;

use crate::{
    cli::{Command, ProviderName, Typed},
    effect::{
        docker::{Client, Registry},
        http::Destination,
    },
    endpoint::Origin,
    environment::Environment,
    error::{Error, Problem},
    identity::Identity,
    provider::{Provider, revocation::Revoker},
    secret::Secret,
};

/// What a command will do.
#[derive(Debug)]
pub enum Plan {
    /// `login`.
    Login(Login),
    /// `logout`.
    Logout(Logout),
    /// `exec`.
    Exec(Exec),
    /// `token`.
    Token(Token),
    /// `whoami`.
    Whoami(Whoami),
}

/// Who asks whom for what.
#[derive(Debug)]
pub struct Exchange {
    /// Who we are.
    pub identity: Identity,
    /// The audience to ask an identity token for; none takes what the CI system gives by default.
    pub audience: Option<String>,
    /// Who vouches.
    pub provider: Provider,
    /// As whom to log in, if the provider does not say.
    pub username: Option<String>,
    /// How long the credential shall live, in seconds; compared with what was granted.
    pub wanted_life: Option<u64>,
}

/// The docker side.
#[derive(Clone, Debug)]
pub struct Docker {
    /// Where to log in; not empty, no registry twice.
    pub registries: Vec<Registry>,
    /// Who keeps the login.
    pub client: Client,
    /// Which configuration directory.
    pub isolation: Isolation,
}

/// Which configuration directory a login uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolation {
    /// The user's own, unless it would do harm.
    No,
    /// A private one.
    Yes {
        /// Whether other registries' logins come along.
        copy_auths: bool,
    },
}

/// Which job this is: the record belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// What distinguishes this job from every other one on the machine; none outside CI.
    pub key: Option<String>,
}

/// A resolved `login`.
#[derive(Debug)]
pub struct Login {
    /// Who asks whom for what.
    pub exchange: Exchange,
    /// The docker side.
    pub docker: Docker,
    /// Whose record.
    pub job: Job,
    /// Whether to print JSON.
    pub json: bool,
    /// What would win over this login wherever docker looks for one.
    pub shadow: Option<Error>,
}

/// A resolved `logout`.
#[derive(Debug)]
pub struct Logout {
    /// Who can be asked to revoke. Records are compared with it and never steer a token.
    pub revoker: Revoker,
    /// Whose records.
    pub job: Job,
    /// Every record of this user.
    pub all: bool,
    /// Whether a failed revocation is a failure.
    pub strict: bool,
    /// Whether to ask Docker Hub if the credential is dead.
    pub probe: bool,
    /// Whether to print JSON.
    pub json: bool,
}

/// A resolved `exec`.
#[derive(Debug)]
pub struct Exec {
    /// The login that surrounds the command; always isolated.
    pub login: Login,
    /// Whether to exchange anew at 80 % of the life.
    pub renew: bool,
    /// Whether a failed revocation is a failure.
    pub strict: bool,
    /// Program and arguments; not empty.
    pub command: Vec<String>,
}

/// How `token` prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// One JSON object.
    Json,
    /// Shell assignments.
    Env,
    /// The credential alone.
    Secret,
}

/// A resolved `token`.
#[derive(Debug)]
pub struct Token {
    /// Who asks whom for what.
    pub exchange: Exchange,
    /// For which registries.
    pub registries: Vec<Registry>,
    /// Whose record.
    pub job: Job,
    /// How to print.
    pub format: Format,
}

/// A resolved `whoami`.
#[derive(Debug)]
pub struct Whoami {
    /// Who we are.
    pub identity: Identity,
    /// The audience to ask for.
    pub audience: Option<String>,
    /// Whether to print JSON.
    pub json: bool,
}

/// What the machine is like, as far as a plan depends on it.
#[derive(Clone, Copy, Debug)]
pub struct Machine {
    /// Standard output is a terminal.
    pub terminal: bool,
}

impl Plan {
    /// Resolves what was typed.
    ///
    /// # Errors
    /// Usage errors.
    pub fn new(typed: &Typed, environment: &Environment, machine: Machine) -> Result<Self, Error> {
        let job = Job::of(environment);
        let json = typed.one("output") == Some("json");
        if typed.is_on("verbose") && typed.is_on("quiet") {
            return Err(Error::new(Problem::Conflict, "`--verbose` and `--quiet`"));
        }
        if typed.one("as").is_some() && !typed.is_on("dry-run") {
            return Err(typed.refuse("as", "it simulates, and so belongs to `--dry-run`"));
        }
        match typed.command {
            Command::Login => Login::new(typed, environment, job, json, typed.isolation()).map(Self::Login),
            Command::Logout => Ok(Self::Logout(Logout {
                revoker: provider::revoker(typed)?,
                job,
                all: typed.is_on("all"),
                strict: typed.is_on("strict-revoke"),
                probe: typed.is_on("probe-dead"),
                json,
            })),
            Command::Exec => Ok(Self::Exec(Exec {
                login: Login::new(typed, environment, job, json, typed.private())?,
                renew: typed.is_on("renew"),
                strict: typed.is_on("strict-revoke"),
                command: typed.rest.clone(),
            })),
            Command::Token => Token::new(typed, environment, job, machine).map(Self::Token),
            Command::Whoami => Whoami::new(typed, environment, json).map(Self::Whoami),
        }
    }

    /// Fails if the story cannot even begin: there is no identity here, or the login would be shadowed.
    pub fn ready(&self) -> Result<(), Error> {
        match self {
            Self::Login(login) => login.ready(),
            Self::Exec(exec) => exec.login.ready(),
            Self::Token(token) => token.exchange.identity.ready(),
            Self::Whoami(whoami) => whoami.identity.ready(),
            Self::Logout(_) => Ok(()),
        }
    }

    /// Which origin each destination of this plan stands for.
    pub fn destinations(&self) -> Vec<(Destination, Origin)> {
        let exchange = match self {
            Self::Login(login) => Some(&login.exchange),
            Self::Exec(exec) => Some(&exec.login.exchange),
            Self::Token(token) => Some(&token.exchange),
            Self::Logout(_) | Self::Whoami(_) => None,
        };
        let mut known = Vec::new();
        match self {
            Self::Logout(logout) => {
                known.extend(logout.revoker.destinations());
                known.extend(
                    Origin::parse("https://auth.docker.io").ok().map(|origin| (Destination::RegistryAuth, origin)),
                );
            }
            Self::Whoami(whoami) => known.extend(whoami.identity.destination()),
            _ => {}
        }
        if let Some(exchange) = exchange {
            known.extend(exchange.identity.destination());
            known.extend(exchange.provider.destinations());
        }
        known
    }
}

impl Login {
    fn ready(&self) -> Result<(), Error> {
        self.shadow.clone().map_or_else(|| self.exchange.identity.ready(), Err)
    }

    fn new(
        typed: &Typed,
        environment: &Environment,
        job: Job,
        json: bool,
        isolation: Isolation,
    ) -> Result<Self, Error> {
        let registries = registries(typed)?;
        let exchange = Exchange::new(typed, environment)?;
        let shadow = shadow(environment, &registries);
        let client = typed.one("client").and_then(Client::parse).unwrap_or(Client::Docker);
        Ok(Self { exchange, docker: Docker { registries, client, isolation }, job, json, shadow })
    }
}

impl Token {
    fn new(typed: &Typed, environment: &Environment, job: Job, machine: Machine) -> Result<Self, Error> {
        let format = match typed.one("format") {
            Some("env") => Format::Env,
            Some("secret") => Format::Secret,
            _ => Format::Json,
        };
        let exchange = Exchange::new(typed, environment)?;
        if machine.terminal && !typed.is_on("force") && !typed.is_on("dry-run") {
            return Err(Error::new(Problem::Terminal, ""));
        }
        Ok(Self { exchange, registries: registries(typed)?, job, format })
    }
}

impl Whoami {
    fn new(typed: &Typed, environment: &Environment, json: bool) -> Result<Self, Error> {
        let selected = provider::select(typed)?;
        if let Some(name) = selected {
            provider::refuse_foreign_wishes(typed, name)?;
        }
        let audience = match typed.one("audience") {
            Some(audience) => Some(audience.to_owned()),
            None => provider::default_audience(typed, selected)?,
        };
        Ok(Self { identity: identity::detect(typed, environment)?, audience, json })
    }
}

impl Exchange {
    fn new(typed: &Typed, environment: &Environment) -> Result<Self, Error> {
        let name = provider::select(typed)?.ok_or_else(|| Error::new(Problem::NoProvider, ""))?;
        provider::refuse_foreign_wishes(typed, name)?;
        let (provider, username) = provider::resolve(typed, environment, name)?;
        let audience = provider::audience(typed, &provider)?;
        let identity = match name {
            ProviderName::Static => Identity::NotNeeded,
            _ => identity::detect(typed, environment)?,
        };
        let wanted_life = provider::life(typed, name)?;
        Ok(Self { identity, audience, provider, username, wanted_life })
    }
}

impl Typed {
    fn isolation(&self) -> Isolation {
        if self.is_on("isolated") { self.private() } else { Isolation::No }
    }

    fn private(&self) -> Isolation {
        Isolation::Yes { copy_auths: self.one("isolated") == Some("copy-auths") }
    }
}

impl Job {
    /// The job key of the CI systems that we know; facts: `CIRCLE_WORKFLOW_JOB_ID` is unique for each run of a job,
    /// a GitHub run id is shared by the jobs of a matrix, which differ by the runner's temporary directory.
    fn of(environment: &Environment) -> Self {
        let value = |name| environment.value(name);
        let key = if let Some(id) = value("CIRCLE_WORKFLOW_JOB_ID") {
            Some(format!("circleci {id}"))
        } else if let Some(run) = value("GITHUB_RUN_ID") {
            let [attempt, job, temporary] =
                ["GITHUB_RUN_ATTEMPT", "GITHUB_JOB", "RUNNER_TEMP"].map(|name| value(name).unwrap_or_default());
            Some(format!("github {run} {attempt} {job} {temporary}"))
        } else {
            value("CI_JOB_ID").map(|id| format!("ci {id}"))
        };
        Self { key }
    }
}

fn registries(typed: &Typed) -> Result<Vec<Registry>, Error> {
    let mut registries = Vec::new();
    for name in typed.many("registry") {
        let registry = Registry::parse(name)
            .ok_or_else(|| typed.refuse("registry", "Docker Hub credentials are for `docker.io` and `dhi.io`"))?;
        if !registries.contains(&registry) {
            registries.push(registry);
        }
    }
    if registries.is_empty() {
        registries.push(Registry::Hub);
    }
    Ok(registries)
}

/// `DOCKER_AUTH_CONFIG` wins over every stored login (docker CLI 28.3 and later). Docker ignores a value that it
/// cannot parse; that counts too, since the next docker version may read it.
fn shadow(environment: &Environment, registries: &[Registry]) -> Option<Error> {
    let value = environment.value("DOCKER_AUTH_CONFIG").map(Secret::new)?;
    let parsed = serde_json::from_str::<serde_json::Value>(value.expose()).unwrap_or_default();
    let Some(auths) = parsed.get("auths").and_then(serde_json::Value::as_object) else {
        return Some(Error::new(Problem::Shadowed, Registry::Hub.name()).because("its value cannot be read"));
    };
    let is_shadowed = |registry: &&Registry| auths.keys().any(|key| Registry::parse(key) == Some(**registry));
    registries.iter().find(is_shadowed).map(|registry| Error::new(Problem::Shadowed, registry.name()))
}
