//! The rows. `table` has over 60 lines because it is one table.

use hublease::error::Problem;
use hublease_sandbox::{Action, Service};
use serde_json::json;

use crate::client::faults::table::End::{In, Out};
use crate::client::faults::table::Seat::{Broker, Docker, VaultLogin, VaultMint};
use crate::support::job::{Provider, Shape};

/// Where a fault is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seat {
    Broker,
    VaultLogin,
    VaultMint,
    Docker,
}

impl Seat {
    pub(super) const ALL: [Self; 4] = [Broker, VaultLogin, VaultMint, Docker];

    pub(super) fn provider(self) -> Provider {
        match self {
            Broker => Provider::Broker,
            VaultLogin | VaultMint => Provider::Vault,
            Docker => Provider::Docker,
        }
    }

    pub(super) fn service(self) -> Service {
        match self {
            Broker => Service::Forwarded,
            VaultLogin | VaultMint => Service::Vault,
            Docker => Service::DockerIdentity,
        }
    }

    /// Vault knows each CI system by a mount of its own.
    pub(super) fn path(self, shape: Shape) -> &'static str {
        match self {
            Broker | Docker => "/oauth/token",
            VaultLogin if shape == Shape::Github => "/v1/auth/jwt-github/login",
            VaultLogin => "/v1/auth/jwt-circleci/login",
            VaultMint => "/v1/dockerhub/token/",
        }
    }
}

/// What must come of it.
#[derive(Clone, Copy, Debug)]
pub(super) enum End {
    /// Logged in after this many requests to the seat.
    In(usize),
    /// This problem after this many requests.
    Out(Problem, usize),
}

