//! Docker's configuration effects that answer at once; a helper's list is waited for, in the performer.

use crate::effect::docker::{Client, Config, Directory, Found, Place, Trouble};
use crate::native::docker::places::Places;
use crate::native::docker::{file, helper, holds, private_directory, registries_conf};
use crate::native::process::programs::Programs;

/// Performs one.
///
/// # Errors
/// The file is not UTF-8, holds something else than what was read, or the file system refuses.
pub(in crate::native) fn perform(places: &Places, programs: &mut Programs, config: &Config) -> Result<Found, Trouble> {
    match config {
        Config::Locate { client, directory } => locate(places, *client, directory).map(Found::Place),
        Config::Read { client, directory } => file::read(&places.file(*client, directory)?).map(Found::File),
        Config::Write { client, directory, over, content } => {
            file::write(&places.file(*client, directory)?, over, content).map(|()| Found::Done)
        }
        Config::Make { id, client, content, sharing } => {
            let origin = places.origin(*client);
            let plan = private_directory::Plan { origin: origin.as_deref(), content, sharing };
            private_directory::make(places.records(), id, plan).map(Found::Made).map_err(Trouble::Unusable)
        }
        Config::Hold { client, directory, holder, note, sharing } => {
            holds::hold(places, *client, directory, (holder, note), sharing).map(|()| Found::Done)
        }
        Config::Holds { client, directory } => holds::holds(places, *client, directory).map(Found::Holds),
        Config::Release { client, directory, holder, sharing } => {
            holds::release(places, *client, directory, holder, sharing).map(|()| Found::Done)
        }
        Config::Remove { id, sharing } => {
            private_directory::remove(places.records(), id, sharing).map(Found::Removed).map_err(Trouble::Unusable)
        }
        Config::Registries => registries_conf::read(places).map(Found::Texts),
        Config::Detect => Ok(Found::Detected(helper::detected(programs).map(str::to_owned))),
        Config::List { .. } | Config::Get { .. } => {
            Err(Trouble::Unusable("a helper's answer is waited for".to_owned()))
        }
    }
}

fn locate(places: &Places, client: Client, directory: &Directory) -> Result<Place, Trouble> {
    let path = places.file(client, directory)?;
    let parent = path.parent().unwrap_or(&path);
    let parent = std::fs::canonicalize(parent).unwrap_or_else(|_| parent.to_owned());
    let file = path.file_name().map_or_else(|| path.clone(), |name| parent.join(name));
    Ok(Place {
        directory: parent.display().to_string(),
        file: file.display().to_string(),
        unwritable: file::unwritable(&path),
        taken_over: places.private_id(client),
        variable: places.variable(client),
    })
}
