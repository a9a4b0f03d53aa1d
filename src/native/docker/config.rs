//! Docker's configuration effects that answer at once; a look waits for helpers and is in `helper`.

use crate::effect::docker::{Client, Config, Directory, Found, Trouble};
use crate::native::docker::places::Places;
use crate::native::docker::{file, private_directory};

/// Makes the change.
///
/// # Errors
/// The content is malformed, or the file system refuses.
pub(in crate::native) fn change(places: &Places, config: &Config) -> Result<Found, Trouble> {
    let done = |()| Found::Done;
    match config {
        // Needs the helpers' answers, which the performer asks for.
        Config::Look { .. } => Err(Trouble::Unusable("a look is not a change".to_owned())),
        Config::Store { directory, registry, username, secret } => {
            let path = places.file(Client::None, directory)?;
            file::change(&path, |config| {
                config.store_login(registry.key(Client::None), username, secret);
                Ok(())
            })
            .map(done)
        }
        Config::Erase { client, directory, registry } => {
            let path = places.file(*client, directory)?;
            file::change(&path, |config| {
                config.erase(registry.key(*client));
                Ok(())
            })
            .map(done)
        }
        Config::Seed { directory, registry } => {
            let path = places.file(Client::Docker, directory)?;
            file::change(&path, |config| {
                config.seed(registry.key(Client::Docker));
                Ok(())
            })
            .map(done)
        }
        Config::Restore { client, registry, entry } => {
            let path = places.file(*client, &Directory::User)?;
            file::change(&path, |config| config.restore(registry.key(*client), entry)).map(done)
        }
        Config::Isolate { id, registries, copy_auths } => {
            // Without a directory of the user's there is nothing to take along.
            let user = places.directory(&Directory::User).unwrap_or_default();
            private_directory::make(places.records(), id, &user, registries, *copy_auths)
                .map(|path| Found::Made(path.display().to_string()))
                .map_err(Trouble::Unusable)
        }
        Config::Remove { id } => private_directory::remove(places.records(), id).map_err(Trouble::Unusable),
    }
}
