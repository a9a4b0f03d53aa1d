//! What the module answers to good and to broken messages, natively; `tests/it` asks the built module the same.

use hublease_protocol::secret::Secret;
use serde_json::{Value, json};

use super::{LARGEST_MESSAGE, Module};
use crate::effect::Session;

const BROKER: &str = "https://broker.example.com";

fn given(inputs: &Value) -> Secret {
    let environment = json!({
        "ACTIONS_ID_TOKEN_REQUEST_URL": "https://pipelines.example.com/token?api-version=2",
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "s3cret-bearer",
        "GITHUB_ACTIONS": "true",
        "GITHUB_RUN_ID": "1",
    });
    Secret::new(json!({ "inputs": inputs, "environment": environment }).to_string())
}

fn answer(secret: &Secret) -> Value {
    serde_json::from_str(secret.expose()).unwrap()
}

fn begin(module: &mut Module, stage: &str, inputs: &Value) -> Value {
    answer(&module.begin(stage, &given(inputs)))
}

/// What a login with these inputs leaves for its post step.
fn left(inputs: &Value) -> Secret {
    let first = begin(&mut Module::default(), "login", inputs);
    Secret::new(first["setup"]["way_back"].as_str().unwrap_or_else(|| panic!("{first}")))
}

#[track_caller]
fn ends(answer: &Value, code: u8, text: &str) {
    assert_eq!(answer["over"]["code"], code, "{answer}");
    assert!(answer["over"]["error"].as_str().unwrap().contains(text), "{answer}");
    assert!(!answer.to_string().contains("s3cret"), "{answer}");
}

#[test]
fn the_first_answer_names_what_is_fixed_and_the_first_effect() {
    let inputs = json!({ "broker-url": BROKER, "ca-cert": "ca.pem", "identity-token-env": " ", "scope": "" });
    let first = begin(&mut Module::default(), "login", &inputs);
    let expected = json!({
        "destinations": { "identity": "https://pipelines.example.com", "provider": BROKER },
        "ca_cert": { "path": "ca.pem", "provider_only": false },
        "identity_file": null,
        "way_back": first["setup"]["way_back"].as_str().unwrap(),
    });
    assert_eq!(first["setup"], expected);
    let ask = json!({
        "effect": { "docker": { "client": "docker", "verb": "version", "directory": "user" } },
        "undo": false, "forward": true, "mint": false,
    });
    assert_eq!(first["ask"], ask);
}

#[test]
fn the_post_stage_asks_the_provider_of_the_login_whatever_inputs_it_is_given() {
    let vault = json!({ "vault-addr": "https://vault.example.com", "vault-path": "dockerhub/creds/ci" });
    let docker = json!({ "connection-id": "2d7a4b1c-5e6f-4a3b-9c8d-0123456789ab", "username": "acme" });
    let of_another_action = given(&json!({ "image": "acme/app", "broker-url": "https://other.example.com" }));
    for (left, provider) in [
        (left(&json!({ "broker-url": BROKER })), Some(BROKER)),
        (left(&vault), Some("https://vault.example.com")),
        (left(&docker), None),
        (of_another_action, None),
        (Secret::default(), None),
    ] {
        let first = answer(&Module::default().begin("logout", &left));
        assert_eq!(first["setup"]["destinations"]["provider"].as_str(), provider, "{first}");
        assert_eq!(first["ask"]["effect"], json!({ "record": { "read": { "first": null } } }));
        assert_eq!((&first["ask"]["undo"], &first["ask"]["forward"]), (&json!(true), &json!(false)));
    }
}

#[test]
fn inputs_are_refused_by_their_names() {
    for (inputs, text) in [
        (json!({ "vualt-addr": "x" }), "there is no input vualt-addr\n  because: did you mean `vault-addr`?"),
        (json!({ "expose_token": "x" }), "did you mean `expose-token`?"),
        (json!({ "role": "x" }), "did you mean `vault-role`?"),
        (
            json!({ "password": "x" }),
            "because: no input holds a secret: with `provider` at `static`, `secret-env` names",
        ),
        (json!({ "isolated": "yes" }), "it is `true` or `false`"),
        (json!({ "broker-url": BROKER, "strict-revoke": "tRue" }), "it is `true` or `false`"),
        (json!({ "all": "true" }), "there is no input all"),
        (json!({ "broker-url": "ftp://x" }), "the value of `broker-url` cannot be used"),
        (json!({ "broker-url": BROKER, "expose-token": "yes" }), "the value of `expose-token` cannot be used"),
        (json!({ "broker-url": BROKER, "strict-revoke": "yes" }), "the value of `strict-revoke` cannot be used"),
        (json!({ "broker-url": BROKER, "vault-path": "a/b" }), "broker by `broker-url`, vault by `vault-path`"),
        (json!({}), "nothing says which provider to ask"),
    ] {
        ends(&begin(&mut Module::default(), "login", &inputs), 2, text);
    }
}

