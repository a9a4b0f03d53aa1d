//! `--dry-run`: the whole plan, and nothing else: no request, no child, no file.

use std::collections::BTreeMap;

use hublease::cli::{Command, ProviderName};
use serde_json::Value;

use crate::support::World;
use crate::support::job::Job;
use crate::support::typed::Bench;
use crate::support::untouched::Untouched;

/// Those that ask a provider.
const COMMANDS: [Command; 4] = [Command::Login, Command::Logout, Command::Exec, Command::Token];

/// A dry run that must be valid; the plan as JSON, after the text was found to say the same.
fn plan<'w>(world: &'w World, job: impl Fn() -> Job<'w>) -> BTreeMap<String, String> {
    let before = Untouched::of(world);
    let text = job().arg("--dry-run").run().code(0);
    let json = job().args(&["--dry-run", "--output", "json"]).run().code(0);
    before.still(world, "a dry run");
    assert_eq!((text.stderr.as_str(), json.stderr.as_str()), ("", ""));
    let object: BTreeMap<String, String> = serde_json::from_str(&json.stdout).unwrap();
    let lines: BTreeMap<String, String> = text
        .stdout
        .lines()
        .map(|line| line.strip_prefix("# ").unwrap_or(line).split_once(": ").unwrap())
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    assert_eq!(lines, object);
    object
}

#[test]
fn every_command_of_every_provider_shows_its_plan_and_does_nothing() {
    let world = World::new();
    let bench = Bench::new(&world);
    for command in COMMANDS {
        for provider in ProviderName::ALL {
            let plan = plan(&world, || bench.line(command, *provider, &[]));
            assert_eq!(plan["command"], command.name());
            assert!(plan.values().all(|value| !value.is_empty()), "{plan:?}");
        }
    }
}

#[test]
fn a_plan_that_is_not_valid_ends_with_2_and_does_nothing() {
    let world = World::new();
    let before = Untouched::of(&world);
    for command in COMMANDS {
        for (arguments, says) in [
            (&["--provider=broker"][..], "`--broker-url` is missing"),
            (&["--provider=vault", "--broker-url=https://broker.example.com"], "honour `--broker-url`"),
            (&["--output=xml"], "`--output`"),
        ] {
            let outcome = world.job(command.name()).args(arguments).arg("--dry-run");
            let outcome = if command == Command::Exec { outcome.then(&["true"]) } else { outcome }.run().code(2);
            // Vault's own address is what is missing first for a logout.
            let is_logout = command == Command::Logout && arguments[0] == "--provider=vault";
            outcome.says(if is_logout { "`--vault-addr` is missing" } else { says });
        }
    }
    before.still(&world, "plans that are not valid");
}

/// Every default in one place: what nobody typed is in the plan as well.
#[test]
fn the_plan_names_every_default() {
    let world = World::new();
    let bench = Bench::new(&world);
    let common: &[(&str, &str)] = &[("registries", "docker.io"), ("client", "docker")];
    for (provider, expected) in [
        (
            ProviderName::Docker,
            &[
                ("audience", "https://identity.docker.com"),
                ("life", "15 min"),
                ("username", "acme"),
                ("revocation", "none: the credential dies by itself"),
                ("identity", "CircleCI, from the job's variable"),
            ][..],
        ),
        (
            ProviderName::Broker,
            &[
                ("audience", "https://broker.example.com"),
                ("address", "https://broker.example.com"),
                ("scope", "what the rule grants"),
                ("life", "the broker decides"),
                ("username", "the provider says"),
            ],
        ),
        (
            ProviderName::Vault,
            &[
                ("audience", "https://vault.example.com"),
                ("address", "https://vault.example.com"),
                ("namespace", "none"),
                ("role", "the default of the mount"),
                ("mount", "auth/jwt"),
                ("path", "secret/data/ci/dockerhub (read, else write)"),
                ("username", "the provider says"),
            ],
        ),
        (
            ProviderName::Static,
            &[
                ("identity", "not needed"),
                ("audience", "none"),
                ("username", "acmebot"),
                ("revocation", "none: the token lives on at its owner"),
            ],
        ),
    ] {
        let plan = plan(&world, || bench.line(Command::Login, provider, &[]));
        let job = ("job", "circleci 61c273e5-80ad-4351-9f93-c2607fe19307");
        let directory = ("directory", "docker's own, unless that would do harm");
        for (name, value) in expected.iter().chain(common).chain(&[job, directory, ("provider", provider.name())]) {
            assert_eq!(plan.get(*name).map(String::as_str), Some(*value), "{name} of {}", provider.name());
        }
    }
}

