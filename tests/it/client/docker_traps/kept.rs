//! What a client says that it did, and what it keeps: a login is read back where the client looks for it.

use crate::client::docker_traps::helpers::{Helper, holds, plant};
use crate::client::docker_traps::{HUB, entry_of, job, leaves_nothing, login, logout, logs_out, world};
use crate::support::World;
use crate::support::job::Provider;
use crate::support::machine::which;

/// A program in the place of docker that says it logged in. `$user`, `$secret`, `$server` and `$file` are what it was given.
fn plant_docker(world: &World, login: &str) {
    let [cat, base64, mkdir] = ["cat", "base64", "mkdir"].map(|name| which(name).unwrap().display().to_string());
    let script = format!(
        r#"#!/bin/sh
test "$1" = --version && {{ echo 'Docker version 28.2.2, build e6534b4'; exit 0; }}
test "$1" = login || exit 0
user=$3; server=$5; secret=$({cat}); file=$DOCKER_CONFIG/config.json
{mkdir} -p "$DOCKER_CONFIG"
entry() {{ printf '{{"auths":{{"%s":{{"auth":"%s"}}}}}}' "$1" "$(printf '%s:%s' "$2" "$3" | {base64} -w 0)"; }}
{login}
"#
    );
    world.program("docker", &script);
}

/// A person's login, `alice:password`.
const EARLIER: &str = r#"{"auths":{"https://index.docker.io/v1/":{"auth":"YWxpY2U6cGFzc3dvcmQ="}}}"#;

