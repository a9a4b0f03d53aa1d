//! A child process that one thread waits for and another may signal.
//!
//! Waiting happens without reaping (`WNOWAIT`), and both reaping and signalling hold one lock: a signal can
//! therefore never reach a stranger who was given the same process id.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, ExitStatus};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rustix::process::{Pid, Signal, WaitId, WaitIdOptions, kill_process, kill_process_group, waitid};

/// A handle on a child; cheap to clone.
#[derive(Clone, Debug, Default)]
pub(in crate::native) struct Running(Arc<Mutex<State>>);

#[derive(Debug, Default)]
enum State {
    /// Not started yet.
    #[default]
    Before,
    /// Started and not reaped.
    Alive(Child),
    /// Reaped, or never to be started.
    Over,
}

impl Running {
    /// Starts the child with `spawn`, unless it was killed already.
    pub(in crate::native) fn start(&self, spawn: impl FnOnce() -> io::Result<Child>) -> io::Result<Streams> {
        let mut state = self.lock();
        if matches!(*state, State::Over) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let mut child = spawn()?;
        let streams = Streams { stdin: child.stdin.take(), stdout: child.stdout.take(), stderr: child.stderr.take() };
        *state = State::Alive(child);
        Ok(streams)
    }

    /// Waits until the child has ended, and reaps it.
    pub(in crate::native) fn wait(&self) -> io::Result<ExitStatus> {
        let pid = match &*self.lock() {
            State::Alive(child) => pid(child),
            State::Before | State::Over => None,
        };
        let pid = pid.ok_or(io::ErrorKind::NotFound)?;
        // Not under the lock: this is the wait that somebody else may want to cut short.
        while let Err(error) = waitid(WaitId::Pid(pid), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT) {
            if error != rustix::io::Errno::INTR {
                return Err(error.into());
            }
        }
        match std::mem::replace(&mut *self.lock(), State::Over) {
            State::Alive(mut child) => child.wait(),
            State::Before | State::Over => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// Sends a signal to the child alone, if it is there.
    pub(in crate::native) fn signal(&self, signal: Signal) {
        if let State::Alive(child) = &*self.lock()
            && let Some(pid) = pid(child)
        {
            // The only failure is a child that has ended.
            let _ = kill_process(pid, signal);
        }
    }

    /// Kills the child and everything in its process group, or keeps it from starting.
    pub(in crate::native) fn kill(&self) {
        let mut state = self.lock();
        match &*state {
            State::Alive(child) => {
                if let Some(pid) = pid(child) {
                    let _ = kill_process_group(pid, Signal::KILL);
                }
            }
            State::Before | State::Over => *state = State::Over,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The ends of the child's pipes, where there are any.
#[derive(Debug)]
pub(in crate::native) struct Streams {
    pub(in crate::native) stdin: Option<std::process::ChildStdin>,
    pub(in crate::native) stdout: Option<std::process::ChildStdout>,
    pub(in crate::native) stderr: Option<std::process::ChildStderr>,
}

/// The exit code; 128 plus the number for a signal, as shells have it.
pub(in crate::native) fn code(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1)
}

fn pid(child: &Child) -> Option<Pid> {
    i32::try_from(child.id()).ok().and_then(Pid::from_raw)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use rustix::process::Signal;

    use super::{Running, code};

    #[test]
    fn a_signal_ends_the_wait_of_another_thread() {
        let running = Running::default();
        running.start(|| Command::new("sleep").arg("600").spawn()).unwrap();
        let waiting = running.clone();
        let thread = std::thread::spawn(move || waiting.wait());
        running.signal(Signal::TERM);
        assert_eq!(code(thread.join().unwrap().unwrap()), 128 + 15);
        running.signal(Signal::TERM);
        assert!(running.wait().is_err());
    }

    #[test]
    fn what_was_killed_before_its_start_does_not_start() {
        let running = Running::default();
        running.kill();
        assert!(running.start(|| panic!("must not be started")).is_err());
    }
}
