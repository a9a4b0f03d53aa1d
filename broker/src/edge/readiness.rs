//! Can the broker do its work? What `/readyz` asks, and nobody else needs.
//!
//! It tries what an exchange would need: whether the journal can be written is found out by writing it. Anybody may ask, so
//! an answer is repeated for [`READINESS_SECONDS`], and only one is looked for at a time.

use std::sync::Arc;

use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

use crate::broker::Broker;
use crate::limits::READINESS_SECONDS;

/// The last answer.
#[derive(Default)]
pub(crate) struct Readiness {
    /// When it was found, in seconds since 1970, and why the broker cannot do its work; no reason means that it can.
    last: Mutex<Option<(u64, Vec<String>)>>,
}

impl Readiness {
    /// Why the broker cannot do its work, in our words: names of the configuration and sentences of ours.
    pub(crate) async fn reasons(&self, broker: &Arc<Broker>) -> Vec<String> {
        let mut last = self.last.lock().await;
        let now = broker.clock.now();
        if let Some((at, reasons)) = &*last
            && now.abs_diff(*at) < READINESS_SECONDS
        {
            return reasons.clone();
        }
        let asked = Arc::clone(broker);
        let reasons = spawn_blocking(move || reasons(&asked, now)).await;
        let reasons = reasons.unwrap_or_else(|_panicked| vec!["the broker failed".to_owned()]);
        *last = Some((now, reasons.clone()));
        reasons
    }
}

fn reasons(broker: &Broker, now: u64) -> Vec<String> {
    let journal = broker.journal.probe().err().map(|error| error.to_string());
    let accounts = broker.accounts.values().filter_map(|account| {
        let error = account.trouble(now)?;
        Some(format!("account `{}`: {}", account.name, error.refusal().sentence))
    });
    let audit = broker.audit.trouble().map(|trouble| format!("the audit log: {trouble}"));
    journal.into_iter().chain(audit).chain(accounts).collect()
}
