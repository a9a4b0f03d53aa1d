//! Answers of a provider that say something else than they should.
//!
//! What is unusable never reaches docker and is revoked; what is merely strange does no harm.

use hublease_sandbox::{Action, Fault, Logged, Service};
use serde_json::{Value, json};

use crate::support::World;
use crate::support::hostile::{INJECTED, forward_may_hold, harmless, known};
use crate::support::job::{Job, Provider};

/// What the broker answers to an exchange, with fields changed.
fn answer(world: &World, change: Value) -> (Value, String) {
    let token = world.static_token();
    let mut answer = json!({
        "access_token": token, "token_type": "N_A", "expires_in": 900, "username": "acmebot", "registry": "docker.io",
        "lease_id": "lease-1", "revocation_handle": "handle-of-the-lease-0123456789",
    });
    let Value::Object(change) = change else { panic!("no fields") };
    change.into_iter().for_each(|(name, value)| answer[name] = value);
    (answer, token)
}

/// A broker whose every word is ours: an exchange and a revocation.
fn a_broker_that_says(world: &World, exchange: &Value, revocation: Action) {
    world.broker_url();
    world.add_secret("the handle of the answer", "handle-of-the-lease-0123456789");
    world.sandbox.fault(Fault::on(Service::Forwarded, "/oauth/token").always().then(Action::json(200, exchange)));
    world.sandbox.fault(Fault::on(Service::Forwarded, "/oauth/revoke").always().then(revocation));
}

fn revoked() -> Action {
    Action::json(200, &json!({"revocation": "confirmed"}))
}

/// The secrets of an answer come back in the complaints about it.
#[test]
fn an_error_that_repeats_the_minted_credential_is_withheld() {
    let world = World::new();
    let (exchange, token) = answer(&world, json!({}));
    let echo = format!("{token} and handle-of-the-lease-0123456789");
    let complaint = json!({"error": "invalid_request", "error_description": echo, "message": echo});
    a_broker_that_says(&world, &exchange, Action::json(400, &complaint));
    let details = Action::json(401, &json!({ "details": echo }));
    world.sandbox.fault(Fault::on(Service::RegistryAuth, "/").times(1).then(details));
    let (job, _) = known(&world, Provider::Broker);
    harmless(job.run()).code(6).says("withheld").says("not revoked");
    let (job, _) = known(&world, Provider::Broker);
    harmless(job.run()).code(0);
    harmless(world.job("logout").usual(Provider::Broker).arg("-v").run()).code(0).says("not revoked");
}

/// What is unusable is found before docker sees it, and revoked.
#[test]
fn an_answer_that_cannot_be_used_is_revoked_and_never_reaches_docker() {
    let long = "a".repeat(256);
    for change in [
        json!({"username": "-acme"}),
        json!({"username": "--password=x"}),
        json!({"username": "a:b"}),
        json!({"username": "a\nINJECTED"}),
        json!({"username": ""}),
        json!({"username": "\u{e4}cme"}),
        json!({"username": long}),
        json!({"registry": "evil.example.com"}),
        json!({"registry": "docker.io.evil.example.com"}),
        json!({"registry": "-docker.io"}),
        json!({"registry": "::add-mask::INJECTED"}),
        json!({"access_token": "dckr_pat_x\nINJECTED::set-output"}),
        json!({"access_token": "dckr_pat_x\u{0}"}),
        json!({"access_token": "x".repeat(20_000)}),
    ] {
        let world = World::new();
        let (exchange, token) = answer(&world, change.clone());
        forward_may_hold(&world, &token);
        a_broker_that_says(&world, &exchange, revoked());
        let (job, _) = known(&world, Provider::Broker);
        let outcome = harmless(job.run()).code(5).says("revoked and confirmed").does_not_say(INJECTED);
        let revocations = outcome.requests.iter().filter(|request| request.path == "/oauth/revoke");
        assert_eq!(revocations.count(), 1, "{change}");
        assert_eq!(world.children(), ["[docker] [--version]"], "{change}");
        assert!(!world.has_login());
    }
}

