//! The table of cases, and what does not fit into a table.

use hublease_protocol::secret::Secret;
use serde_json::{Value, json};

use crate::docker::config_file::{ConfigFile, Entry, Malformed};
use crate::effect::docker::{Client, Registry};

fn cases() -> Vec<Value> {
    let table = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/docker-config.json"));
    let table: Value = serde_json::from_str(table).unwrap();
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

fn text_of(case: &Value) -> String {
    case["text"].as_str().map_or_else(|| case["before"].to_string(), str::to_owned)
}

/// The text afterwards, or what was found.
fn run(case: &Value) -> Result<Value, Malformed> {
    let effect = &case["effect"];
    let mut config = ConfigFile::parse(client(&case["effect"]), &Secret::new(text_of(case)));
    let name = effect["do"].as_str().unwrap();
    if name == "isolate" && config.is_err() {
        config = Ok(ConfigFile::default());
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
            config.store_login(key(effect), effect["username"].as_str().unwrap(), &secret)?;
        }
        "erase" => config.erase(key(effect))?,
        "seed" => config.seed(key(effect))?,
        "restore" => {
            let entry = effect["entry_text"].as_str().map_or_else(|| effect["entry"].to_string(), str::to_owned);
            config.restore(key(effect), &Secret::new(entry))?;
        }
        "isolate" => {
            let registries: Vec<Registry> = effect["registries"].as_array().unwrap().iter().map(registry).collect();
            config.isolate(client(effect), &registries)?;
        }
        other => panic!("{other}"),
    }
    // What was written is read again.
    assert_eq!(ConfigFile::parse(client(effect), config.text()), Ok(config.clone()), "{}", case["name"]);
    Ok(Value::from(config.text().expose()))
}

#[test]
fn every_case_of_the_table() {
    let cases = cases();
    assert!(cases.len() >= 140, "{}", cases.len());
    for case in &cases {
        let outcome = run(case);
        let name = &case["name"];
        if case["trouble"] == "malformed" {
            assert_eq!(outcome, Err(Malformed), "{name}");
        } else if let Some(found) = case.get("found").or(case.get("becomes")) {
            assert_eq!(outcome.as_ref(), Ok(found), "{name}");
        } else {
            let after: Value = serde_json::from_str(outcome.unwrap().as_str().unwrap()).unwrap();
            assert_eq!(after, case["after"], "{name}");
        }
    }
}

/// Every text of the table, with a login put in: all that was there is still there, in order and byte for byte.
#[test]
fn a_login_that_comes_and_goes_leaves_every_other_byte() {
    let key = "a.registry.of.no.row";
    let mut kept = 0;
    for case in cases() {
        let Ok(before) = ConfigFile::parse(client(&case["effect"]), &Secret::new(text_of(&case))) else { continue };
        let mut after = before.clone();
        after.store_login(key, "acme", &Secret::new("x")).unwrap();
        assert_ne!(after, before);
        let (old, new) = (before.text().expose(), after.text().expose());
        let same = old.bytes().zip(new.bytes()).take_while(|(old, new)| old == new).count();
        if !before.members_of("auths").is_empty() {
            assert!(new.ends_with(&old[same..]), "{}", case["name"]);
            kept += 1;
        }
        after.erase(key).unwrap();
        assert_eq!(before.members_of("auths").len(), after.members_of("auths").len());
        if !before.members_of("auths").is_empty() {
            assert_eq!(after, before, "{}", case["name"]);
        }
    }
    assert!(kept > 20, "{kept}");
}

#[test]
fn it_nests_as_deep_as_go_reads_and_costs_no_stack() {
    let nested = |depth: usize| format!("{{\"x\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    // The object around it counts.
    assert!(ConfigFile::parse(Client::Docker, &Secret::new(nested(9_999))).is_ok());
    assert_eq!(ConfigFile::parse(Client::Docker, &Secret::new(nested(10_000))), Err(Malformed));
    for text in ["[".repeat(500_000), format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000))] {
        assert_eq!(ConfigFile::parse(Client::Docker, &Secret::new(text)), Err(Malformed));
    }
}

#[test]
fn an_entry_has_the_mark_of_the_login_that_made_it() {
    let entry = |raw: &str| Entry { username: Some("alice".to_owned()), raw: Some(Secret::new(raw)) };
    let mark = crate::fingerprint::of("alice", &Secret::new("pw"));
    for raw in
        [r#"{"auth":"YWxpY2U6cHc="}"#, r#"{"AUTH":"YWxp\nY2U6cHc="}"#, r#"{"auth":"YWxpY2U6cHc=","identitytoken":""}"#]
    {
        assert_eq!(entry(raw).mark(), Some(mark.clone()), "{raw}");
    }
    assert_ne!(entry(r#"{"auth":"Ym9iOnB3"}"#).mark(), Some(mark));
    // What only has a name has no mark.
    let nameless =
        [r#"{"auth":"YWxpY2U6","identitytoken":"t"}"#, r#"{"username":"alice"}"#, r#"{"auth":"%"}"#, "{", "[]"];
    for raw in nameless {
        assert_eq!(entry(raw).mark(), None, "{raw}");
    }
    assert_eq!(Entry { username: Some("alice".to_owned()), raw: None }.mark(), None);
}

#[test]
fn every_secret_of_an_entry_is_known() {
    let text = r#"{"username":"alice","Password":"p","auth":"YWxpY2U6cHc=","identitytoken":"\u0069","registrytoken":"r","email":"e"}"#;
    let secrets = Entry::read(text).unwrap().secrets();
    let secrets: Vec<_> = secrets.iter().map(Secret::expose).collect();
    assert_eq!(secrets, ["YWxpY2U6cHc=", "p", "i", "r"]);
}
