//! The record directory: which it is, and what is done in it.
//!
//! `$RUNNER_TEMP/hublease`, else `$XDG_RUNTIME_DIR/hublease`, and in either `hublease-<uid>` if that is somebody else's; else
//! `$TMPDIR/hublease-<uid>` with `/tmp` for an unset `TMPDIR`. A variable counts if it is absolute and leads to a directory: containers inherit an `XDG_RUNTIME_DIR`
//! that does not exist in them.

use std::cmp::Reverse;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use hublease_protocol::secret::Secret;
use rustix::process::geteuid;

use crate::effect::record::{Access, MAXIMUM_RECORD, MAXIMUM_RECORDS, Over, Stored, Trouble};
use crate::environment::Environment;
use crate::native::store::dirfd::Folder;

/// What a probe writes, in bytes: as much as a record with a Vault token and an earlier entry.
const PROBE: usize = 8 * 1024;

/// How often the directory is made anew because another job took it away, empty, at the same moment.
const MOST_ROUNDS: usize = 16;

const SUFFIX: &str = ".json";

/// Where the records of this user and machine are. Where somebody else has the usual place (root in a job's container, on a
/// runner that is not root), this user has one beside it.
pub(in crate::native) fn directory(environment: &Environment) -> PathBuf {
    directory_of(environment, geteuid().as_raw())
}

/// The same for a user by number.
fn directory_of(environment: &Environment, user: u32) -> PathBuf {
    let base =
        |name: &str| environment.value(name).map(PathBuf::from).filter(|path| path.is_absolute() && path.is_dir());
    let own = format!("hublease-{user}");
    let Some(base) = base("RUNNER_TEMP").or_else(|| base("XDG_RUNTIME_DIR")) else {
        return base("TMPDIR").unwrap_or_else(|| PathBuf::from("/tmp")).join(own);
    };
    let (usual, own) = (base.join("hublease"), base.join(own));
    let owner = |path: &Path| fs::symlink_metadata(path).ok().map(|metadata| metadata.uid());
    let is_mine = |path: &Path| owner(path).map(|owner| owner == user);
    // One that was begun is kept to, so that a logout finds what is in it.
    if is_mine(&own) == Some(true) || is_mine(&usual) == Some(false) { own } else { usual }
}

/// Does what was asked in the directory at `path`.
pub(in crate::native) fn access(path: &Path, access: &Access) -> Result<Vec<Stored>, Trouble> {
    perform(path, access).map_err(Trouble)
}

fn perform(path: &Path, access: &Access) -> Result<Vec<Stored>, String> {
    match access {
        Access::Prepare => {
            let folder = locked(path)?;
            let name = format!(".{}.probe", crate::native::random(8).map_err(|error| error.to_string())?);
            folder.write(&name, &" ".repeat(PROBE))?;
            folder.remove(&name)?;
            Ok(Vec::new())
        }
        Access::Read { first } => {
            Folder::open(path, false)?.map_or_else(|| Ok(Vec::new()), |folder| read(&folder, first.as_deref()))
        }
        Access::Write { name, body, over } => {
            let name = file_name(name)?;
            if body.len() > MAXIMUM_RECORD {
                return Err(format!("a record has at most {MAXIMUM_RECORD} bytes"));
            }
            let folder = locked(path)?;
            if let Some(stored) = in_the_way(&folder, &name, over)? {
                return Ok(vec![stored]);
            }
            folder.write(&name, body.expose())?;
            Ok(Vec::new())
        }
        Access::Erase { name } => {
            let name = file_name(name)?;
            if let Some(folder) = Folder::open(path, false)? {
                folder.lock()?;
                folder.remove(&name)?;
                // Left empty by root, it would be in the way of the next job's user. While others use it, it stays.
                drop(fs::remove_dir(path));
            }
            Ok(Vec::new())
        }
    }
}

/// The directory, held until it is closed, so that nobody writes between a look and a write, and nobody takes it away.
///
/// # Errors
/// A printable sentence: it is not ours, or the system refuses.
pub(in crate::native) fn locked(path: &Path) -> Result<Folder, String> {
    for _ in 0..MOST_ROUNDS {
        let Some(folder) = Folder::open(path, true)? else { continue };
        folder.lock()?;
        if folder.is_linked() {
            return Ok(folder);
        }
    }
    Err("the record directory goes away again and again".to_owned())
}

/// What lies there instead of what the writer knows.
fn in_the_way(folder: &Folder, name: &str, over: &Over) -> Result<Option<Stored>, String> {
    let Over::Known(known) = over else { return Ok(None) };
    let body = folder.read(name, MAXIMUM_RECORD).transpose();
    let is_known = |body: &Result<Secret, String>| body.as_ref().ok().is_some_and(|body| Some(body) == known.as_ref());
    let name = name.trim_end_matches(SUFFIX).to_owned();
    Ok(body.filter(|body| !is_known(body)).map(|body| Stored { name, body }))
}

/// The newest, and `first` before all. Of the others only the names are told.
fn read(folder: &Folder, first: Option<&str>) -> Result<Vec<Stored>, String> {
    // One that was taken away meanwhile was empty.
    let names =
        folder.names().or_else(|error| if folder.is_linked() { Err(error) } else { Ok(Vec::new()) })?.into_iter();
    let mut names: Vec<String> =
        names.filter_map(|name| name.strip_suffix(SUFFIX).filter(|name| is_name(name)).map(str::to_owned)).collect();
    names.sort_by_cached_key(|name| {
        (Some(name.as_str()) != first, Reverse(folder.changed(&format!("{name}{SUFFIX}"))), name.clone())
    });
    let stored = names.into_iter().enumerate().filter_map(|(number, name)| {
        if number >= MAXIMUM_RECORDS {
            return Some(Stored { name, body: Err(format!("{MAXIMUM_RECORDS} records are newer, and were read")) });
        }
        let body = folder.read(&format!("{name}{SUFFIX}"), MAXIMUM_RECORD).transpose()?;
        Some(Stored { name, body })
    });
    Ok(stored.collect())
}

fn file_name(name: &str) -> Result<String, String> {
    if is_name(name) { Ok(format!("{name}{SUFFIX}")) } else { Err("the name of a record has 64 digits".to_owned()) }
}

fn is_name(name: &str) -> bool {
    name.len() == 64 && name.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests;
