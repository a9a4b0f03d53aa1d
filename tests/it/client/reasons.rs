//! What the other side says of itself reaches the job, and its wish to be left alone for a while is kept.

use hublease::effect::child::{Act, Seen};
use hublease::effect::http::{Destination, Failure, Method, Obstacle, Response};
use hublease::effect::{Effect, Outcome, Stop};
use hublease::error::Problem;
use hublease_protocol::oauth::{Code, ErrorResponse};
use hublease_protocol::secret::Secret;

use crate::support::World;
use crate::support::driven::{Driven, drive};
use crate::support::job::Provider;

/// A broker that answers each exchange so; what the story waited for, in milliseconds, comes along.
fn exchange(world: &World, command: &str, response: &Response) -> (Driven, usize, Vec<u64>) {
    let (mut asked, mut waits) = (0, Vec::new());
    let job = world.job(command).usual(Provider::Broker).args(&["--client", "none"]);
    let driven = drive(job, None, |_, step| match &step.effect {
        Effect::Http(request) if request.to == Destination::Provider && request.method == Method::Post => {
            asked += 1;
            Some(Outcome::Http(Ok(response.clone())))
        }
        Effect::Sleep { milliseconds } => {
            waits.push(*milliseconds);
            None
        }
        _ => None,
    });
    (driven, asked, waits)
}

fn refusal(status: u16, code: Code, sentence: &str, retry_after: Option<&str>) -> Response {
    let body = serde_json::to_string(&ErrorResponse::of(code, sentence)).unwrap();
    let retry_after = retry_after.map(str::to_owned);
    Response { status, retry_after, body: Secret::new(body), ..Response::default() }
}

