//! The docker side of the story: what is found, how the login is made, and how the machine is left as it was.
//!
//! Every decision that protects somebody else's login is made by [`decide`], before anything is minted:
//! a helper that holds another login, a file that others can read, or a configured helper that does not answer, each
//! lead to a private directory, and it is said. Where docker would pick a broken helper by itself (an uninitialised
//! `pass`, for instance), an empty entry keeps it from doing so.

mod change;
mod config_file;
mod failure;
mod logout;
mod look;
mod previous;

use hublease_protocol::printable::printable;

use self::change::{Change, change, make_directory};
pub use self::config_file::Entry;
use self::failure::{login_failed, no_client, too_slow};
pub use self::logout::log_out;
pub(crate) use self::look::look;
pub use self::look::{Look, RegistryLook, Store};
use self::previous::{is_ours, remember};
use crate::effect::Effects;
use crate::effect::docker::{Client, Directory, Ended, Registry, Run, Trouble, Verb};
use crate::error::{Error, Problem};
use crate::lease::{self, Credential};
use crate::record::{Record, RecordWriter};

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

/// How often `docker login` is tried: one time-out of the token server must not end a build.
const TRIES: u64 = 3;

/// The wait before a repetition, in milliseconds; multiplied by the number of the try.
const WAIT: u64 = 1000;

/// Looks at the user's own configuration, and whether the client is there.
///
/// # Errors
/// Stage docker: no client, a malformed file, an unusable directory.
pub async fn survey(effects: &Effects, plan: &Docker) -> Result<Look, Error> {
    if plan.client != Client::None {
        let run = Run { client: plan.client, verb: Verb::Version, directory: Directory::User };
        match effects.docker(run).await? {
            Ended::NotFound => return Err(no_client(plan.client, None)),
            Ended::Skipped(path) => return Err(no_client(plan.client, Some(&path))),
            Ended::Exit { .. } | Ended::Slow => {}
        }
    }
    // What the user's file holds does not matter to a private directory, not even whether it can be read.
    let registries = if plan.isolation == Isolation::No { plan.registries.clone() } else { Vec::new() };
    look(effects, plan.client, Directory::User, registries).await
}

/// What will be done for the login.
#[derive(Debug)]
pub struct LoginTarget {
    directory: Directory,
    copy_auths: bool,
    seed: Vec<Registry>,
}

/// Decides where to log in, and notes in the record what has to come back.
///
/// # Errors
/// Stage docker: the login belongs into a directory that cannot be written.
pub async fn decide(
    effects: &Effects,
    plan: &Docker,
    look: &Look,
    writer: &mut RecordWriter,
) -> Result<LoginTarget, Error> {
    let mut isolation = plan.isolation;
    let harm = |registry| harm(plan.client, look, registry, writer.older.as_ref());
    if isolation == Isolation::No && look.taken_over {
        effects
            .detail("DOCKER_CONFIG is the private directory of an earlier login, which this one replaces".to_owned())
            .await?;
        isolation = Isolation::Yes { copy_auths: false };
    } else if isolation == Isolation::No
        && let Some(why) = look.registries.iter().find_map(harm)
    {
        effects.warn(format!("logging in to a private directory, because {why}")).await?;
        isolation = Isolation::Yes { copy_auths: false };
    }
    if let Isolation::Yes { copy_auths } = isolation {
        writer.record.private.push(writer.record.id.clone());
        return Ok(LoginTarget {
            directory: Directory::Private(writer.record.id.clone()),
            copy_auths,
            seed: Vec::new(),
        });
    }
    if let Some(why) = &look.unwritable {
        return Err(refused(&Trouble::Unusable(why.clone())));
    }
    writer.record.shared = true;
    let mut seed = Vec::new();
    for registry in &look.registries {
        if matches!(registry.store, Store::SilentHelper { configured: false, .. }) {
            seed.push(registry.registry);
        }
        remember(effects, registry, writer).await?;
    }
    Ok(LoginTarget { directory: Directory::User, copy_auths: false, seed })
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
) -> Result<(), Error> {
    let mut path = None;
    match &ground.directory {
        Directory::Private(id) => {
            let made = make_directory(effects, id, &plan.registries, ground.copy_auths).await?;
            path = Some(made.map_err(|trouble| refused(&trouble))?);
        }
        Directory::User | Directory::Current => {
            for registry in &ground.seed {
                let seeded = change(effects, Client::Docker, &Directory::User, Change::Seed(*registry)).await?;
                seeded.map_err(|trouble| refused(&trouble))?;
            }
        }
    }
    store(effects, plan, &ground.directory, credential).await?;
    if let Some(path) = path {
        effects.detail(format!("logged in to the private directory {}", printable(&path))).await?;
    }
    Ok(())
}

/// Hands the credential to whoever keeps the login.
async fn store(effects: &Effects, plan: &Docker, directory: &Directory, credential: &Credential) -> Result<(), Error> {
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
    }
    Ok(())
}

/// Where a private login is kept, for the steps that come after.
pub async fn private_path(effects: &Effects, plan: &Docker, record: &Record) -> Result<Option<String>, Error> {
    if !record.private.contains(&record.id) {
        return Ok(None);
    }
    let directory = Directory::Private(record.id.clone());
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

/// Why a login in the user's own directory would do harm.
fn harm(client: Client, look: &Look, registry: &RegistryLook, older: Option<&Record>) -> Option<String> {
    match &registry.store {
        Store::Helper { name } if client == Client::None => {
            let name = printable(name);
            Some(format!("docker asks the credential helper `{name}` and would not see what is written to the file"))
        }
        Store::SilentHelper { name, configured: true } => {
            Some(format!("the credential helper `{}` does not answer", printable(name)))
        }
        Store::Helper { name } if registry.entry.is_some() && !is_ours(registry, older) => {
            Some(format!("the credential helper `{}` holds another login to {}", printable(name), registry.registry))
        }
        Store::File | Store::SilentHelper { configured: false, .. } if look.exposed => {
            Some("other users can read docker's config.json".to_owned())
        }
        _ => None,
    }
}

/// `docker login`, repeated only where the fault may pass.
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
        let (error, passes) = match ended {
            Ended::Exit { code: 0, .. } => return Ok(()),
            Ended::Exit { code, message } => login_failed(registry, code, &message, &credential.secret),
            Ended::Slow => too_slow(effects, client, directory, registry).await?,
            Ended::NotFound => (no_client(client, None), false),
            Ended::Skipped(path) => (no_client(client, Some(&path)), false),
        };
        if !passes || tried == TRIES {
            return Err(error);
        }
        effects.detail(format!("{}; try {} of {TRIES}", error.sentence(), tried + 1)).await?;
        effects.sleep(WAIT * tried).await?;
        tried += 1;
    }
}

/// Replaces the credential of a login that is there already (`exec --renew`).
///
/// # Errors
/// Stage docker.
pub async fn renew(effects: &Effects, plan: &Docker, record: &Record, credential: &Credential) -> Result<(), Error> {
    store(effects, plan, &Directory::Private(record.id.clone()), credential).await
}
