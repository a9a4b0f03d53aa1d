//! What went wrong with one try of a request: its kind, its words, and whether the server may have done what was asked.

use super::body::Body;
use super::repetition::Kind;
use crate::effect::http::{Failure, Obstacle, Repeat, Response};
use crate::error::Problem;

/// A try that brought no usable answer.
pub(super) enum Fault {
    Failure(Failure),
    Status { status: u16, retry_after: Option<u64>, body: Body, state: State },
}

/// What a server says of itself whatever it is asked.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    Unknown,
    Sealed,
    Standby,
}

/// How Vault and OpenBao say that this server takes nothing now, with 400, 500 or 503: words that begin with neither are another
/// matter's.
const STATES: [(&str, State); 4] = [
    ("Vault is sealed", State::Sealed),
    ("cannot write to readonly storage", State::Standby),
    ("operation could not be completed as storage is read-only", State::Standby),
    ("Vault is in standby mode", State::Standby),
];

impl State {
    fn of(response: &Response) -> Self {
        let body = response.body.expose();
        STATES.iter().find(|(words, _)| body.contains(words)).map_or(Self::Unknown, |(_, state)| *state)
    }
}

impl Fault {
    pub(super) fn of(answer: &Result<Response, Failure>) -> Option<Self> {
        match answer {
            Err(failure) => Some(Self::Failure(*failure)),
            Ok(response) => {
                let (status, state) = (response.status, State::of(response));
                let is_fault = matches!(status, 412 | 429 | 500..) || status == 400 && state == State::Standby;
                let retry_after = response.retry_after.as_deref().and_then(|seconds| seconds.trim().parse().ok());
                is_fault.then(|| Self::Status { status, retry_after, body: Body::of(response), state })
            }
        }
    }

    /// The line of the table.
    pub(super) fn kind(&self) -> Kind {
        match self {
            Self::Failure(failure) => match failure {
                Failure::Unreachable(_) => Kind::NoConnection,
                Failure::ProxyUnreachable(_) | Failure::ProxyRefused(429 | 502..=504) => Kind::ProxyAway,
                Failure::ProxyRefused(_) => Kind::ProxyRefuses,
                Failure::ProxyUnusable | Failure::Untrusted | Failure::NoTls | Failure::Unsendable => Kind::Stays,
                Failure::Slow | Failure::Cut => Kind::NoAnswer,
                Failure::TooLarge => Kind::FinalAnswer,
            },
            Self::Status { status: 400 | 412 | 429 | 500 | 502..=504, .. } => Kind::PassingStatus,
            Self::Status { .. } => Kind::FinalAnswer,
        }
    }

    /// How long to wait before the next try in milliseconds, or none if there is no next try.
    pub(super) fn wait(&self, repeat: Repeat, tried: u64) -> Option<u64> {
        let may_repeat = repeat != Repeat::Never || !self.maybe_done();
        let wait = self.kind().wait(tried).filter(|_| may_repeat)?;
        Some(self.asks_for().map_or(wait, |seconds| seconds.saturating_mul(1000)))
    }

    /// Whether the server may have done what was asked. 429 and 412 say that it did not.
    pub(super) fn maybe_done(&self) -> bool {
        match self {
            Self::Failure(failure) => matches!(failure, Failure::Slow | Failure::Cut | Failure::TooLarge),
            Self::Status { status, .. } => !matches!(status, 412 | 429),
        }
    }

    /// The seconds that the server asks to wait.
    pub(super) fn asks_for(&self) -> Option<u64> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            Self::Failure(_) => None,
        }
    }

    pub(super) fn problem(&self) -> Problem {
        match self {
            Self::Failure(failure) => match failure {
                Failure::Unreachable(_) | Failure::Unsendable => Problem::Unreachable,
                Failure::ProxyUnreachable(_) => Problem::ProxyUnreachable,
                Failure::ProxyRefused(_) => Problem::ProxyRefused,
                Failure::ProxyUnusable => Problem::ProxyUnusable,
                Failure::Untrusted => Problem::Untrusted,
                Failure::NoTls => Problem::NoTls,
                Failure::Slow => Problem::Slow,
                Failure::Cut => Problem::Cut,
                Failure::TooLarge => Problem::TooLarge,
            },
            Self::Status { status: 429, .. } => Problem::Busy,
            Self::Status { state: State::Standby, .. } => Problem::Standby,
            Self::Status { status: 503, state: State::Sealed, .. } => Problem::Sealed,
            Self::Status { .. } => Problem::Failing,
        }
    }

    /// What the sentence of the problem does not say.
    pub(super) fn cause(&self) -> Option<String> {
        match self {
            Self::Failure(Failure::Unreachable(obstacle) | Failure::ProxyUnreachable(obstacle)) => {
                Some(because(*obstacle).to_owned())
            }
            Self::Failure(Failure::ProxyRefused(status)) => Some(match status {
                407 => "it answered with status 407: it wants a user and a password".to_owned(),
                403 => "it answered with status 403: it does not let this job to that host".to_owned(),
                _ => format!("it answered with status {status}"),
            }),
            Self::Failure(Failure::Unsendable) => Some("the request cannot be written down as HTTP".to_owned()),
            Self::Failure(_) => None,
            // What can be read is told by whoever reads it.
            Self::Status { body: Body::Json, .. } => Some(self.shown()),
            Self::Status { body, .. } => Some(format!("{}, with {}", self.shown(), body.shown())),
        }
    }

    /// The fault in a few words, for a line between two tries.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Failure(failure) => match failure {
                Failure::Unreachable(obstacle) => because(*obstacle).to_owned(),
                Failure::ProxyUnreachable(obstacle) => format!("the proxy: {}", because(*obstacle)),
                Failure::ProxyRefused(status) => format!("the proxy answered with status {status}"),
                Failure::ProxyUnusable => "the proxy cannot be used".to_owned(),
                Failure::Untrusted => "its certificate is not trusted".to_owned(),
                Failure::NoTls => "no TLS".to_owned(),
                Failure::Unsendable => "a request that cannot be written down".to_owned(),
                Failure::Slow => "no answer in time".to_owned(),
                Failure::Cut => "the connection broke".to_owned(),
                Failure::TooLarge => "the answer is too large".to_owned(),
            },
            Self::Status { status, retry_after: Some(seconds), .. } => {
                format!("status {status}, which asks to wait {seconds} s")
            }
            Self::Status { status, .. } => format!("status {status}"),
        }
    }
}

fn because(obstacle: Obstacle) -> &'static str {
    match obstacle {
        Obstacle::UnknownName => "its name is not known here",
        Obstacle::Closed => "nothing listens at its port",
        Obstacle::Silent => "no connection within 5 seconds",
        Obstacle::Other => "there is no way to it, or it closed the connection",
    }
}
