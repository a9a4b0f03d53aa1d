//! The post step, whatever became of the step: its one line, and its exit code.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use hublease_sandbox::{Action, Fault, Service};
use serde_json::{Value, json};

use super::runner::{BODY, NAME, Step, WAY_BACK};
use crate::action::REVOKED;
use crate::support::World;
use crate::support::driven::leased;
use crate::support::job::Provider;

const NOTHING: &str = "nothing to undo here";

#[test]
fn after_a_success_it_revokes_and_a_second_time_vault_is_asked_again() {
    let world = World::new();
    let step = Step::new(&world, Provider::Vault);
    let main = step.main().code(0);
    step.post(&main).code(0).says_only(REVOKED);
    // The runner gives the same state again. The Vault token is gone, and Vault does not say why it refuses one.
    let again = step.post(&main).code(0).says("because: Vault refuses the Vault token");
    assert_eq!(again.shown().lines().count(), 2, "{}", again.shown());
    assert_eq!(leased(&world), Vec::<String>::new());
    assert!(!world.has_login());
}

/// A step that fails undoes what it did by itself, and says why it failed.
#[test]
fn after_a_failure_there_is_nothing_left_to_undo() {
    for (provider, fault, code, says) in [
        (
            Provider::Vault,
            Fault::on(Service::RegistryAuth, "/").then(Action::status(401)),
            6,
            "did not accept the credential",
        ),
        (Provider::Vault, Fault::on(Service::Vault, "/v1/auth/").then(Action::status(400)), 5, "status 400"),
        (Provider::Broker, Fault::on(Service::Forwarded, "/oauth/token").then(Action::status(400)), 5, "status 400"),
        (Provider::Docker, Fault::on(Service::DockerIdentity, "/").then(Action::status(400)), 5, "status 400"),
    ] {
        let world = World::new();
        world.sandbox.fault(fault.always());
        let step = Step::new(&world, provider);
        let main = step.main().code(code).says("::error::").says(says);
        assert_eq!(main.shown().matches("::error::").count(), 1);
        assert!(main.output.is_empty() && !world.has_login());
        world.sandbox.clear_faults();
        step.post(&main).code(0).says_only(NOTHING);
        assert_eq!(leased(&world), Vec::<String>::new());
    }
}

#[test]
fn a_wrong_input_fails_the_step_and_not_its_post_step() {
    let world = World::new();
    let before = world.asked_by_runs();
    for (name, value, says) in [
        ("vault-addr", "ftp://vault.example.com", "the value of `vault-addr` cannot be used"),
        ("expose-token", "yes", "the value of `expose-token` cannot be used"),
        ("strict-revoke", "yes", "the value of `strict-revoke` cannot be used"),
        ("vualt-path", "x", "there is no input vualt-path%0A  because: did you mean `vault-path`?"),
        ("password", "hunter2", "because: no input holds a secret: with `provider` at `static`"),
        ("expose_token", "true", "did you mean `expose-token`?"),
        ("audience", "sts.amazonaws.com", "the audience of `audience` is not the provider's own"),
        ("broker-url", "https://broker.example.com", "more than one provider is selected"),
        ("ca-cert", "/no/such/file", "the certificates of `ca-cert` cannot be used%0A  because: no such file"),
        ("ca-cert", "/dev/zero", "because: it is not a file"),
        ("ca-cert", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "because: certificate 1 in it"),
    ] {
        let step = Step::new(&world, Provider::Vault).input(name, value);
        let main = step.main().code(2).says(says);
        assert!(main.shown().starts_with("::error::") && main.shown().lines().count() == 1, "{}", main.shown());
        step.post(&main).code(0).says_only(NOTHING);
    }
    assert_eq!(world.asked_by_runs(), before);
    let out = Step::new(&world, Provider::Vault).without("ACTIONS_ID_TOKEN_REQUEST_TOKEN").main();
    out.code(3).says("add `permissions: { id-token: write, contents: read }` to the job");
}

/// An empty input is unset, and so is one of blanks: the variable counts then.
#[test]
fn an_empty_input_leaves_the_choice_to_its_variable() {
    let world = World::new();
    for empty in ["", "  ", "\n"] {
        let step = Step::new(&world, Provider::Vault).input("vault-addr", empty).input("isolated", empty);
        let step = step.env("VAULT_ADDR", world.sandbox.vault_url()).env("HUBLEASE_CLIENT", "none");
        let main = step.main().code(0);
        assert!(main.children.is_empty() && world.has_login());
        step.post(&main).code(0).says_only(REVOKED);
    }
}

/// Docker Hub forgets an expired token by itself, and so does Vault its lease. Who can be asked is asked all the same.
#[test]
fn after_the_end_of_the_credential_there_is_nothing_to_revoke() {
    for (provider, says) in [
        (Provider::Vault, "the Vault token has ended, and Vault ends its leases with it"),
        (Provider::Broker, "revoked and confirmed"),
        (Provider::Docker, "its time was over at 1970-01-01T00:00:01Z by this machine's clock"),
    ] {
        let world = World::new();
        let step = Step::new(&world, provider);
        let main = step.main().code(0);
        let mut record = main.record();
        record["leases"][0]["expires_at"] = json!(1);
        if provider == Provider::Vault {
            record["leases"][0]["handle"]["vault"]["token_expires_at"] = json!(1);
        }
        world.sandbox.advance(7200);
        let mut state = main.state.clone();
        state.insert(BODY.to_owned(), record.to_string());
        let post = step.start_post(&state).wait().code(0).says(says);
        let parts = if provider == Provider::Vault { 2 } else { 1 };
        assert_eq!(post.shown().lines().count(), parts, "{}", post.shown());
        assert!(!world.has_login());
    }
}

