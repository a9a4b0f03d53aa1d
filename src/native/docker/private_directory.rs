//! Private docker directories, each a directory of the record directory under a random id.
//!
//! A marker inside repeats the id. Nothing without its marker is used or removed, and removing touches only what we
//! or docker put there: files by name, links by unlinking them. Whatever else lies there stays, and is reported.

use std::fs;
use std::path::{Path, PathBuf};

use hublease_protocol::id::Id;
use hublease_protocol::printable::printable;
use hublease_protocol::secret::Secret;

use crate::effect::docker::Found;
use crate::native::store::dirfd::Folder;

const MARKER: &str = ".hublease";
const CONFIG: &str = "config.json";

/// What of the user's directory is reached by a link: contexts, builders and plugins.
const LINKED: &[&str] = &["contexts", "buildx", "cli-plugins"];

/// A link to the user's directory that the private one was made of. Later steps have the private one in
/// `DOCKER_CONFIG`; the record, and another login, are about the user's.
const ORIGIN: &str = ".user";

/// What docker's builder keeps next to `config.json`, to ask for tokens of a stable identity.
const SEEDS: &[&str] = &[".token_seed", ".token_seed.lock"];

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

/// Makes a private directory beside the user's, whose file holds `content`.
///
/// # Errors
/// A printable sentence.
pub(in crate::native) fn make(records: &Path, id: &str, user: &Path, content: &Secret) -> Result<PathBuf, String> {
    check(id)?;
    let parent = Folder::open(records, true)?.ok_or("the record directory went away")?;
    let folder = parent.inner(id, true)?.ok_or("the private directory went away")?;
    let fill = || -> Result<(), String> {
        folder.write(MARKER, id)?;
        folder.link(ORIGIN, user)?;
        folder.write(CONFIG, content.expose())?;
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

/// The user's directory, if `path` is a private one of ours.
pub(in crate::native) fn user_of(records: &Path, path: &Path) -> Option<PathBuf> {
    let (parent, id) = (path.parent()?, path.file_name()?.to_str()?);
    let is_ours = fs::canonicalize(records).is_ok_and(|records| records == parent) && find(records, id).ok()?.is_some();
    is_ours.then(|| fs::read_link(path.join(ORIGIN)).ok()).flatten()
}

/// Removes a private directory; success if it is not there.
///
/// # Errors
/// A printable sentence: it is not one of ours, or something in it is not.
pub(in crate::native) fn remove(records: &Path, id: &str) -> Result<Found, String> {
    match find(records, id)? {
        Some((parent, folder)) => empty(&parent, &folder, id),
        None => Ok(Found::Done),
    }
}

/// The login goes first; what others put beside it may keep the directory, but not the login.
fn empty(parent: &Folder, folder: &Folder, id: &str) -> Result<Found, String> {
    folder.remove(CONFIG)?;
    let mut foreign = Vec::new();
    let names = folder.names()?;
    for name in names.iter().filter(|name| *name != MARKER) {
        // `config.json` and its temporary companions, docker's and ours.
        let ours = name.starts_with(CONFIG)
            || name == ORIGIN
            || LINKED.contains(&name.as_str())
            || SEEDS.contains(&name.as_str());
        // Not even then a directory: unlinking refuses it.
        if !ours || folder.remove(name).is_err() {
            foreign.push(name.as_str());
        }
    }
    if !foreign.is_empty() {
        let names = foreign.iter().take(3).copied().collect::<Vec<_>>().join(", ");
        return Ok(Found::Left(printable(&format!("{}: left because of {names}", folder.path().display()))));
    }
    folder.remove(MARKER)?;
    parent.remove_directory(id).map(|()| Found::Done)
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
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};
    use std::path::{Path, PathBuf};

    use hublease_protocol::secret::Secret;

    use super::{make, path, remove};
    use crate::effect::docker::Found;

    const ID: &str = "0123456789abcdef0123456789abcdef";

    struct TestHome {
        root: tempfile::TempDir,
    }

    impl TestHome {
        /// A user's directory with contexts and plugins.
        fn new() -> Self {
            let world = Self { root: tempfile::tempdir().unwrap() };
            fs::create_dir_all(world.user().join("contexts/meta")).unwrap();
            fs::create_dir(world.user().join("cli-plugins")).unwrap();
            fs::write(world.user().join("cli-plugins/docker-buildx"), "plugin").unwrap();
            world
        }

        fn user(&self) -> PathBuf {
            self.root.path().join("user")
        }

        fn records(&self) -> PathBuf {
            self.root.path().join("records")
        }

        fn make(&self) -> PathBuf {
            make(&self.records(), ID, &self.user(), &Secret::new("{ \"a\": 1 }")).unwrap()
        }
    }

    fn mode(path: &Path) -> u32 {
        fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
    }

    #[test]
    fn it_holds_what_it_shall_and_links_the_rest() {
        let world = TestHome::new();
        let made = world.make();
        assert_eq!((made.clone(), path(&world.records(), ID)), (world.records().join(ID), Ok(made.clone())));
        assert_eq!(fs::read_to_string(made.join("config.json")).unwrap(), "{ \"a\": 1 }");
        assert_eq!((mode(&made), mode(&made.join("config.json"))), (0o700, 0o600));
        assert_eq!(fs::read_to_string(made.join("cli-plugins/docker-buildx")).unwrap(), "plugin");
        assert!(fs::symlink_metadata(made.join("contexts")).unwrap().is_symlink());
        assert!(!made.join("buildx").exists());
        assert!(make(&world.records(), ID, &world.user(), &Secret::default()).is_err());
    }

    #[test]
    fn removing_takes_what_docker_and_we_made_and_follows_no_link() {
        let world = TestHome::new();
        let made = world.make();
        fs::write(made.join("config.json123"), "left by docker").unwrap();
        fs::write(made.join(".token_seed"), "left by its builder").unwrap();
        remove(&world.records(), ID).unwrap();
        assert!(!made.exists());
        assert_eq!(fs::read_to_string(world.user().join("cli-plugins/docker-buildx")).unwrap(), "plugin");
        assert!(world.user().join("contexts/meta").is_dir());
        assert_eq!(remove(&world.records(), ID), Ok(Found::Done));
        assert!(path(&world.records(), ID).is_err());
    }

    #[test]
    fn what_others_put_there_stays_and_is_reported_but_the_login_goes() {
        let world = TestHome::new();
        let made = world.make();
        fs::create_dir(made.join("buildx")).unwrap();
        fs::write(made.join("notes"), "mine").unwrap();
        let Ok(Found::Left(message)) = remove(&world.records(), ID) else { panic!("it should be left") };
        assert!(message.ends_with("left because of buildx, notes"), "{message}");
        assert!(!made.join("config.json").exists() && made.join("notes").exists() && made.join("buildx").exists());
        fs::remove_file(made.join("notes")).unwrap();
        fs::remove_dir(made.join("buildx")).unwrap();
        assert_eq!(remove(&world.records(), ID), Ok(Found::Done));
        assert!(!made.exists());
    }

    #[test]
    fn a_planted_directory_is_neither_used_nor_removed() {
        let world = TestHome::new();
        let made = world.make();
        let other = "f".repeat(32);
        fs::create_dir(world.records().join(&other)).unwrap();
        fs::set_permissions(world.records().join(&other), fs::Permissions::from_mode(0o700)).unwrap();
        let link = "e".repeat(32);
        symlink(&made, world.records().join(&link)).unwrap();
        let mut ids = vec![other.as_str(), &link, "..", "", "../user", "0123456789ABCDEF0123456789ABCDEF"];
        // Somebody else's marker does not make it ours either.
        fs::write(world.records().join(&other).join(".hublease"), ID).unwrap();
        fs::set_permissions(world.records().join(&other).join(".hublease"), fs::Permissions::from_mode(0o600)).unwrap();
        fs::write(made.join(".hublease"), "x").unwrap();
        ids.push(ID);
        for id in ids {
            assert!(path(&world.records(), id).is_err(), "{id}");
            assert!(remove(&world.records(), id).is_err(), "{id}");
        }
        assert!(made.join("config.json").exists());
    }
}
