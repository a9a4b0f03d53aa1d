//! Private docker directories, each a directory of the record directory under a random id.
//!
//! A marker inside repeats the id. Nothing without its marker is used or removed. What such a directory has in common with
//! the user's, and what in it is the login's own, the story says ([`Sharing`]): the rest of the user's is linked, and what a
//! tool makes in the private one is handed over to the user's in the end. What cannot be stays, and is reported.

use std::fs::{self, DirBuilder};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use hublease_protocol::id::Id;
use hublease_protocol::printable::printable;
use hublease_protocol::secret::Secret;

use crate::effect::docker::{HoldNote, LARGEST_FILE, Made, Removed, Sharing};
use crate::native::docker::hand_over::hand_over;
use crate::native::store::dirfd::Folder;

const MARKER: &str = ".hublease";
const CONFIG: &str = "config.json";

/// Beginning of the names of holds, each with the id of its login behind it.
const HOLD: &str = ".hublease-";

/// A link to what the private directory stands for: docker's directory of the user, or the file that podman was told of.
/// Later steps have the private one in the client's variable; the record, and another login, are about the user's.
const ORIGIN: &str = ".user";

/// The absolute path of a private directory.
///
/// # Errors
/// A printable sentence: it is not there, or not one of ours.
pub(in crate::native) fn path(records: &Path, id: &str) -> Result<PathBuf, String> {
    match find(records, id)? {
        Some((_, folder)) => Ok(folder.path().to_owned()),
        None => Err("the private directory is not there any more".to_owned()),
    }
}

/// What a private directory is made of.
#[derive(Clone, Copy, Debug)]
pub(in crate::native) struct Plan<'a> {
    /// What it stands for; none if nobody can name it.
    pub(in crate::native) origin: Option<&'a Path>,
    /// What its auth file holds.
    pub(in crate::native) content: &'a Secret,
    /// What it has in common with the user's.
    pub(in crate::native) sharing: &'a Sharing,
}

/// Makes a private directory.
///
/// # Errors
/// A printable sentence.
pub(in crate::native) fn make(records: &Path, id: &str, plan: Plan<'_>) -> Result<Made, String> {
    check(id)?;
    let parent = Folder::open(records, true)?.ok_or("the record directory went away")?;
    let folder = parent.inner(id, true)?.ok_or("the private directory went away")?;
    let fill = || -> Result<Option<String>, String> {
        folder.write(MARKER, id)?;
        plan.origin.map_or(Ok(()), |origin| folder.link(ORIGIN, origin))?;
        folder.write(CONFIG, plan.content.expose())?;
        match plan.origin.filter(|_| plan.sharing.linked) {
            Some(user) => link(&folder, user, plan.sharing),
            None => Ok(None),
        }
    };
    let unlinked = fill().inspect_err(|_| drop(empty(&parent, &folder, id, plan.sharing)))?;
    Ok(Made { path: folder.path().display().to_string(), unlinked })
}

/// Links what lies in the user's directory. Gives why there was nothing to link: the login can do without.
fn link(folder: &Folder, user: &Path, sharing: &Sharing) -> Result<Option<String>, String> {
    for name in &sharing.made {
        // Where the user's directory cannot be written, tools make it in the private one.
        let _ = make_directory(&user.join(name));
    }
    let names = match fs::read_dir(user) {
        Ok(names) => names,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Ok(Some(printable(&format!("{}: {error}", user.display())))),
    };
    for name in names.filter_map(|entry| entry.ok()?.file_name().into_string().ok()) {
        if !is_apart(&name, sharing) {
            folder.link(&name, &user.join(&name))?;
        }
    }
    Ok(None)
}

fn make_directory(path: &Path) -> std::io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn is_apart(name: &str, sharing: &Sharing) -> bool {
    sharing.apart.iter().any(|beginning| name.starts_with(beginning))
}

/// What the private directory at `path` stands for, if it is one of ours: none inside, if nobody could name it.
pub(in crate::native) fn origin_of(records: &Path, path: &Path) -> Option<Option<PathBuf>> {
    let (parent, id) = (path.parent()?, path.file_name()?.to_str()?);
    let is_ours = fs::canonicalize(records).is_ok_and(|records| records == parent) && find(records, id).ok()?.is_some();
    is_ours.then(|| fs::read_link(path.join(ORIGIN)).ok())
}

/// Writes a hold on a private directory, and drops what is of one login only.
///
/// # Errors
/// A printable sentence: the directory is not there, or not one of ours.
pub(in crate::native) fn hold(
    records: &Path,
    id: &str,
    holder: &str,
    note: &Secret,
    sharing: &Sharing,
) -> Result<(), String> {
    check(holder)?;
    let (_, folder) = find(records, id)?.ok_or("the private directory is not there any more")?;
    drop_seeds(&folder, sharing)?;
    folder.write(&format!("{HOLD}{holder}"), note.expose())
}

