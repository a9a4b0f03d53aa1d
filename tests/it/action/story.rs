//! A step and its post step, from the first mask to the last line.

use std::collections::BTreeSet;
use std::fs;

use hublease_sandbox::{Hold, Service};

use super::finished::{Finished, handle, masks, pairs};
use super::runner::Step;
use crate::action::REVOKED;
use crate::support::World;
use crate::support::driven::leased;
use crate::support::job::Provider;

/// What a step prints, asks and runs, and the same of its post step.
struct Story {
    provider: Provider,
    prints: &'static [&'static str],
    asks: &'static [&'static str],
    login: &'static str,
    post_prints: &'static [&'static str],
    post_asks: &'static [&'static str],
}

const IDENTITY: &str = "GET /sandbox/_apis/distributedtask/hubs/Actions/plans/1/jobs/1/idtoken";
const METADATA: &str = "GET /.well-known/oauth-authorization-server";
/// Docker's own, at every login.
const DOCKER: [&str; 3] = ["GET /v2/", "GET /token", "GET /v2/"];

const STORIES: [Story; 4] = [
    Story {
        provider: Provider::Broker,
        prints: &[
            "::add-mask::<request token>",
            "::add-mask::<identity token>",
            "::debug::identity token of https://token.actions.githubusercontent.com for https://broker.example.com",
            "::add-mask::<organization access token>",
            "::add-mask::<handle>",
            "::add-mask::<record>",
            "::add-mask::<record>",
            "::add-mask::<docker's form of acme's organization access token>",
            "logged in to docker.io as acme by broker, until <end> (15 min); the post step revokes it",
        ],
        asks: &[METADATA, IDENTITY, "POST /oauth/token", DOCKER[0], DOCKER[1], DOCKER[2]],
        login: "[docker] [login] [--username] [acme] [--password-stdin] [docker.io]",
        post_prints: &["::add-mask::<handle>", "the credential of acme: revoked and confirmed"],
        post_asks: &[METADATA, "POST /oauth/revoke"],
    },
    Story {
        provider: Provider::Vault,
        prints: &[
            "::add-mask::<request token>",
            "::add-mask::<identity token>",
            "::debug::identity token of https://token.actions.githubusercontent.com for <address>",
            "::add-mask::<vault token>",
            "::add-mask::<record>",
            "::add-mask::<personal access token>",
            "::add-mask::<record>",
            "::add-mask::<record>",
            "::warning::the credential lives 5 min (until <end>), and a client reads it once, when it starts: put this step \
             right before the last one; the life is set at Vault, by the engine and the role",
            "::add-mask::<docker's form of acmebot's personal access token>",
            "logged in to docker.io as acmebot by vault, until <end> (5 min); the post step revokes it",
        ],
        asks: &[
            IDENTITY,
            "POST /v1/auth/jwt-github/login",
            "POST /v1/dockerhub/token/acmebot/write",
            DOCKER[0],
            DOCKER[1],
            DOCKER[2],
        ],
        login: "[docker] [login] [--username] [acmebot] [--password-stdin] [docker.io]",
        post_prints: &[
            "::add-mask::<vault token>",
            "the credential of acmebot: revoked and confirmed",
            "the Vault token: revoked and confirmed",
        ],
        post_asks: &["POST /v1/sys/leases/lookup", "POST /v1/sys/leases/revoke", "POST /v1/auth/token/revoke-self"],
    },
    Story {
        provider: Provider::Docker,
        prints: &[
            "::add-mask::<request token>",
            "::add-mask::<identity token>",
            "::debug::identity token of https://token.actions.githubusercontent.com for https://identity.docker.com",
            "::add-mask::<docker identity token>",
            "::add-mask::<record>",
            "::add-mask::<docker's form of acme's docker identity token>",
            "logged in to docker.io as acme by docker, until <end> (15 min); it cannot be revoked",
        ],
        asks: &[IDENTITY, "POST /oauth/token", DOCKER[0], DOCKER[1], DOCKER[2]],
        login: "[docker] [login] [--username] [acme] [--password-stdin] [docker.io]",
        post_prints: &["the credential of acme: cannot be revoked, dies at <end>"],
        post_asks: &[],
    },
    Story {
        provider: Provider::Static,
        prints: &[
            "::add-mask::<personal access token>",
            "::add-mask::<record>",
            "::add-mask::<docker's form of acmebot's personal access token>",
            "logged in to docker.io as acmebot by static, without a known end; it cannot be revoked",
        ],
        asks: &DOCKER,
        login: "[docker] [login] [--username] [acmebot] [--password-stdin] [docker.io]",
        post_prints: &["the credential of acmebot: not a lease, lives on at its owner"],
        post_asks: &[],
    },
];

