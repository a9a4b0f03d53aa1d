//! `logout` says which of the outcomes is true, once or many times, strictly or not.

use std::fs;

use hublease_sandbox::{Action, Fault, Service, vault};
use serde_json::json;

use crate::support::World;
use crate::support::driven::leased;
use crate::support::job::{Job, Provider};

fn logged_in(provider: Provider) -> World {
    let world = World::new();
    world.job("login").usual(provider).run().code(0);
    world
}

fn logout<'w>(world: &'w World, provider: Provider) -> Job<'w> {
    world.job("logout").usual(provider)
}

/// What happens before the logout, what it says, and whether something lives on that should not.
type Answer = (&'static str, Provider, fn(&World), &'static str, bool);

const ANSWERS: &[Answer] = &[
    ("confirmed by the broker", Provider::Broker, |_| {}, "revoked and confirmed", false),
    ("confirmed by Vault", Provider::Vault, |_| {}, "revoked and confirmed", false),
    (
        "a 200 that says no more",
        Provider::Broker,
        |world| {
            world.sandbox.fault(Fault::on(Service::Forwarded, "/oauth/revoke").then(Action::json(200, &json!({}))));
        },
        "revocation requested, not confirmed",
        false,
    ),
    (
        "a broker that has forgotten",
        Provider::Broker,
        |world| {
            world.sandbox.fault(
                Fault::on(Service::Forwarded, "/oauth/revoke")
                    .then(Action::json(200, &json!({"revocation": "unknown"}))),
            );
        },
        "not confirmed (the broker cannot tell: it has forgotten the lease, or had only lent the token)",
        false,
    ),
    (
        "no policy for leases",
        Provider::Vault,
        |world| {
            let (_, mint) =
                ("", [("dockerhub/token/acmebot/*", &[vault::Capability::Create, vault::Capability::Update][..])]);
            world.sandbox.vault().write_policy("", "dockerhub", &mint);
        },
        "not confirmed (the policy of the role lacks `update` on sys/leases/revoke)",
        false,
    ),
    ("cannot be revoked", Provider::Docker, |_| {}, "cannot be revoked, dies at", false),
    ("not a lease", Provider::Static, |_| {}, "not a lease, lives on at its owner", false),
    (
        "the broker is down",
        Provider::Broker,
        |world| {
            world.sandbox.fault(Fault::on(Service::Forwarded, "/oauth/revoke").then(Action::status(400)).always());
        },
        "not revoked, lives until",
        true,
    ),
    (
        "the plugin fails",
        Provider::Vault,
        |world| {
            world.sandbox.hub().set_two_factor(hublease_sandbox::ACCOUNT, true);
        },
        "not revoked, lives until",
        true,
    ),
];

#[test]
fn each_of_the_answers() {
    for (name, provider, prepare, says, is_failure) in ANSWERS {
        for strict in [false, true] {
            let world = logged_in(*provider);
            prepare(&world);
            let job = logout(&world, *provider);
            let job = if strict { job.arg("--strict-revoke") } else { job };
            let out = job.run();
            let code = if strict && *is_failure { 7 } else { 0 };
            let out = out.code(code).says(says);
            assert!(!world.has_login(), "{name}");
            assert_eq!(world.record_files().is_empty(), !is_failure, "{name}: {}", out.stderr);
        }
    }
}

#[test]
fn what_is_over_is_success_and_said_once() {
    for (provider, says) in [
        (Provider::Broker, "the credential of acme: revoked and confirmed"),
        // The token and its lease ended by the clock, and what came of the lease nobody can ask any more.
        (Provider::Vault, "not confirmed (the Vault token has ended, and Vault ends its leases with it)"),
    ] {
        let world = logged_in(provider);
        world.edit_leases(|lease| {
            lease["expires_at"] = json!(1);
            if lease["handle"]["vault"].is_object() {
                lease["handle"]["vault"]["token_expires_at"] = json!(1);
            }
        });
        world.sandbox.advance(7200);
        logout(&world, provider).arg("--strict-revoke").run().code(0).says(says);
        logout(&world, provider).run().code(0).says("nothing to undo here");
    }
}