/// The holds on a private directory.
///
/// # Errors
/// As with [`hold`].
pub(in crate::native) fn holds(records: &Path, id: &str) -> Result<Vec<HoldNote>, String> {
    let (_, folder) = find(records, id)?.ok_or("the private directory is not there any more")?;
    let names = folder.names()?.into_iter();
    let holders =
        names.filter_map(|name| name.strip_prefix(HOLD).filter(|name| check(name).is_ok()).map(str::to_owned));
    let read = |holder: String| {
        let note = folder.read(&format!("{HOLD}{holder}"), LARGEST_FILE)?.unwrap_or_default();
        Ok(HoldNote { holder, note })
    };
    holders.map(read).collect()
}

/// Takes a hold away, and drops what is of one login only.
///
/// # Errors
/// As with [`hold`].
pub(in crate::native) fn release(records: &Path, id: &str, holder: &str, sharing: &Sharing) -> Result<(), String> {
    check(holder)?;
    let (_, folder) = find(records, id)?.ok_or("the private directory is not there any more")?;
    drop_seeds(&folder, sharing)?;
    folder.remove(&format!("{HOLD}{holder}"))
}

fn drop_seeds(folder: &Folder, sharing: &Sharing) -> Result<(), String> {
    let names = folder.names()?.into_iter();
    let mut seeds = names.filter(|name| sharing.seeds.iter().any(|beginning| name.starts_with(beginning)));
    seeds.try_for_each(|name| folder.remove(&name))
}

/// Removes a private directory; success if it is not there.
///
/// # Errors
/// A printable sentence: it is not one of ours, or the login in it cannot be removed.
pub(in crate::native) fn remove(records: &Path, id: &str, sharing: &Sharing) -> Result<Removed, String> {
    match find(records, id)? {
        Some((parent, folder)) => empty(&parent, &folder, id, sharing),
        None => Ok(Removed::default()),
    }
}

/// The login goes first; what cannot be handed over may keep the directory, but not the login.
fn empty(parent: &Folder, folder: &Folder, id: &str, sharing: &Sharing) -> Result<Removed, String> {
    folder.remove(CONFIG)?;
    let user = fs::read_link(folder.path().join(ORIGIN)).ok().filter(|_| sharing.linked);
    let mut removed = Removed { path: printable(&folder.path().display().to_string()), ..Removed::default() };
    for name in folder.names()?.into_iter().filter(|name| name != MARKER && name != ORIGIN) {
        match put_away(folder, &name, user.as_deref(), sharing) {
            Some(true) => removed.moved.push(printable(&name)),
            Some(false) => {}
            None => removed.left.push(printable(&name)),
        }
    }
    // They stay as long as anything does: the next logout hands it over.
    if removed.left.is_empty() {
        folder.remove(ORIGIN)?;
        folder.remove(MARKER)?;
        parent.remove_directory(id)?;
    }
    Ok(removed)
}

/// One name. Says whether it was handed over to the user; none if it stays.
fn put_away(folder: &Folder, name: &str, user: Option<&Path>, sharing: &Sharing) -> Option<bool> {
    let is_link_of_ours =
        || user.is_some_and(|user| fs::read_link(folder.path().join(name)).is_ok_and(|to| to == user.join(name)));
    if is_apart(name, sharing) || is_link_of_ours() {
        // Not even then a directory: unlinking refuses it.
        return folder.remove(name).is_ok().then_some(false);
    }
    let user = user?;
    make_directory(user).ok()?;
    hand_over(&folder.path().join(name), &user.join(name)).is_ok_and(|is_gone| is_gone).then_some(true)
}

fn find(records: &Path, id: &str) -> Result<Option<(Folder, Folder)>, String> {
    check(id)?;
    let Some(parent) = Folder::open(records, false)? else { return Ok(None) };
    let Some(folder) = parent.inner(id, false)? else { return Ok(None) };
    match folder.read(MARKER, id.len())? {
        Some(marker) if marker.expose() == id => Ok(Some((parent, folder))),
        _ => Err(printable(&format!("{}: hublease did not make it", folder.path().display()))),
    }
}

/// An id has 32 hexadecimal digits, so it is no path.
fn check(id: &str) -> Result<(), String> {
    Id::parse(id).map(drop).ok_or_else(|| "the id of a private directory has 32 hexadecimal digits".to_owned())
}

#[cfg(test)]
mod tests;
