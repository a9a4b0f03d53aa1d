//! When each peer's tests ran, at which commit, and how long its build took: what decides whose turn it is.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hublease_peers::Peer;
use serde::{Deserialize, Serialize};

use super::cache::Cache;
use crate::process::Call;
use crate::workspace::Workspace;

/// The entries by peer, as they lie in the cache. A file that cannot be read is an empty one: then everybody waits alike.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Ledger(BTreeMap<String, Entry>);

/// What is known of one.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Entry {
    /// Unix seconds.
    ran: Option<u64>,
    /// The commit that was checked out then.
    commit: Option<String>,
    build_seconds: Option<u64>,
}

impl Ledger {
    pub(super) fn read(cache: &Cache) -> Self {
        fs::read(path(cache)).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
    }

    /// Notes that a peer's tests have run just now.
    pub(super) fn note_run(cache: &Cache, name: &str, workspace: &Workspace) -> Result<(), String> {
        let commit = git(workspace, &["rev-parse", "HEAD"]).ok().map(|text| text.trim().to_owned());
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map(|since| since.as_secs()).ok();
        Self::change(cache, name, |entry| (entry.ran, entry.commit) = (now, commit))
    }

    /// Notes how long a build took.
    pub(super) fn note_build(cache: &Cache, name: &str, time: Duration) -> Result<(), String> {
        Self::change(cache, name, |entry| entry.build_seconds = Some(time.as_secs()))
    }

    pub(super) fn last_run(&self, name: &str) -> Option<u64> {
        self.0.get(name)?.ran
    }

    pub(super) fn build_time(&self, name: &str) -> Option<Duration> {
        self.0.get(name)?.build_seconds.map(Duration::from_secs)
    }

    /// Whether a file that concerns it has changed since its tests ran. What never ran, or ran at a commit that is not here, is
    /// not said to be touched: it waits longest anyway.
    pub(super) fn is_touched(&self, peer: &Peer, workspace: &Workspace) -> bool {
        let commit = self.0.get(peer.name).and_then(|entry| entry.commit.as_deref());
        let changed =
            commit.and_then(|commit| git(workspace, &["diff", "--name-only", commit]).ok()).unwrap_or_default();
        changed.lines().any(|path| peer.touches.iter().any(|beginning| path.starts_with(beginning)))
    }

    fn change(cache: &Cache, name: &str, change: impl FnOnce(&mut Entry)) -> Result<(), String> {
        let _lock = cache.lock()?;
        let mut ledger = Self::read(cache);
        change(ledger.0.entry(name.to_owned()).or_default());
        let path = path(cache);
        let text = serde_json::to_vec_pretty(&ledger).map_err(|error| error.to_string())?;
        fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))
    }
}

fn path(cache: &Cache) -> PathBuf {
    cache.folder.join("ledger.json")
}

fn git(workspace: &Workspace, words: &[&str]) -> Result<String, String> {
    Call::new("git").arguments(words).directory(&workspace.root).text()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Cache, Ledger};

    #[test]
    fn what_was_noted_is_there_the_next_time_and_nonsense_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let cache = Cache { folder: folder.path().to_owned() };
        assert_eq!(Ledger::read(&cache).build_time("crane"), None);
        Ledger::note_build(&cache, "crane", Duration::from_secs(90)).unwrap();
        Ledger::note_build(&cache, "buildx", Duration::from_secs(9)).unwrap();
        assert_eq!(Ledger::read(&cache).build_time("crane"), Some(Duration::from_secs(90)));
        assert_eq!(Ledger::read(&cache).last_run("crane"), None);
        std::fs::write(super::path(&cache), "nonsense").unwrap();
        assert_eq!(Ledger::read(&cache).build_time("crane"), None);
    }
}