/// A job whose runner hides what it is told to.
fn at_github(job: Job<'_>) -> Job<'_> {
    job.env("GITHUB_ACTIONS", "true").env("GITHUB_RUN_ID", "1").env("GITHUB_JOB", "build")
}

/// A username is shown, so it must not be the way out for a piece of a secret.
#[test]
fn a_username_that_repeats_a_secret_is_neither_shown_nor_used() {
    let world = World::new();
    let (_, token) = known(&world, Provider::Broker);
    let signature = token.rsplit('.').next().unwrap();
    let handle = "handle-of-the-lease-0123456789";
    for username in [
        token.chars().take(200).collect::<String>(),
        signature.chars().take(40).collect(),
        signature.chars().skip(9).take(12).collect::<String>().to_lowercase(),
        signature.chars().take(30).collect::<String>().to_uppercase(),
        signature.chars().rev().take(20).collect(),
        format!("acme-{}", &handle[4..14]),
        hublease_protocol::hex::lower(handle.as_bytes()),
        "aGFuZGxlLW9mLXRoZS1sZWFzZQ".to_owned(),
        "dckr_pat_0123".to_owned(),
    ] {
        // The grammar of usernames is not what saves us here.
        let username = format!("a{username}");
        let (exchange, minted) = answer(&world, json!({ "username": username }));
        forward_may_hold(&world, &minted);
        a_broker_that_says(&world, &exchange, revoked());
        let job = world.job("login").usual(Provider::Broker).args(&["-v", "--identity-token-env=MY_TOKEN"]);
        let outcome = harmless(job.env("MY_TOKEN", &token).run()).code(5).says("the username repeats a part of");
        outcome.says("revoked and confirmed").does_not_say(&username);
        world.sandbox.clear_faults();
    }
    // A password made from the name of its account is somebody's habit, and what was typed is shown anyway: so the search, which
    // would find it, is not told of it.
    for (change, more) in [
        (json!({"username": "acmecorp", "access_token": "acmecorp-pushes-2026"}), "--registry=docker.io"),
        (json!({"username": "pushes", "access_token": "acmecorp-pushes-2026"}), "--username=acmecorp-pushes"),
    ] {
        let (exchange, _) = answer(&world, change);
        a_broker_that_says(&world, &exchange, revoked());
        let (job, _) = known(&world, Provider::Broker);
        job.args(&[more, "--client=none"]).run().code(0).says("logged in to docker.io as acmecorp");
        world.job("logout").usual(Provider::Broker).run().code(0);
        world.sandbox.clear_faults();
    }
}

#[test]
fn an_answer_may_say_strange_things_that_do_not_matter() {
    for change in [
        json!({"expires_in": u64::MAX}),
        json!({"expires_in": "18446744073709551615"}),
        json!({"lease_id": "../../x\n::add-mask::INJECTED"}),
        json!({"scope": "\u{1b}[31mINJECTED\nINJECTED", "issued_token_type": "\nINJECTED"}),
        json!({"revocation_handle": "line\n::set-output name=x::INJECTED-0123456789"}),
        json!({"registry": "index.docker.io"}),
    ] {
        let world = World::new();
        let (exchange, _) = answer(&world, change.clone());
        a_broker_that_says(&world, &exchange, revoked());
        let (job, _) = known(&world, Provider::Broker);
        harmless(at_github(job).run()).code(0);
        let logout = at_github(world.job("logout").usual(Provider::Broker));
        let outcome = harmless(logout.run()).code(0).says("revoked and confirmed");
        let sent: Vec<_> = outcome.requests.iter().flat_map(Logged::form).collect();
        assert!(sent.contains(&("token".to_owned(), exchange["revocation_handle"].as_str().unwrap().to_owned())));
    }
}

#[test]
fn vault_s_own_answers_are_not_believed_either() {
    let world = World::new();
    let before = world.sandbox.live();
    for username in ["-acme", "a:b", "a\nINJECTED", "::add-mask::INJECTED"] {
        let data = json!({"username": username, "token": "dckr_pat_of-a-kv-secret"});
        world.add_secret("the token of KV", "dckr_pat_of-a-kv-secret");
        world.sandbox.vault().put_key_value("secret", "ci/hostile", data.as_object().unwrap().clone());
        let url = world.sandbox.vault_url();
        let token = world.sandbox.issuer().circleci().audience(&url).sign();
        let job = world.job("login").args(&["--vault-addr", &url, "--vault-path=secret/data/ci/hostile"]);
        let job = job.args(&["--vault-role=dockerhub", "--identity-token-env=MY_TOKEN"]).env("MY_TOKEN", token);
        harmless(job.run()).code(5).says("the username is not one that docker takes").does_not_say(INJECTED);
    }
    assert_eq!(world.sandbox.live(), before);
    // The Vault token that was really made is lost with the answer; nothing was made with it.
    for client_token in ["a\r\nX-Injected: INJECTED", "\u{1b}[31m", "\u{e4}", &"x".repeat(10_000)] {
        let body = json!({"auth": {"client_token": client_token, "lease_duration": 600}}).to_string();
        world.sandbox.fault(Fault::on(Service::Vault, "/v1/auth/").then(Action::RawBody(body.into_bytes())));
        harmless(known(&world, Provider::Vault).0.run())
            .code(5)
            .says("cannot stand in a header")
            .does_not_say(INJECTED);
    }
    // The lease ends with the Vault token, whatever it was called.
    let body = json!({
        "lease_id": "../../../auth/token/\n::add-mask::INJECTED", "lease_duration": u64::MAX,
        "data": {"username": "acmebot", "token": world.static_token()},
    });
    let body = Action::RawBody(body.to_string().into_bytes());
    let kept = world.sandbox.live();
    world.sandbox.fault(Fault::on(Service::Vault, "/v1/dockerhub/").then(body));
    harmless(known(&world, Provider::Vault).0.run()).code(0);
    harmless(world.job("logout").usual(Provider::Vault).run()).code(0);
    assert_eq!(world.sandbox.live(), kept);
}
