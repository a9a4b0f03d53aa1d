//! A server that a test has started: known to be ready by a question, and ended by its process id, also when the test panics.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// When something that has to come is given up. No test passes because of it: a slow machine only waits longer.
pub const PATIENCE: Duration = Duration::from_secs(90);
/// How often it is asked for meanwhile.
const GLANCE: Duration = Duration::from_millis(10);
/// How much of its output a panic shows.
const SHOWN_LINES: usize = 40;

/// A process, its output in a file. Dropping it ends it.
#[derive(Debug)]
pub struct Running {
    child: Child,
    log: PathBuf,
    /// What asks it to end; it is killed when it has not after a while.
    ending: Signal,
}

/// Why a server is not ready.
#[derive(Debug)]
pub(crate) enum NotReady {
    /// It has ended.
    Ended,
    /// It runs, and does not become ready.
    Late,
}

impl Running {
    /// Starts it, with its output at the end of `log` and nothing to read.
    ///
    /// # Errors
    /// When it cannot be started.
    pub fn start(command: &mut Command, log: &Path) -> io::Result<Self> {
        let out = File::options().create(true).append(true).open(log)?;
        let errors = out.try_clone()?;
        let child = command.stdin(Stdio::null()).stdout(out).stderr(errors).spawn()?;
        Ok(Self { child, log: log.to_owned(), ending: Signal::TERM })
    }

    /// Ends it by another signal than SIGTERM.
    #[must_use]
    pub fn ending_by(mut self, signal: Signal) -> Self {
        self.ending = signal;
        self
    }

    /// Waits until it is ready, by asking.
    pub(crate) fn ready(&mut self, is_ready: impl Fn() -> bool) -> Result<(), NotReady> {
        let end = Instant::now() + PATIENCE;
        while !is_ready() {
            if self.child.try_wait().is_ok_and(|status| status.is_some()) {
                return Err(NotReady::Ended);
            }
            if Instant::now() > end {
                return Err(NotReady::Late);
            }
            std::thread::sleep(GLANCE);
        }
        Ok(())
    }

    /// The end of what it has printed.
    #[must_use]
    pub fn output(&self) -> String {
        let text = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(SHOWN_LINES)..].join("\n")
    }

    /// Ends it and waits until it is gone.
    pub fn stop(&mut self) {
        if self.child.try_wait().is_ok_and(|status| status.is_some()) {
            return;
        }
        // Gone already, or about to be.
        kill_process(Pid::from_child(&self.child), self.ending).ok();
        let end = Instant::now() + PATIENCE;
        while self.child.try_wait().is_ok_and(|status| status.is_none()) {
            if Instant::now() > end {
                self.child.kill().ok();
            }
            std::thread::sleep(GLANCE);
        }
    }

    /// Ends it at once, as a machine does that loses its power.
    pub fn kill(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Waits for what another process is about to do.
///
/// # Panics
/// When it does not come.
#[track_caller]
pub fn until(what: &str, holds: impl Fn() -> bool) {
    let end = Instant::now() + PATIENCE;
    while !holds() {
        assert!(Instant::now() < end, "it never came to that: {what}");
        std::thread::sleep(GLANCE);
    }
}
