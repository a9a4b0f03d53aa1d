//! Latches stop a request at a known place until a test lets it go, so that a client can be killed exactly there.

use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use http::Request;

use crate::matcher::Matcher;
use crate::service::Service;
use crate::sync::lock;

/// How long a test waits for a request to arrive at its latch.
const REACHED_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a request is held; longer than `REACHED_TIMEOUT`, so that a test never finds its request gone.
const HELD_TIMEOUT: Duration = Duration::from_secs(60);

/// Where a request is held: which requests, and before or after the service did its work.
#[derive(Clone, Debug)]
pub struct Hold {
    matcher: Matcher,
    after: bool,
}

impl Hold {
    /// Holds before the service sees the request.
    pub fn before(service: Service, path_prefix: &str) -> Self {
        Self { matcher: Matcher::new(service, path_prefix), after: false }
    }

    /// Holds when the service has done its work and nothing of the answer has been sent.
    pub fn after(service: Service, path_prefix: &str) -> Self {
        Self { matcher: Matcher::new(service, path_prefix), after: true }
    }

    /// Only this method.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.matcher.set_method(method);
        self
    }

    /// Lets the first `count` matching requests pass.
    #[must_use]
    pub fn skip(mut self, count: usize) -> Self {
        self.matcher.set_skip(count);
        self
    }
}

/// A gate: closed until released. Clones are the same gate.
#[derive(Clone, Debug, Default)]
pub struct Latch {
    shared: Arc<(Mutex<Gate>, Condvar)>,
}

#[derive(Debug, Default)]
struct Gate {
    arrived: usize,
    released: bool,
}

impl Latch {
    /// A closed gate, for `Action::Delay`.
    pub fn new() -> Self {
        Self::default()
    }

    /// Waits until a request is held here, at most 30 seconds.
    ///
    /// # Errors
    /// `TimedOut` when none came.
    pub fn reached(&self) -> io::Result<()> {
        let (gate, changed) = &*self.shared;
        let waited = changed.wait_timeout_while(lock(gate), REACHED_TIMEOUT, |gate| gate.arrived == 0);
        let (gate, _) = waited.unwrap_or_else(PoisonError::into_inner);
        if gate.arrived == 0 {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "no request came to the latch"));
        }
        Ok(())
    }

    /// Lets everything pass, now and later.
    pub fn release(&self) {
        let (gate, changed) = &*self.shared;
        lock(gate).released = true;
        changed.notify_all();
    }

    /// Waits until released, at most a minute.
    pub(crate) fn hold(&self) {
        let (gate, changed) = &*self.shared;
        let mut held = lock(gate);
        held.arrived += 1;
        changed.notify_all();
        drop(changed.wait_timeout_while(held, HELD_TIMEOUT, |gate| !gate.released));
    }

    fn is_released(&self) -> bool {
        lock(&self.shared.0).released
    }
}

/// The latches of one sandbox.
#[derive(Default)]
pub(crate) struct Latches {
    placed: Mutex<Vec<(Hold, Latch)>>,
}

impl Latches {
    pub(crate) fn place(&self, hold: Hold) -> Latch {
        let latch = Latch::new();
        lock(&self.placed).push((hold, latch.clone()));
        latch
    }

    /// The latches that hold this request before and after it is handled.
    pub(crate) fn on(&self, service: Service, request: &Request<Vec<u8>>) -> (Vec<Latch>, Vec<Latch>) {
        let (mut before, mut after) = (Vec::new(), Vec::new());
        for (hold, latch) in lock(&self.placed).iter_mut() {
            if !latch.is_released() && hold.matcher.takes(service, request) {
                let side = if hold.after { &mut after } else { &mut before };
                side.push(latch.clone());
            }
        }
        (before, after)
    }

    pub(crate) fn release_all(&self) {
        for (_, latch) in lock(&self.placed).iter() {
            latch.release();
        }
    }
}
