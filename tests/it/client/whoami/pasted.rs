//! What `whoami` prints is pasted: the rule into a broker's configuration, which `check --strict` has nothing to say about and
//! a login passes, and the role into Vault. Where there is no rule, it says why.

use std::fs;
use std::process::{Command, Stdio};

use hublease_sandbox::vault::JwtMount;
use serde_json::{Value, json};

use super::shapes::{self, Shape};
use super::{report, role};
use crate::support::broker::{self, Broker};
use crate::support::job::{self, Job, Provider};
use crate::support::{World, binary};

const MOUNT: &str = "auth/jwt-of-the-row";
const SECRET: &str = "--vault-path=secret/data/ci/dockerhub";

/// A broker's configuration with everything but issuer and rule, which has no warning of its own.
fn configuration(world: &World, printed: &str) -> String {
    let journal = world.path("journal.db").display().to_string();
    let rule = printed.replace("YOUR-ACCOUNT", "acme").replace("YOUR-ORGANIZATION/YOUR-REPOSITORY", "acme/app");
    format!(
        r#"
listen = "127.0.0.1:0"
public_url = "{}"
trusted_proxies = ["127.0.0.1/32"]
instance = "it"
journal = {{ path = "{journal}" }}

[[account]]
name = "acme"
kind = "oat"
organization = "acme"
username = "acmebot"
password_env = "ACMEBOT_PASSWORD"

{rule}
"#,
        broker::URL
    )
}

/// `hublease-broker check` with the file of this name as its configuration.
fn check(world: &World, words: &[&str]) -> (Option<i32>, String) {
    let ended = Command::new(binary("HUBLEASE_BROKER_BIN"))
        .args(["check", "--config", "pasted.toml"])
        .args(words)
        .current_dir(world.path("work"))
        .env_clear()
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let said = [ended.stdout, ended.stderr].map(|text| String::from_utf8(text).unwrap()).concat();
    (ended.status.code(), said)
}

/// A run with a token of this shape in place of the CI system's own.
fn with<'w>(job: Job<'w>, shape: &Shape, audience: &str) -> Job<'w> {
    let token = shape.token(job.world().sandbox.issuer(), audience).sign();
    job.arg("--identity-token-env=MY_TOKEN").env("MY_TOKEN", token)
}

fn whoami(world: &World, shape: &Shape, flag: &str, audience: &str) -> (String, Value) {
    let run = world.job("whoami").arg(format!("{flag}={audience}")).arg("--output=json");
    let outcome = with(run, shape, audience).run().code(0);
    (outcome.stdout.clone(), report(&outcome))
}

fn paste(shape: &Shape) {
    let world = World::new();
    let name = shape.name;
    let claims = shape.token(world.sandbox.issuer(), broker::URL).claims();
    let iss = claims["iss"].as_str().unwrap().to_owned();
    world.sandbox.found_issuer(&iss);
    let (printed, shown) = whoami(&world, shape, "--broker-url", broker::URL);
    for (claim, value) in claims.as_object().unwrap() {
        let is_of_now = matches!(claim.as_str(), "iat" | "exp" | "nbf" | "jti");
        assert!(is_of_now || shown["claims"][claim] == *value, "{name}: {claim} is {}", shown["claims"][claim]);
    }
    let vault = world.sandbox.vault_url();
    let (_, at_vault) = whoami(&world, shape, "--vault-addr", &vault);
    if let Some(why) = shape.no_rule {
        for (provider, shown) in [("broker", &shown), ("vault", &at_vault)] {
            assert_eq!(shown["rules"][provider], Value::Null, "{name}");
            let told = shown["without_rule"][provider].as_str().unwrap();
            assert!(told.contains(why), "{name}: {told}");
        }
        return;
    }
    assert_eq!(shown["without_rule"]["broker"], Value::Null, "{name}");

    let text = configuration(&world, shown["rules"]["broker"].as_str().unwrap());
    fs::write(world.path("work/pasted.toml"), &text).unwrap();
    let (code, said) = check(&world, &["--strict"]);
    assert_eq!(code, Some(0), "{name}: {said}\n{text}");
    fs::write(world.path("work/whoami.json"), &printed).unwrap();
    let (code, said) = check(&world, &["--claims", "whoami.json"]);
    assert_eq!(code, Some(0), "{name}: {said}\n{text}");
    let _broker = Broker::with(&world, &text);
    with(world.job("token").arg(format!("--broker-url={}", broker::URL)), shape, broker::URL).run().code(0);

    let mount = JwtMount { discovery_issuer: Some(iss.clone()), bound_issuer: Some(iss), ..JwtMount::default() };
    world.sandbox.vault().enable_jwt(MOUNT, mount);
    assert!(world.sandbox.vault().write_role(MOUNT, "pasted", role(at_vault["rules"]["vault"].as_str().unwrap())));
    let job = world.job("token").args(&["--vault-addr", &vault, SECRET, "--vault-role=pasted"]);
    with(job.arg(format!("--vault-auth-path={MOUNT}")), shape, &vault).run().code(0);
}

fn paste_all(shapes: &[Shape]) {
    assert!(shapes.iter().any(|shape| shape.no_rule.is_none()));
    shapes.iter().for_each(paste);
}

#[test]
fn what_is_printed_for_circleci_can_be_pasted() {
    paste_all(&shapes::circleci());
}

#[test]
fn what_is_printed_for_github_can_be_pasted() {
    paste_all(&shapes::github());
}

#[test]
fn what_is_printed_for_kubernetes_can_be_pasted() {
    paste_all(&shapes::kubernetes());
}

#[test]
fn what_is_printed_for_gitlab_can_be_pasted() {
    paste_all(&shapes::gitlab());
}

#[test]
fn what_is_printed_for_other_issuers_can_be_pasted() {
    paste_all(&shapes::others());
}

/// Without a word of a provider the token has the CI system's own audience, which no login at Vault has.
#[test]
fn a_role_that_is_printed_without_an_address_waits_for_vault_s() {
    for (shape, mount) in [(job::Shape::Circleci, "auth/jwt-circleci"), (job::Shape::Github, "auth/jwt-github")] {
        let world = World::new();
        let vault = world.sandbox.vault_url();
        let environment = match shape {
            job::Shape::Circleci => world.sandbox.circleci_environment(),
            job::Shape::Github => world.sandbox.github_environment(),
        };
        let run = world.job("whoami").arg("--output=json");
        let run = environment.into_iter().fold(run, |run, (name, value)| run.env(&name, value));
        let shown = report(&run.run().code(0));
        let printed = shown["rules"]["vault"].as_str().unwrap();
        assert_eq!(
            serde_json::from_str::<Value>(printed).unwrap()["bound_audiences"],
            json!(["YOUR-VAULT-ADDRESS"]),
            "{printed}"
        );
        let role = role(&printed.replace("YOUR-VAULT-ADDRESS", &vault));
        assert!(world.sandbox.vault().write_role(mount, "dockerhub", role));
        world.job("token").shape(shape, Provider::Vault).run().code(0);
    }
}
