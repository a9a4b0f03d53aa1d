//! `whoami`: what this job can prove, and rules that accept this job and no other.
//!
//! The printed rules are not compared with texts: they are given to the peers that they are for, which accept this job
//! and refuse one that differs in a single claim. What is printed for each shape of token is pasted in `pasted`.

mod pasted;
mod shapes;

use hublease_sandbox::vault::{BoundClaimsType, Role, RoleType, TokenType};
use hublease_sandbox::{CONNECTION_ID, Service};
use serde_json::{Value, json};

use crate::support::World;
use crate::support::broker::{self, Broker};
use crate::support::job::{Job, Outcome, Provider, Shape};
use crate::support::untouched::Untouched;

const SHAPES: [Shape; 2] = [Shape::Circleci, Shape::Github];

/// An identity token of this shape with one claim changed, in place of the CI system's own.
fn with_claim<'w>(job: Job<'w>, shape: Shape, audience: &str, change: Option<(&str, Value)>) -> Job<'w> {
    let issuer = job.world().sandbox.issuer();
    let token = if shape == Shape::Github { issuer.github() } else { issuer.circleci() }.audience(audience);
    let token = change.into_iter().fold(token, |token, (name, value)| token.claim(name, value));
    job.arg("--identity-token-env=MY_TOKEN").env("MY_TOKEN", token.sign())
}

/// Something else of the same kind.
fn other(value: &Value) -> Value {
    match value {
        Value::Bool(flag) => json!(!flag),
        Value::String(text) => json!(format!("{text}-2")),
        _ => json!("another"),
    }
}

fn report(outcome: &Outcome) -> Value {
    serde_json::from_str(&outcome.stdout).unwrap()
}

#[test]
fn the_claims_are_shown_with_their_age_and_without_the_token() {
    for shape in SHAPES {
        let world = World::new();
        let before = Untouched::of(&world);
        let text = world.job("whoami").shape(shape, Provider::Vault).run().code(0);
        let asked: Vec<_> = text.requests.iter().map(|request| request.service).collect();
        let (name, life, endpoint) = match shape {
            Shape::Circleci => ("identity: CircleCI", "59 min", vec![]),
            Shape::Github => ("identity: GitHub Actions", "4 min", vec![Service::IdTokenRequest]),
        };
        assert_eq!(asked, endpoint);
        let text = text.says(name).says(", not verified):");
        let age = text.stdout.lines().find(|line| line.starts_with("age: ")).unwrap();
        assert!(
            age.ends_with(" left") && (age.contains(life) || age.contains(" 5 min ") || age.contains(" 1 h ")),
            "{age}"
        );
        let issuer = world.sandbox.issuer();
        let token = if shape == Shape::Github { issuer.github() } else { issuer.circleci() };
        let Value::Object(claims) = token.claims() else { panic!("no claims") };
        for (claim, value) in
            claims.iter().filter(|(claim, _)| !matches!(claim.as_str(), "aud" | "iat" | "exp" | "nbf" | "jti"))
        {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            assert!(text.stdout.contains(&format!("  {claim}: {value}\n")), "{claim} {value}\n{}", text.stdout);
        }
        let shown = report(&world.job("whoami").shape(shape, Provider::Vault).arg("--output=json").run().code(0));
        assert_eq!(shown["issuer"], shown["claims"]["iss"]);
        assert!(shown["age"].as_u64().is_some_and(|age| age < 60) && shown["expires_in"].as_u64().is_some());
        if shape == Shape::Circleci {
            before.still(&world, "whoami");
        }
    }
}

#[test]
fn without_an_identity_there_is_nothing_to_show() {
    let world = World::new();
    let outcome = world.job("whoami").run().code(3).says("no identity token here");
    assert_eq!((outcome.stdout.as_str(), outcome.requests.len()), ("", 0));
}

/// Writes the printed role as an operator would.
fn role(printed: &str) -> Role {
    let role: Value = serde_json::from_str(printed).unwrap();
    let list = |name: &str| -> Vec<String> {
        role[name].as_array().unwrap().iter().map(|item| item.as_str().unwrap().to_owned()).collect()
    };
    assert_eq!((&role["role_type"], &role["bound_claims_type"]), (&json!("jwt"), &json!("string")));
    assert_eq!((&role["token_type"], &role["token_ttl"]), (&json!("service"), &json!("15m")));
    Role {
        role_type: RoleType::Jwt,
        bound_audiences: list("bound_audiences"),
        bound_claims: role["bound_claims"].as_object().unwrap().clone(),
        bound_claims_type: BoundClaimsType::Text,
        user_claim: role["user_claim"].as_str().unwrap().to_owned(),
        token_policies: list("token_policies"),
        token_ttl: 900,
        token_type: TokenType::Service,
        ..Role::default()
    }
}

