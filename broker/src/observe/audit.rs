//! The audit log: one JSON line per decision, on standard output.
//!
//! A line says who asked (issuer, project, job), which rule answered, what for, how it ended, and the SHA-256 of the identity
//! token, so that a leaked token can be found in it. It never holds a token, a handle or a password.
//! Claims are foreign text: JSON escapes them, and each is cut at `MAX_TEXT` characters.

use std::io::Write;
use std::sync::{Mutex, PoisonError};

use hublease_protocol::time::utc;
use serde::Serialize;

use crate::observe::counter::CounterFamily;

/// One decision. Fields that are not known stay away.
#[derive(Debug, Default, Serialize)]
pub struct AuditEvent {
    time: String,
    /// `exchange`, `revoke`, `revoke_by_identity`, `sweep`, `reconcile` for what the journal does not know, `operator` for what
    /// one has revoked, or `replace` for the first lease of a repeated request.
    event: &'static str,
    /// `issued`, `confirmed`, `returned` (to a pool, where the token lives on), `unknown`, `failed`, `elsewhere` (somebody else is
    /// at it), `requested` (not all is confirmed), `reported` (left to the operator), `adopted` (entered as a lease by one), or
    /// the code of the refusal.
    pub outcome: String,
    /// The name of the issuer in the configuration.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub issuer: Option<String>,
    /// The project's id, as the issuer gives it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub project: Option<String>,
    /// The job identity, in its canonical form.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub job: Option<String>,
    /// `sub`, for the reader.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The rule that granted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// The account that minted.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// What was issued.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// For how long, in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expires_in: Option<u64>,
    /// The lease.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease_id: Option<String>,
    /// SHA-256 of the identity token, in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_sha256: Option<String>,
    /// The sentence of the refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl AuditEvent {
    /// A line for an event at a time.
    #[must_use]
    pub fn new(event: &'static str, now: u64) -> Self {
        Self { time: utc(now), event, ..Self::default() }
    }
}

/// Where the lines go.
pub struct Audit {
    sink: Mutex<Box<dyn Write + Send>>,
    decisions: CounterFamily<2>,
}

impl Audit {
    /// Writes to `sink`, one line at a time.
    #[must_use]
    pub fn to(sink: Box<dyn Write + Send>) -> Self {
        Self { sink: Mutex::new(sink), decisions: CounterFamily::by(["event", "outcome"]) }
    }

    /// How many lines there were, by event and outcome.
    #[must_use]
    pub fn decisions(&self) -> &CounterFamily<2> {
        &self.decisions
    }

    /// Counts one line, writes it and flushes it. A line that cannot be written is reported on standard error.
    pub fn write(&self, line: &AuditEvent) {
        self.decisions.add([line.event, &line.outcome]);
        let Ok(mut text) = serde_json::to_vec(line) else {
            return;
        };
        text.push(b'\n');
        let mut sink = self.sink.lock().unwrap_or_else(PoisonError::into_inner);
        if sink.write_all(&text).and_then(|()| sink.flush()).is_err() {
            // Nothing better is left to do when standard error is gone too.
            drop(writeln!(std::io::stderr(), "hublease-broker: an audit line could not be written"));
        }
    }
}
