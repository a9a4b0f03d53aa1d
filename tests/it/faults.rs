//! The table provider x fault: exit code, problem, how often the provider was asked, and what is left alive.
//!
//! Waiting takes no time here, and a provider that does not answer in time is the one fault that is answered for the
//! performer: its own limits are tested beside its code.

use hublease::{
    effect::{
        Effect, Outcome,
        http::{Destination, Failure},
    },
    error::Problem,
};
use hublease_sandbox::{Action, Fault, Service};
use serde_json::json;

use crate::support::{
    World,
    driven::{Driven, drive, leased},
    job::Provider,
};

/// Where a fault is put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seat {
    Broker,
    VaultLogin,
    VaultMint,
    Docker,
}

use Seat::{Broker, Docker, VaultLogin, VaultMint};

impl Seat {
    const ALL: [Self; 4] = [Broker, VaultLogin, VaultMint, Docker];

    fn provider(self) -> Provider {
        match self {
            Broker => Provider::Broker,
            VaultLogin | VaultMint => Provider::Vault,
            Docker => Provider::Docker,
        }
    }

    fn service(self) -> Service {
        match self {
            Broker => Service::Forwarded,
            VaultLogin | VaultMint => Service::Vault,
            Docker => Service::DockerIdentity,
        }
    }

    fn path(self) -> &'static str {
        match self {
            Broker | Docker => "/oauth/token",
            VaultLogin => "/v1/auth/jwt-circleci/login",
            VaultMint => "/v1/dockerhub/token/",
        }
    }
}

/// What must come of it.
#[derive(Clone, Copy, Debug)]
enum End {
    /// Logged in after this many requests to the seat.
    In(usize),
    /// This problem after this many requests.
    Out(Problem, usize),
}

use End::{In, Out};

/// One fault, and its end at every seat in the order of [`Seat::ALL`].
type Row = (&'static str, fn() -> Action, bool, [End; 4]);

const ELSEWHERE: &str = "https://elsewhere.example.com/v1/oauth/token";

fn table() -> Vec<Row> {
    let always = true;
    vec![
        (
            "denied",
            || Action::json(400, &json!({"error": "access_denied"})),
            always,
            [
                Out(Problem::RefusedRule, 1),
                Out(Problem::Refused, 1),
                Out(Problem::Refused, 1),
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
        (
            "a bare 400",
            || Action::status(400),
            always,
            [Out(Problem::Refused, 1), Out(Problem::Refused, 1), Out(Problem::Refused, 1), Out(Problem::Refused, 1)],
        ),
        (
            "a bare 401",
            || Action::status(401),
            always,
            [Out(Problem::Refused, 1), Out(Problem::Answer, 1), Out(Problem::Answer, 1), Out(Problem::Refused, 1)],
        ),
        (
            "a bare 403",
            || Action::status(403),
            always,
            [
                Out(Problem::Refused, 1),
                Out(Problem::RefusedRole, 1),
                Out(Problem::RefusedPath, 1),
                Out(Problem::Refused, 1),
            ],
        ),
        (
            "a bare 404",
            || Action::status(404),
            always,
            [
                Out(Problem::Answer, 1),
                Out(Problem::RefusedRole, 1),
                Out(Problem::RefusedMissing, 1),
                Out(Problem::Answer, 1),
            ],
        ),
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

/// The seats are tests of their own, so that they run side by side.
fn run(seat: Seat) {
    for (name, action, always, ends) in table() {
        let world = World::new();
        let end = ends[Seat::ALL.iter().position(|other| *other == seat).unwrap()];
        let job = world.job("login").usual(seat.provider()).arg("--client").arg("none");
        let fault = Fault::on(seat.service(), seat.path()).then(action());
        world.sandbox.fault(if always { fault.always() } else { fault });
        let driven = drive(job, None, |_, _| None);
        check(&world, seat, name, end, &driven);
    }
}

fn check(world: &World, seat: Seat, name: &str, end: End, driven: &Driven) {
    let row = format!("{seat:?}, {name}:\n{}\n{}", driven.stdout, driven.stderr);
    let asked =
        world.sandbox.requests(seat.service()).iter().filter(|request| request.path.starts_with(seat.path())).count();
    match end {
        In(tries) => {
            assert_eq!((driven.code(), asked), (0, tries), "{row}{:?}", driven.end);
            let wanted = if seat == Docker { 0 } else { 1 };
            let revocable = leased(world).into_iter().filter(|item| item.contains("access token")).count();
            assert_eq!(revocable, wanted, "one lease lives\n{row}");
        }
        Out(problem, tries) => {
            let error = driven.error();
            assert_eq!((error.problem(), asked), (problem, tries), "{row}\n{error}");
            assert_eq!(error.exit_code(), problem.stage().exit_code(), "{row}");
            assert!(error.to_string().contains(problem.hint()), "{row}");
            assert!(!world.has_login(), "{row}");
            // Docker Identity revokes nothing: what a lost answer left there dies by itself.
            if seat != Docker {
                assert_eq!(leased(world), Vec::<String>::new(), "{row}");
            }
            assert_eq!(world.record_files(), Vec::<std::path::PathBuf>::new(), "{row}");
        }
    }
    assert_eq!(world.sandbox.unexpected(), Vec::<String>::new(), "{row}");
}

#[test]
fn faults_of_a_broker() {
    run(Broker);
}

#[test]
fn faults_of_a_vault_login() {
    run(VaultLogin);
}

#[test]
fn faults_of_a_vault_mint() {
    run(VaultMint);
}

#[test]
fn faults_of_docker_identity() {
    run(Docker);
}

#[test]
fn failures_of_the_connection() {
    for (failure, problem, safe, never) in [
        (Failure::Unreachable, Problem::Unreachable, 4, 4),
        (Failure::Untrusted, Problem::Untrusted, 1, 1),
        (Failure::Slow, Problem::Slow, 4, 1),
        (Failure::Cut, Problem::Cut, 4, 1),
        (Failure::TooLarge, Problem::TooLarge, 1, 1),
    ] {
        for (provider, tries) in [(Provider::Vault, safe), (Provider::Docker, never)] {
            let world = World::new();
            let mut asked = 0;
            let job = world.job("login").usual(provider).arg("--client").arg("none");
            let driven = drive(job, None, |_, step| match &step.effect {
                Effect::Http(request) if request.to == Destination::Provider => {
                    asked += 1;
                    Some(Outcome::Http(Err(failure)))
                }
                _ => None,
            });
            assert_eq!((driven.error().problem(), asked), (problem, tries), "{provider:?} {failure:?}");
            assert_eq!(driven.code(), 5);
        }
    }
}

#[test]
fn a_standby_is_followed_once_to_the_origin_that_is_allowed() {
    for (allowed, code) in [(true, 0), (false, 5)] {
        let world = World::new();
        let target = format!("https://vault-standby.example.com{}", VaultLogin.path());
        world.sandbox.fault(Fault::on(Service::Vault, VaultLogin.path()).then(Action::Redirect(307, target)));
        let mut job = world.job("login").usual(Provider::Vault).arg("--client").arg("none");
        if allowed {
            job = job.args(&["--vault-redirect-origin", "https://vault-standby.example.com"]);
        }
        let driven = drive(job, None, |_, _| None);
        assert_eq!(driven.code(), code, "{}", driven.stderr);
        if !allowed {
            assert!(driven.error().to_string().contains("https://vault-standby.example.com"));
        }
    }
}
