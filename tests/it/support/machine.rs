//! Programs and processes of the machine that the tests run on.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// When something that has to come is given up.
const PATIENCE: Duration = Duration::from_secs(60);

pub fn executable(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Waits for what another process is about to do. The limit ends a test that waits in vain; none passes because of it.
#[track_caller]
pub fn until(what: &str, holds: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < end, "it never came to that: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Whether a process, by its directory in `/proc`, still runs. One that nobody has waited for yet is dead, too.
pub fn is_alive(process: &Path) -> bool {
    fs::read_to_string(process.join("stat")).is_ok_and(|stat| !stat.contains(") Z "))
}

/// Names the docker command line that the tests drive, where a machine has several; `cargo xtask test` sets it.
const DOCKER: &str = "HUBLEASE_DOCKER";

/// A program of the machine, in the usual places.
pub fn which(name: &str) -> Option<PathBuf> {
    if name == "docker"
        && let Some(chosen) = std::env::var_os(DOCKER)
    {
        return Some(chosen.into());
    }
    ["/usr/local/bin", "/usr/bin", "/bin", "/usr/sbin"]
        .iter()
        .map(|folder| Path::new(folder).join(name))
        .find(|path| path.is_file())
}
