//! What `/metrics` says, in the text format of OpenMetrics.
//!
//! Labels are names of the configuration, words of closed lists, and numbers: never a claim, an address or a remote text, so
//! that neither a secret nor an endless number of series can get in. What is counted is counted where it happens; the rest
//! is asked for when somebody looks.

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use crate::broker::Broker;
use crate::observe::counter::{CounterFamily, Label};

/// The media type of [`text`].
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// What only the server knows.
pub(crate) struct Traffic {
    /// Requests that were refused before anything of them was decided, by code.
    pub(crate) turned_away: CounterFamily<1>,
    /// Connections that had to make room for others, so far.
    pub(crate) dismissed: u64,
    /// Connections now.
    pub(crate) connections: usize,
    /// Requests that are being served now.
    pub(crate) in_flight: usize,
}

/// All of it. Asks the journal.
#[must_use]
pub(crate) fn text(broker: &Broker, traffic: &Traffic) -> String {
    let mut page = Page(Registry::with_prefix("hublease_broker"));
    page.0.register("build", "What runs", Info::new([("version", env!("CARGO_PKG_VERSION"))]));
    page.count("decisions", "Decisions by event and outcome", broker.audit.decisions());
    page.count("audit_lost", "Decisions without a line in the audit log because it took none", broker.audit.lost());
    page.count("audit_left_out", "Decisions without a line because a stranger had his", broker.audit.left_out());
    page.count("turned_away", "Requests refused before anything was decided", &traffic.turned_away);
    page.count("calls", "Calls to Docker Hub and to issuers by their end", &broker.calls);
    let dismissed: Counter = Counter::default();
    dismissed.inc_by(traffic.dismissed);
    page.0.register("connections_dismissed", "Connections closed in favour of newer ones", dismissed);
    page.number("connections", "Open connections of clients", traffic.connections);
    page.number("requests_in_flight", "Exchanges and revocations under way", traffic.in_flight);
    let keys = broker.verifier.keys_fetched_at().map(|(issuer, at)| ([("issuer", issuer.to_owned())], at));
    page.gauge("issuer_keys_fetched_timestamp_seconds", "When an issuer's keys were fetched last", keys);
    // A journal that cannot be read has no leases to show; `/readyz` tells why.
    if let Ok(open) = broker.journal.open() {
        let open = open
            .into_iter()
            .map(|(account, state, leases)| ([("account", account), ("state", state.as_str().to_owned())], leases));
        page.gauge("leases", "Leases that are not over", open);
    }
    let mut text = String::new();
    // Writing to a string cannot fail.
    encode(&mut text, &page.0).map_or_else(|_| String::new(), |()| text)
}

struct Page(Registry);

impl Page {
    fn count<const LABELS: usize>(&mut self, name: &str, help: &str, count: &CounterFamily<LABELS>) {
        self.0.register(name, help, count.family.clone());
    }

    fn number(&mut self, name: &str, help: &str, value: usize) {
        let gauge: Gauge = Gauge::default();
        gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        self.0.register(name, help, gauge);
    }

    fn gauge<const LABELS: usize>(
        &mut self,
        name: &str,
        help: &str,
        values: impl IntoIterator<Item = ([Label; LABELS], u64)>,
    ) where
        [Label; LABELS]: EncodeLabelSet,
    {
        let family = Family::<[Label; LABELS], Gauge>::default();
        for (labels, value) in values {
            family.get_or_create(&labels).set(i64::try_from(value).unwrap_or(i64::MAX));
        }
        self.0.register(name, help, family);
    }
}
