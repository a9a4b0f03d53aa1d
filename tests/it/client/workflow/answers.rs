//! What a broker, or something in its place, may answer to the one request.

use hublease_protocol::oauth::Code;
use hublease_sandbox::{Action, Fault, Service};
use serde_json::{Value, json};

use crate::client::workflow::{ENDPOINT, a_broker_that_answers, answers, asked, logout, refusal};
use crate::support::World;
use crate::support::broker::URL;
use crate::support::driven::drive;

/// Metadata that say this about the endpoint.
fn publishes(world: &World, endpoint: Option<&str>) {
    let mut metadata = json!({
        "issuer": URL,
        "token_endpoint": format!("{URL}/oauth/token"),
        "revocation_endpoint": format!("{URL}/oauth/revoke"),
    });
    if let Some(endpoint) = endpoint {
        metadata["lease_revocation_endpoint"] = endpoint.into();
    }
    let action = Action::json(200, &metadata);
    world.sandbox.fault(Fault::on(Service::Forwarded, "/.well-known/").always().then(action));
}

/// The same with a time to wait that is longer than anybody has here.
fn later(status: u16, code: Code) -> Action {
    match refusal(status, code) {
        Action::Status(status, mut headers, body) => {
            headers.push(("retry-after".to_owned(), "60".to_owned()));
            Action::Status(status, headers, body)
        }
        other => other,
    }
}

/// What the broker answers, what is said, what the JSON says, and whether `--strict-revoke` takes it for a failure.
fn table() -> Vec<(Action, &'static str, &'static str, bool)> {
    let counted = |leases: u64, confirmed: u64| Action::json(200, &json!({"leases": leases, "confirmed": confirmed}));
    let raw = |body: &str| Action::Status(200, Vec::new(), body.into());
    vec![
        (counted(0, 0), "no lease of this workflow was alive: nothing to revoke", "already_over", false),
        (counted(1, 1), "1 lease of this workflow: revoked and confirmed", "revoked", false),
        (
            counted(3, 1),
            "warning: 3 leases of this workflow: 1 revoked and confirmed, 2 requested, not confirmed",
            "requested",
            true,
        ),
        (counted(1, 2), "because https://broker.example.com gave an answer that cannot be used", "not_revoked", true),
        (raw("[2,2]"), "gave an answer that cannot be used", "not_revoked", true),
        (raw(r#"{"revocation":"confirmed"}"#), "gave an answer that cannot be used", "not_revoked", true),
        (Action::NotJson, "gave an answer that cannot be used", "not_revoked", true),
        (Action::Empty, "gave an answer that cannot be used", "not_revoked", true),
        (Action::status(404), "gave an answer that cannot be used (not understood: status 404", "not_revoked", true),
        (
            refusal(401, Code::AudienceMismatch),
            "does not accept the audience of the identity token",
            "not_revoked",
            true,
        ),
        (refusal(401, Code::IssuerUnknown), "does not trust the issuer of the identity token", "not_revoked", true),
        (refusal(401, Code::TokenExpired), "finds the identity token expired", "not_revoked", true),
        (refusal(401, Code::SignatureInvalid), "refused the request (status 401", "not_revoked", true),
        (Action::status(401), "answer that cannot be used (not understood: status 401", "not_revoked", true),
        (
            refusal(403, Code::NoRuleMatches),
            "no rule of https://broker.example.com accepts this job",
            "not_revoked",
            true,
        ),
        (
            refusal(403, Code::WorkflowNotGranted),
            "does not let this job revoke for its workflow (status 403, invalid_request; it says: workflow_not_granted",
            "not_revoked",
            true,
        ),
        (later(429, Code::RateLimited), "takes no more requests for now", "not_revoked", true),
        // The code alone says so, too.
        (refusal(400, Code::RateLimited), "takes no more requests for now", "not_revoked", true),
        (later(503, Code::ShuttingDown), "because https://broker.example.com fails", "not_revoked", true),
        (Action::Oversized(2 << 20), "is larger than 1 MiB", "not_revoked", true),
        (
            Action::Redirect(307, "https://evil.example.com/leases/revoke".to_owned()),
            "redirects elsewhere, which is not followed",
            "not_revoked",
            true,
        ),
    ]
}

#[test]
fn every_answer_is_told_and_is_a_failure_only_where_that_was_asked_for() {
    for (action, says, word, is_failure) in table() {
        let world = a_broker_that_answers(action.clone());
        let outcome = logout(&world).args(&["--output", "json"]).run();
        let outcome = outcome.code(0).says(says);
        let told: Value = serde_json::from_str(&outcome.stdout).unwrap();
        assert_eq!((&told["workflow"]["outcome"], &told["leases"]), (&json!(word), &json!([])), "{action:?}");
        assert_eq!(asked(&outcome).len(), 1, "{action:?}");
        let is_unknown = word == "not_revoked";
        assert_eq!(outcome.stderr.contains("not revoked, live until they expire, because"), is_unknown, "{action:?}");
        assert_eq!(told["workflow"]["leases"].is_null(), is_unknown);
        let outcome = logout(&world).arg("--strict-revoke").run();
        outcome.code(if is_failure { 7 } else { 0 }).says(says);
    }
}

#[test]
fn a_remote_sentence_is_harmless_and_never_repeats_the_token() {
    let world = a_broker_that_answers(Action::json(
        403,
        &json!({"error": "::add-mask::x", "error_description": "no\n::warning::INJECTED\u{1b}[31m"}),
    ));
    let outcome = logout(&world).run().code(0).does_not_say("::warning").does_not_say("::add-mask");
    outcome.does_not_say("\u{1b}").says("INJECTED");
    let world = World::new();
    let job = logout(&world);
    let token = job.variables()["CIRCLE_OIDC_TOKEN_V2"].clone();
    let complaint = json!({"error": "invalid_request", "error_description": format!("bad {token}")});
    answers(&world, Action::json(400, &complaint));
    job.run().code(0).says("withheld");
}

#[test]
fn it_is_repeated_as_often_as_any_revocation_because_nothing_is_used_up() {
    for action in [Action::CloseAfterHandling, Action::status(503), Action::status(429)] {
        let world = World::new();
        world.broker_url();
        world.sandbox.fault(Fault::on(Service::Forwarded, ENDPOINT).times(2).then(action));
        answers(&world, Action::json(200, &json!({"leases": 1, "confirmed": 1})));
        let driven = drive(logout(&world), None, |_, _| None);
        assert_eq!(driven.code(), 0);
        let requests = world.asked(Service::Forwarded);
        assert_eq!(requests.iter().filter(|request| request.ends_with(ENDPOINT)).count(), 3, "{requests:?}");
        assert!(driven.stderr.contains("1 lease of this workflow: revoked and confirmed"), "{}", driven.stderr);
    }
}

#[test]
fn a_service_that_names_no_endpoint_gets_no_identity_token() {
    for (endpoint, says) in [
        (None, "https://broker.example.com revokes for no workflow"),
        (Some("https://evil.example.com/leases/revoke"), "names an endpoint at another origin"),
        (Some("http://broker.example.com/leases/revoke"), "names an unusable endpoint"),
    ] {
        let world = World::new();
        world.broker_url();
        publishes(&world, endpoint);
        let outcome = logout(&world).run().code(0).says(says).says("not revoked, live until they expire");
        let to_the_broker = outcome.requests.iter().filter(|request| request.service == Service::Forwarded);
        assert_eq!(to_the_broker.filter(|request| request.header("authorization").is_some()).count(), 0);
        logout(&world).arg("--strict-revoke").run().code(7).says(says);
    }
}