/// Standard output with names in place of what is different each time.
fn snapshot(world: &World, finished: &Finished<'_>, main: &Finished<'_>) -> Vec<String> {
    let mut names = vec![(world.sandbox.vault_url(), "address".to_owned())];
    names
        .extend(main.output.get("expires-at").filter(|end| !end.is_empty()).map(|end| (end.clone(), "end".to_owned())));
    for (field, name) in [("token", "handle"), ("client_token", "vault token")] {
        names.extend(handle(&main.record(), field).map(|value| (value, name.to_owned())));
    }
    names.extend(world.named_secrets());
    let named = |line: &str| match line.strip_prefix("::add-mask::{\"version\":1,") {
        Some(_) => "::add-mask::<record>".to_owned(),
        None => names.iter().fold(line.to_owned(), |line, (value, name)| line.replace(value, &format!("<{name}>"))),
    };
    finished.stdout.lines().map(named).collect()
}

#[test]
fn what_a_step_and_its_post_step_print_ask_and_run() {
    for story in STORIES {
        let world = World::new();
        let before = world.sandbox.live().len();
        let step = Step::new(&world, story.provider);
        let is_static = usize::from(story.provider == Provider::Static);
        let main = step.main().code(0);
        assert_eq!(snapshot(&world, &main, &main), story.prints);
        assert_eq!(main.asked(), story.asks);
        // What the tests put in docker's place is a script, so it is asked who it is; a program of that name is not.
        assert_eq!(main.children, ["[docker] [--version]", story.login]);
        assert!(world.has_login());

        let post = step.post(&main).code(0);
        assert_eq!(snapshot(&world, &post, &main), story.post_prints);
        assert_eq!(post.asked(), story.post_asks);
        assert_eq!(post.children, ["[docker] [logout] [https://index.docker.io/v1/]"]);
        assert!(!world.has_login());
        if story.provider.revokes() {
            assert_eq!(world.sandbox.live().len(), before + is_static);
        }
        assert_eq!(world.sandbox.unexpected(), [""; 0]);
    }
}

#[test]
fn later_steps_learn_what_is_no_secret_and_the_summary_says_it_to_people() {
    let world = World::new();
    let step = Step::new(&world, Provider::Vault).input("registry", "docker.io\ndhi.io");
    let main = step.main().code(0);
    let end = main.output["expires-at"].clone();
    assert!(end.ends_with('Z') && end.len() == "2026-11-20T12:00:00Z".len(), "{end}");
    let names = ["docker-config", "expires-at", "registry", "revocable", "username"];
    let values = ["", &end, "docker.io dhi.io", "true", "acmebot"];
    assert!(main.output.iter().map(|(name, value)| (name.as_str(), value.as_str())).eq(names.into_iter().zip(values)));
    assert!(main.env.is_empty());
    // Every character that could mean something in Markdown is escaped.
    let end = end.replace('-', "\\-").replace(':', "\\:");
    let line = format!("logged in to docker\\.io and dhi\\.io as acmebot by vault\\, until {end} \\(5 min\\)");
    assert_eq!(main.summary, format!("hublease: {line}\\; the post step revokes it\n\n"));
    let post = step.post(&main).code(0);
    assert_eq!(
        post.summary,
        "hublease: the credential of acmebot\\: revoked and confirmed\n\nhublease: the Vault token\\: revoked and confirmed\n\n"
    );
    assert!(post.output.is_empty() && post.env.is_empty());
}

/// The log is the runner's to hide things in, and the state is what a killed step leaves: both come first.
#[test]
fn masks_and_state_come_before_docker_and_outputs_after_it() {
    for (provider, field) in [(Provider::Vault, "client_token"), (Provider::Broker, "token")] {
        let world = World::new();
        let latch = world.sandbox.latch(Hold::before(Service::RegistryAuth, "/token"));
        let running = Step::new(&world, provider).start_main();
        latch.reached().unwrap();
        let state = pairs(&running.file("GITHUB_STATE"));
        let record: serde_json::Value = serde_json::from_str(&state["record"]).unwrap();
        let handle = handle(&record, field).unwrap();
        let hidden = masks(&running.file("stdout"));
        let mut credentials =
            world.sandbox.secrets().into_iter().filter(|secret| secret.kind.ends_with("access token"));
        let credential = credentials.next_back().unwrap().value;
        assert!([&handle, &credential, &state["record"]].iter().all(|value| hidden.contains(value)));
        assert!(!state["record"].contains(&credential));
        assert_eq!(running.file("GITHUB_OUTPUT") + &running.file("GITHUB_STEP_SUMMARY"), "");
        assert!(!running.file("stdout").contains("logged in"));
        latch.release();
        assert_eq!(running.wait().code(0).output["username"], record_user(provider));
    }
}

