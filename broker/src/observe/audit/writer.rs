//! The one thread that writes audit lines, and the bounded queue before it.
//!
//! Whoever decides queues a line and goes on: a reader that stalls holds up nobody. What must have its line, an exchange, takes a
//! place beforehand, and is refused where there is none; everything else goes on without. A line that cannot be written is tried
//! again until it can, from where it was broken off, so that no line is lost or torn by a disk that was full for a while.

use std::collections::VecDeque;
use std::io::Write;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use crate::limits::{AUDIT_END, AUDIT_QUEUE, AUDIT_RETRY, AUDIT_STALL};
use crate::observe::console::say;

/// Where the lines go.
type Sink = Box<dyn Write + Send>;

/// See the module.
pub(super) struct LineWriter {
    queue: Arc<Queue>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    lines: VecDeque<Vec<u8>>,
    /// Places that are kept for lines to come.
    reserved: usize,
    /// Since when the line before the queue is being written.
    writing_since: Option<Instant>,
    /// Whether the last try to write failed.
    is_broken: bool,
    is_ending: bool,
    has_ended: bool,
}

/// A place in the queue that nobody else gets. Given back when it is dropped.
#[derive(Debug)]
pub(super) struct Place(Arc<Queue>);

impl std::fmt::Debug for Queue {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Queue")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.lock().reserved -= 1;
    }
}

impl LineWriter {
    /// Starts the thread. Where the system gives none, every line is lost, which is counted, and no exchange is served.
    pub(super) fn start(sink: Sink) -> Self {
        let queue = Arc::<Queue>::default();
        let theirs = Arc::clone(&queue);
        let thread = Builder::new().name("audit".to_owned()).spawn(move || theirs.write_all(sink)).ok();
        if thread.is_none() {
            let mut state = queue.lock();
            (state.is_broken, state.has_ended) = (true, true);
        }
        Self { queue, thread }
    }

    /// Takes a place for a line to come; none while lines cannot be written, or when there is none.
    pub(super) fn reserve(&self) -> Option<Place> {
        let mut state = self.queue.lock();
        if state.is_broken || state.is_full() {
            return None;
        }
        state.reserved += 1;
        Some(Place(Arc::clone(&self.queue)))
    }

    /// Queues a line, in the place that was taken for it or in a free one. False when there is none: then the line is lost.
    pub(super) fn push(&self, line: Vec<u8>, place: Option<&Place>) -> bool {
        let mut state = self.queue.lock();
        if state.has_ended || (place.is_none() && state.is_full()) {
            return false;
        }
        state.lines.push_back(line);
        self.queue.changed.notify_all();
        true
    }

    /// Why lines are not written, if so.
    pub(super) fn trouble(&self) -> Option<&'static str> {
        let state = self.queue.lock();
        let is_stalled = state.writing_since.is_some_and(|since| since.elapsed() >= AUDIT_STALL);
        match () {
            () if state.is_broken => Some("it cannot be written"),
            () if is_stalled || state.is_full() => Some("nobody reads it"),
            () => None,
        }
    }

    /// Waits until everything that was queued is written, for so long at most.
    pub(super) fn settle(&self, patience: Duration) {
        let end = Instant::now() + patience;
        let mut state = self.queue.lock();
        while !state.is_settled() {
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            state = self.queue.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Drop for LineWriter {
    fn drop(&mut self) {
        self.settle(AUDIT_END);
        self.queue.lock().is_ending = true;
        self.queue.changed.notify_all();
        // A thread that a reader holds up is left behind: the process ends without it.
        if self.queue.lock().is_settled()
            && let Some(thread) = self.thread.take()
        {
            drop(thread.join());
        }
    }
}

impl State {
    fn is_full(&self) -> bool {
        self.lines.len() + self.reserved >= AUDIT_QUEUE
    }

    fn is_settled(&self) -> bool {
        self.has_ended || (self.lines.is_empty() && self.writing_since.is_none())
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write_all(&self, mut sink: Sink) {
        while let Some(line) = self.next() {
            let mut rest = line.as_slice();
            while !self.write(&mut sink, &mut rest) {
                if !self.pause() {
                    break;
                }
            }
            let mut state = self.lock();
            state.writing_since = None;
            self.changed.notify_all();
        }
        self.lock().has_ended = true;
        self.changed.notify_all();
    }

    /// The next line; nothing when there will be none.
    fn next(&self) -> Option<Vec<u8>> {
        let mut state = self.lock();
        loop {
            if let Some(line) = state.lines.pop_front() {
                state.writing_since = Some(Instant::now());
                return Some(line);
            }
            if state.is_ending {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Writes what is left of a line; false when some of it could not be.
    fn write(&self, sink: &mut Sink, rest: &mut &[u8]) -> bool {
        let outcome = loop {
            match sink.write(rest) {
                Ok(0) => break Err(()),
                Ok(written) => *rest = rest.get(written..).unwrap_or_default(),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(_) => break Err(()),
            }
            if rest.is_empty() {
                break sink.flush().map_err(drop);
            }
        };
        let was_broken = std::mem::replace(&mut self.lock().is_broken, outcome.is_err());
        if outcome.is_err() && !was_broken {
            say("an audit line could not be written: no exchange is served until it is");
        }
        // What was handed over whole is not written twice because a flush failed.
        outcome.is_ok() || rest.is_empty()
    }

    /// Waits before the next try; false when nobody waits any more.
    fn pause(&self) -> bool {
        let state = self.lock();
        if state.is_ending {
            return false;
        }
        let state = self.changed.wait_timeout_while(state, AUDIT_RETRY, |state| !state.is_ending);
        !state.unwrap_or_else(PoisonError::into_inner).0.is_ending
    }
}

#[cfg(test)]
mod tests;
