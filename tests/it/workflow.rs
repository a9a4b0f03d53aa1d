//! `logout --workflow`: one request for all that a workflow was given, what the broker and others may answer, and this
//! job's own records afterwards. A cancelled job is played in `orb/cancelled.rs`.

use std::fs;

use hublease::{effect::Effect, oauth::Code};
use hublease_sandbox::{Action, BrokerLimits, Fault, Logged, Service};
use serde_json::{Value, json};

use crate::support::{
    World,
    broker::{Broker, URL},
    driven::{drive, leased},
    job::{Job, Outcome, Provider, Shape},
};

/// The endpoint, as the metadata names it.
const ENDPOINT: &str = "/leases/revoke";

/// A broker with this answer to the one request.
fn a_broker_that_answers(action: Action) -> World {
    let world = World::new();
    world.broker_url();
    answers(&world, action);
    world
}

fn answers(world: &World, action: Action) {
    world.sandbox.fault(Fault::on(Service::Forwarded, ENDPOINT).always().then(action));
}

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

/// A refusal as our broker words it.
fn refusal(status: u16, code: Code) -> Action {
    let description = format!("{}: a sentence of the broker", code.as_str());
    Action::json(status, &json!({"error": code.error(), "error_description": description}))
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

fn logout(world: &World) -> Job<'_> {
    world.job("logout").usual(Provider::Broker).arg("--workflow")
}

fn asked(outcome: &Outcome) -> Vec<&Logged> {
    outcome.requests.iter().filter(|request| request.path == ENDPOINT).collect()
}

/// What it said to people.
fn said(outcome: &Outcome) -> Vec<&str> {
    outcome.stderr.lines().filter(|line| !line.starts_with("::add-mask::")).collect()
}

