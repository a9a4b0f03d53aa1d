//! The user's `config.json`: who may read it, where it is, and where it was.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use crate::client::docker_traps::{
    docker, entry_of, leaves_nothing, log_in_by_hand, logged_in_as, login, logout, logs_out, world,
};

#[test]
fn a_file_that_others_can_read_gets_no_credential_and_it_is_said() {
    for (mode, exposed) in [(0o600, false), (0o400, false), (0o644, true), (0o640, true), (0o604, true), (0o660, true)]
    {
        let world = world();
        let text = r#"{"auths":{"ghcr.io":{"auth":"Z2hjcjpvdGhlcg=="}}}"#;
        world.write_config(text);
        fs::set_permissions(world.config(), fs::Permissions::from_mode(mode)).unwrap();
        let before = world.sandbox.live();
        let outcome = login(&world).run().code(0);
        let warning = "warning: logging in to a private directory, because other users can read docker's config.json\n";
        if exposed {
            crate::client::docker_traps::private::directory_of(&outcome.says(warning));
            assert_eq!(fs::read_to_string(world.config()).unwrap(), text, "{mode:o}");
        } else {
            outcome.does_not_say("private directory");
            assert!(world.has_login(), "{mode:o}");
        }
        logs_out(&world, &before);
        assert!(!world.has_login());
        assert_eq!(fs::metadata(world.config()).unwrap().permissions().mode() & 0o777, mode, "the mode is kept");
    }
}

#[test]
fn a_new_file_is_for_its_owner_only() {
    for client in ["docker", "none"] {
        let world = world();
        let before = world.sandbox.live();
        login(&world).args(&["--client", client]).run().code(0);
        assert_eq!(fs::metadata(world.config()).unwrap().permissions().mode() & 0o777, 0o600);
        logs_out(&world, &before);
    }
}

#[test]
fn a_file_that_is_a_link_stays_one_and_what_it_leads_to_is_changed() {
    for (client, relative) in [("docker", false), ("docker", true), ("none", false), ("none", true)] {
        let world = world();
        fs::create_dir_all(world.home().join(".docker")).unwrap();
        fs::create_dir(world.home().join("dotfiles")).unwrap();
        let target = world.home().join("dotfiles/config.json");
        fs::write(&target, r#"{"auths":{"ghcr.io":{}}}"#).unwrap();
        fs::set_permissions(&target, fs::Permissions::from_mode(0o600)).unwrap();
        symlink(if relative { "../dotfiles/config.json".into() } else { target.clone() }, world.config()).unwrap();
        let before = world.sandbox.live();
        login(&world).args(&["--client", client]).run().code(0);
        assert!(fs::symlink_metadata(world.config()).unwrap().is_symlink(), "{client}");
        let read = || serde_json::from_str(&fs::read_to_string(&target).unwrap()).unwrap();
        assert!(entry_of(&read()).is_some());
        logs_out(&world, &before);
        assert!(fs::symlink_metadata(world.config()).unwrap().is_symlink());
        assert_eq!(read(), serde_json::json!({"auths": {"ghcr.io": {}}}));
    }
}

#[test]
fn a_login_is_where_docker_config_says() {
    let world = world();
    let before = world.sandbox.live();
    let elsewhere = world.path("spare/docker").display().to_string();
    login(&world).env("DOCKER_CONFIG", &elsewhere).run().code(0);
    assert!(!world.config().exists());
    let read = || serde_json::from_str(&fs::read_to_string(format!("{elsewhere}/config.json")).unwrap()).unwrap();
    assert!(entry_of(&read()).is_some());
    logout(&world).env("DOCKER_CONFIG", &elsewhere).run().code(0).says("revoked and confirmed");
    assert!(entry_of(&read()).is_none());
    leaves_nothing(&world, &before);
}

#[test]
fn a_docker_config_that_changed_since_keeps_nothing_alive() {
    let world = world();
    log_in_by_hand(&world, "alice");
    let (mine, before) = (fs::read(world.config()).unwrap(), world.sandbox.live());
    let elsewhere = world.path("spare/docker");
    login(&world).env("DOCKER_CONFIG", elsewhere.display().to_string()).run().code(0);
    logout(&world).run().code(0).says("the credential of acmebot: revoked and confirmed\n");
    assert_eq!(fs::read(world.config()).unwrap(), mine, "the other directory's login is nobody's business");
    leaves_nothing(&world, &before);
    let text = fs::read_to_string(elsewhere.join("config.json")).unwrap();
    assert!(entry_of(&serde_json::from_str(&text).unwrap()).is_none(), "{text}");
}

#[test]
fn outside_ci_a_logout_is_for_its_own_directory() {
    let world = world();
    let before = world.sandbox.live();
    let elsewhere = world.path("spare/docker").display().to_string();
    let login = login(&world).without("CIRCLE_WORKFLOW_JOB_ID").env("DOCKER_CONFIG", &elsewhere);
    login.run().code(0);
    let logout = || logout(&world).without("CIRCLE_WORKFLOW_JOB_ID");
    logout().run().code(0).says("nothing to undo here");
    assert_eq!(world.record_files().len(), 1);
    logout().env("DOCKER_CONFIG", &elsewhere).run().code(0).says("revoked and confirmed");
    leaves_nothing(&world, &before);
}

#[test]
fn a_person_who_logs_in_later_keeps_that_login() {
    // Under the same name as well: the credential is another one.
    for username in ["alice", "acmebot"] {
        let world = world();
        let before = world.sandbox.live();
        login(&world).run().code(0);
        log_in_by_hand(&world, username);
        let config = world.read_config();
        let note = "docker.io: another login is there now, and is left alone\n";
        logout(&world).run().code(0).says(note).says("the credential of acmebot: revoked and confirmed\n");
        assert_eq!(world.read_config(), config, "{username}");
        assert_eq!(world.sandbox.live().len(), before.len() + 1, "the person's token lives");
        assert!(docker(&world, &["manifest", "inspect", "library/alpine:latest"], "").status.success());
        assert_eq!(world.record_files(), Vec::<std::path::PathBuf>::new());
    }
}

#[test]
fn a_person_who_logs_out_meanwhile_hinders_nothing() {
    let world = world();
    let before = world.sandbox.live();
    login(&world).run().code(0);
    assert!(docker(&world, &["logout"], "").status.success());
    logs_out(&world, &before);
    assert_eq!(logged_in_as(&world), None);
}
