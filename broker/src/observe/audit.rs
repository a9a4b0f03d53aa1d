//! The audit log: one JSON line per decision, on standard output.
//!
//! A line says who asked (issuer, project, job), which rule answered, what for, how it ended, and the SHA-256 of the identity
//! token, so that a leaked token can be found in it. It never holds a token, a handle or a password.
//! Claims are foreign text: JSON escapes them, and each is cut at `MAX_TEXT` characters.

use std::io::Write;
use std::sync::{Mutex, PoisonError};

use hublease_protocol::oauth::Code;
use hublease_protocol::time::utc;
use serde::Serialize;

use crate::observe::counter::CounterFamily;
use crate::refusal::Refusal;

/// What was decided about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A job asked for a token.
    Exchange,
    /// A handle was given back.
    Revoke,
    /// A job revoked by its identity.
    RevokeByIdentity,
    /// A lease was due.
    Sweep,
    /// Docker Hub holds what the journal does not know.
    Reconcile,
    /// An operator's command.
    Operator,
    /// The first lease of a repeated request.
    Replace,
}

impl Event {
    /// The log's word.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Exchange => "exchange",
            Self::Revoke => "revoke",
            Self::RevokeByIdentity => "revoke_by_identity",
            Self::Sweep => "sweep",
            Self::Reconcile => "reconcile",
            Self::Operator => "operator",
            Self::Replace => "replace",
        }
    }
}

/// How it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// A token was handed out.
    Issued,
    /// Docker Hub said that the token is gone.
    Confirmed,
    /// Given back to a pool, where the token lives on.
    Returned,
    /// It has ended by itself.
    Expired,
    /// There is no such lease.
    Unknown,
    /// Docker Hub has not said that the token is gone.
    Failed,
    /// Somebody else is at it.
    Elsewhere,
    /// Not all is confirmed.
    Requested,
    /// Left to the operator.
    Reported,
    /// Entered as a lease by the operator.
    Adopted,
    /// The client was refused.
    Refused(Code),
}

impl Outcome {
    /// The log's word.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Issued => "issued",
            Self::Confirmed => "confirmed",
            Self::Returned => "returned",
            Self::Expired => "expired",
            Self::Unknown => "unknown",
            Self::Failed => "failed",
            Self::Elsewhere => "elsewhere",
            Self::Requested => "requested",
            Self::Reported => "reported",
            Self::Adopted => "adopted",
            Self::Refused(code) => code.as_str(),
        }
    }
}

/// A line as it is written.
#[derive(Serialize)]
struct Line<'a> {
    time: String,
    event: &'static str,
    outcome: &'static str,
    #[serde(flatten)]
    about: &'a AuditEvent,
}

/// What is told of one decision. Fields that are not known stay away.
#[derive(Debug, Default, Serialize)]
pub struct AuditEvent {
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
    /// How it ended, of what may be refused; the sentence of a refusal is written down.
    pub fn outcome_of<T>(&mut self, answer: &Result<T, Refusal>, done: impl FnOnce(&T) -> Outcome) -> Outcome {
        match answer {
            Ok(answer) => done(answer),
            Err(refusal) => {
                self.reason = Some(refusal.sentence.clone());
                Outcome::Refused(refusal.code)
            }
        }
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

    /// Decides, and writes the line: `decide` says what it is about and how it ended. `now` is when it began, in seconds since
    /// 1970.
    pub fn record<T>(&self, event: Event, now: u64, decide: impl FnOnce(&mut AuditEvent) -> (Outcome, T)) -> T {
        let mut about = AuditEvent::default();
        let (outcome, decided) = decide(&mut about);
        self.write(&Line { time: utc(now), event: event.as_str(), outcome: outcome.as_str(), about: &about });
        decided
    }

    /// Counts one line, writes it and flushes it. A line that cannot be written is reported on standard error.
    fn write(&self, line: &Line<'_>) {
        self.decisions.add([line.event, line.outcome]);
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

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::testing::{Lines, NOW};

    #[test]
    fn a_line_is_json_in_a_fixed_order_without_what_is_not_known() {
        let lines = Lines::default();
        let audit = Audit::to(Box::new(lines.clone()));
        let decided = audit.record(Event::Exchange, NOW, |line| {
            (line.job, line.lease_id, line.expires_in) =
                (Some("a\n\"job\"".to_owned()), Some("1".to_owned()), Some(900));
            (Outcome::Issued, 7)
        });
        assert_eq!(decided, 7);
        let refused: Result<(), _> = Err(Refusal::new(Code::RateLimited, "too many"));
        audit.record(Event::RevokeByIdentity, NOW, |line| (line.outcome_of(&refused, |()| Outcome::Confirmed), ()));
        assert_eq!(
            lines.text(),
            concat!(
                r#"{"time":"2026-11-20T19:30:00Z","event":"exchange","outcome":"issued","job":"a\n\"job\"","#,
                r#""expires_in":900,"lease_id":"1"}"#,
                "\n",
                r#"{"time":"2026-11-20T19:30:00Z","event":"revoke_by_identity","outcome":"rate_limited","#,
                r#""reason":"too many"}"#,
                "\n",
            )
        );
    }

    #[test]
    fn no_two_outcomes_share_a_word_with_each_other_or_with_a_refusal() {
        let done = [
            Outcome::Issued,
            Outcome::Confirmed,
            Outcome::Returned,
            Outcome::Expired,
            Outcome::Unknown,
            Outcome::Failed,
            Outcome::Elsewhere,
            Outcome::Requested,
            Outcome::Reported,
            Outcome::Adopted,
        ];
        let all: Vec<_> = done.into_iter().chain(Code::ALL.iter().copied().map(Outcome::Refused)).collect();
        let words: BTreeSet<_> = all.iter().map(|outcome| outcome.as_str()).collect();
        assert_eq!(words.len(), all.len());
    }
}