#[test]
fn the_brokers_own_reason_is_a_cause() {
    let full = || refusal(429, Code::QuotaFull, "the organization has 10 tokens", Some("30"));
    let html = Response { status: 502, body: Secret::new("<html>INJECTED</html>"), ..Response::default() };
    let bare =
        Response { status: 503, body: Secret::new(r#"{"error":"temporarily_unavailable"}"#), ..Response::default() };
    let echo = refusal(503, Code::HubUnavailable, "dckr_pat_INJECTED", None);
    for (response, problem, tries, says) in [
        (
            refusal(503, Code::IssuerUnavailable, "the issuer's keys could not be fetched", None),
            Problem::Failing,
            4,
            "it says: issuer_unavailable: the issuer's keys could not be fetched",
        ),
        (
            refusal(503, Code::HubUnavailable, "Docker Hub answers with 500", Some("1")),
            Problem::Failing,
            4,
            "it says: hub_unavailable: Docker Hub answers with 500",
        ),
        (
            refusal(502, Code::HubRefused, "Docker Hub refuses the password", None),
            Problem::Failing,
            4,
            "it says: hub_refused: Docker Hub refuses the password",
        ),
        (full(), Problem::Busy, 3, "it says: quota_full: the organization has 10 tokens"),
        (refusal(429, Code::RateLimited, "too many", Some("61")), Problem::Busy, 1, "it says: rate_limited: too many"),
        (
            refusal(429, Code::RateLimited, "too many", Some("soon")),
            Problem::Busy,
            4,
            "it says: rate_limited: too many",
        ),
        (bare, Problem::Failing, 4, "temporarily_unavailable"),
        (html, Problem::Failing, 4, "status 502"),
        (echo, Problem::Failing, 4, "withheld"),
    ] {
        let world = World::new();
        let (driven, asked, waits) = exchange(&world, "login", &response);
        let error = driven.error();
        assert_eq!((error.problem(), asked), (problem, tries), "{says}\n{}", driven.stderr);
        assert!(error.causes().iter().any(|cause| cause.contains(says)), "{says}: {error}");
        assert!(!error.to_string().contains("INJECTED"), "{error}");
        let repetitions = driven.stderr.lines().filter(|line| line.contains("; try ")).count();
        assert_eq!((repetitions, waits.len()), (tries - 1, tries - 1), "{}", driven.stderr);
    }
}

/// Three waits of half a minute would not leave time for the login itself; two do.
#[test]
fn a_wait_that_the_server_asks_for_is_kept_while_there_is_time() {
    for (seconds, waited) in [
        ("0", 3),
        ("7", 3),
        ("20", 3),
        ("21", 2),
        ("30", 2),
        ("31", 1),
        ("60", 1),
        ("61", 0),
        ("99999999999999999999", 3),
    ] {
        let world = World::new();
        let (driven, _, waits) = exchange(&world, "login", &refusal(429, Code::QuotaFull, "full", Some(seconds)));
        assert_eq!(waits.len(), waited, "{seconds}: {waits:?}");
        let wanted = seconds.parse::<u64>().unwrap_or_default() * 1000;
        assert!(waits.iter().all(|wait| (wanted..=wanted + wanted / 8 + 4000).contains(wait)), "{seconds}: {waits:?}");
        assert_eq!(driven.code(), 5);
    }
}

/// A silent server takes a quarter of a minute each time; each time is said before the next begins.
#[test]
fn the_log_of_a_silent_server_is_not_silent() {
    for (failure, shown) in [
        (Failure::Slow, "no answer in time"),
        (Failure::Cut, "the connection broke"),
        (Failure::Unreachable(Obstacle::Silent), "no connection within 5 seconds"),
        (Failure::Unreachable(Obstacle::UnknownName), "its name is not known here"),
        (Failure::ProxyUnreachable(Obstacle::Closed), "the proxy: nothing listens at its port"),
        (Failure::ProxyRefused(503), "the proxy answered with status 503"),
    ] {
        let world = World::new();
        let job = world.job("login").usual(Provider::Vault).args(&["--client", "none"]);
        let driven = drive(job, None, |_, step| match &step.effect {
            Effect::Http(request) if request.to == Destination::Provider => Some(Outcome::Http(Err(failure))),
            _ => None,
        });
        let lines: Vec<_> = driven.stderr.lines().filter(|line| line.contains(&format!(": {shown}; try "))).collect();
        assert_eq!(lines.len(), 3, "{failure:?}\n{}", driven.stderr);
        for (line, number) in lines.iter().zip(["2 of 4", "3 of 4", "4 of 4"]) {
            assert!(line.contains(number), "{line}");
        }
    }
}

/// Whoever runs out of time says what he was waiting for.
#[test]
fn a_story_that_ran_out_of_time_names_the_last_fault() {
    let world = World::new();
    let job = world.job("login").usual(Provider::Vault).args(&["--client", "none"]);
    let driven = drive(job, None, |_, step| match &step.effect {
        Effect::Http(request) if request.to == Destination::Provider => Some(Outcome::Http(Err(Failure::Slow))),
        Effect::Sleep { .. } if !step.undo => Some(Outcome::Stopped(Stop::Deadline)),
        _ => None,
    });
    assert_eq!(driven.error().problem(), Problem::Deadline);
    assert!(driven.error().causes().iter().any(|cause| cause.ends_with(": no answer in time")), "{:?}", driven.error());
}

#[test]
fn a_renewal_that_fails_says_why() {
    for (response, says, renewals) in [
        (
            refusal(400, Code::NoRuleMatches, "no rule accepts this job", None),
            "no_rule_matches: no rule accepts this job",
            3,
        ),
        (refusal(400, Code::TooManyLeases, "it holds 5", None), "too_many_leases: it holds 5", 3),
        (refusal(429, Code::QuotaFull, "full", Some("600")), "quota_full: full", 3),
    ] {
        let world = World::new();
        let (mut exchanges, mut waits) = (0, 0);
        let begin = world.sandbox.now();
        let job = world.job("exec").usual(Provider::Broker).then(&["sh"]).args(&["--renew", "--client", "none"]);
        let driven = drive(job, None, |_, step| match &step.effect {
            Effect::Http(request) if request.path_and_query.ends_with("/token") => {
                exchanges += 1;
                (exchanges > 1).then(|| Outcome::Http(Ok(response.clone())))
            }
            Effect::Now => Some(Outcome::Now(begin + waits * 300)),
            Effect::Child(Act::Wait { .. }) => {
                waits += 1;
                Some(Outcome::Child(if waits > renewals { Seen::Ended(0) } else { Seen::Deadline }))
            }
            Effect::Child(_) => Some(Outcome::Child(Seen::Running)),
            _ => None,
        });
        assert_eq!(driven.code(), 0, "{}", driven.stderr);
        assert!(driven.stderr.contains("warning: not renewed: "), "{}", driven.stderr);
        assert!(driven.stderr.contains("  because: ") && driven.stderr.contains(says), "{says}\n{}", driven.stderr);
    }
}

#[test]
fn an_address_of_ipv6_is_shown_as_it_is_written() {
    for (address, shown) in [
        ("http://[::1]:9", "http://[::1]:9"),
        ("http://[0:0::1]:9", "http://[0:0::1]:9"),
        ("https://[2001:db8::1]", "https://[2001:db8::1]"),
        ("https://[2001:db8::1]:8443", "https://[2001:db8::1]:8443"),
        ("https://[::ffff:192.0.2.1]", "https://[::ffff:"),
        ("https://[fe80::1:2]:443", "https://[fe80::1:2]"),
    ] {
        let world = World::new();
        let words = [&format!("--broker-url={address}"), "--dry-run"];
        let outcome = world.job("login").args(&words).run().code(0);
        let lines =
            |name: &str| outcome.stdout.lines().filter(|line| line.contains(name)).any(|line| line.contains(shown));
        assert!(lines("audience"), "{address}\n{}", outcome.stdout);
        outcome.does_not_say(": :");
    }
    let world = World::new();
    let job = world.job("login").args(&[
        "--broker-url=http://[::1]:9",
        "--audience=x",
        "--audience-elsewhere",
        "--client=none",
    ]);
    let token = world.sandbox.issuer().circleci().audience("x").sign();
    job.arg("--identity-token-env=MY_TOKEN")
        .env("MY_TOKEN", token)
        .run()
        .code(5)
        .says("error: http://[::1]:9 cannot be reached");
}
