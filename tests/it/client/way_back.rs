//! Each part of the way back stands alone: what keeps one from being done keeps none of the others.

use std::fs;

use hublease_sandbox::{Action, Fault, Service};
use serde_json::{Value, json};

use crate::action::runner::Step;
use crate::support::World;
use crate::support::driven::leased;
use crate::support::job::{Job, Provider};

const HUB: &str = "https://index.docker.io/v1/";
const ALICE: &str = r#"{"auths":{"https://index.docker.io/v1/":{"auth":"YWxpY2U6YS1wYXNzd29yZC1vZi1hbGljZQ=="}}}"#;

fn login(world: &World) -> Job<'_> {
    world.job("login").usual(Provider::Vault)
}

/// What the row is about, the logout, its exit code, what it says, and whether the credential is revoked.
type Row = (&'static str, for<'w> fn(&World, Job<'w>) -> Job<'w>, i32, &'static str, bool);

const ROWS: &[Row] = &[
    (
        "the certificates are gone",
        |world, job| vault(world, job).args(&["--ca-cert", "/no/such/file"]),
        2,
        "error: the certificates of `--ca-cert` cannot be used",
        true,
    ),
    (
        "the certificates of a variable are gone",
        |world, job| vault(world, job).env("VAULT_CACERT", "/no/such/file"),
        2,
        "error: the certificates of `VAULT_CACERT` cannot be used",
        true,
    ),
    ("an address that cannot be used", |_, job| job.args(&["--vault-addr", "ftp://x"]), 2, "`--vault-addr`", false),
    ("an address in a variable", |_, job| job.env("VAULT_ADDR", "vault.example.com:8200"), 2, "`VAULT_ADDR`", false),
    (
        "two providers by variables",
        |world, job| vault(world, job).env("HUBLEASE_BROKER_URL", "https://broker.example.com"),
        2,
        "more than one provider is selected",
        false,
    ),
    (
        "a wish that the provider cannot honour",
        |world, job| vault(world, job).args(&["--provider=broker", "--broker-url=https://b.example.com"]),
        2,
        "`--vault-addr`",
        false,
    ),
    ("no address", |_, job| job, 0, "this logout was not told the address of the vault provider", false),
    (
        "another docker directory",
        |world, job| vault(world, job).env("DOCKER_CONFIG", world.path("spare").display().to_string()),
        0,
        "the earlier login is back",
        true,
    ),
    ("no home", |world, job| vault(world, job).without("HOME"), 0, "the earlier login is back", true),
    ("no program", |world, job| vault(world, job).env("PATH", "/nonexistent"), 0, "the earlier login is back", true),
    ("a misspelled variable", |world, job| vault(world, job).env("HUBLEASE_BROKER_ULR", "x"), 0, "is back", true),
];

fn vault<'w>(world: &World, job: Job<'w>) -> Job<'w> {
    job.args(&["--vault-addr", &world.sandbox.vault_url()])
}

#[test]
fn what_keeps_one_part_from_being_undone_keeps_no_other() {
    for (what, logout, code, says, is_revoked) in ROWS {
        let world = World::new();
        world.write_config(ALICE);
        login(&world).run().code(0);
        let out = logout(&world, world.job("logout").env("CIRCLE_WORKFLOW_JOB_ID", job_id(&world))).run().code(*code);
        let out = out.says(says);
        assert_eq!(world.read_config(), serde_json::from_str::<Value>(ALICE).unwrap(), "{what}: {}", out.stderr);
        assert_eq!(leased(&world).is_empty(), *is_revoked, "{what}: {}", out.stderr);
        assert_eq!(world.record_files().is_empty(), *is_revoked, "{what}");
        // What is left is done by the next one.
        world.job("logout").usual(Provider::Vault).run().code(0);
        assert_eq!((leased(&world).len(), world.record_files().len()), (0, 0), "{what}");
    }
}

/// The job key of the usual job.
fn job_id(world: &World) -> String {
    world.job("logout").usual(Provider::Vault).variables()["CIRCLE_WORKFLOW_JOB_ID"].clone()
}

/// An earlier entry of so many bytes, and whether the record takes it: one cap, so that the Action's state can be handed over
/// on every system.
const SIZES: [(usize, bool); 6] =
    [(100, true), (5_000, true), (17_000, true), (21_000, false), (33_000, false), (140_000, false)];

#[test]
fn an_earlier_login_that_the_record_cannot_take_is_left_where_it_is() {
    let why =
        "logging in to a private directory, because the login that is there is too large to be kept until the logout";
    for (size, is_taken) in SIZES {
        let config = json!({ "auths": { HUB: { "auth": "PHRva2VuPjo=", "identitytoken": "x".repeat(size) } } });
        let world = World::new();
        world.write_config(&config.to_string());
        let out = login(&world).run().code(0);
        assert_eq!(out.stderr.contains(why), !is_taken, "{size}: {}", out.stderr);
        assert_eq!(world.read_config() == config, !is_taken, "{size}");
        assert!(world.record_files().iter().all(|file| fs::metadata(file).unwrap().len() <= 32_000), "{size}");
        world.job("logout").usual(Provider::Vault).run().code(0).says("revoked and confirmed");
        assert_eq!(world.read_config(), config, "{size}");

        let world = World::new();
        world.write_config(&config.to_string());
        let step = Step::new(&world, Provider::Vault);
        let main = step.main().code(0);
        assert_eq!(main.shown().contains(why), !is_taken, "{size}: {}", main.shown());
        assert!(main.state.values().all(|value| value.len() <= 32_000), "{size}");
        step.clone().after(&main).post(&main).code(0).says("revoked and confirmed");
        assert_eq!(world.read_config(), config, "{size}");
        assert_eq!(leased(&world), Vec::<String>::new(), "{size}");
    }
}

