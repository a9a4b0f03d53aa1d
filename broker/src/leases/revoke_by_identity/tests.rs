//! A later job of a workflow ends what the others left behind, and nothing else.

use hublease_protocol::oauth::{Code, LeasesResponse};
use serde_json::{Value, json};

use crate::client_address::Client;
use crate::leases::exchange::{IssuedLease, exchange};
use crate::leases::revoke_by_identity::revoke_by_identity;
use crate::leases::sweep::Removed;
use crate::testing::{CONFIG, NOW, Trouble, World, changed, circleci_claims, circleci_form, header, key_a};

const JOB: &str = "oidc.circleci.com/job-id";
const WORKFLOW: &str = "oidc.circleci.com/workflow-id";
const PROJECT: &str = "oidc.circleci.com/project-id";
const REF: &str = "oidc.circleci.com/vcs-ref";
const ALL: &str = r#"{"workflow":true}"#;

/// The tests' configuration, whose CircleCI rule lets a job speak for its workflow, and a second one that does not.
fn world() -> World {
    let second = "\n[[rule]]\nname = \"app-next\"\nissuer = \"circleci\"\naccount = \"acme\"\nrepositories = [\"acme/app\"]\n\
                  actions = [\"pull\"]\nclaims = { \"oidc.circleci.com/project-id\" = \"p1\", \"oidc.circleci.com/vcs-ref\" = \
                  \"refs/heads/next\" }\n";
    let config = CONFIG.replacen(
        "actions = [\"pull\", \"push\"]\n",
        "actions = [\"pull\", \"push\"]\nrevoke_workflow = true\n",
        1,
    );
    World::new(&(config + second))
}

/// A lease for a job of workflow `w1`, changed where `changes` says so.
fn issue(world: &World, changes: &Value) -> IssuedLease {
    let workflow = changed(json!({WORKFLOW: "w1"}), changes);
    exchange(&world.broker, Client::ThisMachine, circleci_form(&workflow, "").as_bytes()).ok().unwrap()
}

/// What the last job of workflow `w1`, which starts two minutes later, asks for.
fn ask(world: &World, changes: &Value, body: &str) -> Result<(u64, u64), Code> {
    world.clock.set(NOW + 120);
    let last = json!({WORKFLOW: "w1", JOB: "last", "iat": NOW + 110});
    let token = key_a().token(&header(), &changed(changed(circleci_claims(), &last), changes));
    revoke_by_identity(&world.broker, Client::ThisMachine, &token, body.as_bytes())
        .map(|LeasesResponse { leases, confirmed }| (leases, confirmed))
        .map_err(|refusal| refusal.code)
}

#[test]
fn the_last_job_ends_what_its_workflow_was_given() {
    let world = world();
    issue(&world, &json!({}));
    issue(&world, &json!({JOB: "j2"}));
    let other = issue(&world, &json!({WORKFLOW: "w2"}));
    let silent = issue(&world, &json!({WORKFLOW: null, JOB: "j3"}));
    let unspoken = issue(&world, &json!({REF: "refs/heads/next", JOB: "j4"}));
    assert_eq!(ask(&world, &json!({}), ALL), Ok((2, 2)));
    let mut kept = [other, silent, unspoken].map(|issued| format!("hublease/test/{}", issued.lease_id));
    kept.sort();
    let mut labels = world.hub.labels();
    labels.sort();
    assert_eq!(labels, kept, "another workflow's, a job's without one, and what a rule granted that does not allow it");
    assert_eq!(ask(&world, &json!({}), ALL), Ok((0, 0)), "nothing is left, and the token is not used up");
    assert_eq!(world.audit.outcomes()[5..], ["revoke_by_identity confirmed"; 4], "two leases, and the two requests");
}

#[test]
fn who_may_not_speak_for_a_workflow() {
    let world = world();
    issue(&world, &json!({}));
    for (changes, code) in [
        (json!({REF: "refs/heads/next"}), Code::WorkflowNotGranted),
        (json!({WORKFLOW: null}), Code::WorkflowNotGranted),
        (json!({WORKFLOW: 7}), Code::WorkflowNotGranted),
        (json!({REF: "refs/heads/other"}), Code::NoRuleMatches),
        (json!({PROJECT: "p2"}), Code::NoRuleMatches),
        (json!({"aud": "x"}), Code::AudienceMismatch),
        (json!({"exp": NOW}), Code::TokenExpired),
    ] {
        assert_eq!(ask(&world, &changes, ALL), Err(code), "{changes}");
    }
    assert_eq!(ask(&world, &json!({WORKFLOW: "w2"}), ALL), Ok((0, 0)), "another workflow has nothing to do with it");
    assert_eq!(
        ask(&world, &json!({"iat": NOW}), ALL),
        Ok((0, 0)),
        "a lease is not older than a token of its own second"
    );
    assert_eq!(world.hub.labels().len(), 1);
}

#[test]
fn a_job_ends_one_lease_of_its_own() {
    let world = World::new(CONFIG);
    let (mine, other) = (issue(&world, &json!({})), issue(&world, &json!({JOB: "j2"})));
    let body = |issued: &IssuedLease| json!({"lease_id": issued.lease_id}).to_string();
    assert_eq!(ask(&world, &json!({JOB: "j1"}), &body(&other)), Ok((0, 0)), "another job's is as good as unknown");
    assert_eq!(ask(&world, &json!({JOB: "j1", PROJECT: "p2"}), &body(&mine)), Ok((0, 0)));
    assert_eq!(ask(&world, &json!({JOB: "j1"}), r#"{"lease_id":"unknown"}"#), Ok((0, 0)));
    assert_eq!(ask(&world, &json!({JOB: "j1"}), &body(&mine)), Ok((1, 1)), "no rule has to allow that");
    assert_eq!(world.hub.labels(), [format!("hublease/test/{}", other.lease_id)]);
}

#[test]
fn what_docker_hub_does_not_confirm_is_noted_and_finished_by_the_sweeper() {
    let world = world();
    for job in ["j1", "j2", "j3"] {
        issue(&world, &json!({JOB: job}));
    }
    for _ in 0..3 {
        world.hub.trouble("DELETE", Trouble::Status(503, ""));
    }
    assert_eq!(ask(&world, &json!({}), ALL), Ok((3, 0)));
    assert_eq!(world.audit.outcomes().last().map(String::as_str), Some("revoke_by_identity requested"));
    // How many of them were tried before the account was left alone is a matter of threads.
    world.hub.heal();
    world.clock.set(NOW + 130);
    assert_eq!(world.sweep(), Removed { gone: 3, kept: 0, left: 0 });
}

#[test]
fn bodies() {
    let world = world();
    for body in [
        "",
        "{}",
        "[]",
        r#"{"workflow":false}"#,
        r#"{"workflow":"true"}"#,
        r#"{"workflow":true,"lease_id":"l"}"#,
        r#"{"lease_id":""}"#,
        r#"{"lease_id":7}"#,
        r#"{"workflow":true,"workflow":true}"#,
        r#"{"workflow":true,"more":1}"#,
    ] {
        assert_eq!(ask(&world, &json!({}), body), Err(Code::MalformedRequest), "{body}");
    }
    let long = json!({"lease_id": "a".repeat(200)}).to_string();
    assert_eq!(ask(&world, &json!({}), &long), Err(Code::MalformedRequest));
}
