//! What is found before anything is minted: no request and no credential, only a sentence and what to do.

use std::fs;

use crate::client::docker_traps::{
    auth, children_are_clean, docker_with, job, leaves_nothing, log_in_by_hand, login, logout, logs_out, text, world,
};
use crate::support::job::{Job, Provider};

const SHADOWED: &str = "error: `DOCKER_AUTH_CONFIG` already decides what docker uses for docker.io\n";
const UNSET: &str = "hint: unset the variable for this job: docker prefers it to every login\n";

/// Values of `DOCKER_AUTH_CONFIG`, with the cause that is told, if any.
fn shadows() -> [(String, &'static str); 6] {
    let unreadable = "  because: its value cannot be read\n";
    let entry = auth("acmebot", "dckr_pat_of-the-shadowing-variable");
    [
        (format!(r#"{{"auths":{{"https://index.docker.io/v1/":{{"auth":"{entry}"}}}}}}"#), ""),
        (format!(r#"{{"auths":{{"docker.io":{{"auth":"{entry}"}}}}}}"#), ""),
        (r#"{"auths":{"index.docker.io":{}}}"#.to_owned(), ""),
        ("{".to_owned(), unreadable),
        ("[]".to_owned(), unreadable),
        (r#"{"auths":[]}"#.to_owned(), unreadable),
    ]
}

#[test]
fn a_variable_that_would_shadow_the_login_is_found_before_anything_is_minted() {
    for provider in Provider::ALL {
        for (value, cause) in shadows() {
            let world = world();
            world.add_secret("the shadowing entry", "dckr_pat_of-the-shadowing-variable");
            let run = job(&world, "login", provider).env("DOCKER_AUTH_CONFIG", value.as_str());
            let before = world.sandbox.live();
            let outcome = run.run().code(6);
            assert_eq!(outcome.stderr, format!("{SHADOWED}{cause}{UNSET}"), "{provider:?} {value}");
            assert_eq!((outcome.stdout.as_str(), outcome.requests.len()), ("", 0));
            assert_eq!(world.children(), [""; 0]);
            assert!(!world.config().exists());
            leaves_nothing(&world, &before);
        }
    }
}

#[test]
fn a_variable_about_another_registry_or_an_empty_one_shadows_nothing() {
    let elsewhere = format!(r#"{{"auths":{{"ghcr.io":{{"auth":"{}"}}}}}}"#, auth("acme", "ghp_of-another-registry"));
    for value in [elsewhere.as_str(), r#"{"auths":{}}"#, ""] {
        let world = world();
        let before = world.sandbox.live();
        world.add_secret("the other registry's entry", "ghp_of-another-registry");
        login(&world).env("DOCKER_AUTH_CONFIG", value).run().code(0);
        assert!(world.has_login());
        logs_out(&world, &before);
        assert!(!world.has_login());
    }
}

#[test]
fn a_missing_docker_is_found_before_anything_is_minted() {
    for provider in Provider::ALL {
        let world = world();
        fs::remove_file(world.path("bin/docker")).unwrap();
        // What lies in the workspace, or in a directory that PATH names by a relative path, is not docker.
        world.program("../work/docker", "#!/bin/sh\necho planted > planted\n");
        let path = format!(":.:{}:{}", world.path("work").display(), world.path("bin").display());
        let run = job(&world, "login", provider).env("PATH", path);
        let before = world.sandbox.live();
        let outcome = run.run().code(6);
        let hint = "hint: install it, or give `--client none`: hublease then writes the auth file itself\n";
        let skipped = format!(
            "  because: {} was skipped: what was checked out, and may be anybody's, does not decide who gets a credential\n",
            world.path("work/docker").display()
        );
        assert_eq!(outcome.stderr, format!("error: no docker program on PATH\n{skipped}{hint}"), "{provider:?}");
        assert_eq!((outcome.stdout.as_str(), outcome.requests.len()), ("", 0));
        assert!(!world.path("work/planted").exists());
        assert!(!world.config().exists());
        leaves_nothing(&world, &before);
    }
}

/// What docker's file may hold that nobody can change without losing something.
const MALFORMED: [&[u8]; 9] = [
    b"{",
    b"{\"auths\": {},} trailing",
    b"{\"auths\": {}, \"auths\": {\"ghcr.io\": {\"auth\": 1}}}",
    b"[]",
    b"nul",
    b"{\"auths\": []}",
    b"{\"auths\": {\"ghcr.io\": \"text\"}}",
    b"{\"credHelpers\": {\"ghcr.io\": 1}}",
    b"\xff\xfe{\"auths\": {}}",
];

#[test]
fn a_malformed_file_is_refused_and_left_byte_for_byte() {
    for content in MALFORMED {
        let world = world();
        world.write_config("");
        fs::write(world.config(), content).unwrap();
        let before = world.sandbox.live();
        let outcome = login(&world).run().code(6);
        let shown = text(content);
        let hint = "hint: repair or remove the file, or give `--isolated`\n";
        assert_eq!(
            outcome.stderr,
            format!("error: docker's config.json is not valid JSON, and is left as it is\n{hint}"),
            "{shown}"
        );
        assert_eq!(outcome.requests.len(), 0, "{shown}");
        assert_eq!(fs::read(world.config()).unwrap(), content, "{shown}");
        assert_eq!(world.children(), ["[docker] [--version]"]);
        leaves_nothing(&world, &before);
    }
}

#[test]
fn beside_a_malformed_file_a_private_login_works_as_the_hint_says() {
    for content in MALFORMED {
        let world = world();
        world.write_config("");
        fs::write(world.config(), content).unwrap();
        let before = world.sandbox.live();
        login(&world).arg("--isolated").run().code(0);
        logs_out(&world, &before);
        assert_eq!(fs::read(world.config()).unwrap(), content, "{}", text(content));
    }
}

#[test]
fn a_file_that_breaks_after_the_login_does_not_keep_the_lease_alive() {
    for in_ci in [true, false] {
        let world = world();
        let before = world.sandbox.live();
        let run = |job: Job<'_>| if in_ci { job.run() } else { job.without("CIRCLE_WORKFLOW_JOB_ID").run() };
        run(login(&world)).code(0);
        fs::write(world.config(), "{").unwrap();
        let warning = "docker is not logged out, because docker's config.json is not valid JSON, and is left as it is";
        run(logout(&world)).code(0).says("revoked and confirmed").says(warning);
        assert_eq!(world.sandbox.live(), before);
        assert_eq!(fs::read(world.config()).unwrap(), b"{");
        children_are_clean(&world);
    }
}

#[test]
fn docker_itself_prefers_the_variable_or_does_not_know_it() {
    // Up to 28.2 docker does not know the variable; later ones prefer it. Either way `docker login` succeeds and says little.
    let world = world();
    log_in_by_hand(&world, "acmebot");
    let value = format!(r#"{{"auths":{{"https://index.docker.io/v1/":{{"auth":"{}"}}}}}}"#, auth("acmebot", "wrong"));
    let seen = docker_with(&world, &["manifest", "inspect", "acme/app:latest"], "", &[("DOCKER_AUTH_CONFIG", &value)]);
    let version = crate::client::docker_traps::version(&world);
    let prefers = version >= (28, 3);
    assert_eq!(seen.status.success(), !prefers, "{version:?}: {}", text(&seen.stderr));
}
