//! An issuer of identity tokens that the sandbox did not make: the broker finds its keys, and takes and refuses its tokens.

use std::collections::BTreeSet;

use hublease_peers::oidc_provider::OidcProvider;
use hublease_peers::{Answer, Ask};
use hublease_sandbox::{GITHUB_ISSUER, Sandbox};
use serde_json::Value;

use crate::support::broker::Broker;
use crate::support::client::{Job, Outcome};

const ISSUER: &str = "https://issuer.example.com";
const BROKER: &str = "https://broker.example.com";

/// A project of that issuer may push.
const RULE: &str = r#"
[[issuer]]
name = "of-the-peer"
kind = "other"
url = "https://issuer.example.com"
project_claim = "project_id"
job_claims = ["job_id"]

[[rule]]
name = "of-the-peer"
issuer = "of-the-peer"
account = "acme"
repositories = ["acme/app"]
actions = ["pull", "push"]
max_life_seconds = 900
claims = { project_id = "4711", ref = "refs/heads/main" }
"#;

fn login(sandbox: &Sandbox, identity: &str) -> Outcome {
    let mut job = Job::new(sandbox, BROKER);
    job.set("IDENTITY", identity);
    let outcome = job.run(&["login", "--client", "none", "--broker-url", BROKER, "--identity-token-env", "IDENTITY"]);
    if outcome.code == 0 {
        job.run(&["logout", "--broker-url", BROKER]).code(0).says("revoked and confirmed");
    }
    outcome
}

#[test]
fn its_tokens_are_taken_by_its_keys_and_no_others() {
    let sandbox = Sandbox::start().unwrap();
    let provider = OidcProvider::start(ISSUER);
    sandbox.forward("issuer.example.com", provider.address());
    let broker = Broker::start(&sandbox, BROKER, |configuration| configuration + RULE);
    sandbox.forward("broker.example.com", broker.address());
    login(&sandbox, &provider.token(BROKER)).code(0).says("by broker");

    let refused = |identity: &str| login(&sandbox, identity).code(4);
    refused(&provider.token("https://another.example.com"));
    // Signed by a key that the issuer does not publish.
    let foreign = OidcProvider::start(ISSUER);
    refused(&foreign.token(BROKER));
    // Signed well, for another text.
    let token = provider.token(BROKER);
    let (head, signature) = token.rsplit_once('.').unwrap();
    let (header, _) = head.split_once('.').unwrap();
    let claims = provider.token(BROKER);
    refused(&format!("{header}.{}.{signature}", claims.split('.').nth(1).unwrap()));
    assert_eq!(sandbox.unexpected(), [""; 0]);
}

/// Members that a reader of keys goes by, and how they are sent.
#[test]
fn the_sandboxs_issuers_publish_what_a_provider_publishes() {
    let sandbox = Sandbox::start().unwrap();
    let provider = OidcProvider::start(ISSUER);
    sandbox.forward("issuer.example.com", provider.address());
    let get = |url: &str| Ask::new("GET", url).through(&sandbox.proxy_url(), sandbox.ca_pem()).send().unwrap();
    let published = |issuer: &str| {
        let discovery = get(&format!("{issuer}/.well-known/openid-configuration"));
        assert_eq!((discovery.status, discovery.json()["issuer"].as_str()), (200, Some(issuer)));
        let keys = get(discovery.json()["jwks_uri"].as_str().unwrap());
        assert_eq!(keys.status, 200);
        (kind(&discovery), kind(&keys), discovery.json(), keys.json())
    };
    let identity = sandbox.issuer().identity();
    let real = published(ISSUER);
    for issuer in [GITHUB_ISSUER.to_owned(), identity.circleci_issuer()] {
        let ours = published(&issuer);
        assert_eq!(ours.0, real.0, "{issuer}");
        // GitHub and CircleCI send keys as any JSON; the broker takes both.
        assert_eq!((ours.1.as_str(), real.1.as_str()), ("application/json", "application/jwk-set+json"), "{issuer}");
        for member in ["issuer", "jwks_uri", "response_types_supported", "subject_types_supported"] {
            assert_eq!(type_of(&ours.2[member]), type_of(&real.2[member]), "{issuer}: {member}");
        }
        assert_eq!(members(&ours.3["keys"][0]), members(&real.3["keys"][0]), "{issuer}");
        assert_eq!(ours.3["keys"][0]["kty"], real.3["keys"][0]["kty"]);
    }
}

/// The type of the body, without its parameters.
fn kind(answer: &Answer) -> String {
    answer.header("content-type").unwrap_or_default().split(';').next().unwrap_or_default().to_owned()
}

fn members(key: &Value) -> BTreeSet<String> {
    key.as_object().unwrap().keys().cloned().collect()
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::String(_) => "a text",
        Value::Array(_) => "a list",
        Value::Null => "nothing",
        _ => "another",
    }
}