/// One fault, and its end at every seat in the order of [`Seat::ALL`].
pub(super) type Row = (&'static str, fn() -> Action, bool, [End; 4]);

const ELSEWHERE: &str = "https://elsewhere.example.com/v1/oauth/token";

pub(super) fn table() -> Vec<Row> {
    let always = true;
    vec![
        (
            "denied",
            || Action::json(400, &json!({"error": "access_denied"})),
            always,
            // Vault says it by a list of errors, and nobody else's word is Vault's.
            [
                Out(Problem::RefusedRule, 1),
                Out(Problem::Answer, 1),
                Out(Problem::Answer, 1),
                Out(Problem::RefusedRule, 1),
            ],
        ),
        (
            "an expired identity",
            || {
                Action::json(
                    400,
                    &json!({"error": "invalid_request", "error_description": "token_expired: subject_token has expired", "errors": ["error validating token: token is expired (exp)"]}),
                )
            },
            always,
            [
                Out(Problem::RefusedExpired, 1),
                Out(Problem::RefusedExpired, 1),
                Out(Problem::Refused, 1),
                Out(Problem::RefusedExpired, 1),
            ],
        ),
        (
            "another audience",
            || {
                Action::json(
                    400,
                    &json!({"error": "invalid_request", "error_description": "audience_mismatch: subject_token audience mismatch", "errors": ["error validating token: invalid audience (aud) claim"]}),
                )
            },
            always,
            [
                Out(Problem::RefusedAudience, 1),
                Out(Problem::RefusedAudience, 1),
                Out(Problem::Refused, 1),
                Out(Problem::RefusedAudience, 1),
            ],
        ),
        ("a bare 400", || Action::status(400), always, [Out(Problem::Answer, 1); 4]),
        ("a bare 401", || Action::status(401), always, [Out(Problem::Answer, 1); 4]),
        ("a bare 403", || Action::status(403), always, [Out(Problem::Answer, 1); 4]),
        ("a bare 404", || Action::status(404), always, [Out(Problem::Answer, 1); 4]),
        ("412 once", || Action::status(412), false, [In(2), In(2), In(2), In(2)]),
        (
            "412 for ever",
            || Action::status(412),
            always,
            [Out(Problem::Failing, 4), Out(Problem::Failing, 4), Out(Problem::Failing, 4), Out(Problem::Failing, 4)],
        ),
        ("429 with a short wait", || wait("2"), false, [In(2), In(2), In(2), In(2)]),
        (
            "429 with a long wait",
            || wait("3600"),
            always,
            [Out(Problem::Busy, 1), Out(Problem::Busy, 1), Out(Problem::Busy, 1), Out(Problem::Busy, 1)],
        ),
        ("500 once", || Action::status(500), false, [In(2), In(2), In(2), Out(Problem::Failing, 1)]),
        (
            "502 for ever",
            || Action::status(502),
            always,
            [Out(Problem::Failing, 4), Out(Problem::Failing, 4), Out(Problem::Failing, 2), Out(Problem::Failing, 1)],
        ),
        (
            "sealed",
            || Action::json(503, &json!({"errors": ["Vault is sealed"]})),
            always,
            [Out(Problem::Sealed, 4), Out(Problem::Sealed, 4), Out(Problem::Sealed, 2), Out(Problem::Sealed, 1)],
        ),
        (
            "too large",
            || Action::Oversized(2 * 1024 * 1024),
            always,
            [
                Out(Problem::TooLarge, 1),
                Out(Problem::TooLarge, 1),
                Out(Problem::TooLarge, 2),
                Out(Problem::TooLarge, 1),
            ],
        ),
        (
            "not JSON",
            || Action::NotJson,
            always,
            [Out(Problem::Answer, 1), Out(Problem::Answer, 1), Out(Problem::Answer, 1), Out(Problem::Answer, 1)],
        ),
        (
            "no content",
            || Action::Empty,
            always,
            [Out(Problem::Answer, 1), Out(Problem::Answer, 1), Out(Problem::NothingMinted, 1), Out(Problem::Answer, 1)],
        ),
        (
            "an empty token",
            || {
                Action::json(
                    200,
                    &json!({"access_token": "", "auth": {"client_token": ""}, "lease_id": "x", "data": {"token": ""}}),
                )
            },
            always,
            [Out(Problem::Answer, 1), Out(Problem::Answer, 1), Out(Problem::FieldMissing, 1), Out(Problem::Answer, 1)],
        ),
        (
            "a token of the wrong type",
            || {
                Action::json(
                    200,
                    &json!({"access_token": 5, "auth": {"client_token": 5}, "lease_id": "x", "data": {"token": 5}}),
                )
            },
            always,
            [Out(Problem::Answer, 1), Out(Problem::Answer, 1), Out(Problem::FieldMissing, 1), Out(Problem::Answer, 1)],
        ),
        ("cut in mid-body once", || Action::CutMidBody(7), false, [In(2), In(2), In(2), Out(Problem::Cut, 1)]),
        (
            "closed before the answer for ever",
            || Action::CloseBeforeAnswering,
            always,
            [Out(Problem::Cut, 4), Out(Problem::Cut, 4), Out(Problem::Cut, 2), Out(Problem::Cut, 1)],
        ),
        (
            "done, and the answer lost, once",
            || Action::CloseAfterHandling,
            false,
            [In(2), In(2), In(2), Out(Problem::Cut, 1)],
        ),
        ("301 elsewhere", || redirect(301), always, [Out(Problem::Redirected, 1); 4]),
        ("302 elsewhere", || redirect(302), always, [Out(Problem::Redirected, 1); 4]),
        ("303 elsewhere", || redirect(303), always, [Out(Problem::Redirected, 1); 4]),
        ("307 elsewhere", || redirect(307), always, [Out(Problem::Redirected, 1); 4]),
        ("308 elsewhere", || redirect(308), always, [Out(Problem::Redirected, 1); 4]),
        (
            "307 to nowhere",
            || Action::Redirect(307, "javascript:alert(1)".to_owned()),
            always,
            [Out(Problem::Redirected, 1); 4],
        ),
    ]
}

fn wait(seconds: &str) -> Action {
    Action::Status(429, vec![("retry-after".to_owned(), seconds.to_owned())], Vec::new())
}

fn redirect(status: u16) -> Action {
    Action::Redirect(status, ELSEWHERE.to_owned())
}
