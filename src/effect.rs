//! How the story is paused.
//!
//! The story is one `async fn` that owns a cheap [`Effects`] handle, and asking is all it can do. An ask parks an
//! [`Effect`] in a mailbox and returns `Pending`; nothing here is a task, a thread or a runtime. [`Session`] is the
//! one stepping primitive: it polls the story with a waker that does nothing and hands out what was parked.
//! [`drive`] is the loop over it. The native program, the scripted tests (which can stop after effect k, for
//! every k) and the WASI module all step the same story; natively, effects stay typed and are never JSON.
//!
//! An effect names a destination, a registry or a private directory by its role. Hosts, paths and arguments belong
//! to whoever performs it and were fixed before the story began, so nothing that the story reads from the network
//! can steer them. One name comes out of a file: the credential helper that docker's own file names, of which the host
//! runs `docker-credential-NAME list` and nothing else.

pub mod child;
pub mod docker;
mod effects;
pub mod http;
pub mod record;
mod session;
pub mod username;

use hublease_protocol::secret::Secret;
use serde::{Deserialize, Serialize};

pub use self::effects::Effects;
pub use self::session::{End, Perform, Session, Step, drive};
use crate::error::{Error, Problem};

/// One thing that the story asks the outside world to do. The list is closed.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// One HTTP request; answered by [`Outcome::Http`].
    Http(http::Request),
    /// One run of the container client; answered by [`Outcome::Docker`].
    Docker(docker::Run),
    /// One access to a docker configuration directory or to a credential helper; answered by [`Outcome::Config`].
    Config(docker::Config),
    /// One access to the record directory; answered by [`Outcome::Record`].
    Record(record::Access),
    /// Reads the identity token file that the inputs name; answered by [`Outcome::Token`].
    IdentityFile,
    /// Runs CircleCI's own `circleci run oidc get` for this audience; answered by [`Outcome::Token`].
    CircleciIdentity {
        /// The `aud` that the token shall carry.
        audience: String,
    },
    /// Random bytes from the operating system, as lower-case hexadecimal; answered by [`Outcome::Text`].
    Random {
        /// How many bytes.
        bytes: usize,
    },
    /// Tells the CI system to hide this value from now on; answered by [`Outcome::Done`].
    Mask(#[serde(with = "hublease_protocol::secret::on_the_wire")] Secret),
    /// What the command was run for; answered by [`Outcome::Done`].
    Output(Output),
    /// One line for a person; answered by [`Outcome::Done`].
    Say(Line),
    /// Waits this many milliseconds; answered by [`Outcome::Done`].
    Sleep {
        /// Milliseconds.
        milliseconds: u64,
    },
    /// Asks for the time; answered by [`Outcome::Now`].
    Now,
    /// One act on the command of `exec`; answered by [`Outcome::Child`]. Native only, so it has no other form.
    #[serde(skip)]
    Child(child::Act),
}

/// The answer to an [`Effect`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done and there is nothing to tell.
    Done,
    /// What the request brought.
    Http(Result<http::Response, http::Failure>),
    /// How the container client ended.
    Docker(docker::Ended),
    /// What the configuration directory holds or the helper answered, or what went wrong.
    Config(Result<docker::Found, docker::Trouble>),
    /// What the record directory holds, or what went wrong.
    Record(Result<Vec<record::Stored>, record::Trouble>),
    /// An identity token, or why there is none, as a sentence of the host's own.
    Token(#[serde(with = "hublease_protocol::secret::on_the_wire")] Result<Secret, String>),
    /// Text without secrets.
    Text(String),
    /// Seconds since 1970 (UTC).
    Now(u64),
    /// How the command of `exec` fares.
    #[serde(skip)]
    Child(child::Seen),
    /// It was not done, because the story has to come to its end.
    Stopped(Stop),
}

/// Why forward effects are no longer performed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stop {
    /// A signal arrived (its number).
    Signal(u8),
    /// The story used up its time.
    Deadline,
    /// The output cannot be written any more.
    Output,
}