fn record_user(provider: Provider) -> &'static str {
    if provider == Provider::Broker { "acme" } else { "acmebot" }
}

/// A Vault token can be revoked before anything was minted with it, so it is in the state by then.
#[test]
fn each_change_of_the_record_is_one_append_to_the_state() {
    let world = World::new();
    let latch = world.sandbox.latch(Hold::before(Service::Vault, "/v1/dockerhub/"));
    let running = Step::new(&world, Provider::Vault).start_main();
    latch.reached().unwrap();
    let first = running.file("GITHUB_STATE");
    assert!(pairs(&first)["record"].contains("\"lease_id\":null"));
    latch.release();
    let main = running.wait().code(0);
    assert!(handle(&main.record(), "lease_id").is_some());
    let ends: BTreeSet<_> = main.ends.iter().collect();
    // The way back, then three changes of the record; two keys each, and for each append a delimiter of its own.
    assert_eq!((main.ends.len(), ends.len()), (8, 4), "{:?}", main.ends);
    assert!(ends.iter().all(|end| end.len() == "hublease_".len() + 32), "{ends:?}");
}

#[test]
fn the_credential_is_an_output_only_if_it_was_asked_for() {
    let world = World::new();
    let step = Step::new(&world, Provider::Vault).input("expose-token", "true");
    let main = step.main().code(0);
    let credential = &main.output["token"];
    assert!(credential.starts_with("dckr_pat_") && main.masks().contains(credential));
    step.post(&main).code(0).says_only(REVOKED);
    let quiet = Step::new(&world, Provider::Vault).input("expose-token", "false");
    let main = quiet.main().code(0);
    assert!(!main.output.contains_key("token"));
    quiet.post(&main).code(0);
    assert_eq!(leased(&world), Vec::<String>::new());
}

/// What the runner set for the step stays with the step.
#[test]
fn a_child_gets_no_identity_and_no_input() {
    let world = World::new();
    let ambient = "hvs.CAESIAmbientTokenOfTheMachine0123456789";
    world.add_secret("the machine's Vault token", ambient);
    let step = Step::new(&world, Provider::Vault).env("VAULT_TOKEN", ambient).env("HUBLEASE_VERBOSE", "true");
    let step = step.env("NODE_OPTIONS", "--no-warnings").env("DOCKER_PASSWORD", "x").env("LD_BIND_NOW", "1");
    let main = step.main().code(0);
    step.post(&main).code(0);
    let names: BTreeSet<_> = world.child_variables().into_iter().collect();
    // The shell of the tracing wrapper adds its PWD.
    let expected = [
        "DOCKER_CONFIG",
        "DOCKER_HOST",
        "HOME",
        "HTTPS_PROXY",
        "PATH",
        "PWD",
        "SSL_CERT_DIR",
        "SSL_CERT_FILE",
        "TMPDIR",
    ];
    assert_eq!(names, expected.map(str::to_owned).into());
    let trace = fs::read_to_string(world.path("children.log")).unwrap();
    let bin = world.path("bin").display().to_string();
    assert!(
        trace.lines().filter_map(|line| line.strip_prefix("argv: ")).all(|line| line.starts_with(&format!("[{bin}/")))
    );
    assert!(
        trace.lines().filter(|line| line.starts_with("export PWD=")).all(|line| line == "export PWD='/'"),
        "{trace}"
    );
}

#[test]
fn a_dry_run_shows_the_plan_and_leaves_nothing() {
    let world = World::new();
    let before = world.asked_by_runs();
    let step = Step::new(&world, Provider::Vault).input("dry-run", "true");
    let main = step.main().code(0).says("provider: vault");
    assert!(main.state.is_empty() && main.output.is_empty() && main.children.is_empty());
    step.post(&main).code(0).says_only("nothing to undo here");
    assert_eq!(world.asked_by_runs(), before);
}
