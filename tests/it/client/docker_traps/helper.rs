//! Credential helpers that docker picks or is told to use, and what becomes of a login with each of them.

use serde_json::json;

use crate::client::docker_traps::helpers::{Helper, calls, holds, plant};
use crate::client::docker_traps::{HUB, docker, entry_of, leaves_nothing, logged_in_as, login, logs_out, text, world};
use crate::support::World;

/// Puts `pass` on PATH, so that docker picks its helper.
fn plant_pass(world: &World, helper: Helper) {
    world.program("pass", "#!/bin/sh\necho 'Error: password store is empty. Try \"pass init\".'; exit 1\n");
    plant(world, "pass", helper);
}

/// Files that know no login, where docker looks for a helper by itself; none is no file.
const WITHOUT_A_LOGIN: [Option<&str>; 4] = [None, Some(""), Some("{}"), Some(r#"{"auths":{}}"#)];

fn set_up(world: &World, config: Option<&str>) {
    if let Some(text) = config {
        world.write_config(text);
    }
}

#[test]
fn an_uninitialised_pass_on_path_breaks_docker_and_not_us() {
    for config in WITHOUT_A_LOGIN {
        let world = world();
        plant_pass(&world, Helper::Uninitialised);
        set_up(&world, config);
        let token = world.sandbox.hub().personal_token("acmebot", "by hand", &["repo:write"], None).0;
        let output = docker(&world, &["login", "--username", "acmebot", "--password-stdin"], &token);
        assert_eq!(output.status.code(), Some(1), "{config:?}: docker has disarmed the trap");
        assert!(text(&output.stderr).contains(
            "Error saving credentials: error storing credentials - err: exit status 1, out: `pass not initialized"
        ));

        let before = world.sandbox.live();
        login(&world).run().code(0).does_not_say("pass");
        assert!(world.has_login(), "{config:?}");
        logs_out(&world, &before);
        assert!(!world.has_login());
    }
}

#[test]
fn an_uninitialised_secret_service_is_the_same_trap() {
    let world = world();
    plant(&world, "secretservice", Helper::Uninitialised);
    let before = world.sandbox.live();
    login(&world).run().code(0);
    assert!(world.has_login());
    logs_out(&world, &before);
    assert!(!world.has_login());
}

#[test]
fn pass_without_its_helper_is_no_trap() {
    let world = world();
    world.program("pass", "#!/bin/sh\nexit 1\n");
    let before = world.sandbox.live();
    login(&world).run().code(0);
    assert!(world.has_login());
    logs_out(&world, &before);
}

#[test]
fn a_helper_that_works_keeps_the_login_and_loses_it_at_logout() {
    for (config, name) in [
        (None, "pass"),
        (Some(r#"{"credsStore":"fake"}"#), "fake"),
        (Some(r#"{"credsStore":"other","credHelpers":{"https://index.docker.io/v1/":"fake"}}"#), "fake"),
    ] {
        let world = world();
        if name == "pass" {
            plant_pass(&world, Helper::Works);
        } else {
            plant(&world, name, Helper::Works);
        }
        set_up(&world, config);
        let before = world.sandbox.live();
        login(&world).run().code(0).does_not_say("private directory");
        assert_eq!(holds(&world), [(HUB.to_owned(), "acmebot".to_owned())], "{config:?}");
        assert!(!world.has_login(), "the file holds no credential");
        assert!(calls(&world).contains(&format!("{name} store")));
        logs_out(&world, &before);
        assert_eq!(holds(&world), []);
        assert!(calls(&world).contains(&format!("{name} erase")));
    }
}

#[test]
fn a_helper_that_fails_to_store_ends_the_login_and_the_lease() {
    let world = world();
    plant(&world, "fake", Helper::CannotStore);
    world.write_config(r#"{"credsStore":"fake"}"#);
    let before = world.sandbox.live();
    let outcome = login(&world).run().code(6);
    assert_eq!(calls(&world).iter().filter(|call| *call == "fake store").count(), 1, "tried once only");
    outcome
        .says("error: docker's credential helper could not store the credential\n")
        .says("because: it says: Error saving credentials: error storing credentials - err: exit status 1, out: `the key ring is locked`\n")
        .says("hint: give `--isolated`, or repair the helper that config.json names\n")
        .says("the credential of acmebot: revoked and confirmed\n");
    leaves_nothing(&world, &before);
    login(&world).arg("--isolated").run().code(0);
    logs_out(&world, &before);
    assert_eq!(holds(&world), []);
}

#[test]
fn a_helper_that_does_not_answer_is_left_out_and_it_is_said() {
    let keys = [
        r#"{"credsStore":"fake","HttpHeaders":{"X":"y"}}"#,
        r#"{"credHelpers":{"https://index.docker.io/v1/":"fake"},"HttpHeaders":{"X":"y"}}"#,
    ];
    for config in keys {
        // Not there at all, failing, and answering something else.
        for helper in [None, Some(Helper::Uninitialised), Some(Helper::Babbles)] {
            let world = world();
            if let Some(helper) = helper {
                plant(&world, "fake", helper);
            }
            world.write_config(config);
            let before = world.sandbox.live();
            let outcome = login(&world).run().code(0);
            let warning =
                "warning: logging in to a private directory, because the credential helper `fake` does not answer\n";
            let private = crate::client::docker_traps::private::directory_of(&outcome.says(warning));
            let text = std::fs::read_to_string(private.join("config.json")).unwrap();
            assert!(entry_of(&serde_json::from_str(&text).unwrap()).is_some(), "{config} {helper:?}");
            assert_eq!(std::fs::read_to_string(world.config()).unwrap(), config);
            logs_out(&world, &before);
            assert!(!private.exists());
            assert_eq!(std::fs::read_to_string(world.config()).unwrap(), config);
            assert!(calls(&world).iter().all(|call| call == "fake list"), "{:?}", calls(&world));
        }
    }
}

#[test]
fn a_helper_that_holds_another_login_is_left_alone_and_it_is_said() {
    // Under the same name it is another login just as well: its secret would be lost.
    for username in ["alice", "acmebot"] {
        let world = world();
        plant(&world, "fake", Helper::Works);
        world.write_config(r#"{"credsStore":"fake"}"#);
        crate::client::docker_traps::log_in_by_hand(&world, username);
        let (config, before) = (world.read_config(), world.sandbox.live());
        let kept = std::fs::read(world.path("spare/helper-store")).unwrap();
        let outcome = login(&world).run().code(0);
        let warning = "warning: logging in to a private directory, because the credential helper `fake` holds another login to docker.io\n";
        let private = crate::client::docker_traps::private::directory_of(&outcome.says(warning));
        logs_out(&world, &before);
        assert!(!private.exists());
        assert_eq!(std::fs::read(world.path("spare/helper-store")).unwrap(), kept, "{username}");
        assert_eq!(world.read_config(), config);
    }
}

#[test]
fn a_helper_that_fails_to_erase_is_named_and_the_lease_dies_all_the_same() {
    let world = world();
    plant(&world, "fake", Helper::CannotErase);
    world.write_config(r#"{"credsStore":"fake"}"#);
    let before = world.sandbox.live();
    login(&world).run().code(0);
    // Docker says nothing of it: its exit code is 0.
    crate::client::docker_traps::logout(&world)
        .run()
        .code(0)
        .says("warning: docker.io: the credential is still in docker's store, because the credential helper keeps it\n")
        .says("the credential of acmebot: revoked and confirmed\n");
    assert_eq!(holds(&world), [(HUB.to_owned(), "acmebot".to_owned())]);
    assert_eq!(world.sandbox.live(), before);
}

#[test]
fn without_a_client_a_helper_would_hide_the_file_so_the_login_is_private() {
    let world = world();
    plant(&world, "fake", Helper::Works);
    let config = r#"{"credsStore":"fake"}"#;
    world.write_config(config);
    let before = world.sandbox.live();
    let outcome = login(&world).args(&["--client", "none"]).run().code(0);
    let private = crate::client::docker_traps::private::directory_of(&outcome.says("warning: logging in to a private directory, because docker asks the credential helper `fake` and would not see what is written to the file\n"));
    let text = std::fs::read_to_string(private.join("config.json")).unwrap();
    let written: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert!(entry_of(&written).is_some());
    // The helper stays the others'.
    assert_eq!((&written["credsStore"], &written["credHelpers"]), (&json!("fake"), &json!({ HUB: "" })));
    logs_out(&world, &before);
    assert_eq!(std::fs::read_to_string(world.config()).unwrap(), config);
    assert_eq!(logged_in_as(&world), None);
}
