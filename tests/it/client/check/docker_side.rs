//! Docker's own side: where the login is, what hides it, and what of it can be checked.

use std::fs;

use hublease_sandbox::{Hold, Service};
use serde_json::json;

use crate::client::check::Login::Personal;
use crate::client::check::{check, directory, json as report, log_in, only_looked, world};
use crate::client::docker_traps::helpers::{Helper, calls, plant};
use crate::client::docker_traps::private::directory_of;
use crate::client::docker_traps::{HUB, auth, log_in_by_hand};
use crate::support::job::Provider;
use crate::support::untouched::Untouched;
use crate::support::{World, binary};

#[test]
fn a_variable_that_wins_over_the_login_is_told_and_the_login_is_checked_all_the_same() {
    let world = world(Personal("repo:read"));
    let said = "shadowed: `DOCKER_AUTH_CONFIG` already decides what docker uses for docker.io\n";
    for (value, code) in [
        (format!(r#"{{"auths":{{"{HUB}":{{"auth":"Ym9iOng="}}}}}}"#), 6),
        (r#"{"auths":{"docker.io":{"auth":"Ym9iOng="}}}"#.to_owned(), 6),
        ("no JSON".to_owned(), 6),
        (r#"{"auths":{"ghcr.io":{"auth":"Ym9iOng="}}}"#.to_owned(), 0),
        (String::new(), 0),
    ] {
        let outcome = check(&world, &["acme/app"]).env("DOCKER_AUTH_CONFIG", &value).run().code(code);
        let outcome = outcome.says("; Docker Hub accepts it\n").says("acme/app:latest: pull works, push denied");
        if code == 0 {
            outcome.says("shadowed: no\n")
        } else {
            outcome.says(said).says("hint: unset the variable")
        };
    }
}

/// The helper is asked who is logged in, and never for the secret.
#[test]
fn a_login_that_a_helper_keeps_is_named_and_not_checked() {
    let world = World::new();
    plant(&world, "fake", Helper::Works);
    world.write_config(r#"{"credsStore":"fake"}"#);
    check(&world, &["alpine"]).run().code(0).says("login: none in ");
    log_in_by_hand(&world, "acmebot");
    let (before, called) = (world.sandbox.log().len(), calls(&world).len());
    let outcome = check(&world, &["acme/app"]).run().code(6);
    let outcome = outcome.says("login: as acmebot, by ").says("not checked: the credential helper `fake` decides");
    let outcome = outcome.says("error: the login to docker.io is kept where it cannot be checked\n").says("--isolated");
    outcome.says("acme/app:latest: pull not checked, push not known\n").says("shadowed: no\n");
    assert_eq!(world.sandbox.log().len(), before, "an anonymous answer would be another one");
    assert_eq!(calls(&world)[called..], ["fake list"]);
    // As the hint says.
    let login = world.job("login").usual(Provider::Broker).arg("--isolated").run().code(0);
    let private = check(&world, &["acme/app"]).env("DOCKER_CONFIG", directory_of(&login).display().to_string());
    private.run().code(0).says("login: as acme, by ").says("acme/app:latest: pull works");
}

#[test]
fn a_helper_hides_a_login_in_the_file_and_one_that_does_not_answer_is_named() {
    for (helper, says) in [
        (Some(Helper::Works), "not checked: the credential helper `fake` decides"),
        (Some(Helper::Uninitialised), "not checked: the credential helper `fake` does not answer"),
        (Some(Helper::Babbles), "not checked: the credential helper `fake` does not answer"),
        (None, "not checked: the credential helper `fake` does not answer"),
    ] {
        let world = World::new();
        if let Some(helper) = helper {
            plant(&world, "fake", helper);
        }
        let in_file = format!(r#""auths":{{"{HUB}":{{"auth":"{}"}}}}"#, auth("acmebot", "a-secret-in-the-file"));
        world.add_secret("the login in the file", "a-secret-in-the-file");
        world.write_config(&format!(r#"{{{in_file},"credHelpers":{{"{HUB}":"fake"}}}}"#));
        let outcome = check(&world, &["acme/app"]).run().code(6).says(says);
        let outcome = outcome.says("shadowed: docker asks the credential helper `fake`, and not for the login in");
        assert_eq!(outcome.requests.len(), 0);
    }
}

#[test]
fn a_helper_that_docker_would_pick_by_itself_and_that_is_broken_holds_no_login() {
    let world = World::new();
    plant(&world, "secretservice", Helper::Uninitialised);
    check(&world, &["alpine"]).run().code(0).says("login: none in ");
}

#[test]
fn a_file_that_is_malformed_is_told_and_left_alone() {
    for text in ["{", "[]", r#"{"auths":[]}"#, r#"{"auths":{"ghcr.io":1}}"#, r#"{"credsStore":1}"#] {
        let world = World::new();
        world.write_config(text);
        let before = Untouched::of(&world);
        let outcome = check(&world, &["alpine"]).run().code(6).says("config.json is not valid JSON");
        assert_eq!(outcome.stdout, "");
        before.still(&world, text);
    }
}

#[test]
fn an_entry_that_is_no_name_with_a_secret_is_not_sent() {
    for entry in [
        r#"{"auth":"PHRva2VuPjo=","identitytoken":"the-identity-token-of-a-person"}"#,
        r#"{"auth":"YWNtZWJvdDp4","identitytoken":"the-identity-token-of-a-person"}"#,
        r#"{"registrytoken":"a-registry-token-of-a-person"}"#,
        r#"{"auth":"not base64 at all"}"#,
        r#"{"auth":"bm8gY29sb24="}"#,
        r#"{"auth":"YWNtZWJvdDo="}"#,
        r#"{"auth":"OnNlY3JldA=="}"#,
    ] {
        let world = World::new();
        world.write_config(&format!(r#"{{"auths":{{"{HUB}":{entry}}}}}"#));
        for secret in ["the-identity-token-of-a-person", "a-registry-token-of-a-person", "the-plain-password-of-alice"]
        {
            world.add_secret("what the file holds", secret);
        }
        let outcome = check(&world, &["alpine"]).run().code(6);
        let outcome = outcome.says("not checked: its entry in config.json is no user name with a password or token");
        assert_eq!(outcome.requests.len(), 0, "{entry}");
    }
}

#[test]
fn the_directory_that_docker_uses_is_the_one_that_is_checked() {
    let world = world(Personal("repo:read"));
    let elsewhere = world.path("spare/docker");
    fs::create_dir(&elsewhere).unwrap();
    let elsewhere = fs::canonicalize(elsewhere).unwrap().display().to_string();
    let other = || check(&world, &["acme/app"]).env("DOCKER_CONFIG", &elsewhere);
    let shown = format!("{elsewhere} (named by DOCKER_CONFIG)");
    other().run().code(4).says(&format!("login: none in {shown}; all of this holds for anonymous clients\n"));
    fs::copy(world.config(), format!("{elsewhere}/config.json")).unwrap();
    other().run().code(0).says(&format!("login: as acmebot, by {shown}; Docker Hub accepts it\n"));
    check(&world, &["acme/app"]).run().code(0).says(&format!("by {}; ", directory(&world)));
    // Nothing names a directory.
    check(&world, &[]).without("HOME").run().code(6).says("neither DOCKER_CONFIG nor HOME is set");
}

#[test]
fn a_private_login_of_this_job_is_missed_where_docker_does_not_use_it() {
    let world = World::new();
    let login = world.job("login").usual(Provider::Broker).arg("--isolated").run().code(0);
    let private = directory_of(&login).display().to_string();
    let job = |id: &str| check(&world, &["acme/app"]).env("CIRCLE_WORKFLOW_JOB_ID", id);
    let this = world.sandbox.issuer().identity().job_id;
    let missed = "shadowed: a login of this job is in a private directory, which DOCKER_CONFIG does not name\n";
    job(&this).run().code(4).says("login: none in ").says(missed);
    job("another job").run().code(4).says("login: none in ").says("shadowed: no\n");
    let outcome = job(&this).env("DOCKER_CONFIG", &private).run().code(0).says("shadowed: no\n");
    outcome.says(&format!("by {private} (a private directory of hublease, named by DOCKER_CONFIG); Docker Hub"));
}

#[test]
fn a_command_of_exec_can_check_the_login_that_it_was_given() {
    let world = World::new();
    let program = binary("HUBLEASE_BIN").display().to_string();
    let words = [program.as_str(), "check", "--push", "acme/app"];
    let outcome = world.job("exec").usual(Provider::Broker).then(&words).run().code(0);
    outcome.says("login: as acme, by ").says("acme/app:latest: pull works, push allowed\n");
}

#[test]
fn the_report_for_programs_is_one_json_document() {
    let world = world(Personal("repo:read"));
    let shown = report(&check(&world, &["--output", "json", "acme/app", "stranger/app"]).run().code(4));
    let window = shown["pull_window"].clone();
    let expected = json!({
        "registry": "docker.io",
        "directory": directory(&world),
        "login": "accepted",
        "username": "acmebot",
        "store": "file",
        "shadowed": [],
        "pull_window": window,
        "public_images": true,
        "images": [
            {"image": "acme/app:latest", "pull": "works", "push": "denied",
             "why": "it says: access token has insufficient scopes"},
            {"image": "stranger/app:latest", "pull": "denied", "push": "denied",
             "why": "it does not exist, or there is no right to it; Docker Hub does not say which"},
        ],
    });
    assert_eq!(shown, expected);
    plant(&world, "fake", Helper::Works);
    world.write_config(r#"{"credsStore":"fake"}"#);
    let shown = report(&check(&world, &["--output", "json"]).run().code(0));
    assert_eq!((&shown["login"], &shown["username"]), (&json!("none"), &json!(null)));
    assert_eq!((&shown["store"], &shown["images"]), (&json!({"helper": "fake"}), &json!([])));
}

#[test]
fn everything_secret_is_masked_before_docker_hub_is_asked() {
    let world = World::new();
    log_in(&world, Personal("repo:write"));
    let marks = [("GITHUB_ACTIONS", "true"), ("GITHUB_RUN_ID", "1"), ("GITHUB_JOB", "build")];
    let job = marks.into_iter().fold(check(&world, &["acme/app"]), |job, (name, value)| job.env(name, value));
    let outcome = only_looked(job.run().code(0));
    let masks: Vec<_> = outcome.stderr.lines().filter_map(|line| line.strip_prefix("::add-mask::")).collect();
    let tokens = outcome.requests.iter().filter(|request| request.service == Service::RegistryAuth).count();
    assert_eq!(masks.len(), 2 + tokens, "the secret, its form on the wire, and each bearer");
    let secrets = world.sandbox.secrets();
    let is_known = |mask: &&str| secrets.iter().any(|secret| secret.value == **mask);
    assert_eq!(masks.iter().filter(|mask| is_known(mask)).count(), 1 + tokens);
}

#[test]
fn a_signal_ends_a_check_at_once() {
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let world = world(Personal("repo:write"));
        let before = Untouched::of(&world);
        let latch = world.sandbox.latch(Hold::before(Service::Registry, "/v2/acme/app/"));
        let running = check(&world, &["acme/app"]).spawn();
        latch.reached().unwrap();
        running.process.signal(signal);
        let outcome = running.wait().code(code).says("interrupted");
        latch.release();
        assert_eq!((outcome.stdout.as_str(), Untouched::of(&world).files()), ("", before.files()));
    }
}

#[test]
fn a_dry_run_asks_nobody() {
    let world = world(Personal("repo:write"));
    let before = Untouched::of(&world);
    let text = check(&world, &["--dry-run", "--push", "acme/app:1", "docker.io/alpine"]).run().code(0).stdout;
    assert_eq!(text, "command: check\nimages: acme/app:1, library/alpine:latest\nasked for: pull and push\n");
    let shown = report(&check(&world, &["--dry-run", "--output=json"]).run().code(0));
    assert_eq!(shown, json!({"command": "check", "images": "none", "asked for": "pull"}));
    before.still(&world, "a dry run");
}
