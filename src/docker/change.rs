//! Changes of a configuration directory: the file is read, edited by the one reader of it, and written.

use hublease_protocol::secret::Secret;

use crate::docker::config_file::{ConfigFile, Malformed};
use crate::docker::look::{parsed, read, too_large};
use crate::effect::Effects;
use crate::effect::docker::{Client, Config, Directory, LARGEST_FILE, Registry, Trouble};
use crate::error::Error;

/// How often a change is begun anew because somebody else has written the file meanwhile: docker and its helpers write it
/// seldom, so more than one is chance already.
const TRIES: usize = 5;

/// One change of an auth file.
#[derive(Clone, Copy, Debug)]
pub(super) enum Change<'a> {
    /// Writes a login (client `none`).
    Store {
        /// For which registry.
        registry: Registry,
        /// As whom.
        username: &'a str,
        /// The credential.
        secret: &'a Secret,
    },
    /// Removes the entry.
    Erase(Registry),
    /// Adds an empty entry, so that docker picks no helper by itself.
    Seed(Registry),
    /// Keeps the login in the file, whoever keeps the others.
    Apart(Registry),
    /// Puts an earlier entry back.
    Restore {
        /// For which registry.
        registry: Registry,
        /// The entry, as [`Entry::raw`](crate::docker::config_file::Entry::raw) gave it.
        entry: &'a Secret,
    },
}

impl Change<'_> {
    fn apply(self, config: &mut ConfigFile, client: Client) -> Result<(), Malformed> {
        match self {
            Self::Store { registry, username, secret } => config.store_login(registry.key(client), username, secret),
            Self::Erase(registry) => config.erase(registry.key(client)),
            Self::Seed(registry) => config.seed(registry.key(client)),
            Self::Apart(registry) => config.keep_in_file(client, registry.key(client)),
            Self::Restore { registry, entry } => config.restore(registry.key(client), entry),
        }
    }
}

/// Makes a change; a file that would stay the same is not touched.
pub(super) async fn change(
    effects: &Effects,
    client: Client,
    directory: &Directory,
    change: Change<'_>,
) -> Result<Result<(), Trouble>, Error> {
    for _ in 0..TRIES {
        let file = match read(effects, client, directory).await? {
            Ok(file) => file,
            Err(trouble) => return Ok(Err(trouble)),
        };
        let edited = parsed(client, &file).and_then(|before| {
            let mut after = before.clone();
            change.apply(&mut after, client)?;
            Ok((after != before).then(|| after.text().clone()))
        });
        let content = match edited {
            Ok(Some(content)) if content.len() > LARGEST_FILE => return Ok(Err(too_large())),
            Ok(Some(content)) => content,
            Ok(None) => return Ok(Ok(())),
            Err(trouble) => return Ok(Err(trouble)),
        };
        let write = Config::Write { client, directory: directory.clone(), over: file.content, content };
        match effects.config(write).await? {
            Err(Trouble::Changed) => {}
            answer => return Ok(answer.map(|_| ())),
        }
    }
    Ok(Err(Trouble::Changed))
}

impl From<Malformed> for Trouble {
    fn from(Malformed: Malformed) -> Self {
        Self::Malformed
    }
}
