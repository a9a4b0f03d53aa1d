//! `logout --workflow`: one request for all that a workflow was given, what the broker and others may answer, and this
//! job's own records afterwards. A cancelled job is played in `orb/cancelled.rs`.

mod answers;

use std::fs;

use hublease::effect::Effect;
use hublease_protocol::oauth::Code;
use hublease_sandbox::{Action, BrokerLimits, Fault, Logged, Service};
use serde_json::{Value, json};

use crate::support::World;
use crate::support::broker::{Broker, URL};
use crate::support::driven::{drive, leased};
use crate::support::job::{Job, Outcome, Provider, Shape};

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

/// A refusal as our broker words it.
fn refusal(status: u16, code: Code) -> Action {
    let description = format!("{}: a sentence of the broker", code.as_str());
    Action::json(status, &json!({"error": code.error().as_str(), "error_description": description}))
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
    assert!(outcome.requests.iter().all(|request| request.service != Service::Forwarded));
}
