//! What goes wrong in a job that uses the orb: which step fails with which code, what it says, and that nothing is alive
//! afterwards.

mod table;

use std::fs;

use hublease_sandbox::{Action, Fault, Service};

use crate::client::docker_traps::disk::{READ_ONLY, namespace};
use crate::orb::around::{Given, config, ready};
use crate::orb::machine::Image;
use crate::orb::workflow::Status;
use crate::support::machine::executable;
use crate::support::{World, binary};

const BROKER: &str = "environment: {HUBLEASE_BROKER_URL: https://broker.example.com}";
const NEEDS: [&str; 2] = ["docker-registry", "skopeo"];

const INSTALL: &str = "Install hublease";
const LOGIN: &str = "Log in to Docker Hub";
const LOGOUT: &str = "Log out of Docker Hub and revoke";
const PUSH: &str = "push";

/// The usual job.
const STEPS: &str = "
- dockerhub/login
- run: {name: push, command: docker push acme/app:1}
- dockerhub/logout
";

fn refuse(world: &World, service: Service, path: &str, status: u16) {
    world.sandbox.fault(Fault::on(service, path).then(Action::status(status)).always());
}

/// A CLI of CircleCI for laptops, which hides the program of the job.
fn hide_circleci(world: &World) {
    world.program("circleci", "#!/bin/sh\necho 'Error: unknown command \"oidc\" for \"circleci run\"' >&2\nexit 1\n");
}

/// What is said then.
const HIDDEN: &[&str] = &[
    "error: `circleci run oidc get` gave no identity token\n",
    "hint: another program named `circleci` (the CLI, for instance) may come first on PATH and hide the one of the job\n",
];

#[test]
fn a_stored_token_that_is_not_there_is_said() {
    if !ready(&NEEDS) {
        return;
    }
    let world = World::new();
    let steps = "- dockerhub/login: {provider: static, username: acmebot, secret_env: NOT_SET}\n- dockerhub/logout";
    let played = Given::usual(&world).play_one(&config("", steps));
    assert_eq!(played.codes(), [(INSTALL, 0), (LOGIN, 2), (LOGOUT, 0)], "{played:#?}");
    played.step(LOGIN).says(
        "error: the value of `--secret-env` cannot be used\n  because: the variable that it names is unset or empty\n",
    );
}

/// A credential that could not be revoked lives until its end, and the job is told; it is red only if it wants to be.
#[test]
fn a_failed_logout_is_said_and_fails_the_job_only_if_asked() {
    if !ready(&NEEDS) {
        return;
    }
    for (strict, code) in [(false, 0), (true, 7)] {
        let world = World::new();
        let before = world.sandbox.live();
        let steps = format!("- dockerhub/login\n- dockerhub/logout: {{strict_revoke: {strict}}}");
        let prepare = |world: &World| refuse(world, Service::Forwarded, "/oauth/revoke", 400);
        let played = Given { world: &world, image: Image::Bash, prepare: &prepare }.play_one(&config(BROKER, &steps));
        played.step(LOGOUT).code(code).says("not revoked, lives until ");
        assert!(!world.has_login());
        world.sandbox.advance(900);
        assert_eq!(world.sandbox.live(), before);
    }
}

#[test]
fn a_login_that_is_repeated_leaves_one_lease_and_logout_ends_it() {
    if !ready(&NEEDS) {
        return;
    }
    let world = World::new();
    let before = world.sandbox.live().len();
    // The second step as CircleCI repeats one: all of it, after it failed at its end.
    let again = "
- dockerhub/login
- run:
    name: again
    max_auto_reruns: 2
    command: hublease login && curl --silent --output live \"$CONTROL/control/live\" && mkdir once 2> /dev/null && exit 1 || [ -s live ]
- dockerhub/logout
";
    let control = world.sandbox.control_url();
    let variables = [("CONTROL", control.as_str()), ("NO_PROXY", "127.0.0.1")];
    let played = Given::usual(&world).play(&config(BROKER, again), &variables, Vec::new()).remove(0);
    assert_eq!(played.codes(), [(INSTALL, 0), (LOGIN, 0), ("again", 1), ("again", 0), (LOGOUT, 0)], "{played:#?}");
    let live: serde_json::Value =
        serde_json::from_slice(&fs::read(world.home().join("project/live")).unwrap()).unwrap();
    assert_eq!(live.as_array().unwrap().len(), before + 1, "{live}");
    assert_eq!(world.sandbox.live().len(), before);
}

#[test]
fn a_workflow_that_is_rerun_logs_in_as_another_job() {
    if !ready(&NEEDS) {
        return;
    }
    let world = World::new();
    let before = world.sandbox.live();
    let steps = "
- dockerhub/login
- run: {name: push, command: '[ \"$CIRCLE_WORKFLOW_JOB_ID\" != \"$FIRST\" ] && docker push acme/app:1'}
- dockerhub/logout
";
    let mut config = config(BROKER, steps);
    config["workflows"]["main"]["max_auto_reruns"] = 2.into();
    let first = format!("61c273e5-80ad-4351-9f93-{:012}", 0);
    let played = Given::usual(&world).play(&config, &[("FIRST", first.as_str())], Vec::new());
    let ends: Vec<_> = played.iter().map(|played| played.status).collect();
    assert_eq!(ends, [Status::Failed, Status::Success], "{played:#?}");
    for job in &played {
        job.step(LOGOUT).says("revoked and confirmed\n");
    }
    assert_eq!(world.sandbox.live(), before);
}