fn without_state() -> BTreeMap<String, String> {
    BTreeMap::new()
}

#[test]
fn without_a_state_there_is_nothing_to_undo() {
    let world = World::new();
    let step = Step::new(&world, Provider::Broker);
    let asked = world.asked_by_runs();
    let empty = [NAME, BODY].map(|name| (name.to_owned(), String::new())).into();
    for state in [without_state(), empty] {
        let post = step.start_post(&state).wait().code(0).says_only(NOTHING);
        assert_eq!(post.summary, format!("hublease: {NOTHING}\n\n"));
        // Not even the inputs matter then.
        Step::new(&world, Provider::Broker).input("broker-url", "ftp://x").start_post(&state).wait().code(0);
    }
    assert_eq!(world.asked_by_runs(), asked);
}

/// What is no record of this version is left alone, said in one warning, and sends nothing.
#[test]
fn a_state_that_cannot_be_read_is_said_and_sends_nothing() {
    let world = World::new();
    let step = Step::new(&world, Provider::Vault);
    let main = step.main().code(0);
    let (name, body) = (&main.state[NAME], &main.state[BODY]);
    let changed = |field: &str, value: Value| {
        let mut record = main.record();
        record[field] = value;
        record.to_string()
    };
    for (what, name, body) in [
        ("cut", name.clone(), body[..body.len() / 2].to_owned()),
        ("without its body", name.clone(), String::new()),
        ("without its name", String::new(), body.clone()),
        ("under another name", "0".repeat(64), body.clone()),
        ("of another version", name.clone(), changed("version", json!(2))),
        ("of a later version", name.clone(), changed("new", json!([]))),
        (
            "of another job",
            name.clone(),
            changed("owner", json!({"job": "x", "registries": [], "directory": "/", "kind": "login"})),
        ),
        ("a list", name.clone(), "[]".to_owned()),
        ("::add-mask::x", "::set-output name=x::y".to_owned(), "##[error]{".to_owned()),
    ] {
        for strict in [false, true] {
            let way_back = main.state[WAY_BACK].replace("\"strict\":false", &format!("\"strict\":{strict}"));
            let state = [(NAME, &name), (BODY, &body), (WAY_BACK, &way_back)];
            let state = state.map(|(name, value)| (name.to_owned(), value.clone())).into();
            let post = step.start_post(&state).wait().code(if strict { 7 } else { 0 });
            assert!(post.shown().starts_with("::warning::the record "), "{what}: {}", post.shown());
            assert!(post.requests.is_empty() && post.children.is_empty(), "{what}");
        }
    }
    step.post(&main).code(0).says_only(REVOKED);
}

/// What is not revoked is a warning, and an error with `strict-revoke` alone.
#[test]
fn a_failed_revocation_fails_the_job_only_if_that_was_asked_for() {
    for strict in ["", "false", "true"] {
        let world = World::new();
        let step = Step::new(&world, Provider::Broker).input("strict-revoke", strict);
        let main = step.main().code(0);
        let down = Fault::on(Service::Forwarded, "/oauth/revoke").then(Action::status(400)).always();
        world.sandbox.fault(down);
        let code = if strict == "true" { 7 } else { 0 };
        let post = step.post(&main).code(code).says("::warning::the credential of acme: not revoked, lives until");
        assert_eq!(post.shown().contains("::error::"), code == 7, "{}", post.shown());
        assert!(post.summary.contains("not revoked\\, lives until"), "{}", post.summary);
        assert!(!world.has_login());
        world.sandbox.clear_faults();
        step.post(&main).code(0).says_only("the credential of acme: revoked and confirmed");
    }
}

/// A module that is broken says nothing of what it was given, and ends the step as a bug.
#[test]
fn a_module_that_cannot_be_run_is_a_bug_and_undoes_nothing() {
    let world = World::new();
    let place = world.path("action");
    fs::create_dir(&place).unwrap();
    for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("action")).unwrap().map(Result::unwrap) {
        if entry.file_name().to_string_lossy().ends_with(".mjs") {
            fs::copy(entry.path(), place.join(entry.file_name())).unwrap();
        }
    }
    let state = BTreeMap::from([(NAME.to_owned(), "0".repeat(64)), (BODY.to_owned(), "{}".to_owned())]);
    // Not there, empty, no module at all, and one that has nothing in it.
    for module in [None, Some(&b""[..]), Some(b"hublease"), Some(b"\0asm\x01\0\0\0")] {
        module.iter().for_each(|bytes| fs::write(place.join("hublease.wasm"), bytes).unwrap());
        let step = Step::new(&world, Provider::Static).checked_out_to(place.clone());
        let main = step.main().code(70).says("::error::hublease came to a state that it excludes: module.mjs:");
        assert_eq!(main.shown().lines().count(), 1, "{}", main.shown());
        step.start_post(&state).wait().code(0).says("::warning::hublease came to a state that it excludes");
        let mut strict = state.clone();
        strict.insert(WAY_BACK.to_owned(), "{\"strict\":true}".to_owned());
        step.start_post(&strict).wait().code(70);
    }
    assert!(world.children().is_empty());
}
