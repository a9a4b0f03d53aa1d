//! The story against a fake Docker Hub: what is issued, what a repetition does, and what a refusal leaves behind.

mod evidence;
mod networks;
mod pool;
mod rate;
mod repeat;
mod share;

use serde_json::{Value, json};

use crate::client_address::Client;
use crate::leases::exchange::*;
use crate::testing::{BROKER_URL, CONFIG, NOW, Trouble, World, changed, circleci_form, form_with, header, key_b};

fn ask(world: &World, form: &str) -> Result<IssuedLease, Code> {
    exchange(&world.broker, Client::ThisMachine, form.as_bytes()).map_err(|refusal| refusal.code)
}

fn circleci(world: &World, more: &str) -> Result<IssuedLease, Code> {
    ask(world, &circleci_form(&json!({}), more))
}

fn github(world: &World, changes: &Value, more: &str) -> Result<IssuedLease, Code> {
    let claims = json!({
        "iss": "https://token.actions.githubusercontent.com", "aud": BROKER_URL, "iat": NOW, "exp": NOW + 300, "jti": "i1",
        "repository_id": "77", "event_name": "push", "ref": "refs/tags/v1", "run_id": "1", "run_attempt": "1",
        "check_run_id": "1",
    });
    let token = key_b().token(&header(), &changed(claims, changes));
    ask(world, &form_with(&token, &format!("&scope=repository:acme/app:push{more}")))
}

#[test]
fn a_job_gets_a_token_that_is_as_narrow_as_its_wish() {
    let world = World::new(CONFIG);
    let issued = circleci(&world, "&scope=repository:acme/app:push&expires_in=600").ok().unwrap();
    assert_eq!(issued.access_token.expose(), "dckr_oat_secret-token-0001");
    assert_eq!((issued.username.as_str(), issued.expires_in), ("acme", Some(600)));
    assert_eq!(issued.scope, "repository:acme/app:pull,push");
    assert_eq!(issued.revocation_handle.expose().len(), 64);
    let made = world.hub.tokens();
    assert_eq!(made[0]["label"], format!("hublease/test/{}", issued.lease_id));
    assert_eq!(made[0]["expires_at"], "2026-11-20T19:40:00Z");
    assert_eq!(
        made[0]["resources"],
        json!([{"type": "TYPE_REPO", "path": "acme/app", "scopes": ["scope-image-push"]}])
    );
    assert_eq!(world.hub.calls(), ["POST /v2/auth/token", "POST /v2/orgs/acme/access-tokens"]);
}

#[test]
fn a_rule_with_public_pull_gives_docker_hubs_own_resource_for_it() {
    let pull = json!({"type": "TYPE_REPO", "path": "*/*/public", "scopes": ["scope-image-pull"]});
    let with = CONFIG.replace("account = \"acme\"", "account = \"acme\"\npublic_pull = true");
    assert_ne!(with, CONFIG);
    for (config, end, resources) in [(CONFIG, "", vec![]), (&with, " repository:*/*/public:pull", vec![pull])] {
        let world = World::new(config);
        let issued = circleci(&world, "&scope=repository:acme/app:push").ok().unwrap();
        let scope = format!("repository:acme/app:pull,push{end}");
        assert_eq!(issued.scope, scope);
        assert_eq!(world.audit.all()[0]["scope"], scope);
        let own = json!({"type": "TYPE_REPO", "path": "acme/app", "scopes": ["scope-image-push"]});
        assert_eq!(world.hub.tokens()[0]["resources"], json!([vec![own], resources].concat()));
        assert_eq!(circleci(&world, "&scope=repository:*/*/public:pull").err(), Some(Code::ScopeInvalid));
    }
}

#[test]
fn the_audit_log_says_what_was_shortened_and_what_a_rule_would_have_granted() {
    let rule = CONFIG.split("[[rule]]").nth(1).unwrap().replace("app-main", "trial").replace("p1", "p2");
    let config = format!("{CONFIG}\n[[rule]]\nreport_only = true{rule}");
    let world = World::new(&config);
    assert_eq!(circleci(&world, "&expires_in=3600").ok().unwrap().expires_in, Some(900));
    assert_eq!(circleci(&world, "&expires_in=3600&min_expires_in=901").err(), Some(Code::LifeNotGranted));
    assert_eq!(circleci(&world, "&expires_in=600&min_expires_in=900").err(), Some(Code::MalformedRequest));
    let other = json!({"oidc.circleci.com/project-id": "p2"});
    assert_eq!(ask(&world, &circleci_form(&other, "")).err(), Some(Code::NoRuleMatches));
    let told: Vec<_> = world
        .audit
        .all()
        .iter()
        .map(|line| json!([line["rule"], line["shortened_from"], line["would_grant"]]))
        .collect();
    assert_eq!(told[0], json!(["app-main", 3600, null]));
    assert_eq!(told[3], json!([null, null, "trial"]));
    assert_eq!(world.hub.tokens().len(), 1, "a rule that only reports grants nothing");
}