/// Each of these says that it logged in, exit code 0.
#[test]
fn a_login_that_is_not_kept_is_a_failure_that_revokes() {
    for (what, script, cause) in [
        ("keeps nothing", "true", "another one"),
        (
            "keeps it for another registry",
            r#"entry quay.io "$user" "$secret" > "$file""#,
            "docker's file does not hold it",
        ),
        (
            "keeps it under another key",
            r#"entry docker.io "$user" "$secret" > "$file""#,
            "docker's file does not hold it",
        ),
        ("keeps it for somebody else", r#"entry https://index.docker.io/v1/ alice "$secret" > "$file""#, "another one"),
        ("cuts the secret", r#"entry https://index.docker.io/v1/ "$user" "${secret%?}" > "$file""#, "another one"),
        ("keeps no secret", r#"entry https://index.docker.io/v1/ "$user" '' > "$file""#, "another one"),
        (
            "keeps an empty entry",
            r#"echo '{"auths":{"https://index.docker.io/v1/":{}}}' > "$file""#,
            "does not hold it",
        ),
        (
            "keeps it in the home directory",
            r#"entry https://index.docker.io/v1/ "$user" "$secret" > "$HOME/config.json""#,
            "another one",
        ),
    ] {
        let world = world();
        plant_docker(&world, script);
        let before = world.sandbox.live();
        world.write_config(EARLIER);
        login(&world)
            .run()
            .code(6)
            .says("error: the client said that it logged in to docker.io, and does not keep the login\n")
            .says(cause)
            .says("the credential of acmebot: revoked and confirmed\n");
        assert_eq!(entry_of(&world.read_config()), entry_of(&serde_json::from_str(EARLIER).unwrap()), "{what}");
        assert_eq!(world.sandbox.live(), before, "{what}");
        assert_eq!(world.record_files(), Vec::<std::path::PathBuf>::new(), "{what}");
    }
}

#[test]
fn what_a_client_warns_of_when_it_succeeds_is_passed_on() {
    let keeps = r#"entry https://index.docker.io/v1/ "$user" "$secret" > "$file""#;
    let dropped = "WARNING: Error loading config file: config.json: illegal base64 data at input byte 4";
    for (warning, is_shown) in [
        (format!("echo '{dropped}' >&2"), true),
        (
            "echo 'WARNING! Your password will be stored unencrypted in /home/ci/.docker/config.json.' >&2".to_owned(),
            false,
        ),
        // It repeats the credential.
        (r#"echo "WARNING: plugin saw $secret" >&2"#.to_owned(), false),
    ] {
        let world = world();
        plant_docker(&world, &format!("{keeps}\n{warning}"));
        let outcome = login(&world).run().code(0);
        let said = format!("warning: `docker login` succeeded, and it says: {dropped}\n");
        if is_shown {
            outcome.says(&said)
        } else {
            outcome.does_not_say("it says")
        };
    }
}

/// Who forgets, alters or withholds what it was given.
#[test]
fn a_helper_that_does_not_give_the_login_back_ends_the_login_and_the_lease() {
    for (helper, cause, holds_it) in [
        (Helper::Forgets, "the credential helper `fake` does not give it", false),
        (Helper::Alters, "the credential helper `fake` gives another one", false),
        (Helper::CannotGet, "the credential helper `fake` does not give it", false),
        (Helper::Works, "", true),
    ] {
        for config in [r#"{"credsStore":"fake"}"#, r#"{"credHelpers":{"https://index.docker.io/v1/":"fake"}}"#] {
            let world = world();
            plant(&world, "fake", helper);
            world.write_config(config);
            let before = world.sandbox.live();
            if holds_it {
                login(&world).run().code(0);
                assert_eq!(holds(&world), [(HUB.to_owned(), "acmebot".to_owned())]);
                logs_out(&world, &before);
            } else {
                login(&world)
                    .run()
                    .code(6)
                    .says("error: the client said that it logged in to docker.io, and does not keep the login\n")
                    .says(&format!("because: {cause}\n"))
                    .says("the credential of acmebot: revoked and confirmed\n");
                leaves_nothing(&world, &before);
            }
            assert_eq!(holds(&world), [], "{helper:?} {config}");
        }
    }
}

/// docker takes blanks away from both ends of a password: the login in its file is another text than what it was given, and
/// still ours.
#[test]
fn a_secret_with_blanks_at_its_ends_is_logged_out_again_and_the_earlier_login_is_back() {
    for secret in [" dckr_pat_with_a_blank", "dckr_pat_with_a_blank ", "  dckr_pat_with_a_blank   "] {
        for earlier in [r#"{"auths":{}}"#, EARLIER] {
            let world = world();
            let sed = which("sed").unwrap();
            let trimmed = format!("secret=$(printf '%s' \"$secret\" | {} 's/^ *//; s/ *$//')", sed.display());
            plant_docker(
                &world,
                &format!("{trimmed}\nentry https://index.docker.io/v1/ \"$user\" \"$secret\" > \"$file\""),
            );
            world.write_config(earlier);
            let run =
                world.job("login").env("HUB_TOKEN", secret).args(&["--provider", "static", "--username", "acmebot"]);
            run.args(&["--secret-env", "HUB_TOKEN"]).run().code(0);
            let (name, kept) = entry_of(&world.read_config()).unwrap();
            assert_eq!((name.as_str(), kept.as_str()), ("acmebot", "dckr_pat_with_a_blank"));
            world.job("logout").args(&["--provider", "static"]).run().code(0);
            assert_eq!(entry_of(&world.read_config()), entry_of(&serde_json::from_str(earlier).unwrap()), "{secret:?}");
        }
    }
}

/// podman-docker, a link, a wrapper of somebody's own: the login is podman's.
#[test]
fn podman_under_dockers_name_is_recognised_and_asked_for_docker_io() {
    let [cat, base64, rm] = ["cat", "base64", "rm"].map(|name| which(name).unwrap().display().to_string());
    // Like podman, it asks the first registry of registries.conf if none is named.
    let podman = format!(
        r#"#!/bin/sh
case "$1" in
--version) echo 'podman version 4.3.1' ;;
login) secret=$({cat}); printf '{{"auths":{{"%s":{{"auth":"%s"}}}}}}' "${{5-quay.io}}" "$(printf '%s:%s' "$3" "$secret" | {base64} -w 0)" > "$REGISTRY_AUTH_FILE" ;;
logout) test "$2" = docker.io && {rm} "$REGISTRY_AUTH_FILE" ;;
esac
"#
    );
    for docker in [
        "#!/bin/sh\necho 'Emulate Docker CLI using podman. Create /etc/containers/nodocker to quiet msg.' >&2\nexec podman \"$@\"\n",
        "#!/bin/sh\nexec podman \"$@\"\n",
    ] {
        let world = world();
        world.program("podman", &podman);
        world.program("docker", docker);
        let file = world.path("spare/auth.json");
        let run = |command: &str| {
            let job = job(&world, command, Provider::Vault);
            job.env("REGISTRY_AUTH_FILE", file.display().to_string())
        };
        let before = world.sandbox.live();
        run("login").arg("-v").run().code(0).says("`docker` is podman here: the login is made and kept as podman's\n");
        let config: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        assert_eq!(config["auths"].as_object().unwrap().keys().collect::<Vec<_>>(), ["docker.io"]);
        assert!(!world.config().exists(), "docker's own file is nobody's here");
        run("logout").run().code(0).says("the credential of acmebot: revoked and confirmed\n");
        assert!(!file.exists());
        assert_eq!(world.sandbox.live(), before);
    }
}

#[test]
fn podman_under_dockers_name_without_podman_is_refused_before_anything_is_minted() {
    let world = world();
    world.program("docker", "#!/bin/sh\necho 'podman version 4.3.1'\n");
    let outcome = login(&world).run().code(6).says("error: no podman program on PATH\n");
    assert!(outcome.requests.is_empty());
    logout(&world).run().code(0).says("nothing to undo here");
}
