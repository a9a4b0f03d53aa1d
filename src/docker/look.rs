//! A look at a configuration directory: who keeps the login to each registry, and who is logged in there now.

use std::collections::BTreeMap;

use hublease_protocol::printable::printable;

use crate::docker::config_file::{ConfigFile, Entry, KeptLogin};
use crate::docker::refused;
use crate::docker::registries_conf::{Outside, outside};
use crate::effect::Effects;
use crate::effect::docker::{Client, Config, Directory, File, Found, LARGEST_FILE, Place, Registry, Trouble};
use crate::error::Error;

/// What a configuration directory holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Look {
    /// The directory's canonical path, as it is.
    pub directory: String,
    /// The auth file in it: its absolute path.
    pub file: String,
    /// Whether a file exists whose mode lets others read it.
    pub exposed: bool,
    /// Why the file cannot be written; printable.
    pub unwritable: Option<String>,
    /// The id of the private directory of an earlier login, if the client's variable names one; the client reads that one,
    /// not the user's.
    pub taken_over: Option<String>,
    /// What that variable has to be for the user's own; empty where it is found without.
    pub variable: String,
    /// The key of an entry over which the client cannot log in.
    pub unreadable: Option<String>,
    /// Whether `null` stands in the file where the logins belong.
    pub is_without_logins: bool,
    /// The credential helper that podman's `registries.conf` puts before every file; printable.
    pub first_helper: Option<String>,
    /// One answer for each registry that was asked about, in that order.
    pub registries: Vec<RegistryLook>,
}

/// How a login to one registry would be kept, and what is there now.
#[derive(Clone, Debug, PartialEq)]
pub struct RegistryLook {
    /// Which registry.
    pub registry: Registry,
    /// Who keeps it.
    pub store: Store,
    /// What is there now.
    pub entry: Option<Entry>,
    /// Whether the client's own logout would take another login away, too: that of a credential helper that podman asks after
    /// its files, or one under another key that docker knows.
    pub takes_others: bool,
}

/// Who keeps a login.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Store {
    /// The auth file.
    File,
    /// A credential helper that answers.
    Helper {
        /// Its name, without `docker-credential-`; printable.
        name: String,
    },
    /// A credential helper that does not answer `list`.
    SilentHelper {
        /// Its name; printable.
        name: String,
        /// Whether the configuration names it; otherwise docker would pick it by itself.
        configured: bool,
    },
}

/// What each helper answered: user names by server, or nothing.
type Answers = BTreeMap<String, Option<BTreeMap<String, String>>>;

/// Looks at a directory. Without registries only the directory is wanted, and its file is not read: it may be as broken as it
/// likes.
///
/// # Errors
/// Stage docker: a malformed file, an unusable directory.
pub(crate) async fn look(
    effects: &Effects,
    client: Client,
    directory: Directory,
    registries: Vec<Registry>,
) -> Result<Look, Error> {
    let Place { directory: path, file, unwritable, taken_over, variable } =
        locate(effects, client, directory.clone()).await?;
    let Outside { first, later } = outside(effects, client).await?;
    let first_helper = first.as_deref().map(printable);
    let mut look = Look { directory: path, file, unwritable, taken_over, variable, first_helper, ..Look::default() };
    if registries.is_empty() {
        return Ok(look);
    }
    let read = read(effects, client, &directory).await?.and_then(|file| Ok((file.exposed, parsed(client, &file)?)));
    let (exposed, config) = read.map_err(|trouble| refused(&trouble))?;
    look.exposed = exposed;
    look.unreadable = config.unreadable(client, &registries);
    look.is_without_logins = config.is_without_logins();
    let detected = if client == Client::Docker && config.detects() { detect(effects).await? } else { None };
    let mut answers = Answers::new();
    for registry in registries {
        let KeptLogin { helper, entry } = config.look(client, registry, detected.as_deref());
        let helper = first.clone().map(|name| (name, true)).or(helper);
        let (store, entry) = match helper {
            None => (Store::File, entry),
            Some((name, configured)) => match ask(effects, &mut answers, &name).await? {
                None => (Store::SilentHelper { name: printable(&name), configured }, entry),
                Some(users) => (Store::Helper { name: printable(&name) }, held(users.get(registry.key(client)), entry)),
            },
        };
        let mut takes_others = store == Store::File && config.has_others(client, registry.key(client));
        for name in &later {
            let users = ask(effects, &mut answers, name).await?;
            takes_others |= users.is_some_and(|users| users.contains_key(registry.key(client)));
        }
        look.registries.push(RegistryLook { registry, store, entry, takes_others });
    }
    Ok(look)
}

/// Reads an auth file.
pub(super) async fn read(
    effects: &Effects,
    client: Client,
    directory: &Directory,
) -> Result<Result<File, Trouble>, Error> {
    match effects.config(Config::Read { client, directory: directory.clone() }).await? {
        Ok(Found::File(file)) if file.content.len() > LARGEST_FILE => Ok(Err(too_large())),
        Ok(Found::File(file)) => Ok(Ok(file)),
        Ok(_) => Err(Error::bug("a file that was not read")),
        Err(trouble) => Ok(Err(trouble)),
    }
}

/// What the file says to this client; one that is not there says nothing.
pub(super) fn parsed(client: Client, file: &File) -> Result<ConfigFile, Trouble> {
    if !file.exists {
        return Ok(ConfigFile::default());
    }
    ConfigFile::parse(client, &file.content).map_err(Trouble::from)
}

pub(super) fn too_large() -> Trouble {
    Trouble::Unusable("config.json: it is larger than 1 MiB".to_owned())
}

async fn locate(effects: &Effects, client: Client, directory: Directory) -> Result<Place, Error> {
    match effects.config(Config::Locate { client, directory }).await? {
        Ok(Found::Place(place)) => Ok(place),
        Ok(_) => Err(Error::bug("a directory that was not found")),
        Err(trouble) => Err(refused(&trouble)),
    }
}

/// The helper that docker would pick by itself.
async fn detect(effects: &Effects) -> Result<Option<String>, Error> {
    match effects.config(Config::Detect).await? {
        Ok(Found::Detected(name)) => Ok(name),
        Ok(_) => Err(Error::bug("a helper that was not looked for")),
        Err(trouble) => Err(refused(&trouble)),
    }
}

/// Asks a helper, once in a look.
async fn ask<'a>(
    effects: &Effects,
    answers: &'a mut Answers,
    name: &str,
) -> Result<Option<&'a BTreeMap<String, String>>, Error> {
    if !answers.contains_key(name) {
        let users = match effects.config(Config::List { helper: name.to_owned() }).await? {
            Ok(Found::Users(users)) => users,
            Ok(_) => return Err(Error::bug("a helper that was not asked")),
            Err(trouble) => return Err(refused(&trouble)),
        };
        answers.insert(name.to_owned(), users);
    }
    Ok(answers.get(name).and_then(Option::as_ref))
}

/// What there is where a helper keeps the login: its user name, and what the file has beside it.
fn held(username: Option<&String>, entry: Option<Entry>) -> Option<Entry> {
    match username {
        Some(username) => Some(Entry { username: Some(username.clone()), raw: entry.and_then(|entry| entry.raw) }),
        None => entry,
    }
}
