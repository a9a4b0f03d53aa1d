//! Text of somebody who wants to be believed: in inputs, claims, remote errors, docker's messages and the environment.
//!
//! That no line is a workflow command but ours, and that no secret is shown, is checked of every stage by the runner's
//! stand-in; here the texts come in.

use hublease_sandbox::{Action, Fault, Service};
use serde_json::json;

use super::finished::{Finished, pairs};
use super::runner::Step;
use crate::support::World;
use crate::support::hostile::{INJECTED, is_harmless, texts, vault_error};
use crate::support::job::Provider;

/// Every line is text behind our own words, and the files hold our own names only.
#[track_caller]
fn harmless<'w>(finished: Finished<'w>) -> Finished<'w> {
    for line in finished.stdout.lines().filter(|line| !line.starts_with("::add-mask::")) {
        let text = ["::error::", "::warning::", "::debug::"].iter().find_map(|command| line.strip_prefix(command));
        let text = text.unwrap_or(line).replace("%0A", "\n").replace("%25", "%");
        is_harmless(&text);
    }
    assert!(!finished.summary.lines().any(|line| line.starts_with(INJECTED)), "{}", finished.summary);
    assert!(finished.output.keys().chain(finished.env.keys()).all(|name| !name.contains(INJECTED)));
    finished
}

/// Texts as a variable can hold them.
fn values() -> impl Iterator<Item = String> {
    texts().into_iter().map(|text| text.replace('\0', ""))
}

#[test]
fn every_input_is_shown_as_a_harmless_line_or_not_at_all() {
    let world = World::new();
    let asked = world.asked_by_runs();
    let inputs = super::face::inputs();
    assert!(inputs.len() > 25);
    for text in values() {
        // All at once they would end at the first; each for itself is beside good ones.
        for input in inputs.iter().filter(|input| !["vault-data", "username", "audience"].contains(&input.as_str())) {
            let step = Step::new(&world, Provider::Vault).input(input, text.as_str()).input("dry-run", "true");
            let step = if input == "dry-run" { step.input("dry-run", text.as_str()) } else { step };
            let main = harmless(step.main());
            assert!([0, 2].contains(&main.code), "{input}: {}", main.shown());
            assert!(main.state.is_empty());
        }
    }
    assert_eq!(world.asked_by_runs(), asked);
}

#[test]
fn inputs_that_are_sent_are_shown_as_harmless_lines() {
    let world = World::new();
    for text in values() {
        for input in ["vault-data", "username", "audience"] {
            let value = if input == "vault-data" { format!("label={text}") } else { text.clone() };
            let step = Step::new(&world, Provider::Vault).input(input, value).input("client", "none");
            let main = harmless(step.main());
            harmless(step.post(&main)).code(0);
        }
    }
    assert_eq!(world.sandbox.unexpected(), [""; 0]);
}

#[test]
fn every_claim_is_shown_as_a_harmless_line() {
    let world = World::new();
    let shape = world.sandbox.issuer().github().audience(&world.sandbox.vault_url());
    let claims = shape.claims();
    for text in texts() {
        let mut token = shape.clone();
        for (name, _) in claims.as_object().unwrap().iter().filter(|(_, value)| value.is_string()) {
            // The audience is checked before anything is shown, and a token has a size.
            if name != "aud" && (text.len() < 1000 || name == "sub") {
                token = token.claim(name, json!(text));
            }
        }
        let token = token.sign();
        let step = Step::new(&world, Provider::Vault).input("identity-token-env", "MY_TOKEN").env("MY_TOKEN", token);
        let step = step.input("client", "none");
        let main = harmless(step.main()).says("");
        // Vault's role asks for a subject; whoever is let in is let out again.
        assert_eq!(main.code == 0, text.len() > 1000, "{}", main.shown());
        harmless(step.post(&main)).code(0);
    }
}

