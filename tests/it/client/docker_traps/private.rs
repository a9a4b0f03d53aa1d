//! Private directories: what comes along, who learns of them, and that they go away.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};

use crate::client::docker_traps::{HUB, entry_of, job, leaves_nothing, login, logout, logs_out, world};
use crate::support::World;
use crate::support::job::{Outcome, Provider};

/// The directory that a login has named in its `export` line.
pub fn directory_of(outcome: &Outcome) -> PathBuf {
    let named = outcome.stdout.lines().find_map(|line| line.strip_prefix("export DOCKER_CONFIG='")?.strip_suffix('\''));
    PathBuf::from(named.unwrap_or_else(|| panic!("no `export` line in\n{}\n{}", outcome.stdout, outcome.stderr)))
}

/// A user's file with everything in it that a login could disturb.
const FURNISHED: &str = r#"{
	"auths": {
		"ghcr.io": {"auth": "Z2hjcjpvdGhlcnNlY3JldA=="},
		"https://index.docker.io/v1/": {"auth": "YWxpY2U6YWxpY2Utb3duLXNlY3JldA=="}
	},
	"credsStore": "absent",
	"credHelpers": {"gcr.io": "gcloud", "https://index.docker.io/v1/": "fake"},
	"currentContext": "default",
	"HttpHeaders": {"X": "y"}
}"#;

/// Whatever lies beside the file: no list names it.
const SHARED: [&str; 6] = ["contexts", "buildx", "cli-plugins", "trust", "mcp", "of-no-name-today"];

fn furnish(world: &World) {
    world.write_config(FURNISHED);
    for folder in SHARED {
        fs::create_dir(world.home().join(".docker").join(folder)).unwrap();
    }
}

fn config_of(directory: &std::path::Path) -> Value {
    serde_json::from_str(&fs::read_to_string(directory.join("config.json")).unwrap()).unwrap()
}

#[test]
fn a_private_directory_takes_along_everything_but_the_login_to_docker_hub() {
    for flag in ["--isolated", "--isolated=true"] {
        let world = world();
        furnish(&world);
        let before = world.sandbox.live();
        let private = directory_of(&login(&world).arg(flag).run().code(0).does_not_say("warning: logging in"));
        assert!(private.starts_with(world.records()));
        let config = config_of(&private);
        assert_eq!(entry_of(&config).map(|(name, _)| name).as_deref(), Some("acmebot"));
        assert_eq!(config["auths"]["ghcr.io"], json!({"auth": "Z2hjcjpvdGhlcnNlY3JldA=="}), "{flag}");
        assert_eq!(config["credsStore"], json!("absent"), "for the others");
        assert_eq!(config["credHelpers"], json!({"gcr.io": "gcloud", HUB: ""}), "an empty helper is the file");
        assert_eq!((&config["currentContext"], &config["HttpHeaders"]), (&json!("default"), &json!({"X": "y"})));
        for folder in SHARED {
            assert_eq!(fs::read_link(private.join(folder)).unwrap(), world.home().join(".docker").join(folder));
        }
        assert_eq!(fs::read_to_string(world.config()).unwrap(), FURNISHED);
        logs_out(&world, &before);
        assert!(!private.exists());
        assert_eq!(fs::read_to_string(world.config()).unwrap(), FURNISHED);
        assert!(world.home().join(".docker/contexts").is_dir());
    }
}

#[test]
fn a_private_login_is_private() {
    use std::os::unix::fs::PermissionsExt;
    let world = world();
    let before = world.sandbox.live();
    let private = directory_of(&login(&world).arg("--isolated").run().code(0));
    let mode = |path: &std::path::Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&private), mode(&private.join("config.json"))), (0o700, 0o600));
    assert!(!world.config().exists());
    logs_out(&world, &before);
}

