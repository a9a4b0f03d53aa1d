//! A program in progress: what the client, a stage of the Action and a step of the orb have in common while they run.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use super::signal;

/// No run may take longer; the client's own limits are 90 and 30 seconds, the Action's 120 and 30.
const LONGEST_RUN: Duration = Duration::from_secs(150);

/// A program in progress; ended with the test, if the test does not wait for it.
pub struct Process {
    pub child: Child,
    /// The file that is quoted when it does not do what it should.
    log: PathBuf,
}

impl Process {
    pub fn start(command: &mut Command, log: PathBuf) -> Self {
        let child = command.spawn().unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Self { child, log }
    }

    /// Sends a signal to this very process.
    pub fn signal(&self, signal: &str) {
        signal::send(self.child.id(), signal);
    }

    pub fn is_over(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits until something holds while it runs.
    pub fn wait_until(&mut self, holds: impl Fn() -> bool) {
        let end = Instant::now() + LONGEST_RUN;
        while !holds() {
            assert!(!self.is_over(), "it ended early: {}", self.said());
            assert!(Instant::now() < end, "it never came to that");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits for its end. The exit code; 128 and more for a signal.
    pub fn end(&mut self) -> i32 {
        let end = Instant::now() + LONGEST_RUN;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default());
            }
            assert!(Instant::now() < end, "it does not end: {}", self.said());
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    fn said(&self) -> String {
        String::from_utf8_lossy(&fs::read(&self.log).unwrap()).into_owned()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // Most have been waited for.
        drop(self.child.kill().and_then(|()| self.child.wait()));
    }
}
