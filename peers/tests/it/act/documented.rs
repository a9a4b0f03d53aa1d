//! Every workflow of docs/github-actions.md, as it stands there, with a Docker Engine and a registry.

use std::fs;

use hublease_peers::docker_engine::{DockerEngine, Door, own_command_line, static_program};
use hublease_sandbox::vault::{DockerHubAccount, Generation, Role};
use hublease_sandbox::{ACCOUNT, Connection, PASSWORD, Sandbox};

use super::runner::Runner;
use crate::support::broker::Broker;
use crate::support::lease::hub_with_a_registry;
use crate::support::page::blocks;

/// What a workflow is known by, and what it says at the decisive moments.
struct Example {
    holds: &'static str,
    says: &'static [&'static str],
}

const REVOKED: &str = ": revoked and confirmed";
/// The plugin that docs/vault.md tells of deletes the token, and calls that a failure.
const DELETED: &str = "failed to delete auth token 204";
const PUSHED: &str = "digest: sha256:";

const EXAMPLES: &[Example] = &[
    Example { holds: "connection-id: ", says: &["as acme by docker", PUSHED, "the credential of acme:"] },
    Example { holds: "          scope: repository:acme/app:pull,push", says: &["as acme by broker", PUSHED, REVOKED] },
    Example { holds: "vault-path: ", says: &["as acmebot by vault", PUSHED, DELETED] },
    Example {
        holds: "provider: static",
        says: &["as acmebot by static", PUSHED, "not a lease, lives on at its owner"],
    },
    // In act's job the event is the one that the runner was told of.
    Example { holds: "mode: whoami", says: &["identity: GitHub Actions", "aud: https://broker.example.com"] },
    Example { holds: "run: hublease exec -- docker push", says: &[PUSHED, REVOKED, "nothing to undo here"] },
    Example { holds: "      - run: hublease login\n", says: &["as acme by broker", PUSHED, REVOKED] },
];

/// Those that cannot run here, and why.
const NOT_HERE: &[(&str, &str)] =
    &[("docker/setup-buildx-action", "actions of others come from GitHub alone, which cannot be reached here")];

/// The complete workflows of the page.
fn workflows() -> Vec<String> {
    blocks("github-actions.md", "yaml").into_iter().filter(|block| block.contains("\njobs:\n")).collect()
}

#[test]
fn every_workflow_is_known_here() {
    for workflow in workflows() {
        let known = EXAMPLES.iter().filter(|example| workflow.contains(example.holds)).count();
        let not_here = NOT_HERE.iter().filter(|(holds, _)| workflow.contains(holds)).count();
        assert_eq!(known + not_here, 1, "{workflow}");
    }
    for holds in EXAMPLES.iter().map(|example| example.holds).chain(NOT_HERE.iter().map(|(holds, _)| *holds)) {
        assert!(workflows().iter().any(|workflow| workflow.contains(holds)), "{holds}");
    }
}

#[test]
fn each_logs_in_pushes_and_cleans_up() {
    let (sandbox, _registry) = hub_with_a_registry();
    let engine = DockerEngine::start(&sandbox.environment(), Door::Socket);
    let broker = Broker::start(&sandbox, "https://broker.example.com", |configuration| configuration);
    sandbox.forward("broker.example.com", broker.address());
    as_the_page_assumes(&sandbox);
    let (secret, _) = sandbox.hub().personal_token(ACCOUNT, "kept by GitHub", &["repo:write"], None);
    for example in EXAMPLES {
        let workflow = workflows().into_iter().find(|workflow| workflow.contains(example.holds)).unwrap();
        let mut runner = Runner::new(&sandbox);
        runner.bring("docker", &own_command_line());
        runner.set("DOCKER_HOST", engine.host());
        runner.put("Dockerfile", "FROM scratch\nCOPY program /program\n");
        runner.put_file("program", &static_program());
        runner.secret("DOCKERHUB_TOKEN", &secret);
        let outcome = example.says.iter().fold(runner.run(&workflow).code(0), |outcome, text| outcome.says(text));
        assert!(!outcome.said("Failure"), "{}", outcome.stdout);
        let file = fs::read_to_string(runner.home().join(".docker/config.json")).unwrap_or_default();
        assert!(!file.contains("\"auth\""), "{file}");
        assert_eq!(runner.unexpected(), [""; 0]);
    }
    for (holds, why) in NOT_HERE {
        hublease_peers::report(&format!("not run: the workflow with {holds}: {why}"));
    }
    let left = sandbox.live().into_iter().filter(|live| live.kind.ends_with("access token")).count();
    assert_eq!(left, 1, "the static one");
}

/// The connection, the plugin and the role that the page names.
fn as_the_page_assumes(sandbox: &Sandbox) {
    let vault = sandbox.vault();
    vault.enable_docker_hub("dockerhub", Generation::Head);
    let account = DockerHubAccount { password: PASSWORD.to_owned(), allowed: vec!["write".to_owned()] };
    assert!(vault.write_docker_hub_account("dockerhub", ACCOUNT, account));
    sandbox.docker_identity().set_connection(Connection {
        id: "11111111-2222-4333-8444-555555555555".to_owned(),
        organization: "acme".to_owned(),
        subjects: vec!["repo:acme/app:*".to_owned()],
        repositories: vec![("acme/app".to_owned(), vec!["scope-image-push".to_owned()])],
        active: true,
    });
    let role = Role {
        bound_audiences: vec!["https://vault.example.com".to_owned()],
        user_claim: "repository".to_owned(),
        token_policies: vec!["dockerhub".to_owned()],
        token_ttl: 600,
        ..Role::default()
    };
    assert!(vault.write_role("auth/jwt-github", "push-app", role));
}