/// Old CircleCI gave no token without a context, and a fork gets none.
#[test]
fn without_tokens_in_the_environment_the_job_asks_for_one_and_without_that_it_says_so() {
    if !ready(&NEEDS) {
        return;
    }
    let variables = [("CIRCLE_OIDC_TOKEN", ""), ("CIRCLE_OIDC_TOKEN_V2", "")];
    for (prepare, codes) in [
        (&(|_: &World| {}) as &(dyn Fn(&World) + Sync), &[(INSTALL, 0), (LOGIN, 0), (PUSH, 0), (LOGOUT, 0)][..]),
        (&hide_circleci, &[(INSTALL, 0), (LOGIN, 3), (LOGOUT, 0)]),
    ] {
        let world = World::new();
        let before = world.sandbox.live();
        let given = Given { world: &world, image: Image::Bash, prepare };
        let played = given.play(&config(BROKER, STEPS), &variables, Vec::new()).remove(0);
        assert_eq!(played.codes(), codes, "{played:#?}");
        if played.status == Status::Failed {
            let login = played.step(LOGIN).says("error: CircleCI gave this job no identity token\n");
            login.says("hint: builds of forks get one only if the project passes secrets to them");
        }
        assert_eq!(world.sandbox.live(), before);
    }
}

#[test]
fn a_home_that_cannot_be_written_fails_the_login_with_a_way_out_that_works() {
    if !ready(&NEEDS) {
        return;
    }
    for (isolated, code) in [(false, 6), (true, 0)] {
        let world = World::new();
        let before = world.sandbox.live();
        fs::create_dir(world.home().join("project")).unwrap();
        let Some(under) = namespace(READ_ONLY, &[&world.home().display().to_string()]) else { return };
        let steps = format!(
            "- dockerhub/login: {{install_dir: $TMPDIR/bin, isolated: {isolated}}}\n- dockerhub/logout: {{install_dir: $TMPDIR/bin}}"
        );
        let played = Given::usual(&world).play(&config(BROKER, &steps), &[], under).remove(0);
        assert_eq!(played.codes(), [(INSTALL, 0), (LOGIN, code), (LOGOUT, 0)], "{played:#?}");
        if code != 0 {
            played.step(LOGIN).says("hint: give `--isolated`");
        }
        assert_eq!(world.sandbox.live(), before);
    }
}

/// `circleci env subst` takes what begins with `-` for a flag of its own.
#[test]
fn a_value_may_begin_with_a_dash_and_hold_a_variable() {
    if !ready(&NEEDS) {
        return;
    }
    let world = World::new();
    let steps = "- dockerhub/login: {vault_namespace: -$TEAM}\n- dockerhub/logout";
    let played = Given::usual(&world).play(&config(BROKER, steps), &[("TEAM", "team")], Vec::new()).remove(0);
    let login = played.step(LOGIN).says("error: ");
    assert!(!login.output.contains("cannot be filled in"), "{}", login.output);
    login.says("vault-namespace");
}

/// The search after each job looks into the traces, too.
#[test]
fn a_shell_that_traces_and_a_client_that_tells_its_arguments_tell_no_secret() {
    if !ready(&NEEDS) {
        return;
    }
    let world = World::new();
    let token = world.static_token();
    let prepare = |world: &World| {
        let (trace, real) = (world.path("children.log"), binary("HUBLEASE_STATIC"));
        let script = format!(
            "#!/bin/sh\n{{ printf 'argv:'; printf ' [%s]' \"$0\" \"$@\"; printf '\\n'; }} >> '{}'\nexec '{}' \"$@\"\n",
            trace.display(),
            real.display()
        );
        executable(&world.path("bin/hublease"), &script);
    };
    let steps = "
- dockerhub/with_login:
    install: false
    provider: static
    username: acmebot
    secret_env: STORED
    isolated: true
    steps:
      - run: {name: push, command: docker push acme/app:1}
";
    let given = Given { world: &world, image: Image::Bash, prepare: &prepare };
    let config = config("shell: bash -xeo pipefail", steps);
    let played = given.play(&config, &[("STORED", token.as_str())], Vec::new()).remove(0);
    assert_eq!(played.codes(), [(LOGIN, 0), (PUSH, 0), (LOGOUT, 0)], "{played:#?}");
    played.step(PUSH).says("+ docker push acme/app:1\n");
    let children = world.children();
    assert!(children.iter().any(|words| words.starts_with("[hublease] [login] ")), "{children:#?}");
    // What later steps learn is where, not what.
    let learnt = fs::read_to_string(world.path("tmp/bash_env")).unwrap();
    let is_known = |line: &str| line.starts_with("export DOCKER_CONFIG=") || line.starts_with("unset DOCKER_CONFIG");
    assert!(!learnt.is_empty() && learnt.lines().all(is_known), "{learnt}");
}
