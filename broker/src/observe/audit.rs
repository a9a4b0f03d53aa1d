//! The audit log: one JSON line per decision, on standard output.
//!
//! A line says who asked (issuer, project, job), which rule answered, what for, how it ended, and the SHA-256 of the identity
//! token, so that a leaked token can be found in it. It never holds a token, a handle or a password.
//! Claims are foreign text: each is cut at `MAX_TEXT` characters, and a line is ASCII without controls. Of what strangers send, who
//! have proved nothing, only so many lines of one address are written in a minute; all of it is counted.

mod writer;

use std::io::Write;

use hublease_protocol::oauth::Code;
use hublease_protocol::time::utc;
use ipnet::IpNet;
use serde::Serialize;

use self::writer::{LineWriter, Place};
use crate::client_address::{Client, network};
use crate::limits::{AUDIT_END, AUDIT_STRANGERS_PER_MINUTE};
use crate::observe::ascii_json::in_ascii;
use crate::observe::counter::CounterFamily;
use crate::refusal::Refusal;
use crate::windows::FixedWindows;

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
    /// The life that was asked for, where it was shortened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shortened_from: Option<u64>,
    /// The rule that would have granted, of those that only report.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub would_grant: Option<String>,
    /// The lease.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease_id: Option<String>,
    /// SHA-256 of the credential that was issued, in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential_sha256: Option<String>,
    /// SHA-256 of the identity token's header and payload, in hexadecimal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token_sha256: Option<String>,
    /// The sentence of the refusal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Where the request came from, of one whose sender has proved nothing so far.
    #[serde(skip)]
    pub stranger: Option<Client>,
    /// The line's place.
    #[serde(skip)]
    place: Option<Place>,
}

impl AuditEvent {
    /// How it ended, of what may be refused; the sentence of a refusal is written down.
    ///
    /// Whoever was answered, or refused after he was believed, is no stranger.
    pub fn outcome_of<T>(&mut self, answer: &Result<T, Refusal>, done: impl FnOnce(&T) -> Outcome) -> Outcome {
        match answer {
            Ok(answer) => done(answer),
            Err(refusal) => {
                if !refusal.is_of_a_stranger() {
                    self.stranger = None;
                }
                self.reason = Some(refusal.sentence.clone());
                Outcome::Refused(refusal.code)
            }
        }
    }
}

/// Where the lines go.
pub struct Audit {
    writer: LineWriter,
    decisions: CounterFamily<2>,
    lost: CounterFamily<1>,
    left_out: CounterFamily<1>,
    /// Lines of strangers, by their network; those whom a proxy does not name are one.
    strangers: FixedWindows<Option<IpNet>>,
}

impl Audit {
    /// Writes to `sink`, one line at a time.
    #[must_use]
    pub fn to(sink: Box<dyn Write + Send>) -> Self {
        Self {
            writer: LineWriter::start(sink),
            decisions: CounterFamily::by(["event", "outcome"]),
            lost: CounterFamily::by(["event"]),
            left_out: CounterFamily::by(["event"]),
            strangers: FixedWindows::default(),
        }
    }

    /// How many decisions there were, by event and outcome.
    #[must_use]
    pub fn decisions(&self) -> &CounterFamily<2> {
        &self.decisions
    }

    /// How many of them have no line because there was no room for it.
    #[must_use]
    pub fn lost(&self) -> &CounterFamily<1> {
        &self.lost
    }

    /// How many of them have no line because a stranger had his lines already.
    #[must_use]
    pub fn left_out(&self) -> &CounterFamily<1> {
        &self.left_out
    }

    /// Why lines are not written, if so.
    #[must_use]
    pub fn trouble(&self) -> Option<&'static str> {
        self.writer.trouble()
    }

    /// Makes sure, before anything is done that must not be without one, that this line will be written.
    ///
    /// # Errors
    /// `overloaded`, while lines are not written.
    pub fn promise(&self, line: &mut AuditEvent) -> Result<(), Refusal> {
        let sentence = "the broker cannot write down what it does, so it issues nothing";
        line.place = Some(self.writer.reserve().ok_or_else(|| Refusal::new(Code::Overloaded, sentence))?);
        Ok(())
    }

    /// Waits for a while until everything that was said is written.
    pub fn settle(&self) {
        self.writer.settle(AUDIT_END);
    }

    /// Decides, and says so in a line: `decide` says what it is about and how it ended. `now` is when it began, in seconds since
    /// 1970.
    pub fn record<T>(&self, event: Event, now: u64, decide: impl FnOnce(&mut AuditEvent) -> (Outcome, T)) -> T {
        let mut about = AuditEvent::default();
        let (outcome, decided) = decide(&mut about);
        self.decisions.add([event.as_str(), outcome.as_str()]);
        if self.is_left_out(&about, now) {
            self.left_out.add([event.as_str()]);
            return decided;
        }
        let line = Line { time: utc(now), event: event.as_str(), outcome: outcome.as_str(), about: &about };
        let is_queued = serde_json::to_string(&line)
            .is_ok_and(|text| self.writer.push((in_ascii(&text) + "\n").into_bytes(), about.place.as_ref()));
        if !is_queued {
            self.lost.add([event.as_str()]);
        }
        decided
    }

    /// Whether this is one more line of a stranger who has had his.
    fn is_left_out(&self, about: &AuditEvent, now: u64) -> bool {
        let key = match about.stranger {
            None | Some(Client::ThisMachine) => return false,
            Some(Client::Unnamed) => None,
            Some(Client::At(address)) => Some(network(address)),
        };
        self.strangers.count(&[(key, AUDIT_STRANGERS_PER_MINUTE)], now).is_err()
    }
}

#[cfg(test)]
mod tests;
