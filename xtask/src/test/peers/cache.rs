//! Where peers are kept: by name and version, in the user's cache.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use hublease_peers::{Peer, Source};

use super::fetch;
use crate::workspace::Workspace;

/// The folder of all peers.
pub(super) struct Cache {
    pub(super) folder: PathBuf,
}

impl Cache {
    /// The folder that was asked for, or the user's; made if it is not there.
    ///
    /// # Errors
    /// A sentence: nothing says where the user's cache is, or it cannot be made.
    pub(super) fn at(asked: Option<&Path>) -> Result<Self, String> {
        let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
        let folder = folder(asked, variable("XDG_CACHE_HOME"), variable("HOME"))?;
        fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let folder = folder.canonicalize().map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(Self { folder })
    }

    /// Where one peer is, or will be.
    pub(super) fn of(&self, peer: &Peer) -> PathBuf {
        self.folder.join(format!("{}-{}", peer.name, peer.version))
    }

    /// Whether nothing has to be built before its tests.
    pub(super) fn is_at_hand(&self, workspace: &Workspace, peer: &Peer) -> bool {
        !matches!(peer.source, Source::Go { .. }) || fetch::is_built(workspace, peer, self)
    }

    /// Waits until nobody else changes what lies here, and keeps others from it until the file is dropped.
    pub(super) fn lock(&self) -> Result<File, String> {
        let path = self.folder.join("lock");
        let file = File::create(&path).and_then(|file| file.lock().map(|()| file));
        file.map_err(|error| format!("{}: {error}", path.display()))
    }
}

/// The XDG Base Directory Specification: a relative `XDG_CACHE_HOME` is ignored.
fn folder(asked: Option<&Path>, xdg: Option<PathBuf>, home: Option<PathBuf>) -> Result<PathBuf, String> {
    if let Some(asked) = asked {
        return Ok(asked.to_owned());
    }
    let cache =
        xdg.filter(|path| path.is_absolute()).or_else(|| Some(home.filter(|path| path.is_absolute())?.join(".cache")));
    cache
        .map(|cache| cache.join("hublease/peers"))
        .ok_or_else(|| "where is the cache? say `--cache DIR`, or set HOME".to_owned())
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::folder;

    #[test]
    fn what_was_asked_for_then_the_users_cache_then_the_home() {
        for (asked, xdg, home, expected) in [
            (Some("here"), Some("/xdg"), Some("/home"), Some("here")),
            (None, Some("/xdg"), Some("/home"), Some("/xdg/hublease/peers")),
            (None, Some("relative"), Some("/home"), Some("/home/.cache/hublease/peers")),
            (None, None, Some("/home"), Some("/home/.cache/hublease/peers")),
            (None, None, None, None),
        ] {
            let found = folder(asked.map(Path::new), xdg.map(PathBuf::from), home.map(PathBuf::from));
            assert_eq!(found.ok(), expected.map(PathBuf::from), "{asked:?} {xdg:?} {home:?}");
        }
    }
}
