//! Holds: by a file each, the logins that are in one directory know of each other.
//!
//! In a private directory they keep it from going while somebody needs it; in the user's own they tell our logins from a
//! person's. What is in them is the business of the story.

use std::path::Path;

use hublease_protocol::id::Id;
use hublease_protocol::secret::Secret;

use crate::effect::docker::{Client, Directory, HoldNote, LARGEST_FILE, Sharing, Trouble};
use crate::native::docker::places::Places;
use crate::native::docker::private_directory;
use crate::native::store::dirfd::Folder;

/// Beginning of their names, each with the id of its login behind it.
const HOLD: &str = ".hublease-";

/// Writes a hold, and drops what is of one login only.
///
/// # Errors
/// The directory is not there and cannot be made, or is not one of ours where it has to be.
pub(super) fn hold(
    places: &Places,
    client: Client,
    directory: &Directory,
    (holder, note): (&str, &Secret),
    sharing: &Sharing,
) -> Result<(), Trouble> {
    let hold = || {
        let name = name(holder)?;
        let folder = folder(places, client, directory, true)?.ok_or("the directory went away")?;
        drop_seeds(&folder, sharing)?;
        folder.write(&name, note.expose())
    };
    hold().map_err(Trouble::Unusable)
}

/// The holds on a directory: none where there is no directory.
///
/// # Errors
/// As with [`hold`].
pub(super) fn holds(places: &Places, client: Client, directory: &Directory) -> Result<Vec<HoldNote>, Trouble> {
    let holds = || {
        let Some(folder) = folder(places, client, directory, false)? else { return Ok(Vec::new()) };
        let names = folder.names()?.into_iter();
        let holders =
            names.filter_map(|file| file.strip_prefix(HOLD).filter(|holder| name(holder).is_ok()).map(str::to_owned));
        let read = |holder: String| {
            // What cannot be read keeps nothing.
            let note = folder.read(&format!("{HOLD}{holder}"), LARGEST_FILE).ok().flatten().unwrap_or_default();
            HoldNote { holder, note }
        };
        Ok(holders.map(read).collect())
    };
    holds().map_err(Trouble::Unusable)
}

/// Takes a hold away, and drops what is of one login only.
///
/// # Errors
/// As with [`hold`].
pub(super) fn release(
    places: &Places,
    client: Client,
    directory: &Directory,
    holder: &str,
    sharing: &Sharing,
) -> Result<(), Trouble> {
    let release = || {
        let name = name(holder)?;
        let Some(folder) = folder(places, client, directory, false)? else { return Ok(()) };
        drop_seeds(&folder, sharing)?;
        folder.remove(&name)
    };
    release().map_err(Trouble::Unusable)
}

/// A private directory has to be there, and to be ours; the user's own is as it is.
fn folder(places: &Places, client: Client, directory: &Directory, create: bool) -> Result<Option<Folder>, String> {
    if let Directory::Private(id) = directory {
        return private_directory::folder(places.records(), id).map(Some);
    }
    let file = places.file(client, directory).map_err(|trouble| match trouble {
        Trouble::Unusable(why) => why,
        Trouble::Malformed | Trouble::Changed => "it has no place".to_owned(),
    })?;
    Folder::beside(file.parent().unwrap_or(Path::new("/")), create)
}

fn drop_seeds(folder: &Folder, sharing: &Sharing) -> Result<(), String> {
    if sharing.seeds.is_empty() {
        return Ok(());
    }
    let names = folder.names()?.into_iter();
    let mut seeds = names.filter(|name| sharing.seeds.iter().any(|beginning| name.starts_with(beginning)));
    seeds.try_for_each(|name| folder.remove(&name))
}

/// The name of a hold; an id has 32 hexadecimal digits, so it is no path.
fn name(holder: &str) -> Result<String, String> {
    let id = Id::parse(holder).map(|_| format!("{HOLD}{holder}"));
    id.ok_or_else(|| "the id of a login has 32 hexadecimal digits".to_owned())
}