#[test]
fn one_request_carries_the_identity_token_and_the_wish() {
    for (shape, source) in [(Shape::Circleci, "CircleCI"), (Shape::Github, "GitHub")] {
        let world = a_broker_that_answers(Action::json(200, &json!({"leases": 2, "confirmed": 2})));
        let outcome = world.job("logout").shape(shape, Provider::Broker).arg("--workflow").run().code(0);
        let requests = asked(&outcome);
        let [request] = requests.as_slice() else { panic!("{source}: {requests:?}") };
        assert_eq!((request.method.as_str(), request.text().as_str()), ("POST", r#"{"workflow":true}"#));
        assert_eq!(request.header("content-type").as_deref(), Some("application/json"));
        let bearer = request.header("authorization").unwrap_or_default();
        let claims = world.sandbox.issuer().verify(bearer.strip_prefix("Bearer ").unwrap_or_default()).unwrap();
        assert_eq!(claims["aud"], URL, "{source}");
        assert_eq!(said(&outcome), ["2 leases of this workflow: revoked and confirmed"]);
    }
}

/// Another job of the same workflow, some seconds later: it has no record of what came before.
fn a_later_job(world: &World) {
    for file in world.record_files() {
        fs::remove_file(file).unwrap();
    }
    world.sandbox.issuer().set_job("61c273e5-80ad-4351-9f93-000000000001", "41000000999");
    world.sandbox.advance(2);
}

#[test]
fn a_later_job_of_the_workflow_ends_what_the_others_left() {
    for shape in [Shape::Circleci, Shape::Github] {
        let world = World::new();
        for _ in 0..2 {
            world.job("token").shape(shape, Provider::Broker).run().code(0);
        }
        a_later_job(&world);
        assert_eq!(leased(&world).len(), 2);
        let logout = || world.job("logout").shape(shape, Provider::Broker).args(&["--workflow", "--strict-revoke"]);
        let outcome = logout().run().code(0);
        assert_eq!(said(&outcome), ["2 leases of this workflow: revoked and confirmed"]);
        assert_eq!(leased(&world), Vec::<String>::new());
        let outcome = logout().run().code(0);
        assert_eq!(said(&outcome), ["no lease of this workflow was alive: nothing to revoke"]);
    }
}

#[test]
fn what_docker_hub_did_not_confirm_is_said_each_time() {
    let world = World::new();
    world.job("token").usual(Provider::Broker).run().code(0);
    a_later_job(&world);
    world.sandbox.fault(Fault::on(Service::Hub, "/v2/orgs/").method("DELETE").always());
    let says = "1 lease of this workflow: 0 revoked and confirmed, 1 requested, not confirmed";
    logout(&world).run().code(0).says(says);
    logout(&world).arg("--strict-revoke").run().code(7).says(says);
    assert_eq!(leased(&world).len(), 1);
}

#[test]
fn a_rule_that_does_not_say_so_lets_nobody_speak_for_a_workflow() {
    let world = World::new();
    let config = world.sandbox.broker_configuration(URL, &world.path(""), BrokerLimits::default());
    let silent = config.replace("revoke_workflow = true\n", "");
    assert_ne!(config, silent);
    let _broker = Broker::with(&world, &silent);
    let variables = world.sandbox.circleci_environment_for(URL);
    let job = |command: &str| {
        let job = world.job(command).args(&["--broker-url", URL]);
        variables.iter().fold(job, |job, (name, value)| job.env(name, value))
    };
    job("token").run().code(0);
    let says =
        "does not let this job revoke for its workflow (status 403, invalid_request; it says: workflow_not_granted";
    let outcome = job("logout").args(&["--workflow", "--strict-revoke"]).run().code(7).says(says);
    outcome.says("hint: the rule that accepts this job needs `revoke_workflow = true`");
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
        (Action::status(404), "gave an answer that cannot be used (status 404", "not_revoked", true),
        (
            refusal(401, Code::AudienceMismatch),
            "does not accept the audience of the identity token",
            "not_revoked",
            true,
        ),
        (refusal(401, Code::IssuerUnknown), "does not trust the issuer of the identity token", "not_revoked", true),
        (refusal(401, Code::TokenExpired), "finds the identity token expired", "not_revoked", true),
        (refusal(401, Code::SignatureInvalid), "refused the request (status 401", "not_revoked", true),
        (Action::status(401), "refused the request (status 401, without an error", "not_revoked", true),
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
        (later(429, Code::RateLimited), "asks for a longer wait than there is time for", "not_revoked", true),
        // The code alone says so, too.
        (refusal(400, Code::RateLimited), "asks for a longer wait than there is time for", "not_revoked", true),
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

/// All of it undoes, so a signal does not stop it.
#[test]
fn every_effect_of_it_is_one_of_the_way_back() {
    let world = a_broker_that_answers(Action::json(200, &json!({"leases": 1, "confirmed": 1})));
    world.job("login").usual(Provider::Broker).run().code(0);
    let driven = drive(logout(&world), None, |_, _| None);
    assert_eq!(driven.code(), 0);
    let requests = driven.trace.iter().filter(|asked| matches!(asked.effect, Effect::Http(_))).count();
    assert!(requests >= 4, "metadata and revocation, for the workflow and for the record: {requests}");
    assert!(driven.trace.iter().all(|asked| asked.undo), "{:?}", driven.trace);
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

#[test]
fn an_address_with_a_path_is_refused_because_only_metadata_names_the_endpoint() {
    let world = World::new();
    let outcome = world.job("logout").args(&["--workflow", "--broker-url", "https://sts.example.com/oauth/token"]);
    let outcome = outcome.run().code(2).says("`--broker-url`").says("with `--workflow` it has no path");
    assert_eq!(outcome.requests.len(), 0);
}

#[test]
fn only_a_broker_is_asked_and_only_for_a_workflow_is_an_identity_of_use() {
    let world = World::new();
    for (words, says) in [
        (&["--workflow"][..], "give `--broker-url` or `--vault-addr`"),
        (&["--workflow", "--vault-addr=https://vault.example.com"], "because: the provider is vault"),
        (&["--workflow", "--provider=docker"], "because: the provider is docker"),
        (&["--workflow", "--provider=static"], "because: the provider is static"),
        (&["--audience=x"], "of a logout, only `--workflow` asks for an identity token"),
        (&["--broker-url=https://b.example.com", "--identity-token-file=/x"], "`--identity-token-file`"),
        (&["--workflow=false", "--broker-url=https://b.example.com", "--audience=x"], "`--audience`"),
        (&["--workflow", "--broker-url=https://b.example.com", "--audience=https://evil.example.com"], "`--audience`"),
    ] {
        let outcome = world.job("logout").args(words).run().code(2).says(says);
        assert_eq!(outcome.requests.len(), 0, "{words:?}");
    }
    // For the login of the same job.
    world.job("logout").env("HUBLEASE_AUDIENCE", "x").run().code(0).says("nothing to undo here");
}

#[test]
fn this_job_s_own_record_is_undone_afterwards_whatever_the_broker_says() {
    let nothing = Action::json(200, &json!({"leases": 0, "confirmed": 0}));
    for (action, line, strict_code) in [
        (nothing, "no lease of this workflow was alive", 0),
        (refusal(403, Code::WorkflowNotGranted), "does not let this job revoke for its workflow", 7),
    ] {
        for (strict, code) in [("--strict-revoke=false", 0), ("--strict-revoke", strict_code)] {
            let world = a_broker_that_answers(action.clone());
            world.job("login").usual(Provider::Broker).run().code(0);
            let outcome = logout(&world).arg(strict).run().code(code);
            outcome.says(line).says("the credential of acme: revoked and confirmed");
            assert_eq!((leased(&world), world.record_files().len(), world.has_login()), (Vec::new(), 0, false));
        }
    }
}

#[test]
fn without_an_identity_token_nobody_is_asked_and_the_record_is_undone() {
    let world = a_broker_that_answers(Action::json(200, &json!({"leases": 1, "confirmed": 1})));
    world.job("login").usual(Provider::Broker).run().code(0);
    let job = world.sandbox.issuer().identity().job_id;
    let outcome = world.job("logout").args(&["--workflow", "--broker-url", URL]).env("CIRCLE_WORKFLOW_JOB_ID", job);
    let outcome = outcome.run().code(3).says("no identity token here");
    assert_eq!((asked(&outcome).len(), leased(&world), world.record_files().len()), (0, Vec::new(), 0));
    let named = world.job("logout").args(&["--workflow", "--broker-url", URL, "--identity-token-env=MISSING"]);
    named.run().code(3).says("the variable MISSING holds no identity token");
}

#[test]
fn the_plan_names_the_broker_the_identity_and_the_audience() {
    let world = World::new();
    let outcome = logout(&world).args(&["--dry-run", "--output=json"]).run().code(0);
    let plan: Value = serde_json::from_str(&outcome.stdout).unwrap();
    for (name, value) in [
        ("command", "logout"),
        ("provider", "broker"),
        ("address", URL),
        ("workflow", "every lease that is older than the identity token"),
        ("identity", "CircleCI, from the job's variable"),
        ("audience", URL),
    ] {
        assert_eq!(plan[name], value, "{name}");
    }
    assert_eq!(outcome.requests.len(), 0);
}