impl Stop {
    /// The failure that the story reports.
    pub fn error(self) -> Error {
        match self {
            Self::Signal(number) => Error::interrupted(number),
            Self::Deadline => Error::new(Problem::Deadline, ""),
            Self::Output => Error::new(Problem::OutputLost, ""),
        }
    }
}

/// What a command was run for; standard output and the CI system's files get it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Output {
    /// Lines for people, or one JSON document; holds no secret.
    Report(String),
    /// What `login` did.
    LoggedIn(LoggedIn),
    /// The credential that was asked for in so many words (`token`, and the Action's `expose-token`).
    Credential(#[serde(with = "hublease_protocol::secret::on_the_wire")] Secret),
    /// The value that later steps need in the client's own variable.
    Variable {
        /// Whose variable.
        client: docker::Client,
        /// Its value: an absolute path, or nothing.
        value: String,
    },
}

/// What `login` did, for people and for later steps; holds no secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoggedIn {
    /// One sentence for people.
    pub text: String,
    /// Where.
    pub registries: Vec<docker::Registry>,
    /// As whom.
    pub username: String,
    /// Who vouched.
    pub provider: String,
    /// When the credential dies by itself, as RFC 3339 has it; none if that is not known.
    pub expires_at: Option<String>,
    /// Whether `logout` can revoke it.
    pub revocable: bool,
    /// The private directory, if the login is in one.
    pub docker_config: Option<String>,
}

/// One line for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// How important it is.
    pub level: Level,
    /// The text, already printable.
    pub text: String,
}

/// How important a line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Level {
    /// Shown with `-v`.
    Detail,
    /// Shown unless `--quiet`.
    Note,
    /// Always shown.
    Warning,
}

/// An effect on its way out, with the direction of the story at that moment.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// What to do.
    pub effect: Effect,
    /// Whether the story is undoing. Undo effects are performed even after a signal.
    pub undo: bool,
}

impl Asked {
    /// Whether this must not be done any more once the story has to end.
    pub fn is_forward(&self) -> bool {
        !self.undo
            && match &self.effect {
                Effect::Http(_)
                | Effect::Docker(_)
                | Effect::Config(_)
                | Effect::IdentityFile
                | Effect::CircleciIdentity { .. }
                | Effect::Output(_)
                | Effect::Sleep { .. }
                | Effect::Child(child::Act::Start { .. }) => true,
                // The record must tell the truth, and saying, masking and waiting for a child harm nobody.
                Effect::Record(_)
                | Effect::Random { .. }
                | Effect::Mask(_)
                | Effect::Say(_)
                | Effect::Now
                | Effect::Child(_) => false,
            }
    }

    /// Whether something revocable may come into being, so that a running request is waited for.
    pub fn is_mint(&self) -> bool {
        !self.undo && matches!(&self.effect, Effect::Http(request) if request.repeat != http::Repeat::Safe)
    }

    /// Whether `outcome` is an answer to this effect.
    fn accepts(&self, outcome: &Outcome) -> bool {
        match (&self.effect, outcome) {
            (_, Outcome::Stopped(_)) => self.is_forward(),
            (Effect::Http(_), Outcome::Http(_))
            | (Effect::Docker(_), Outcome::Docker(_))
            | (Effect::Config(_), Outcome::Config(_))
            | (Effect::Record(_), Outcome::Record(_))
            | (Effect::IdentityFile | Effect::CircleciIdentity { .. }, Outcome::Token(_))
            | (Effect::Random { .. }, Outcome::Text(_))
            | (Effect::Mask(_) | Effect::Output(_) | Effect::Say(_) | Effect::Sleep { .. }, Outcome::Done)
            | (Effect::Now, Outcome::Now(_))
            | (Effect::Child(_), Outcome::Child(_)) => true,
            _ => false,
        }
    }
}