/// Where the program has flags, people have inputs here: in what is said on the way as in an error.
#[test]
fn what_is_said_names_inputs_and_no_flags() {
    for (text, shown) in [
        (
            "not revoked: the address is missing (give `--broker-url`)",
            "not revoked: the address is missing (give `broker-url`)",
        ),
        ("`--vault-addr` or `--broker-url`", "`vault-addr` or `broker-url`"),
        ("log in -- then `docker push`", "log in -- then `docker push`"),
    ] {
        let said = |level: &str| json!({ "say": { "level": level, "text": shown } });
        let warning = Session::start(move |host| async move { host.warn(text.to_owned()).await.map(|()| 0) });
        assert_eq!(answer(&Module::default().step(warning, None, None))["ask"]["effect"], said("warning"));
        let note = Session::start(move |host| async move { host.note(text.to_owned()).await.map(|()| 0) });
        assert_eq!(answer(&Module::default().step(note, None, None))["ask"]["effect"], said("note"));
    }
}

#[test]
fn a_misspelled_variable_is_refused() {
    let environment = json!({ "HUBLEASE_BROKER_ULR": "https://PLANTED.example.com" });
    let run = |stage| {
        let given = json!({ "inputs": { "broker-url": BROKER }, "environment": environment });
        answer(&Module::default().begin(stage, &Secret::new(given.to_string())))
    };
    ends(
        &run("login"),
        2,
        "there is no variable `HUBLEASE_BROKER_ULR`\n  because: did you mean `HUBLEASE_BROKER_URL`?",
    );
}

#[test]
fn an_input_that_may_be_repeated_has_a_value_on_each_line() {
    let inputs = json!({ "broker-url": BROKER, "registry": "docker.io\n  dhi.io\n\n", "dry-run": "true" });
    let shown = begin(&mut Module::default(), "login", &inputs);
    let text = shown["ask"]["effect"]["output"]["report"].as_str().unwrap();
    assert!(text.contains("docker.io") && text.contains("dhi.io"), "{text}");
}

#[test]
fn a_dry_run_shows_the_plan_and_ends() {
    let mut module = Module::default();
    let shown = begin(&mut module, "login", &json!({ "broker-url": BROKER, "dry-run": "true" }));
    assert!(shown["ask"]["effect"]["output"]["report"].as_str().unwrap().contains(BROKER));
    let end = answer(&module.advance(&Secret::new("\"done\"")));
    assert_eq!(end, json!({ "over": { "code": 0, "error": null } }));
}

#[test]
fn whatever_is_out_of_turn_or_not_of_this_form_ends_with_70() {
    let broker = json!({ "broker-url": BROKER });
    ends(&answer(&Module::default().advance(&Secret::new("\"done\""))), 70, "out of turn");
    ends(&begin(&mut Module::default(), "exec", &broker), 70, "stage");
    ends(&answer(&Module::default().begin("login", &Secret::new("{\"inputs\": \"s3cret\"}"))), 70, "line 1, column 19");
    let deep = "[".repeat(200_000);
    let large = format!("\"{}\"", "s3cret".repeat(LARGEST_MESSAGE / 6 + 1));
    for (outcome, text) in [
        ("", "line 1, column 0"),
        ("{\"docker\": {\"s3cret\": 1}}", "line 1"),
        ("\"s3cret\"", "line 1"),
        ("{\"now\": \"s3cret\"}", "line 1"),
        ("{\"now\": 5}", "answers nothing"),
        ("\"done\"", "answers nothing"),
        (&deep, "line 1"),
        (&large, "larger than 8 MiB"),
    ] {
        let mut module = Module::default();
        begin(&mut module, "login", &broker);
        ends(&answer(&module.advance(&Secret::new(outcome))), 70, text);
        ends(&answer(&module.advance(&Secret::new("{\"docker\": \"not_found\"}"))), 70, "out of turn");
        ends(&begin(&mut module, "login", &broker), 70, "second beginning");
    }
}
