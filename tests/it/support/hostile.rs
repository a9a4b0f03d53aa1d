//! Text of somebody who wants to be believed, and what must be true of whatever is shown.

use hublease_sandbox::{KnownSecret, Service};
use serde_json::{Value, json};

use super::World;
use super::job::{Job, Outcome, Provider};

/// What must not appear as anything but part of a line that begins with our own words.
pub const INJECTED: &str = "INJECTED";

/// Texts that break out of a line, move the cursor, change the reading direction or command a CI system.
pub fn texts() -> Vec<String> {
    let mut texts: Vec<String> = [
        "first\nINJECTED line\r\nINJECTED",
        "\u{1b}[2J\u{1b}]0;INJECTED\u{7}\u{9b}31m\u{85}INJECTED",
        "\u{202e}\u{2066}\u{200b}\u{feff}\u{e0041}INJECTED\u{2028}INJECTED",
        "::add-mask::INJECTED",
        "\n::set-output name=x::INJECTED\n::stop-commands::x",
        "##[error]INJECTED ###[x] ::::",
        "nul\u{0}backspace\u{8}delete\u{7f}INJECTED",
        "\"}], \"INJECTED\": [{\"' \\ \\u001b `x` $(x) {} {0} %s %n",
    ]
    .map(str::to_owned)
    .to_vec();
    texts.push("x".repeat(10_000));
    texts
}

/// No line of `shown` is more than text, and none is long. Mask lines are the CI system's own.
#[track_caller]
pub fn is_harmless(shown: &str) {
    for line in shown.split('\n').filter(|line| !line.starts_with("::add-mask::")) {
        let hidden = |character: char| {
            character.is_control()
                || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}')
                || matches!(character, '\u{feff}' | '\u{ad}' | '\u{61c}' | '\u{e0000}'..='\u{e0fff}')
        };
        assert!(!line.contains(hidden), "{line:?}");
        assert!(!line.contains("::") && !line.contains("##["), "{line:?}");
        assert!(!line.trim_start().starts_with(INJECTED), "{line:?}");
        // A report in JSON is one line of many parts.
        assert!(line.starts_with('{') || line.chars().count() <= 1500, "{line:.200?}");
    }
}

/// Shown text of a run, both streams.
#[track_caller]
pub fn harmless(outcome: Outcome) -> Outcome {
    is_harmless(&outcome.stdout);
    is_harmless(&outcome.stderr);
    outcome
}

/// A login whose identity token the test knows.
pub fn known<'w>(world: &'w World, provider: Provider) -> (Job<'w>, String) {
    let issuer = world.sandbox.issuer();
    let token = match provider {
        Provider::Docker => issuer.github().audience("https://identity.docker.com"),
        Provider::Broker => issuer.circleci().audience(&world.broker_url()),
        Provider::Vault | Provider::Static => issuer.circleci().audience(&world.sandbox.vault_url()),
    };
    let token = token.sign();
    if provider == Provider::Broker {
        forward_may_hold(world, &token);
    }
    let job = world.job("login").usual(provider).args(&["-v", "--identity-token-env=MY_TOKEN"]);
    (job.env("MY_TOKEN", &token), token)
}

/// The host `broker.example.com` may see this value.
pub fn forward_may_hold(world: &World, value: &str) {
    let known = world.sandbox.secrets().into_iter().find(|secret| secret.value == value).unwrap();
    world.sandbox.add_secret(KnownSecret { services: vec![Service::Forwarded], ..known });
}

/// The body of an error of Vault.
pub fn vault_error(text: &str) -> Value {
    json!({ "errors": [text, text] })
}
