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

use crate::effect::docker::{Made, Removed, Sharing};
use crate::native::docker::hand_over::hand_over;
use crate::native::store::dirfd::Folder;
use crate::native::store::records::locked;

const MARKER: &str = ".hublease";
const CONFIG: &str = "config.json";

/// A link to what the private directory stands for: docker's directory of the user, or the file that podman was told of.
/// Later steps have the private one in the client's variable; the record, and another login, are about the user's.
const ORIGIN: &str = ".user";

/// The absolute path of a private directory.
///
/// # Errors
/// A printable sentence: it is not there, or not one of ours.
pub(in crate::native) fn path(records: &Path, id: &str) -> Result<PathBuf, String> {
    folder(records, id).map(|folder| folder.path().to_owned())
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
    let parent = locked(records)?;
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

/// A private directory, held by its descriptor.
///
/// # Errors
/// A printable sentence: it is not there, or not one of ours.
pub(super) fn folder(records: &Path, id: &str) -> Result<Folder, String> {
    find(records, id)?.map(|(_, folder)| folder).ok_or_else(|| "the private directory is not there any more".to_owned())
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
