//! Paths and addresses as those who gave them out spell them: the program and the Action take each, or say what is wrong with it.

use hublease_sandbox::vault::EXAMPLE_STATIC_TOKEN;
use serde_json::json;

use crate::action::runner::Step;
use crate::support::World;
use crate::support::job::{Provider, Shape};

/// A flag, its value, and the exit code and a sentence where it is refused.
type Row = (&'static str, &'static str, Option<&'static str>);

const SEGMENTS: Option<&str> = Some("segments of printable text, separated by single slashes");
const COPIED: Option<&str> = Some("the address of a server ends before its `/v1` or `/ui`");
const ZONE: Option<&str> = Some("an IPv6 address has no zone here");

/// What a login at Vault is asked for.
const AT_VAULT: &[Row] = &[
    ("vault-path", "secret/data/ci/my app", None),
    ("vault-path", "/v1/secret/data/ci/my app/ ", None),
    ("vault-path", "secret/data/ci/100%/a%20b", None),
    ("vault-path", "secret/data/ci/a+b&c=d?e#f;g", None),
    ("vault-path", "secret/data/ci/größe/\u{65e5}\u{672c}", None),
    ("vault-path", "secret/data/ci//x", SEGMENTS),
    ("vault-path", "secret/data/ci/../x", SEGMENTS),
    ("vault-addr", "HTTPS://Vault.Example.com/", None),
    ("vault-addr", "https://vault.example.com:443", None),
    ("vault-addr", "https://vault.example.com/v1", COPIED),
    ("vault-addr", "https://vault.example.com/v1/", COPIED),
    ("vault-addr", "https://vault.example.com/ui", COPIED),
    ("vault-addr", "https://vault.example.com/ui/vault/secrets/secret/kv/list", COPIED),
    ("vault-addr", "https://[fe80::1%25eth0]:8200", ZONE),
    ("vault-namespace", "teams/a b", Some("segments of visible ASCII")),
];

/// What a login at a broker is asked for.
const AT_BROKER: &[Row] = &[
    ("broker-url", "HTTPS://Broker.Example.com/", None),
    ("broker-url", "https://broker.example.com:443//", None),
    ("broker-url", "https://broker.example.com/oauth/token/", None),
    ("broker-url", "https://[fe80::1%25eth0]", ZONE),
];

/// Puts the static credential at every path of the table.
fn fill(world: &World) {
    for (_, path, _) in AT_VAULT.iter().filter(|(flag, _, refused)| *flag == "vault-path" && refused.is_none()) {
        let (_, path) = path.trim_matches(['/', ' ']).split_once("data/").unwrap();
        let secret = json!({"username": "acmebot", "token": EXAMPLE_STATIC_TOKEN});
        world.sandbox.vault().put_key_value("secret", path, secret.as_object().unwrap().clone());
    }
}

fn by_the_program(world: &World, provider: Provider, (flag, value, refused): Row) {
    let job = world.job("token").shape(Shape::Github, provider);
    let words: Vec<String> = job.words()[1..].to_vec();
    let kept = words.chunks_exact(2).filter(|pair| {
        let is_of_a_write = ["--vault-method", "--vault-data"].contains(&pair[0].as_str()) && flag == "vault-path";
        pair[0] != format!("--{flag}") && !is_of_a_write
    });
    let again = world.job("token").arg(format!("--{flag}={value}"));
    let again = kept.fold(again, |again, pair| again.arg(pair[0].clone()).arg(pair[1].clone()));
    let again = job.variables().iter().fold(again, |again, (name, value)| again.env(name, value));
    match refused {
        None => drop(again.run().code(0)),
        Some(why) => drop(again.run().code(2).says(why)),
    }
}

fn by_the_action(world: &World, provider: Provider, (flag, value, refused): Row) {
    let step = Step::new(world, provider).input("client", "none").input(flag, value);
    let step = if flag == "vault-path" { step.without_input("vault-method").without_input("vault-data") } else { step };
    match refused {
        None => drop(step.post(&step.main().code(0)).code(0)),
        Some(why) => drop(step.main().code(2).says(why)),
    }
}

fn each(table: &[Row], provider: Provider, run: fn(&World, Provider, Row)) {
    for row in table {
        let world = World::new();
        fill(&world);
        run(&world, provider, *row);
    }
}

#[test]
fn the_program_takes_paths_and_addresses_of_vault_as_they_are_spelled() {
    each(AT_VAULT, Provider::Vault, by_the_program);
}

#[test]
fn the_action_takes_paths_and_addresses_of_vault_as_they_are_spelled() {
    each(AT_VAULT, Provider::Vault, by_the_action);
}

#[test]
fn the_program_takes_addresses_of_a_broker_as_they_are_spelled() {
    each(AT_BROKER, Provider::Broker, by_the_program);
}

#[test]
fn the_action_takes_addresses_of_a_broker_as_they_are_spelled() {
    each(AT_BROKER, Provider::Broker, by_the_action);
}