/// Leases that could not be revoked stay in the record, and fill it in the end: said before another one is made.
#[test]
fn a_record_without_room_is_said_before_anything_is_minted() {
    let world = World::new();
    login(&world).run().code(0);
    world.edit_leases(|lease| lease["username"] = "x".repeat(25_000).into());
    let out = login(&world).run().code(6);
    let out = out.says("error: what earlier logins of this job have left to be undone fills its record");
    assert!(out.requests.is_empty(), "{:?}", out.requests);
    world.job("logout").usual(Provider::Vault).run().code(0);
    login(&world).run().code(0);
    world.job("logout").usual(Provider::Vault).run().code(0);
    assert_eq!(leased(&world), Vec::<String>::new());
}

/// What a crashed job has left: where its lease was made, how long ago that ended, and what the next job's login makes of it.
const CRASHED: [(&str, Provider, u64, &str); 6] = [
    ("it may live", Provider::Broker, 0, ""),
    ("the clocks may be apart", Provider::Broker, 3000, ""),
    ("the Hub's own end", Provider::Broker, 4000, "an earlier job has not logged out, and its credential ended at "),
    ("Vault is asked", Provider::Vault, 4000, "an earlier job has not logged out, and its credential ended at "),
    ("a credential that nobody revokes", Provider::Docker, 4000, "an earlier job has not logged out"),
    ("a token that lives on at its owner", Provider::Static, 4000, ""),
];

#[test]
fn a_login_undoes_what_a_crashed_job_has_left_once_that_has_ended() {
    for (what, provider, ago, says) in CRASHED {
        let world = World::new();
        world.write_config(r#"{"auths":{"ghcr.io":{}}}"#);
        let before = leased(&world);
        let crashed =
            world.job("login").usual(provider).env("CIRCLE_WORKFLOW_JOB_ID", "crashed").env("GITHUB_RUN_ID", "1");
        crashed.run().code(0);
        if ago > 0 {
            end(&world, ago);
        }
        let next =
            || world.job("login").usual(provider).env("CIRCLE_WORKFLOW_JOB_ID", "next").env("GITHUB_RUN_ID", "2");
        let out = next().run().code(0);
        let is_swept = !says.is_empty();
        assert_eq!(out.stderr.contains("an earlier job has not logged out"), is_swept, "{what}: {}", out.stderr);
        assert!(out.stderr.contains(says), "{what}: {}", out.stderr);
        assert_eq!(world.record_files().len(), if is_swept { 1 } else { 2 }, "{what}: {}", out.stderr);
        drop(before);
    }
}

/// Nobody answers: how long ago the credential ended at Docker Hub, and what is said of it.
#[test]
fn what_nobody_answers_is_over_once_no_clock_can_be_so_far_ahead() {
    for (ago, code, says) in [
        (0, 7, "not revoked, lives until"),
        (60, 7, "its time has passed by this machine's clock, and nobody else says so"),
        (1200, 7, "nobody else says so"),
        (3500, 7, "nobody else says so"),
        (3700, 0, "already over"),
        (90_000, 0, "already over"),
    ] {
        for told in [true, false] {
            let world = World::new();
            world.job("login").usual(Provider::Broker).run().code(0);
            if ago > 0 {
                end(&world, ago);
            }
            world.sandbox.fault(Fault::on(Service::Forwarded, "/").then(Action::status(503)).always());
            let logout = world.job("logout").usual(Provider::Broker);
            let logout = if told { logout } else { world.job("logout").env("CIRCLE_WORKFLOW_JOB_ID", job_id(&world)) };
            let out = logout.arg("--strict-revoke").run().code(code);
            assert!(out.stderr.contains(says), "{ago} {told}: {}", out.stderr);
            assert_eq!((world.record_files().is_empty(), world.has_login()), (code == 0, false), "{ago} {told}");
            world.sandbox.clear_faults();
        }
    }
}

/// A record of another Vault is kept and named: nothing that lies in the directory says where a token is sent.
#[test]
fn what_was_made_elsewhere_is_kept_and_named() {
    let world = World::new();
    world.job("login").usual(Provider::Vault).env("CIRCLE_WORKFLOW_JOB_ID", "crashed").run().code(0);
    end(&world, 4000);
    let out = world.job("login").usual(Provider::Broker).env("CIRCLE_WORKFLOW_JOB_ID", "next").run().code(0);
    let out = out.says("the record of an earlier job is kept, whose credential ended at ");
    let out = out.says("`hublease logout --all` undoes it there");
    assert!(!out.stderr.contains("has not logged out"), "{}", out.stderr);
    assert_eq!(world.record_files().len(), 2);
    world.job("logout").usual(Provider::Vault).arg("--all").run().code(0).says("revoked and confirmed");
}

/// Has every recorded credential, and its Vault token, end so many seconds ago.
fn end(world: &World, ago: u64) {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
    world.edit_leases(|lease| {
        if !lease["expires_at"].is_null() {
            lease["expires_at"] = (now - ago).into();
        }
        if let Some(vault) = lease["handle"].get_mut("vault") {
            vault["token_expires_at"] = (now - ago).into();
        }
    });
}
