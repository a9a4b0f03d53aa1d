//! How far a long removal is, for an operator who watches it on a terminal.

use std::io::{self, IsTerminal as _, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;

use crate::broker::Broker;
use crate::journal::Lease;
use crate::leases::removal::{Removed, Round, remove_all};
use crate::limits::{SWEEP_RETRY_SECONDS, SWEEP_WORKERS};
use crate::observe::audit::Event;

/// What an operator ends.
const ROUND: Round = Round { event: Event::Operator, pause: SWEEP_RETRY_SECONDS, workers: SWEEP_WORKERS };

/// Nobody wonders before.
const FIRST: Duration = Duration::from_secs(2);
/// Often enough to see that it goes on.
const NEXT: Duration = Duration::from_secs(1);

/// How many leases were seen to, counted by their audit lines.
#[derive(Clone, Default)]
pub(super) struct Done(Arc<AtomicUsize>);

impl Done {
    /// A writer that counts the lines that go through it.
    pub(super) fn counting<W: Write>(&self, inner: W) -> Counting<W> {
        Counting { inner, done: self.clone() }
    }

    fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

/// See [`Done::counting`].
pub(super) struct Counting<W> {
    inner: W,
    done: Done,
}

impl<W: Write> Write for Counting<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        let lines = bytes[..written].iter().filter(|byte| **byte == b'\n').count();
        self.done.0.fetch_add(lines, Ordering::Relaxed);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

/// Removes the leases and says how far it is.
pub(super) fn remove(broker: &Broker, leases: &[Lease], done: &Done) -> Removed {
    let (end, ended) = channel();
    thread::scope(|scope| {
        let mut screen = io::stderr();
        if screen.is_terminal() {
            scope.spawn(move || watch(&ended, leases.len(), done, &mut screen, FIRST, NEXT));
        }
        let (removed, _) = remove_all(broker, leases, ROUND);
        // This is what the watcher waits for.
        drop::<std::sync::mpsc::Sender<()>>(end);
        removed
    })
}

/// Writes a line over itself until the other side hangs up, and wipes it then.
fn watch(ended: &Receiver<()>, total: usize, done: &Done, screen: &mut dyn Write, first: Duration, next: Duration) {
    let mut pause = first;
    let mut has_written = false;
    while ended.recv_timeout(pause) == Err(RecvTimeoutError::Timeout) {
        // A screen that is gone has nobody before it.
        drop(write!(screen, "\r\u{1b}[K{} of {total} ...", done.count()).and_then(|()| screen.flush()));
        has_written = true;
        pause = next;
    }
    if has_written {
        drop(write!(screen, "\r\u{1b}[K").and_then(|()| screen.flush()));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::Sender;

    use super::*;

    /// A screen that has seen enough after its second line.
    struct Screen {
        text: Vec<u8>,
        done: Done,
        end: Option<Sender<()>>,
    }

    impl Write for Screen {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.text.extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            if self.text.ends_with(b"2 of 5 ...") {
                self.end = None;
            }
            writeln!(self.done.counting(io::sink()), "one\ntwo")
        }
    }

    #[test]
    fn a_long_removal_says_how_far_it_is_and_leaves_nothing_on_the_screen() {
        let (end, ended) = channel();
        let done = Done::default();
        let mut screen = Screen { text: Vec::new(), done: done.clone(), end: Some(end) };
        watch(&ended, 5, &done, &mut screen, Duration::ZERO, Duration::ZERO);
        assert_eq!(String::from_utf8(screen.text).unwrap(), "\r\u{1b}[K0 of 5 ...\r\u{1b}[K2 of 5 ...\r\u{1b}[K");
    }

    #[test]
    fn a_short_removal_says_nothing() {
        let (end, ended) = channel::<()>();
        drop(end);
        let mut screen = Vec::new();
        watch(&ended, 5, &Done::default(), &mut screen, FIRST, NEXT);
        assert_eq!(screen, b"");
    }
}
