//! The docker side of the story: what is found, how the login is made, and how the machine is left as it was.
//!
//! Every decision that protects somebody else's login is made by [`decide`], before anything is minted:
//! a helper that holds another login, a file that others can read, or a configured helper that does not answer, each
//! lead to a private directory, and it is said. Where docker would pick a broken helper by itself (an uninitialised
//! `pass`, for instance), an empty entry keeps it from doing so.

mod change;
mod client;
mod config_file;
mod failure;
mod logout;
mod look;
mod marks;
mod previous;
mod private;
mod read_back;
mod registries_conf;
mod stack;
mod target;

use hublease_protocol::printable::printable;

use self::change::{Change, change};
use self::client::pass_on;
pub use self::client::recognise;
pub use self::config_file::Entry;
use self::failure::{login_failed, no_client, too_slow};
pub use self::logout::{LoggedOut, log_out};
pub(crate) use self::look::look;
pub use self::look::{Look, RegistryLook, Store};
pub(crate) use self::marks::supersede;
pub(crate) use self::private::look_beside;
use self::read_back::read_back;
use self::target::Place;
pub use self::target::{LoginTarget, decide};
use crate::effect::Effects;
use crate::effect::docker::{Client, Directory, Ended, Registry, Run, Trouble, Verb};
use crate::error::{Error, Problem};
use crate::lease::{self, Credential};
use crate::record::{Record, RecordWriter};
use crate::request::repetition::Kind;

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
    Yes,
}

/// Looks at the user's own configuration.
///
/// # Errors
/// Stage docker: a malformed file, an unusable directory.
pub async fn survey(effects: &Effects, plan: &Docker) -> Result<Look, Error> {
    match plan.isolation {
        Isolation::No => look(effects, plan.client, Directory::User, plan.registries.clone()).await,
        Isolation::Yes => look_beside(effects, plan.client).await,
    }
}

/// Makes the login, in every registry of the plan.
///
/// # Errors
/// Stage docker.
pub async fn log_in(
    effects: &Effects,
    plan: &Docker,
    ground: &LoginTarget,
    credential: &Credential,
    writer: &mut RecordWriter,
) -> Result<(), Error> {
    let mut path = None;
    let directory = match &ground.place {
        Place::Private { hold, is_new } => {
            let made = if *is_new {
                private::make(effects, plan.client, hold, &plan.registries).await?
            } else {
                stack::join(effects, plan.client, hold, &plan.registries).await?
            };
            path = Some(made.map_err(|trouble| refused(&trouble))?);
            Directory::Private(hold.directory.clone())
        }
        Place::User => {
            for registry in &ground.seed {
                let seeded = change(effects, Client::Docker, &Directory::User, Change::Seed(*registry)).await?;
                seeded.map_err(|trouble| refused(&trouble))?;
            }
            marks::leave(effects, plan.client, writer).await?.map_err(|trouble| refused(&trouble))?;
            Directory::User
        }
    };
    let mark = own_mark(writer);
    store(effects, plan, &directory, credential, writer).await?;
    if directory == Directory::User && own_mark(writer) != mark {
        marks::leave(effects, plan.client, writer).await?.map_err(|trouble| refused(&trouble))?;
    }
    if let Some(path) = path {
        effects.detail(format!("logged in to the private directory {}", printable(&path))).await?;
    }
    Ok(())
}

/// By which mark `logout` will know the login: the client may keep it in another form than it was given.
fn own_mark(writer: &RecordWriter) -> Option<String> {
    writer.unsettled().and_then(|note| note.mark.clone())
}

/// Hands the credential to whoever keeps the login, and makes sure that it is kept.
async fn store(
    effects: &Effects,
    plan: &Docker,
    directory: &Directory,
    credential: &Credential,
    writer: &mut RecordWriter,
) -> Result<(), Error> {
    // Not every system that knows `::add-mask::` masks this form of a secret by itself, as GitHub does.
    effects.mask(&lease::basic(&credential.username, &credential.secret)).await?;
    for registry in &plan.registries {
        match plan.client {
            Client::None => {
                let (registry, username, secret) = (*registry, &*credential.username, &credential.secret);
                let stored =
                    change(effects, Client::None, directory, Change::Store { registry, username, secret }).await?;
                stored.map_err(|trouble| refused(&trouble))?;
            }
            client => run_login(effects, client, directory, *registry, credential).await?,
        }
        read_back(effects, plan.client, directory, *registry, credential, writer).await?;
    }
    Ok(())
}

/// Where a private login is kept, for the steps that come after.
pub async fn private_path(effects: &Effects, plan: &Docker, record: &Record) -> Result<Option<String>, Error> {
    let Some(hold) = record.own_private() else { return Ok(None) };
    let directory = Directory::Private(hold.directory.clone());
    look(effects, plan.client, directory, Vec::new()).await.map(|look| Some(look.directory))
}

fn refused(trouble: &Trouble) -> Error {
    match trouble {
        Trouble::Malformed => Error::new(Problem::ConfigMalformed, ""),
        Trouble::Changed => {
            Error::new(Problem::ConfigUnusable, "").because("another program keeps changing config.json")
        }
        Trouble::Unusable(why) => Error::new(Problem::ConfigUnusable, "").because(why),
    }
}

/// `docker login`, repeated only where the fault may pass: a login that was refused never is.
async fn run_login(
    effects: &Effects,
    client: Client,
    directory: &Directory,
    registry: Registry,
    credential: &Credential,
) -> Result<(), Error> {
    let mut tried = 1;
    loop {
        let verb = Verb::Login { registry, username: credential.username.clone(), stdin: credential.secret.clone() };
        let ended = effects.docker(Run { client, verb, directory: directory.clone() }).await?;
        let (error, kind) = match ended {
            Ended::Exit { code: 0, message } => {
                return pass_on(effects, client, &message, &credential.secret).await;
            }
            Ended::Exit { code, message } => login_failed(registry, code, &message, &credential.secret),
            Ended::Slow => too_slow(effects, client, directory, registry).await?,
            Ended::NotFound => (no_client(client, None), Kind::DockerRefused),
            Ended::Skipped(path) => (no_client(client, Some(&path)), Kind::DockerRefused),
        };
        let Some(wait) = kind.wait(tried) else {
            return Err(if tried > 1 { error.because(&format!("after {tried} tries")) } else { error });
        };
        let (tries, why) = (kind.tries(), error.in_a_line());
        effects.note(format!("{why}; try {} of {tries} in {wait} ms", tried + 1)).await?;
        effects.sleep(wait).await?;
        tried += 1;
    }
}

/// Replaces the credential of a login that is there already (`exec --renew`).
///
/// # Errors
/// Stage docker.
pub async fn renew(
    effects: &Effects,
    plan: &Docker,
    credential: &Credential,
    writer: &mut RecordWriter,
) -> Result<(), Error> {
    store(effects, plan, &Directory::Private(writer.record.id.clone()), credential, writer).await
}
