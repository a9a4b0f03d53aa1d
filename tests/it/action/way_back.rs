//! The post step goes by what its main step has left: by no input, and by no variable that another step has set since.

use std::fs;

use hublease_sandbox::{Action, Fault, Service};

use super::runner::{Step, WAY_BACK};
use crate::action::REVOKED;
use crate::support::World;
use crate::support::driven::leased;
use crate::support::job::Provider;

const ALICE: &str = r#"{"auths":{"https://index.docker.io/v1/":{"auth":"YWxpY2U6YS1wYXNzd29yZC1vZi1hbGljZQ=="}}}"#;

/// What the row is about, and what has happened to the step since.
type Row = (&'static str, for<'w> fn(&World, Step<'w>) -> Step<'w>);

const ROWS: &[Row] = &[
    ("nothing", |_, step| step),
    // actions/runner issues 2030 and 3514.
    ("the inputs of a composite action around it", |_, step| bare(step).input("image", "acme/app").input("tag", "1")),
    ("no inputs", |_, step| bare(step)),
    ("inputs of another provider", |_, step| bare(step).input("broker-url", "https://broker.example.com")),
    ("an address that cannot be used", |_, step| step.input("vault-addr", "ftp://x")),
    ("an input without a value", |_, step| step.input("vault-addr", "")),
    ("an input that is no boolean", |_, step| step.input("strict-revoke", "perhaps")),
    ("another provider by variable", |_, step| step.env("HUBLEASE_BROKER_URL", "https://broker.example.com")),
    ("a misspelled variable of ours", |_, step| step.env("HUBLEASE_BROKER_ULR", "x")),
    ("another Vault, for a later step", |_, step| step.env("VAULT_ADDR", "https://vault.example.com")),
    ("a namespace, for a later step", |_, step| step.env("VAULT_NAMESPACE", "team")),
    ("a file of certificates, for a later step", |_, step| step.env("VAULT_CACERT", "/no/such/file")),
    // As Azure/docker-login exports it.
    ("another docker directory", |world, step| {
        let elsewhere = world.path("spare/azure");
        fs::create_dir_all(&elsewhere).unwrap();
        step.env("DOCKER_CONFIG", elsewhere.display().to_string())
    }),
    ("no home", |_, step| step.without("HOME")),
    ("another home", |world, step| step.env("HOME", world.path("spare").display().to_string())),
    ("no identity", |_, step| step.without("ACTIONS_ID_TOKEN_REQUEST_TOKEN").without("ACTIONS_ID_TOKEN_REQUEST_URL")),
    ("another job's name", |_, step| step.env("GITHUB_RUN_ID", "77").env("GITHUB_JOB", "other")),
    ("a login that would win", |_, step| step.env("DOCKER_AUTH_CONFIG", "{\"auths\":{}}")),
];

/// What is in docker's file; docker writes it in a form of its own.
fn alice() -> serde_json::Value {
    serde_json::from_str(ALICE).unwrap()
}

/// A step with none of its inputs.
fn bare(step: Step<'_>) -> Step<'_> {
    ["vault-addr", "vault-path", "vault-role", "vault-auth-path"].into_iter().fold(step, Step::without_input)
}

#[test]
fn whatever_a_post_step_is_given_it_undoes_the_login() {
    let world = World::new();
    for (what, since) in ROWS {
        world.write_config(ALICE);
        let step = Step::new(&world, Provider::Vault);
        let main = step.main().code(0);
        assert_ne!(world.read_config(), alice(), "{what}");
        let post = since(&world, step).post(&main);
        assert_eq!(
            (post.code, post.shown()),
            (0, format!("docker.io: the earlier login is back\n{REVOKED}\n")),
            "{what}"
        );
        assert_eq!(world.read_config(), alice(), "{what}");
        assert_eq!(leased(&world), Vec::<String>::new(), "{what}");
    }
}

/// A failed revocation is a failure where the login said so, whatever the post step is told.
#[test]
fn how_strictly_is_said_by_the_login() {
    for (main, post, code) in [("true", "", 7), ("true", "false", 7), ("", "true", 0), ("false", "true", 0)] {
        let world = World::new();
        let login = Step::new(&world, Provider::Broker).input("strict-revoke", main).main().code(0);
        world.sandbox.fault(Fault::on(Service::Forwarded, "/oauth/revoke").then(Action::status(400)).always());
        let step = Step::new(&world, Provider::Broker).input("strict-revoke", post);
        step.post(&login).code(code).says("not revoked, lives until");
        assert!(!world.has_login());
    }
}

/// The certificates travel, unless they are a whole system's; then their file is read again, and docker is logged out all the
/// same if that is gone.
#[test]
fn certificates_that_went_away_keep_nothing_from_being_undone() {
    let world = World::new();
    let file = world.path("work/ca.pem");
    let text = world.sandbox.ca_pem().to_owned();
    let block = &text[text.find("-----BEGIN").unwrap()..];
    let bundle = block.repeat(32_000 / block.len() + 1);
    for (content, travels) in [(text.clone(), true), (bundle, false)] {
        for gone in [false, true] {
            fs::write(&file, &content).unwrap();
            let step = Step::new(&world, Provider::Vault).input("ca-cert", file.display().to_string());
            let main = step.main().code(0);
            assert_eq!(main.state["certificates"].is_empty(), !travels);
            if gone {
                fs::remove_file(&file).unwrap();
            }
            let post = step.post(&main).code(0).says(REVOKED);
            let warns =
                post.shown().contains("::warning::the certificates of `ca-cert` cannot be used%0A  because: no such");
            assert_eq!((warns, world.has_login()), (gone && !travels, false), "{}", post.shown());
        }
    }
}

/// A state that is cut leaves nobody to ask; docker is logged out all the same.
#[test]
fn a_way_back_that_cannot_be_read_is_nobody() {
    let world = World::new();
    for way_back in ["", "{", "{\"strict\":true", "null", "{\"revoker\":{\"vault\":{\"address\":\"ftp://x\"}}}"] {
        let step = Step::new(&world, Provider::Vault);
        let main = step.main().code(0);
        let mut state = main.state.clone();
        state.insert(WAY_BACK.to_owned(), way_back.to_owned());
        let post = step.start_post(&state).wait().code(0);
        assert!(
            post.shown().contains("this logout was not told the address of the vault provider"),
            "{}",
            post.shown()
        );
        assert!(post.requests.is_empty() && !world.has_login(), "{way_back}");
        step.post(&main).code(0).says_only(REVOKED);
    }
}
