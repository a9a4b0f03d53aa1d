//! Runs the table that both hosts share.

use hublease_protocol::secret::Secret;
use serde_json::{Value, json};

use crate::effect::docker::{Client, Entry, Registry};
use crate::native::docker::merge::{Config, Malformed};

fn cases() -> Vec<Value> {
    let table = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/docker-config.json");
    let table: Value = serde_json::from_slice(&std::fs::read(table).unwrap()).unwrap();
    table["cases"].as_array().unwrap().clone()
}

fn client(effect: &Value) -> Client {
    Client::parse(effect["client"].as_str().unwrap()).unwrap()
}

fn registry(value: &Value) -> Registry {
    Registry::parse(value.as_str().unwrap()).unwrap()
}

fn key(effect: &Value) -> &'static str {
    registry(&effect["registry"]).key(client(effect))
}

fn shown(entry: Option<Entry>) -> Value {
    let raw = |raw: Secret| serde_json::from_str::<Value>(raw.expose()).unwrap();
    entry.map_or(Value::Null, |entry| json!({ "username": entry.username, "raw": entry.raw.map(raw) }))
}

/// The content afterwards, or what was found.
fn run(case: &Value) -> Result<Value, Malformed> {
    let effect = &case["effect"];
    let mut config = Config::new(case["before"].clone());
    let name = effect["do"].as_str().unwrap();
    if name == "isolate" && config.is_err() {
        config = Config::new(json!({}));
    }
    let mut config = config?;
    match name {
        "look" => {
            let kept = config.look(client(effect), registry(&effect["registry"]), effect["detected"].as_str());
            let helper = kept.helper.map(|(name, configured)| json!({ "name": name, "configured": configured }));
            return Ok(json!({ "helper": helper, "entry": shown(kept.entry) }));
        }
        "store" => {
            let secret = Secret::new(effect["secret"].as_str().unwrap());
            config.store_login(key(effect), effect["username"].as_str().unwrap(), &secret);
        }
        "erase" => config.erase(key(effect)),
        "seed" => config.seed(key(effect)),
        "restore" => config.restore(key(effect), &Secret::new(effect["entry"].to_string()))?,
        "isolate" => {
            let registries: Vec<Registry> = effect["registries"].as_array().unwrap().iter().map(registry).collect();
            config.isolate(&registries, effect["copy_auths"].as_bool().unwrap());
        }
        other => panic!("{other}"),
    }
    Ok(config.content())
}

#[test]
fn every_case_of_the_table() {
    let cases = cases();
    assert!(cases.len() >= 40, "{}", cases.len());
    for case in &cases {
        let expected = match (&case["trouble"], case.get("after").or(case.get("found"))) {
            (Value::String(trouble), None) if trouble == "malformed" => Err(Malformed),
            (Value::Null, Some(after)) => Ok(after.clone()),
            other => panic!("{}: {other:?}", case["name"]),
        };
        assert_eq!(run(case), expected, "{}", case["name"]);
    }
}
