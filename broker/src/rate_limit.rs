//! How often something may happen in a minute: before verification by client address and in all, after it by project and by
//! rule.
//!
//! Each purpose has counts of its own, so that nothing that is asked for keeps a job from giving back what it has. An address
//! of IPv6 is counted with every network around it, of which each may send a few times as much as what is in it: whoever has
//! many networks is held by the wider one, and nobody else is.

mod hub_calls;

use hublease_protocol::oauth::Code;
use ipnet::IpNet;

use self::hub_calls::HubCalls;
pub use self::hub_calls::{HubPurse, Payer};
use crate::client_address::{Client, widened};
use crate::config::Rates;
use crate::limits::{QUESTIONS_PER_REQUEST, UNVERIFIED_PART, WIDER_NETWORKS};
use crate::observe::bounded::bounded;
use crate::refusal::Refusal;
use crate::windows::{FixedWindows, Over};

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Purpose {
    /// A token.
    Exchange,
    /// The end of a token.
    Revocation,
    /// What anybody may know: metadata, readiness, and what is not there.
    Question,
}

/// Who is counted before anything is known of him but where he comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Sender {
    Unnamed,
    Network(IpNet),
}

/// The limits of a broker.
pub struct Limiter {
    rates: Rates,
    sender: FixedWindows<(Purpose, Sender)>,
    all: FixedWindows<Purpose>,
    /// What did not verify.
    unverified: FixedWindows<(Purpose, Sender)>,
    project: FixedWindows<(Purpose, String, String)>,
    rule: FixedWindows<String>,
    hub_calls: HubCalls,
}

impl Limiter {
    /// Limits that nobody has used yet.
    #[must_use]
    pub fn new(rates: &Rates) -> Self {
        Self {
            rates: *rates,
            sender: FixedWindows::default(),
            all: FixedWindows::default(),
            unverified: FixedWindows::default(),
            project: FixedWindows::default(),
            rule: FixedWindows::default(),
            hub_calls: HubCalls::default(),
        }
    }

    /// Counts a request of a client that has not proved anything yet. For this machine only the count of all counts.
    ///
    /// # Errors
    /// `rate_limited`. What a client is refused does not count for all.
    pub fn request(&self, purpose: Purpose, client: Client, now: u64) -> Result<(), Refusal> {
        let times = if purpose == Purpose::Question { QUESTIONS_PER_REQUEST } else { 1 };
        let unverified = keys(purpose, client, (self.rates.requests_per_minute_per_address / UNVERIFIED_PART).max(1));
        self.unverified
            .room(&unverified, now)
            .map_err(|over| refusal(&sends(&unverified, over, "identity tokens that do not verify"), over))?;
        let sender = keys(purpose, client, self.rates.requests_per_minute_per_address.saturating_mul(times));
        self.sender.count(&sender, now).map_err(|over| refusal(&sends(&sender, over, "requests"), over))?;
        let all = [(purpose, self.rates.requests_per_minute.saturating_mul(times))];
        self.all.count(&all, now).map_err(|over| refusal("all clients together send more requests", over))
    }

    /// Notes that a client has sent what did not verify.
    pub fn unverified(&self, purpose: Purpose, client: Client, now: u64) {
        for (key, _) in keys(purpose, client, 1) {
            self.unverified.note(&key, now);
        }
    }

    /// Counts a request of a verified project. Tokens of an issuer that name none share one count.
    ///
    /// # Errors
    /// `rate_limited`.
    pub fn project(&self, purpose: Purpose, issuer: &str, project: Option<&str>, now: u64) -> Result<(), Refusal> {
        let key = (purpose, issuer.to_owned(), bounded(project.unwrap_or_default()));
        let limit = self.rates.exchanges_per_minute_per_project;
        self.project.count(&[(key, limit)], now).map_err(|over| refusal("this project asks for more tokens", over))
    }

    /// Counts an exchange that a rule grants.
    ///
    /// # Errors
    /// `rate_limited`.
    pub fn rule(&self, rule: &str, now: u64) -> Result<(), Refusal> {
        let key = (rule.to_owned(), self.rates.exchanges_per_minute_per_rule);
        self.rule.count(&[key], now).map_err(|over| refusal("the jobs of this rule ask for more tokens", over))
    }
}

impl Limiter {
    /// What somebody may still spend of Docker Hub's patience.
    #[must_use]
    pub const fn purse(&self, payer: Payer) -> HubPurse<'_> {
        HubPurse { spent: &self.hub_calls, payer }
    }
}

/// Whom a client is counted for, the widest network first, each with its limit.
fn keys(purpose: Purpose, client: Client, limit: u64) -> Vec<((Purpose, Sender), u64)> {
    let network = |address, (prefix, times): (u8, u64)| {
        ((purpose, Sender::Network(widened(address, prefix))), limit.saturating_mul(times))
    };
    match client {
        Client::ThisMachine => Vec::new(),
        Client::Unnamed => vec![((purpose, Sender::Unnamed), limit)],
        Client::At(address) if address.to_canonical().is_ipv4() => vec![network(address, (32, 1))],
        Client::At(address) => WIDER_NETWORKS.iter().map(|wider| network(address, *wider)).collect(),
    }
}

/// Who sends too much of something.
fn sends(keys: &[((Purpose, Sender), u64)], over: Over, what: &str) -> String {
    match keys.get(over.which).map(|((_, sender), _)| sender) {
        Some(Sender::Network(IpNet::V6(network))) if over.which + 1 < keys.len() => {
            format!("the /{} network of this address sends more {what}", network.prefix_len())
        }
        Some(Sender::Network(_)) => format!("this address sends more {what}"),
        Some(Sender::Unnamed) | None => format!("the clients that the proxy does not name send more {what}"),
    }
}

fn refusal(who: &str, over: Over) -> Refusal {
    let sentence = format!("{who} in a minute than the broker allows");
    Refusal::later(Code::RateLimited, sentence, over.seconds)
}

#[cfg(test)]
mod tests;