#[test]
fn what_was_typed_is_in_the_plan() {
    let world = World::new();
    let bench = Bench::new(&world);
    let broker = plan(&world, || {
        bench.line(Command::Exec, ProviderName::Broker, &[]).args(&[
            "--scope=repository:acme/app:pull",
            "--scope=repository:acme/base:pull",
            "--expires-in=1200",
            "--registry=dhi.io",
            "--registry=index.docker.io",
            "--registry=docker.io",
            "--client=none",
            "--isolated",
            "--renew",
        ])
    });
    for (name, value) in [
        ("scope", "repository:acme/app:pull repository:acme/base:pull"),
        ("life", "20 min"),
        ("registries", "dhi.io, docker.io"),
        ("client", "none"),
        ("directory", "a private one with the other registries' logins"),
        ("renew", "at 80 % of the life"),
        ("program", "/bin/true"),
    ] {
        assert_eq!(broker[name], value);
    }
    let vault = plan(&world, || {
        bench.line(Command::Token, ProviderName::Vault, &[]).args(&[
            "--vault-namespace=/team/ci/",
            "--vault-auth-path=auth/jwt-github/",
            "--vault-role=publish",
            "--vault-data=label=job",
            "--audience=https://elsewhere.example.com",
            "--audience-elsewhere",
        ])
    });
    for (name, value) in [
        ("namespace", "team/ci"),
        ("mount", "auth/jwt-github"),
        ("role", "publish"),
        ("path", "secret/data/ci/dockerhub (write)"),
        ("audience", "https://elsewhere.example.com"),
    ] {
        assert_eq!(vault[name], value);
    }
}

#[test]
fn on_a_laptop_there_is_no_identity_and_the_plan_is_still_valid() {
    let world = World::new();
    let laptop = || world.job("login").args(&["--broker-url", "https://broker.example.com"]);
    let plan = plan(&world, laptop);
    assert_eq!(plan["identity"], "none here (no identity token here; would be CircleCI's or GitHub's in a job)");
    assert_eq!(plan["job"], "outside CI");
    laptop().run().code(3);
}

#[test]
fn a_job_elsewhere_can_be_simulated() {
    let world = World::new();
    for (place, shown) in
        [("circleci", "simulated: as a CircleCI job"), ("github", "simulated: as a GitHub Actions job")]
    {
        for command in ["login", "exec", "token"] {
            let job = || {
                let job = world.job(command).args(&["--broker-url", "https://broker.example.com", "--as", place]);
                if command == "exec" { job.then(&["true"]) } else { job }
            };
            assert_eq!(plan(&world, job)["identity"], shown);
            job().run().code(2).says("`--as`").says("--dry-run");
        }
    }
}

#[test]
fn a_broken_identity_is_named_in_the_plan() {
    let world = World::new();
    for (variables, says) in [
        (
            &[("GITHUB_ACTIONS", "true"), ("GITHUB_RUN_ID", "1"), ("GITHUB_JOB", "build")][..],
            "GitHub gave this job no permission",
        ),
        (&[("CIRCLECI", "true"), ("CIRCLE_JOB", "build")], "CircleCI, from `circleci run oidc get`"),
        // One variable can be anybody's.
        (&[("GITHUB_ACTIONS", "true")], "no identity token here"),
        (&[("CIRCLECI", "true")], "no identity token here"),
        (
            &[
                ("ACTIONS_ID_TOKEN_REQUEST_URL", "http://evil.example.com/?x=1"),
                ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "bearer-of-the-job"),
            ],
            "GitHub did not issue",
        ),
        (&[("HUBLEASE_IDENTITY_TOKEN_ENV", "MY_TOKEN")], "the variable MY_TOKEN holds no identity token"),
        (&[("HUBLEASE_IDENTITY_TOKEN_FILE", "/no/such/file")], "the file /no/such/file"),
    ] {
        let job = || {
            let job = world.job("token").args(&["--broker-url", "https://broker.example.com"]);
            variables.iter().fold(job, |job, (name, value)| job.env(name, *value))
        };
        let plan = plan(&world, job);
        assert!(plan["identity"].contains(says), "{plan:?}");
    }
}

#[test]
fn a_login_that_would_be_shadowed_is_a_valid_plan_that_says_so() {
    let world = World::new();
    let bench = Bench::new(&world);
    let shadow = r#"{"auths":{"https://index.docker.io/v1/":{"auth":"eA=="}}}"#;
    let plan = plan(&world, || bench.line(Command::Login, ProviderName::Broker, &[]).env("DOCKER_AUTH_CONFIG", shadow));
    assert_eq!(plan["shadowed"], "`DOCKER_AUTH_CONFIG` already decides what docker uses for docker.io");
}

#[test]
fn a_dry_run_looks_at_no_file_that_is_named() {
    let world = World::new();
    let bench = Bench::new(&world);
    world.write_config("{ not json");
    let plan = plan(&world, || {
        bench
            .line(Command::Login, ProviderName::Vault, &[])
            .args(&["--ca-cert=/no/such/file", "--identity-token-file=/no/such/token"])
            .env("PATH", "/no/such/directory")
    });
    assert_eq!(plan["identity"], "the file /no/such/token");
}

#[test]
fn the_plan_of_a_logout_says_whom_it_would_ask() {
    let world = World::new();
    let address = |job: Job<'_>| {
        let shown: Value =
            serde_json::from_str(&job.args(&["--dry-run", "--output=json"]).run().code(0).stdout).unwrap();
        [shown["provider"].as_str().unwrap().to_owned(), shown["address"].as_str().unwrap().to_owned()]
    };
    let logout = || world.job("logout");
    assert_eq!(address(logout()), ["none", "none"]);
    assert_eq!(
        address(logout().env("VAULT_ADDR", "https://vault.example.com")),
        ["vault", "https://vault.example.com"]
    );
    assert_eq!(
        address(logout().env("VAULT_ADDR", "https://vault.example.com").arg("--broker-url=https://broker.example.com")),
        ["broker", "https://broker.example.com"]
    );
    logout().args(&["--vault-addr=https://a.example", "--broker-url=https://b.example", "--dry-run"]).run().code(2);
}