#[test]
fn every_remote_text_is_shown_as_a_harmless_line() {
    let refusal = |service, text: &str| {
        let body = json!({"error": text, "error_description": text, "message": text});
        Fault::on(service, "/oauth/token").then(Action::json(400, &body))
    };
    let world = World::new();
    for text in texts() {
        for (provider, code, fault) in [
            (Provider::Vault, 4, Fault::on(Service::Vault, "/v1/auth/").then(Action::json(400, &vault_error(&text)))),
            (
                Provider::Vault,
                4,
                Fault::on(Service::Vault, "/v1/dockerhub/").then(Action::json(403, &vault_error(&text))),
            ),
            (Provider::Docker, 4, refusal(Service::DockerIdentity, &text)),
            (Provider::Broker, 4, refusal(Service::Forwarded, &text)),
            (
                Provider::Vault,
                3,
                Fault::on(Service::IdTokenRequest, "/").then(Action::json(403, &json!({"message": text, "value": 1}))),
            ),
            (
                Provider::Vault,
                6,
                Fault::on(Service::RegistryAuth, "/").then(Action::json(401, &json!({"details": text}))),
            ),
        ] {
            world.sandbox.fault(fault.always());
            let main = harmless(Step::new(&world, provider).main());
            assert!(main.code == code || main.code == 5, "{}", main.shown());
            world.sandbox.clear_faults();
        }
    }
}

#[test]
fn what_a_provider_answers_is_checked_before_it_is_an_output() {
    let world = World::new();
    for text in texts() {
        let body = json!({"access_token": "dckr_oidc_0123456789", "username": text, "expires_in": 900});
        world.sandbox.fault(Fault::on(Service::DockerIdentity, "/").then(Action::json(200, &body)).always());
        let main = harmless(Step::new(&world, Provider::Docker).without_input("username").main());
        assert!(main.code != 0 && main.output.is_empty(), "{}", main.shown());
        world.sandbox.clear_faults();
    }
}

/// A revocation that explains itself also stands in the summary.
#[test]
fn what_is_said_in_the_end_is_harmless_in_log_and_summary() {
    let world = World::new();
    for text in texts() {
        let step = Step::new(&world, Provider::Vault).input("client", "none");
        let main = step.main().code(0);
        let path = "/v1/sys/leases/revoke";
        world.sandbox.fault(Fault::on(Service::Vault, path).always().then(Action::json(400, &vault_error(&text))));
        let post = harmless(step.post(&main)).code(0).says("not revoked, lives until");
        let summary: Vec<_> = post.summary.lines().filter(|line| !line.is_empty()).collect();
        assert!(summary.iter().all(|line| line.starts_with("hublease: ")), "{summary:?}");
        world.sandbox.clear_faults();
        step.post(&main).code(0);
    }
}

#[test]
fn what_docker_says_is_shown_as_a_harmless_line() {
    let world = World::new();
    for text in texts() {
        let message = world.path("spare/message");
        std::fs::write(&message, &text).unwrap();
        // Standard output is nobody's business.
        let script = format!(
            "#!/bin/sh\nPATH=/usr/bin:/bin\ncase $1 in login) cat '{0}'; cat '{0}' >&2; echo denied >&2; cat '{0}' >&2; exit 1;; esac\n",
            message.display()
        );
        world.program("docker", &script);
        harmless(Step::new(&world, Provider::Vault).main()).code(6);
    }
}

/// A directory can have any name, and the path of a private one goes to a file of names and values.
#[test]
fn a_path_that_looks_like_an_entry_stays_a_value() {
    let world = World::new();
    let temporary = world.path("tmp").join("a<<b\nINJECTED=1\nb");
    std::fs::create_dir(&temporary).unwrap();
    let step = Step::new(&world, Provider::Vault).input("isolated", "true").input("client", "none");
    let main = harmless(step.env("RUNNER_TEMP", temporary.display().to_string()).main()).code(0);
    assert!(main.env["DOCKER_CONFIG"].starts_with(&temporary.display().to_string()));
    assert_eq!(pairs("a<<x\nb\n\nc\nx\n")["a"], "b\n\nc");
}
