//! The sandbox's cluster held against the real one: where its keys are, how they are sent, and what a pod's identity says.

use std::rc::Rc;

use hublease_peers::{Answer, Ask};
use hublease_sandbox::KUBERNETES_ISSUER;
use serde_json::{Value, json};

use super::cluster::{BROKER, Cluster, decoded};
use crate::support::table::{Row, play};

const DISCOVERY: &str = "/.well-known/openid-configuration";
const KEYS: &str = "/openid/v1/jwks";
const KEYS_TYPE: &str = "application/jwk-set+json";

/// One of the two.
struct Side {
    cluster: Rc<Cluster>,
    is_real: bool,
}

impl Side {
    /// As whoever verifies a token asks.
    fn get(&self, path: &str, accept: &str) -> Answer {
        if self.is_real {
            let mut answer = self.cluster.server.ask("GET", path).header("Accept", accept).send().unwrap();
            answer.text = answer.text.replace(&self.cluster.server.url(), KUBERNETES_ISSUER);
            return answer;
        }
        let sandbox = &self.cluster.sandbox;
        let ask = Ask::new("GET", format!("{KUBERNETES_ISSUER}{path}"));
        ask.through(&sandbox.proxy_url(), sandbox.ca_pem()).header("Accept", accept).send().unwrap()
    }

    fn token(&self) -> String {
        if self.is_real {
            return self.cluster.projected();
        }
        self.cluster.sandbox.issuer().kubernetes().audience(BROKER).sign()
    }

    /// A part of a token as if somebody had answered it. What is another in each token is shown by its form.
    fn part(&self, part: usize) -> Answer {
        let mut value = decoded(&self.token(), part);
        let began = value["iat"].as_u64();
        for name in ["iat", "nbf", "exp"] {
            if let Some((time, began)) = value[name].as_u64().zip(began) {
                value[name] = json!(time.abs_diff(began));
            }
        }
        let text = value.to_string().replace(&self.cluster.server.url(), KUBERNETES_ISSUER);
        let mut value: Value = serde_json::from_str(&text).unwrap();
        hide(&mut value);
        Answer { status: 200, headers: Vec::new(), text: value.to_string() }
    }
}

/// Ids of objects, tokens and keys.
fn hide(value: &mut Value) {
    match value {
        Value::Object(members) => members.iter_mut().for_each(|(name, value)| match name.as_str() {
            "uid" | "jti" => *value = json!(value.as_str().map(form)),
            "kid" => *value = json!(value.is_string()),
            _ => hide(value),
        }),
        Value::Array(items) => items.iter_mut().for_each(hide),
        _ => {}
    }
}

/// Digits stand for hexadecimal digits.
fn form(id: &str) -> String {
    id.chars().map(|character| if character.is_ascii_hexdigit() { '0' } else { character }).collect()
}

/// Keys have another id at each issuer.
fn with_ids_hidden(mut answer: Answer) -> Answer {
    let mut keys = answer.json();
    hide(&mut keys);
    answer.text = keys.to_string();
    answer
}

const ROWS: &[Row<Side>] = &[
    ("discovery", |side| side.get(DISCOVERY, "*/*")),
    ("discovery, by who reads JSON", |side| side.get(DISCOVERY, "application/json")),
    ("discovery, by who reads keys", |side| side.get(DISCOVERY, KEYS_TYPE)),
    ("discovery, by who reads both", |side| side.get(DISCOVERY, &format!("application/json, {KEYS_TYPE}"))),
    ("keys", |side| with_ids_hidden(side.get(KEYS, "*/*"))),
    ("keys, by who reads JSON", |side| side.get(KEYS, "application/json")),
    ("keys, by who reads keys", |side| with_ids_hidden(side.get(KEYS, KEYS_TYPE))),
    ("keys, by who reads both", |side| {
        with_ids_hidden(side.get(KEYS, &format!("application/json;q=0.5, {KEYS_TYPE}")))
    }),
    ("header of a pod's token", |side| side.part(0)),
    ("claims of a pod's token", |side| side.part(1)),
];

#[test]
fn the_sandboxs_cluster_answers_as_a_real_one() {
    let cluster = Rc::new(Cluster::start());
    cluster.publish_keys();
    let [stand_in, real] = [false, true].map(|is_real| Side { cluster: Rc::clone(&cluster), is_real });
    play("cluster", ROWS, &stand_in, &real);
    assert_eq!(cluster.sandbox.unexpected(), [""; 0]);
}
