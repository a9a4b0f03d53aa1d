//! A real cluster's identities: the broker finds their keys, takes and refuses them, and the sandbox's have the same shape.

mod alike;
mod cluster;

use std::fs;

use hublease_sandbox::{ACCOUNT, ORGANIZATION};
use serde_json::{Value, json};

use self::cluster::{BROKER, Cluster, decoded};
use crate::support::broker::Broker;
use crate::support::client::{Job, Outcome};
use crate::support::known::Right;

/// What the template of a cluster's configuration leaves open, filled in; the account is the sandbox's.
fn filled_in(cluster: &Cluster) -> String {
    let template = cluster.broker(&["init", "--ci", "kubernetes"], "").code(0).stdout;
    let identity = cluster.sandbox.issuer().identity();
    let open = [
        ("https://replace-with-broker-host", BROKER),
        ("https://replace-with-issuer-host", &cluster.server.url()),
        ("replace-with-organization", ORGANIZATION),
        ("replace-with-repository", "app"),
        ("replace-with-owner", ACCOUNT),
        ("replace-with-namespace", &identity.namespace),
        ("replace-with-service-account", &identity.service_account),
    ];
    open.into_iter().fold(template, |text, (place, value)| text.replace(place, value))
}

/// Nothing in it is open or warned of.
#[track_caller]
fn is_sound(cluster: &Cluster, moment: &'static str, configuration: &str) {
    let path = cluster.write("checked.toml", configuration);
    let checked = cluster.broker(&["check", "--config", &path, "--strict"], "");
    checked.is(&Right { moment, code: 0, says: &["no warnings"], does_not_say: &["warning: "] });
}

/// Tokens of the cluster, whether it takes them itself for the broker's audience, and what the broker says.
fn tokens(cluster: &Cluster) -> Vec<(&'static str, String, bool, Value)> {
    let account = cluster.sandbox.issuer().identity().service_account;
    let token = |account: &str, audiences: &[&str]| {
        let words: Vec<&str> = audiences.iter().flat_map(|audience| ["--audience", audience]).collect();
        cluster.token(account, &[&words[..], &["--duration", "10m"]].concat())
    };
    let whole = token(&account, &[BROKER]);
    let issued_at = decoded(&whole, 1)["iat"].as_u64().unwrap();
    let again = || cluster.again(&whole);
    let moved = |seconds: u64| {
        let times = [("iat", 0), ("nbf", 0), ("exp", 600)];
        times.into_iter().fold(again(), |token, (name, after)| token.claim(name, json!(issued_at - seconds + after)))
    };
    vec![
        ("of the account", whole.clone(), true, Value::Null),
        ("of its pod", cluster.projected(), true, Value::Null),
        ("signed again", again().sign(), true, Value::Null),
        ("for another audience", token(&account, &["https://other.example.com"]), false, json!("audience_mismatch")),
        ("for the cluster itself", token(&account, &[]), false, json!("audience_mismatch")),
        // Whoever it is for besides could use it here.
        (
            "for two audiences",
            token(&account, &[BROKER, "https://other.example.com"]),
            true,
            json!("audience_mismatch"),
        ),
        ("of another account", token("other", &[BROKER]), true, json!("no_rule_matches")),
        ("of an hour ago", moved(3600).sign(), false, json!("token_expired")),
        ("signed with another key", again().with_another_key().sign(), false, json!("signature_invalid")),
        ("of another issuer", again().claim("iss", json!("https://x.example")).sign(), false, json!("issuer_unknown")),
    ]
}

#[test]
fn its_identities_are_taken_by_its_keys_and_by_the_template() {
    let cluster = Cluster::start();
    let text = filled_in(&cluster);
    is_sound(&cluster, "a cluster's template, filled in", &text);
    let path = cluster.write("broker.toml", &text);
    let words = ["check", "--config", &path, "--token", "-", "--output", "json"];
    let code = |token: &str| {
        let told: Value = serde_json::from_str(&cluster.broker(&words, token).stdout).unwrap();
        told["decision"]["code"].clone()
    };
    let account = cluster.sandbox.issuer().identity().service_account;
    let first = cluster.token(&account, &["--audience", BROKER]);
    assert_eq!(code(&first), "issuer_unavailable", "a cluster shows its keys to its own accounts only");
    cluster.publish_keys();
    for (name, token, is_taken_there, refusal) in tokens(&cluster) {
        assert_eq!(cluster.server.takes(&token, BROKER), is_taken_there, "{name}");
        assert_eq!(code(&token), refusal, "{name}");
    }
    assert_eq!(cluster.sandbox.unexpected(), [""; 0]);
}

/// With an identity in a file, as the kubelet writes it.
fn run(cluster: &Cluster, token: &str, words: &[&str]) -> Outcome {
    let job = Job::new(&cluster.sandbox, BROKER);
    let file = job.home().join("token");
    fs::write(&file, token).unwrap();
    let identity = ["--identity-token-file", file.to_str().unwrap()];
    let outcome = job.run(&[words, &identity].concat());
    if words[0] == "login" && outcome.code == 0 {
        job.run(&["logout", "--broker-url", BROKER]).code(0).says("revoked and confirmed");
    }
    outcome
}

#[test]
fn a_job_logs_in_by_the_rule_that_whoami_prints() {
    let cluster = Cluster::start();
    cluster.publish_keys();
    let token = cluster.projected();
    let shown = run(&cluster, &token, &["whoami", "--output", "json"]).code(0).stdout;
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let rule = shown["rules"]["broker"].as_str().unwrap();
    let rule = rule.replace("YOUR-ORGANIZATION/YOUR-REPOSITORY", "acme/app");
    let template = filled_in(&cluster);
    let (head, _) = template.split_once("\n[[issuer]]").unwrap();
    is_sound(&cluster, "whoami's rule for a cluster", &format!("{head}\n{}\n", rule.replace("YOUR-ACCOUNT", "hub")));

    let rule = rule.replace("YOUR-ACCOUNT", "acme");
    let broker = Broker::start_in(&cluster.sandbox, &cluster.environment(), BROKER, |head| format!("{head}\n{rule}\n"));
    cluster.sandbox.forward("broker.example.com", broker.address());
    let login = |token: &str| run(&cluster, token, &["login", "--client", "none", "--broker-url", BROKER]);
    login(&token).code(0).says("by broker");
    let account = cluster.sandbox.issuer().identity().service_account;
    login(&cluster.token(&account, &["--audience", BROKER])).code(0);
    login(&cluster.token("other", &["--audience", BROKER])).code(4);
    login(&cluster.token(&account, &["--audience", "https://other.example.com"])).code(4);
    assert_eq!(cluster.sandbox.unexpected(), [""; 0]);
}
