//! Private directories: what they have in common with the user's, how they are made, and what is left when they go.
//!
//! A private directory holds all that the real one holds but the login to our registries. Whatever keeps the real one from
//! being used keeps no private one from being made: it is then made of nothing, and that is said.

use hublease_protocol::printable::printable;

use crate::docker::config_file::ConfigFile;
use crate::docker::look::{Look, look, parsed, read};
use crate::docker::stack;
use crate::effect::Effects;
use crate::effect::docker::{Client, Config, Directory, Found, HoldNote, Registry, Removed, Sharing, Trouble};
use crate::error::{Error, Problem};
use crate::record::{Hold, Record};

/// Beginnings of the names that a private directory never shares, and that go with it. `config.json` and its companions,
/// docker's and podman's, hold the login. By `.token_seed` a BuildKit daemon knows whom it may give the bearers of a login:
/// were it the user's, it would give them to the next login after ours was revoked. The last two are hublease's own.
const APART: &[&str] = &["config.json", ".tmp-config.json", ".token_seed", ".hublease", ".user"];

/// Those of them that are of one login: else the bearers of one would be the next one's in the same directory.
const SEEDS: &[&str] = &[".token_seed"];

/// What the user's directory gets first if it is missing: made inside, the builders of buildx would be nobody else's, and
/// those of two logins at once would be in each other's way in the end.
const MADE: &[&str] = &["buildx"];

/// How many names a line tells.
const NAMES: usize = 3;

/// What a private directory of `client` has in common with the user's. podman is told of a file, and reads nothing beside it.
pub(super) fn sharing(client: Client) -> Sharing {
    let strings = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    let linked = client != Client::Podman;
    let made = if linked { strings(MADE) } else { Vec::new() };
    Sharing { linked, apart: strings(APART), seeds: strings(SEEDS), made }
}

/// Looks at the user's own directory, not at its file. A login in a private one can do without either.
///
/// # Errors
/// Only what ends the whole story.
pub(crate) async fn look_beside(effects: &Effects, client: Client) -> Result<Look, Error> {
    match look(effects, client, Directory::User, Vec::new()).await {
        Err(error) if error.problem() == Problem::ConfigUnusable => Ok(Look::default()),
        looked => looked,
    }
}

/// Makes a private directory out of the user's, without the logins to these registries. Gives its absolute path.
pub(super) async fn make(
    effects: &Effects,
    client: Client,
    hold: &Hold,
    registries: &[Registry],
) -> Result<Result<String, Trouble>, Error> {
    let read = read(effects, client, &Directory::User).await?;
    let mut config = match read.and_then(|file| parsed(client, &file)) {
        Ok(config) => config,
        Err(trouble) => {
            let why = reason(&trouble);
            effects.warn(format!("nothing of your own auth file is in the private directory: {why}")).await?;
            ConfigFile::default()
        }
    };
    if let Err(malformed) = config.isolate(client, registries) {
        return Ok(Err(malformed.into()));
    }
    let content = config.text().clone();
    let make = Config::Make { id: hold.directory.clone(), client, content, sharing: sharing(client) };
    match effects.config(make).await? {
        Ok(Found::Made(made)) => {
            if let Some(why) = made.unlinked {
                effects
                    .warn(format!("nothing of your own docker directory is in the private one: {}", printable(&why)))
                    .await?;
            }
            Ok(stack::hold(effects, client, hold).await?.map(|()| made.path))
        }
        Ok(_) => Err(Error::bug("a private directory that was not made")),
        Err(trouble) => Ok(Err(trouble)),
    }
}

/// What came of giving up a private directory.
#[derive(Clone, Copy, Debug)]
pub(super) struct GivenUp {
    /// Whether the login in it is gone.
    pub(super) clean: bool,
    /// Whether another login of the job holds the directory.
    pub(super) held: bool,
}

/// Gives up a hold on a private directory. The last one takes the directory away.
pub(super) async fn give_up(effects: &Effects, client: Client, hold: &Hold, record: &Record) -> Result<GivenUp, Error> {
    let mut clean = true;
    let held = holds(effects, client, hold).await?;
    if held.iter().any(|held| held.holder != hold.holder) {
        clean = stack::leave(effects, client, hold, held, record).await?;
        let (directory, holder) = (Directory::Private(hold.directory.clone()), hold.holder.clone());
        let release = Config::Release { client, directory, holder, sharing: sharing(client) };
        if let Err(trouble) = effects.config(release).await? {
            effects.warn(format!("the private directory is still held: {}", reason(&trouble))).await?;
            return Ok(GivenUp { clean: false, held: true });
        }
        // The others may have gone meanwhile.
        if !holds(effects, client, hold).await?.is_empty() {
            return Ok(GivenUp { clean, held: true });
        }
    }
    clean &= remove(effects, client, &hold.directory).await?;
    Ok(GivenUp { clean, held: false })
}

/// Who holds the directory; nobody, if it cannot be read.
async fn holds(effects: &Effects, client: Client, hold: &Hold) -> Result<Vec<HoldNote>, Error> {
    match effects.config(Config::Holds { client, directory: Directory::Private(hold.directory.clone()) }).await? {
        Ok(Found::Holds(holds)) => Ok(holds),
        Ok(_) => Err(Error::bug("holds that were not read")),
        Err(_) => Ok(Vec::new()),
    }
}

/// Removes a private directory, and says what became of what tools made in it. Returns whether the login in it is gone.
async fn remove(effects: &Effects, client: Client, id: &str) -> Result<bool, Error> {
    let Removed { moved, left, path } =
        match effects.config(Config::Remove { id: id.to_owned(), sharing: sharing(client) }).await? {
            Ok(Found::Removed(removed)) => removed,
            Ok(_) => return Err(Error::bug("a private directory that was not removed")),
            Err(trouble) => {
                effects.warn(format!("the private directory is still there: {}", reason(&trouble))).await?;
                return Ok(false);
            }
        };
    if !moved.is_empty() {
        effects.note(format!("made in the private directory, and in your own now: {}", shown(&moved))).await?;
    }
    if !left.is_empty() {
        let (path, names) = (printable(&path), shown(&left));
        effects
            .note(format!("the private directory is still there, without the login: {path}: left because of {names}"))
            .await?;
    }
    Ok(true)
}

fn shown(names: &[String]) -> String {
    let more = if names.len() > NAMES { " …" } else { "" };
    printable(&(names.iter().take(NAMES).map(String::as_str).collect::<Vec<_>>().join(", ") + more))
}

pub(super) fn reason(trouble: &Trouble) -> String {
    match trouble {
        Trouble::Unusable(why) => printable(why),
        Trouble::Malformed | Trouble::Changed => "it cannot be understood".to_owned(),
    }
}
