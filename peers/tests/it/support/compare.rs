//! What a client could tell two answers apart by: status, headers that clients read, texts, and the shape and values of the body.

use std::collections::BTreeMap;

use hublease_peers::Answer;
use serde_json::Value;

/// Headers that some client reads.
const HEADERS: &[&str] = &[
    "content-type",
    "cache-control",
    "location",
    "retry-after",
    "warning",
    "www-authenticate",
    "docker-distribution-api-version",
    "docker-content-digest",
    "range",
];

/// Members whose values are another each time; their type is compared.
const VOLATILE: &[&str] = &[
    "access_token",
    "accessor",
    "client_token",
    "created_time",
    "creation_time",
    "deletion_time",
    "entity_id",
    "expire_time",
    "id",
    "issue_time",
    "last_renewal",
    "last_renewal_time",
    "lease_id",
    "mfa_request_id",
    "password",
    "request_id",
    "token",
    "ttl",
    "username",
    "uuid",
    "wrapped_accessor",
    "cluster_id",
    "cluster_name",
    "version",
    "server_time_utc",
    "build_date",
];

/// The differences, each a line: the stand-in's first, then the real server's.
pub fn differences(stand_in: &Answer, real: &Answer) -> Vec<String> {
    let mut found = Vec::new();
    let mut compare = |what: String, left: String, right: String| {
        if left != right {
            found.push(format!("{what}: {left} / {right}"));
        }
    };
    compare("status".to_owned(), stand_in.status.to_string(), real.status.to_string());
    for name in HEADERS {
        // A media type is the same with its character set and without.
        let end = if *name == "content-type" { ';' } else { '\n' };
        let header = |answer: &Answer| answer.header(name).unwrap_or("-").split(end).next().unwrap_or("-").to_owned();
        compare(format!("header {name}"), header(stand_in), header(real));
    }
    let (left, right) = (leaves(&stand_in.json()), leaves(&real.json()));
    let paths: std::collections::BTreeSet<_> = left.keys().chain(right.keys()).collect();
    for path in paths {
        let leaf = |leaves: &BTreeMap<String, String>| leaves.get(path).cloned().unwrap_or_else(|| "-".to_owned());
        compare(path.clone(), leaf(&left), leaf(&right));
    }
    found
}

/// Every leaf of a body by its path; an empty object or list is one.
fn leaves(body: &Value) -> BTreeMap<String, String> {
    let mut leaves = BTreeMap::new();
    add(body, "body", "", &mut leaves);
    leaves
}

fn add(value: &Value, path: &str, name: &str, leaves: &mut BTreeMap<String, String>) {
    match value {
        Value::Object(members) if !members.is_empty() => {
            members.iter().for_each(|(name, value)| add(value, &format!("{path}.{name}"), name, leaves));
        }
        Value::Array(items) if !items.is_empty() => {
            items.iter().enumerate().for_each(|(place, value)| add(value, &format!("{path}.{place}"), name, leaves));
        }
        leaf => {
            let shown = if VOLATILE.contains(&name) { type_of(leaf).to_owned() } else { leaf.to_string() };
            leaves.insert(path.to_owned(), shown);
        }
    }
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(text) if text.is_empty() => "an empty text",
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

#[test]
fn each_kind_of_difference_is_seen_and_volatile_values_are_not() {
    let answer = |status, header: &str, text: &str| Answer {
        status,
        headers: vec![("content-type".to_owned(), header.to_owned())],
        text: text.to_owned(),
    };
    let left = answer(200, "a", r#"{"request_id":"x","data":{"n":1,"only":null,"list":[]},"errors":["one"]}"#);
    let right = answer(400, "b", r#"{"request_id":"y","data":{"n":2,"list":["z"]},"errors":["two"]}"#);
    let expected = [
        "status: 200 / 400",
        "header content-type: a / b",
        "body.data.list: [] / -",
        r#"body.data.list.0: - / "z""#,
        "body.data.n: 1 / 2",
        "body.data.only: null / -",
        r#"body.errors.0: "one" / "two""#,
    ];
    assert_eq!(differences(&left, &right), expected);
    assert_eq!(differences(&left, &left), [""; 0]);
}