/// What happens before a late logout, what it says, its code and its word in JSON.
type LateRow = (&'static str, fn(&World), &'static str, i32, &'static str);

/// A lease of Vault is over only when Vault says so, whatever the clock says: what its engine gave may outlive it.
#[test]
fn at_vault_the_clock_alone_says_nothing() {
    let after_its_time = || {
        let world = logged_in(Provider::Vault);
        world.edit_leases(|lease| {
            lease["expires_at"] = json!(1);
            lease["handle"]["vault"]["token_expires_at"] = json!(1);
        });
        world
    };
    let rows: &[LateRow] = &[
        ("it lives on", |_| {}, "the credential of acmebot: revoked and confirmed", 0, "revoked"),
        (
            "its engine fails",
            |world| world.sandbox.hub().set_two_factor(hublease_sandbox::ACCOUNT, true),
            "because: Vault answered with status 400",
            7,
            "not_revoked",
        ),
        ("Vault is sealed", |world| world.sandbox.vault().seal(), "is sealed or in maintenance", 7, "not_revoked"),
        (
            "Vault ended it",
            // The plugin's leases live five minutes, and the Vault token of the tests ten.
            |world| world.sandbox.advance(310),
            "the credential of acmebot: has ended, now or before",
            0,
            "ended",
        ),
    ];
    for (name, prepare, says, code, word) in rows {
        for json in [false, true] {
            let world = after_its_time();
            prepare(&world);
            let job = logout(&world, Provider::Vault).arg("--strict-revoke");
            let out = if json { job.args(&["--output", "json"]) } else { job }.run().code(*code).says(says);
            if json {
                let report: serde_json::Value = serde_json::from_str(&out.stdout).unwrap();
                assert_eq!(report["leases"][0]["outcome"], *word, "{name}");
                assert_eq!(report["leases"][0]["cause"].is_null(), *code == 0, "{name}: {report}");
            }
            assert_eq!(world.record_files().is_empty(), *code == 0, "{name}");
        }
    }
}

#[test]
fn a_repeated_login_leaves_one_live_lease() {
    for provider in [Provider::Broker, Provider::Vault] {
        let world = logged_in(provider);
        let first = leased(&world);
        world
            .job("login")
            .usual(provider)
            .run()
            .code(0)
            .says("the older login of this job is replaced")
            .says("revoked and confirmed");
        let second = leased(&world);
        assert_eq!(first.len(), second.len(), "{provider:?}");
        assert!(first.iter().all(|item| !second.contains(item)), "never reused");
        assert_eq!(world.record_files().len(), 1);
        logout(&world, provider).run().code(0);
        assert_eq!(leased(&world), Vec::<String>::new());
        assert!(!world.has_login());
    }
}

#[test]
fn a_repeated_login_that_fails_keeps_the_first() {
    let world = logged_in(Provider::Vault);
    let before = leased(&world);
    world.sandbox.fault(Fault::on(Service::Vault, "/v1/dockerhub/").then(Action::status(403)).always());
    world.job("login").usual(Provider::Vault).run().code(5);
    assert_eq!(leased(&world), before);
    assert!(world.has_login());
    world.sandbox.clear_faults();
    logout(&world, Provider::Vault).run().code(0).says("revoked and confirmed");
    assert_eq!(leased(&world), Vec::<String>::new());
}

#[test]
fn logout_without_the_address_says_what_it_needs_and_keeps_the_record() {
    let world = logged_in(Provider::Broker);
    let job = world.job("logout").env("CIRCLE_WORKFLOW_JOB_ID", world.sandbox.issuer().identity().job_id);
    job.run().code(0).says("not revoked").says("give `--broker-url`");
    assert_eq!(world.record_files().len(), 1);
    logout(&world, Provider::Broker).run().code(0).says("revoked and confirmed");
}

#[test]
fn a_secret_of_kv_is_not_a_lease_and_leaves_no_vault_token() {
    for path in ["secret/data/ci/dockerhub", "kv1/ci/dockerhub"] {
        let world = World::new();
        world.sandbox.add_secret(hublease_sandbox::KnownSecret {
            name: "KV".into(),
            kind: "vault".into(),
            value: vault::EXAMPLE_STATIC_TOKEN.into(),
            services: vec![Service::Vault, Service::RegistryAuth],
        });
        let url = world.sandbox.vault_url();
        let login = world.job("login").args(&[
            "--vault-addr",
            &url,
            "--vault-path",
            path,
            "--vault-auth-path",
            "jwt-circleci",
            "--client",
            "none",
        ]);
        let login = world
            .sandbox
            .circleci_environment_for(&url)
            .into_iter()
            .fold(login, |job, (name, value)| job.env(&name, value));
        login.run().code(0).says("it cannot be revoked");
        assert!(world.sandbox.live().iter().all(|item| item.kind != "token"), "the Vault token is ended at once");
        logout(&world, Provider::Vault).run().code(0).says("not a lease, lives on at its owner");
    }
}

#[test]
fn the_probe_asks_docker_hub_whether_the_credential_is_dead() {
    for (provider, says, code) in [
        (Provider::Broker, "probed: Docker Hub refuses the credential", 0),
        (Provider::Vault, "probed: Docker Hub refuses the credential", 0),
        (Provider::Docker, "probed: Docker Hub still accepts the credential", 7),
    ] {
        let world = logged_in(provider);
        logout(&world, provider).args(&["--probe-dead", "--strict-revoke"]).run().code(code).says(says);
    }
}

#[test]
fn the_output_for_programs_is_one_json_document() {
    let world = World::new();
    let out = world.job("login").usual(Provider::Broker).args(&["--output", "json"]).run().code(0);
    let login: serde_json::Value = serde_json::from_str(&out.stdout).unwrap();
    assert_eq!(
        (&login["username"], &login["provider"], &login["revocable"]),
        (&json!("acme"), &json!("broker"), &json!(true))
    );
    let out = logout(&world, Provider::Broker).args(&["--output", "json"]).run().code(0);
    let logout: serde_json::Value = serde_json::from_str(&out.stdout).unwrap();
    assert_eq!(logout["leases"][0]["outcome"], "revoked");
}

#[test]
fn a_repeated_login_that_docker_refuses_keeps_the_first_in_its_store() {
    let world = logged_in(Provider::Vault);
    let before = (leased(&world), fs::read(world.config()).unwrap());
    let refusal = Action::json(401, &json!({"details": "incorrect username or password"}));
    world.sandbox.fault(Fault::on(Service::RegistryAuth, "/token").then(refusal).always());
    world.job("login").usual(Provider::Vault).run().code(6);
    world.sandbox.clear_faults();
    assert_eq!((leased(&world), fs::read(world.config()).unwrap()), before);
    logout(&world, Provider::Vault).run().code(0).says("revoked and confirmed");
    assert_eq!(leased(&world), Vec::<String>::new());
    assert!(!world.has_login());
}

#[test]
fn a_job_that_uses_two_providers_logs_out_of_each() {
    let world = World::new();
    world.job("login").usual(Provider::Broker).run().code(0);
    let both = |provider: &str| {
        let job = world.job("logout").usual(Provider::Broker).args(&["--provider", provider]);
        job.env("HUBLEASE_VAULT_ADDR", world.sandbox.vault_url())
    };
    both("broker").run().code(0).says("revoked and confirmed");
    assert_eq!(leased(&world), Vec::<String>::new());
}
