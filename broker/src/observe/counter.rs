//! What is counted where it happens: events by some labels, and calls on the way out.

use hublease_hub::HUB;
use hublease_hub::outbound::{Call, Outbound, OutboundError, Reply};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;

/// A label and its value.
pub(crate) type Label = (&'static str, String);

/// Events by some labels. A clone counts the same events.
#[derive(Clone)]
pub struct CounterFamily<const LABELS: usize> {
    names: [&'static str; LABELS],
    pub(crate) family: Family<[Label; LABELS], Counter>,
}

impl<const LABELS: usize> CounterFamily<LABELS> {
    /// Nothing has happened yet.
    #[must_use]
    pub fn by(names: [&'static str; LABELS]) -> Self {
        Self { names, family: Family::default() }
    }

    /// It has happened once more.
    pub fn add(&self, values: [&str; LABELS]) {
        let mut values = values.into_iter();
        let labels = self.names.map(|name| (name, values.next().unwrap_or_default().to_owned()));
        self.family.get_or_create(&labels).inc();
    }
}

/// The way out, with its calls counted by where they went and how they ended.
pub struct CountingOutbound {
    outbound: Box<dyn Outbound>,
    calls: CounterFamily<2>,
}

impl CountingOutbound {
    /// Counts what goes this way.
    #[must_use]
    pub fn new(outbound: Box<dyn Outbound>) -> (Self, CounterFamily<2>) {
        let calls = CounterFamily::by(["to", "outcome"]);
        (Self { outbound, calls: calls.clone() }, calls)
    }
}

impl Outbound for CountingOutbound {
    fn send(&self, call: &Call<'_>) -> Result<Reply, OutboundError> {
        let answer = self.outbound.send(call);
        let to = if call.url.starts_with(HUB) { "docker_hub" } else { "elsewhere" };
        let outcome = match &answer {
            Err(_) => "no_answer",
            Ok(reply) => match reply.status {
                200..=299 => "done",
                429 => "rate_limited",
                500..=599 => "failed",
                _ => "refused",
            },
        };
        self.calls.add([to, outcome]);
        answer
    }
}