#[test]
fn vault_accepts_this_job_by_the_printed_role_and_no_other() {
    for (shape, environment) in [(Shape::Circleci, None), (Shape::Github, None), (Shape::Github, Some("production"))] {
        let world = World::new();
        let vault = world.sandbox.vault_url();
        world.sandbox.issuer().set_identity(|identity| identity.environment = environment.map(str::to_owned));
        let shown = report(&world.job("whoami").shape(shape, Provider::Vault).arg("--output=json").run().code(0));
        let role = role(shown["rules"]["vault"].as_str().unwrap());
        let bound = role.bound_claims.clone();
        assert!(bound.len() >= 3, "{bound:?}");
        assert_eq!(bound.contains_key("environment"), environment.is_some());
        let mount = if shape == Shape::Github { "auth/jwt-github" } else { "auth/jwt-circleci" };
        assert!(world.sandbox.vault().write_role(mount, "narrowest", role));
        let job = |audience: &str, change: Option<(&str, Value)>| {
            let job = world.job("token").args(&["--vault-addr", &vault, "--vault-path=secret/data/ci/dockerhub"]);
            let job = job.arg(format!("--vault-auth-path={mount}")).arg("--vault-role=narrowest");
            with_claim(job, shape, audience, change).run()
        };
        job(&vault, None).code(0);
        job("https://vault.example.com", None).code(4).says("audience");
        for (name, value) in &bound {
            job(&vault, Some((name, other(value)))).code(4).says("no rule of").says(name);
        }
    }
}

#[test]
fn the_broker_accepts_this_job_by_the_printed_rule_and_no_other() {
    for (shape, environment) in [(Shape::Circleci, None), (Shape::Github, None), (Shape::Github, Some("production"))] {
        let world = World::new();
        world.sandbox.issuer().set_identity(|identity| identity.environment = environment.map(str::to_owned));
        let whoami = world.job("whoami").arg(format!("--broker-url={}", broker::URL)).arg("--output=json");
        let shown = report(&with_claim(whoami, shape, broker::URL, None).run().code(0));
        let rule = shown["rules"]["broker"].as_str().unwrap();
        let filled = rule.replace("YOUR-ACCOUNT", "acme").replace("YOUR-ORGANIZATION/YOUR-REPOSITORY", "acme/app");
        let _broker = Broker::with(&world, &broker_config(&world, &filled));
        let job = |audience: &str, change: Option<(&str, Value)>| {
            let job = world.job("token").arg(format!("--broker-url={}", broker::URL));
            with_claim(job, shape, audience, change).run()
        };
        job(broker::URL, None).code(0);
        job("https://vault.example.com", None).code(4).says("audience");
        let bound: Vec<(String, Value)> = bound_claims(rule);
        assert!(bound.len() >= 3, "{rule}");
        for (name, value) in &bound {
            job(broker::URL, Some((name, other(value)))).code(4).says("no rule of");
        }
    }
}

/// A broker's configuration around the printed issuer and rule.
fn broker_config(world: &World, rule: &str) -> String {
    format!(
        r#"
listen = "127.0.0.1:0"
public_url = "{}"
instance = "it"
journal = {{ path = "{}" }}

[[account]]
name = "acme"
kind = "oat"
organization = "acme"
username = "acmebot"
password_env = "ACMEBOT_PASSWORD"

{rule}
"#,
        broker::URL,
        world.path("journal.db").display()
    )
}

/// The claims of the printed rule; each line is a name and a value, and both are written as JSON writes them.
fn bound_claims(rule: &str) -> Vec<(String, Value)> {
    let (_, claims) = rule.split_once("[rule.claims]\n").unwrap();
    let pair = |line: &str| {
        let (name, value) = line.split_once(" = ").unwrap();
        (serde_json::from_str(name).unwrap(), serde_json::from_str(value).unwrap())
    };
    claims.lines().map(pair).collect()
}

/// Docker's connections know GitHub only, and match `sub`.
#[test]
fn docker_s_rule_is_the_subject_of_a_github_job() {
    let world = World::new();
    let job = world.job("whoami").arg(format!("--connection-id={CONNECTION_ID}")).arg("--output=json");
    let job = world.sandbox.github_environment().into_iter().fold(job, |job, (name, value)| job.env(&name, value));
    let github = report(&job.run().code(0));
    assert_eq!(github["claims"]["aud"], json!("https://identity.docker.com"));
    assert_eq!(github["rules"]["docker"], json!("subject: \"repo:acme/app:ref:refs/heads/main\""));
    let text = world.job("whoami").args(&["--identity-token-env=MY_TOKEN"]);
    let text = text.env("MY_TOKEN", world.sandbox.issuer().circleci().sign()).run().code(0);
    text.says("no docker rule: Docker's OIDC connections accept GitHub Actions only");
}
