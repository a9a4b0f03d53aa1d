//! What all services share: the clock, the log, faults, latches, known secrets, and forwarded host names.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Mutex;

use http::Request;

use crate::clock::Clock;
use crate::fault::{Action, Delivery, Fault, perform};
use crate::journal::{KnownSecret, Logged};
use crate::latch::{Latch, Latches};
use crate::service::{Handler, Service};
use crate::sync::lock;

/// The shared part of one sandbox.
#[derive(Default)]
pub(crate) struct Core {
    pub(crate) clock: Clock,
    pub(crate) latches: Latches,
    log: Mutex<Vec<Logged>>,
    secrets: Mutex<Vec<KnownSecret>>,
    unexpected: Mutex<Vec<String>>,
    faults: Mutex<Vec<Fault>>,
    forwards: Mutex<HashMap<String, SocketAddr>>,
    issuers: Mutex<Vec<String>>,
}

impl Core {
    /// Runs one request through log, latches, faults and its service.
    pub(crate) fn answer(&self, service: Service, handler: &dyn Handler, request: &Request<Vec<u8>>) -> Delivery {
        let place = {
            let mut log = lock(&self.log);
            log.push(Logged::new(service, request));
            log.len() - 1
        };
        let (before, after) = self.latches.on(service, request);
        before.iter().for_each(Latch::hold);
        let delivery = match self.next_fault(service, request) {
            Some((action, handled_first)) => perform(action, handled_first, || handler.handle(request)),
            None => Delivery::Whole(handler.handle(request)),
        };
        after.iter().for_each(Latch::hold);
        if let Some(entry) = lock(&self.log).get_mut(place) {
            entry.status = delivery.status();
        }
        delivery
    }

    fn next_fault(&self, service: Service, request: &Request<Vec<u8>>) -> Option<(Action, bool)> {
        let mut faults = lock(&self.faults);
        let mut unspent = faults.iter_mut().filter(|fault| fault.left > 0);
        let fault = unspent.find_map(|fault| fault.matcher.takes(service, request).then_some(fault))?;
        // `usize::MAX` stands for ever and is not counted down.
        if fault.left != usize::MAX {
            fault.left -= 1;
        }
        Some((fault.action.clone(), fault.handled_first))
    }

    pub(crate) fn add_fault(&self, fault: Fault) {
        lock(&self.faults).push(fault);
    }

    pub(crate) fn clear_faults(&self) {
        lock(&self.faults).clear();
    }

    pub(crate) fn log(&self) -> Vec<Logged> {
        lock(&self.log).clone()
    }

    /// Remembers a secret; one that is already known by value gains the services only.
    pub(crate) fn add_secret(&self, secret: KnownSecret) {
        let mut secrets = lock(&self.secrets);
        let Some(known) = secrets.iter_mut().find(|known| known.value == secret.value) else {
            secrets.push(secret);
            return;
        };
        for service in secret.services {
            if !known.services.contains(&service) {
                known.services.push(service);
            }
        }
    }

    /// Shorthand for `add_secret`.
    pub(crate) fn know(&self, name: impl Into<String>, kind: &str, value: &str, services: &[Service]) {
        let (name, kind, value) = (name.into(), kind.to_owned(), value.to_owned());
        self.add_secret(KnownSecret { name, kind, value, services: services.to_vec() });
    }

    pub(crate) fn secrets(&self) -> Vec<KnownSecret> {
        lock(&self.secrets).clone()
    }

    pub(crate) fn note_unexpected(&self, what: String) {
        lock(&self.unexpected).push(what);
    }

    pub(crate) fn unexpected(&self) -> Vec<String> {
        lock(&self.unexpected).clone()
    }

    pub(crate) fn forward(&self, host: &str, address: SocketAddr) {
        lock(&self.forwards).insert(host.to_ascii_lowercase(), address);
    }

    pub(crate) fn forwarded(&self, host: &str) -> Option<SocketAddr> {
        lock(&self.forwards).get(host).copied()
    }

    /// Founds an issuer at this address.
    pub(crate) fn found_issuer(&self, address: &str) {
        lock(&self.issuers).push(address.to_owned());
    }

    /// The issuers that were founded at a host: what of their addresses follows the host, a slash at its end included.
    pub(crate) fn issuers_at(&self, host: &str) -> Vec<String> {
        let below = |address: &String| {
            let rest = address.strip_prefix("https://")?.strip_prefix(host)?;
            (rest.is_empty() || rest.starts_with('/')).then(|| rest.to_owned())
        };
        lock(&self.issuers).iter().filter_map(below).collect()
    }

    /// The service behind a host name that is not forwarded.
    pub(crate) fn service_at(&self, host: &str) -> Option<Service> {
        Service::at(host).or_else(|| (!self.issuers_at(host).is_empty()).then_some(Service::Issuer))
    }

    /// Lets every held request go.
    pub(crate) fn stop(&self) {
        self.latches.release_all();
    }
}
