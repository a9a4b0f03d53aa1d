//! What the typed words mean: every default resolved, only valid states.
//!
//! After this stage nobody reads the environment. A wish that the chosen provider cannot honour is refused here, so
//! that nothing is sent, started or written for a plan that is not valid.

mod boundary;
mod check;
mod identity;
mod provider;
mod resolve;
pub mod shown;
mod value;
mod vault;
mod workflow;

pub(crate) use self::boundary::undoing;
pub use self::boundary::{CaCert, Fixed};
pub use self::workflow::WorkflowLogout;
use crate::cli::{Arguments, Command};
use crate::docker::{Docker, Isolation};
use crate::effect::docker::Registry;
use crate::environment::Environment;
use crate::error::Error;
use crate::identity::Identity;
use crate::image::Image;
use crate::provider::Exchange;
use crate::provider::revocation::Revoker;

/// What a command will do.
#[derive(Debug)]
pub enum Plan {
    /// `login`.
    Login(Login),
    /// `logout`.
    Logout(Logout),
    /// `logout --workflow`.
    WorkflowLogout(WorkflowLogout),
    /// `exec`.
    Exec(Exec),
    /// `token`.
    Token(Token),
    /// `whoami`.
    Whoami(Whoami),
    /// `check`.
    Check(Check),
}

/// Which job this is: the record belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// What distinguishes this job from every other one on the machine; none outside CI.
    pub key: Option<String>,
}

/// Who shows the story to people, and undoes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frontend {
    /// The program: `hublease logout` undoes.
    Program,
    /// The GitHub Action: its post step undoes.
    Action {
        /// Whether later steps get the credential as an output.
        expose_token: bool,
    },
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
    /// Who shows it.
    pub frontend: Frontend,
    /// What would win over this login wherever docker looks for one.
    pub shadow: Option<Error>,
}

/// A resolved `logout`.
#[derive(Debug)]
pub struct Logout {
    /// Who can be asked to revoke. Records are compared with it and never steer a token.
    pub revoker: Revoker,
    /// Why nobody can be asked, if that was to be said and could not be used. What needs nobody is undone all the same.
    pub refusal: Option<Error>,
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

impl Logout {
    /// What a login undoes of others whose time is over.
    pub(crate) fn sweeping(login: &Login) -> Self {
        Self {
            revoker: Revoker::of(&login.exchange.provider),
            refusal: None,
            job: login.job.clone(),
            all: false,
            strict: false,
            probe: false,
            json: false,
        }
    }
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
    /// The audience that a login at Vault would ask for, if that is known.
    pub vault_audience: Option<String>,
    /// Whether to print JSON.
    pub json: bool,
}

/// A resolved `check`.
#[derive(Debug)]
pub struct Check {
    /// What to check besides the login; no image twice.
    pub images: Vec<Image>,
    /// Whether an image that cannot be pushed is a failure, too.
    pub push: bool,
    /// Whose records may hold a login that docker does not use here.
    pub job: Job,
    /// Whether `DOCKER_CONFIG` names docker's directory.
    pub is_named: bool,
    /// What wins over the login wherever docker looks for one.
    pub shadow: Option<Error>,
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
    pub fn new(arguments: &Arguments, environment: &Environment, machine: Machine) -> Result<Self, Error> {
        let job = Job::of(environment);
        let json = arguments.one("output") == Some("json");
        arguments.agree()?;
        match arguments.command {
            Command::Login => Login::new(arguments, environment, job, arguments.isolation()).map(Self::Login),
            Command::Logout => {
                let revoker = provider::revoker(arguments).and_then(|revoker| {
                    let is_workflow = arguments.is_on("workflow");
                    if is_workflow { Ok(revoker) } else { workflow::refuse_identity(arguments).map(|()| revoker) }
                });
                let (revoker, refusal) = match revoker {
                    Err(error) if !arguments.is_on("workflow") && !arguments.is_on("dry-run") => {
                        (Revoker::Nobody, Some(error))
                    }
                    revoker => (revoker?, None),
                };
                let logout = Logout {
                    revoker,
                    refusal,
                    job,
                    all: arguments.is_on("all"),
                    strict: arguments.is_on("strict-revoke"),
                    probe: arguments.is_on("probe-dead"),
                    json,
                };
                if arguments.is_on("workflow") {
                    return WorkflowLogout::new(arguments, environment, logout).map(Self::WorkflowLogout);
                }
                Ok(Self::Logout(logout))
            }
            Command::Exec => Ok(Self::Exec(Exec {
                login: Login::new(arguments, environment, job, Isolation::Yes)?,
                renew: arguments.is_on("renew"),
                strict: arguments.is_on("strict-revoke"),
                command: arguments.rest.clone(),
            })),
            Command::Token => Token::new(arguments, environment, job, machine).map(Self::Token),
            Command::Whoami => Whoami::new(arguments, environment, json).map(Self::Whoami),
            Command::Check => Check::new(arguments, environment, job, json).map(Self::Check),
        }
    }

    /// Fails if the story cannot even begin: there is no identity here, or the login would be shadowed.
    pub fn ready(&self) -> Result<(), Error> {
        match self {
            Self::Login(login) => login.ready(),
            Self::Exec(exec) => exec.login.ready(),
            Self::Token(token) => token.exchange.identity.ready(),
            Self::Whoami(whoami) => whoami.identity.ready(),
            Self::Logout(_) | Self::WorkflowLogout(_) | Self::Check(_) => Ok(()),
        }
    }

    fn exchange(&self) -> Option<&Exchange> {
        match self {
            Self::Login(login) => Some(&login.exchange),
            Self::Exec(exec) => Some(&exec.login.exchange),
            Self::Token(token) => Some(&token.exchange),
            Self::Logout(_) | Self::WorkflowLogout(_) | Self::Whoami(_) | Self::Check(_) => None,
        }
    }
}