#[test]
fn later_steps_learn_the_directory() {
    for (provider, variable) in [(Provider::Vault, "BASH_ENV"), (Provider::Docker, "GITHUB_ENV")] {
        let world = world();
        let file = world.path("work/later-steps");
        fs::write(&file, "").unwrap();
        let run = job(&world, "login", provider).arg("--isolated").env(variable, file.display().to_string());
        let private = directory_of(&run.run().code(0));
        let written = fs::read_to_string(&file).unwrap();
        let expected = match provider {
            Provider::Vault => format!("export DOCKER_CONFIG='{}'\n", private.display()),
            _ => format!("DOCKER_CONFIG<<HUBLEASE\n{}\nHUBLEASE\n", private.display()),
        };
        assert_eq!(written, expected);
        job(&world, "logout", provider).env("DOCKER_CONFIG", private.display().to_string()).run().code(0);
        assert!(!private.exists());
    }
}

#[test]
fn a_shell_that_took_over_the_directory_logs_out_with_it_in_ci_and_outside() {
    for in_ci in [true, false] {
        let world = world();
        let before = world.sandbox.live();
        let here = |job: crate::support::job::Job<'_>| {
            if in_ci { job.run() } else { job.without("CIRCLE_WORKFLOW_JOB_ID").run() }
        };
        let private = directory_of(&here(login(&world).arg("--isolated")).code(0));
        let outcome = here(logout(&world).env("DOCKER_CONFIG", private.display().to_string())).code(0);
        outcome.says("the credential of acmebot: revoked and confirmed\n");
        assert!(!private.exists(), "in CI: {in_ci}");
        leaves_nothing(&world, &before);
    }
}

#[test]
fn a_login_after_a_private_one_is_where_later_steps_look() {
    for flags in [&[][..], &["--isolated"]] {
        let world = world();
        let before = world.sandbox.live();
        let first = directory_of(&login(&world).arg("--isolated").run().code(0));
        let first = first.display().to_string();
        let again = login(&world).args(flags).env("DOCKER_CONFIG", first.as_str()).run().code(0);
        let second = directory_of(&again.says("the older login of this job is replaced"));
        assert!(entry_of(&config_of(&second)).is_some() && !world.config().exists());
        assert_eq!(world.sandbox.live().len(), before.len() + 3, "the last login's token, lease and credential");
        let outcome = logout(&world).env("DOCKER_CONFIG", second.display().to_string()).run().code(0);
        outcome.says("the credential of acmebot: revoked and confirmed\n");
        assert!(!world.records().exists(), "both directories are gone");
        leaves_nothing(&world, &before);
    }
}

#[test]
fn what_others_put_into_the_directory_stays_and_is_named() {
    let world = world();
    let before = world.sandbox.live();
    let private = directory_of(&login(&world).arg("--isolated").run().code(0));
    for (name, place) in
        [("notes", world.home().join(".docker")), ("notes", private.clone()), ("scan", private.clone())]
    {
        fs::write(place.join(name), if place == private { "not ours" } else { "theirs" }).unwrap();
    }
    logout(&world)
        .run()
        .code(0)
        .says("made in the private directory, and in your own now: scan\n")
        .says("the private directory is still there, without the login: ")
        .says("left because of notes")
        .says("revoked and confirmed");
    assert_eq!(fs::read_to_string(world.home().join(".docker/scan")).unwrap(), "not ours");
    assert_eq!(fs::read_to_string(world.home().join(".docker/notes")).unwrap(), "theirs");
    assert_eq!(fs::read_to_string(private.join("notes")).unwrap(), "not ours");
    assert!(!private.join("config.json").exists(), "the credential is gone");
    assert_eq!(world.sandbox.live(), before);
}

#[test]
fn the_key_of_a_private_login_is_docker_hubs() {
    let world = world();
    let before = world.sandbox.live();
    let private = directory_of(&login(&world).arg("--isolated").run().code(0));
    assert!(config_of(&private)["auths"][HUB]["auth"].is_string());
    logs_out(&world, &before);
}