#[test]
fn personal_tokens_are_made_for_the_account_itself() {
    let world = World::new(CONFIG);
    let changes = json!({"repository_id": "78", "environment": "production"});
    let refused = github(&world, &changes, "&connection_id=personal");
    assert_eq!(refused.err(), Some(Code::ScopeNotGranted));
    let token = key_b().token(
        &header(),
        &json!({"iss": "https://token.actions.githubusercontent.com", "aud": BROKER_URL, "iat": NOW, "exp": NOW + 300,
                "jti": "i1", "repository_id": "78", "environment": "production", "event_name": "push"}),
    );
    let issued = ask(&world, &form_with(&token, "")).ok().unwrap();
    assert_eq!(issued.username, "someone");
    assert_eq!(world.hub.tokens()[0]["scopes"], json!(["repo:read"]));
}

#[test]
fn the_audit_log_tells_who_had_what_and_no_secret() {
    let world = World::new(CONFIG);
    let form = circleci_form(&json!({}), "");
    let issued = ask(&world, &form).ok().unwrap();
    assert_eq!(ask(&world, &circleci_form(&json!({"aud": "x"}), "")).err(), Some(Code::AudienceMismatch));
    let lines = world.audit.all();
    assert_eq!(lines[0]["time"], "2026-11-20T19:30:00Z");
    for (name, value) in [
        ("event", "exchange"),
        ("outcome", "issued"),
        ("issuer", "circleci"),
        ("project", "p1"),
        ("rule", "app-main"),
        ("account", "acme"),
        ("lease_id", &issued.lease_id),
        ("subject", "org/0f0e/project/p1/user/u1"),
        ("scope", "repository:acme/app:pull,push repository:acme/base:pull,push"),
    ] {
        assert_eq!(lines[0][name], value, "{name}");
    }
    assert_eq!(lines[1]["outcome"], "audience_mismatch");
    let token = form.split('&').find_map(|pair| pair.strip_prefix("subject_token=")).unwrap();
    assert_eq!(lines[0]["token_sha256"], token_sha256(token));
    assert_eq!(lines[0]["credential_sha256"], sha256(issued.access_token.expose().as_bytes()));
    let everything = lines.iter().map(Value::to_string).collect::<String>();
    let segments: Vec<&str> = token.split('.').collect();
    for secret in [issued.access_token.expose(), issued.revocation_handle.expose(), segments[1], segments[2], "hunter2"]
    {
        assert!(!everything.contains(secret));
    }
}

#[test]
fn a_job_holds_three_leases_and_gets_ten() {
    let world = World::new(CONFIG);
    let first = circleci(&world, "").ok().unwrap();
    assert!(circleci(&world, "").is_ok() && circleci(&world, "").is_ok());
    assert_eq!(circleci(&world, "").err(), Some(Code::TooManyLeases));
    assert_eq!(world.hub.tokens().len(), 3);
    // Another job of the same project has its own count, and a fresh token of the same job has not.
    assert!(ask(&world, &circleci_form(&json!({"oidc.circleci.com/job-id": "j2"}), "")).is_ok());
    assert_eq!(ask(&world, &circleci_form(&json!({"iat": NOW - 5}), "")).err(), Some(Code::TooManyLeases));

    let revoke_last = |issued: &IssuedLease| {
        revoke::revoke(
            &world.broker,
            Client::ThisMachine,
            format!("token={}", issued.revocation_handle.expose()).as_bytes(),
        )
        .unwrap()
    };
    revoke_last(&first);
    for _ in 3..10 {
        let next = circleci(&world, "").ok().unwrap();
        revoke_last(&next);
    }
    assert_eq!(circleci(&world, "").err(), Some(Code::TooManyMints));
}

#[test]
fn the_hubs_no_is_told_apart() {
    let world = World::new(CONFIG);
    let refusal = |trouble| {
        world.hub.trouble("POST /v2/orgs/", trouble);
        exchange(&world.broker, Client::ThisMachine, circleci_form(&json!({}), "").as_bytes()).err().unwrap()
    };
    let refused = refusal(Trouble::Status(404, r#"{"message":"SENTINEL"}"#));
    assert_eq!((refused.code, refused.retry_after), (Code::HubRefused, None));
    assert!(refused.sentence.contains("404") && !refused.sentence.contains("SENTINEL"));
    // What was refused is remembered for a while.
    world.clock.set(NOW + 120);
    let wait = refusal(Trouble::Wait(429, 17));
    assert_eq!((wait.code, wait.status(), wait.retry_after), (Code::HubUnavailable, 503, Some(17)));
    world.clock.set(NOW + 137);
    let broken = refusal(Trouble::Status(502, "<html>"));
    assert_eq!((broken.code, broken.status()), (Code::HubUnavailable, 503));

    world.hub.add_foreign(10);
    let full = exchange(&world.broker, Client::ThisMachine, circleci_form(&json!({}), "").as_bytes()).err().unwrap();
    assert_eq!((full.code, full.status(), full.retry_after), (Code::QuotaFull, 429, Some(30)));
}
