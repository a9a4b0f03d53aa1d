//! Private docker directories, each a directory of the record directory under a random id.
//!
//! A marker inside repeats the id. Nothing without its marker is used or removed, and removing touches only what we
//! or docker put there: files by name, links by unlinking them. Whatever else lies there stays, and is reported.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{docker_config, docker_merge::Config, folder::Folder};
use crate::{
    effect::docker::{Registry, Trouble},
    printable::printable,
};

const MARKER: &str = ".hublease";
const CONFIG: &str = "config.json";

/// What of the user's directory is reached by a link: contexts, builders and plugins.
const LINKED: &[&str] = &["contexts", "buildx", "cli-plugins"];

/// What docker's builder keeps next to `config.json`, to ask for tokens of a stable identity.
const SEEDS: &[&str] = &[".token_seed", ".token_seed.lock"];

/// The absolute path of a private directory.
///
/// # Errors
/// A printable sentence: it is not there, or not one of ours.
pub(super) fn path(records: &Path, id: &str) -> Result<PathBuf, String> {
    match find(records, id)? {
        Some((_, folder)) => Ok(folder.path().to_owned()),
        None => Err("the private directory is not there any more".to_owned()),
    }
}

/// Makes a private directory out of the user's; the user's may be malformed or absent.
///
/// # Errors
/// A printable sentence.
pub(super) fn make(
    records: &Path,
    id: &str,
    user: &Path,
    registries: &[Registry],
    copy_auths: bool,
) -> Result<PathBuf, String> {
    check(id)?;
    let mut config = match docker_config::read(&user.join(CONFIG)) {
        // As docker does: what cannot be understood counts as empty.
        Ok(content) => content.config.unwrap_or_else(|_| Config::default()),
        Err(trouble) => return Err(sentence(trouble)),
    };
    config.isolate(registries, copy_auths);
    let parent = Folder::open(records, true)?.ok_or("the record directory went away")?;
    let folder = parent.inner(id, true)?.ok_or("the private directory went away")?;
    let fill = || -> Result<(), String> {
        folder.write(MARKER, id)?;
        let text = docker_config::to_text(&config.content()).map_err(|error| error.to_string())?;
        folder.write(CONFIG, &String::from_utf8_lossy(&text))?;
        for name in LINKED {
            if let Ok(target) = fs::canonicalize(user.join(name)) {
                folder.link(name, &target)?;
            }
        }
        Ok(())
    };
    fill().inspect_err(|_| drop(empty(&parent, &folder, id)))?;
    Ok(folder.path().to_owned())
}

/// Removes a private directory; success if it is not there.
///
/// # Errors
/// A printable sentence: it is not one of ours, or something in it is not.
pub(super) fn remove(records: &Path, id: &str) -> Result<(), String> {
    match find(records, id)? {
        Some((parent, folder)) => empty(&parent, &folder, id),
        None => Ok(()),
    }
}

fn empty(parent: &Folder, folder: &Folder, id: &str) -> Result<(), String> {
    let mut foreign = Vec::new();
    let names = folder.names()?;
    for name in names.iter().filter(|name| *name != MARKER) {
        // `config.json` and its temporary companions, docker's and ours.
        let ours = name.starts_with(CONFIG) || LINKED.contains(&name.as_str()) || SEEDS.contains(&name.as_str());
        // Not even then a directory: unlinking refuses it.
        if !ours || folder.remove(name).is_err() {
            foreign.push(name.as_str());
        }
    }
    if !foreign.is_empty() {
        let names = foreign.iter().take(3).copied().collect::<Vec<_>>().join(", ");
        return Err(printable(&format!("{}: left because of {names}", folder.path().display())));
    }
    folder.remove(MARKER)?;
    parent.remove_directory(id)
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
    let valid = id.len() == 32 && id.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    if valid { Ok(()) } else { Err("the id of a private directory has 32 hexadecimal digits".to_owned()) }
}

fn sentence(trouble: Trouble) -> String {
    match trouble {
        Trouble::Unusable(sentence) => sentence,
        Trouble::Malformed => "config.json is malformed".to_owned(),
    }
}
