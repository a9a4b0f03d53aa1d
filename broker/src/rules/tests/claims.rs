//! What a rule says about one claim, and which values of it are then accepted. All other claims are as the rule wants them.
//! The tables are longer than a function should be, because a row per line is how they are read.

use hublease_protocol::oauth::Code;
use serde_json::{Value, json};

use super::{CONFIG, changed, circleci_claims, release, scope};
use crate::config::Config;
use crate::identity::claims::Claims;
use crate::rules::decide;

/// Whether the rule `release` accepts a job, when it says this about `ref` and the job's token that.
fn accepts(rule: &str, claims: &Value) -> bool {
    let config = Config::parse(&CONFIG.replacen(r#"{ glob = "refs/tags/v*" }"#, rule, 1)).unwrap();
    let claims = Claims::of(claims);
    match decide(&config.rules, &config.issuers[1], &claims, &scope("repository:acme/app:pull")) {
        Ok(grant) => grant.rule == "release",
        Err(refusal) => {
            assert_eq!(refusal.sentence, "no rule accepts this job: `ref` did not match", "{rule}");
            assert_eq!(refusal.code, Code::NoRuleMatches);
            false
        }
    }
}

fn values(rule: &str, accepted: &[Value], refused: &[Value]) {
    for (list, expected) in [(accepted, true), (refused, false)] {
        for value in list {
            let mut claims = release();
            claims["ref"] = value.clone();
            assert_eq!(accepts(rule, &claims), expected, "{rule} {value}");
        }
    }
    assert!(!accepts(rule, &changed(release(), &json!({"ref": null}))), "a claim that is not there never matches");
}

#[test]
fn a_text_is_that_text_letter_by_letter() {
    values(
        r#""refs/heads/main""#,
        &[json!("refs/heads/main")],
        &[
            json!("refs/heads/Main"),
            json!("REFS/HEADS/MAIN"),
            json!("refs/heads/main "),
            json!(" refs/heads/main"),
            json!("refs/heads/main\n"),
            json!("refs/heads/main\0"),
            json!("refs/heads/mai"),
            json!("refs/heads/main2"),
            json!("refs/heads/main/x"),
            json!("refs/tags/refs/heads/main"),
            json!("refs//heads/main"),
            json!("refs/heads/../heads/main"),
            json!("refs%2Fheads%2Fmain"),
            json!(""),
            // A Cyrillic letter, a full-width one, and one that cannot be seen.
            json!("refs/heads/m\u{430}in"),
            json!("refs/heads/\u{ff4d}ain"),
            json!("refs/heads/ma\u{200b}in"),
            // Not a text at all.
            json!(null),
            json!(true),
            json!(0),
            json!(["refs/heads/main"]),
            json!({"refs/heads/main": true}),
            json!({"glob": "refs/heads/main"}),
        ],
    );
    // Two spellings of one letter are two texts, in both directions.
    values(r#""caf\u00e9""#, &[json!("caf\u{e9}")], &[json!("cafe\u{301}"), json!("cafe")]);
    values(r#""cafe\u0301""#, &[json!("cafe\u{301}")], &[json!("caf\u{e9}")]);
    // What means something elsewhere means itself.
    for text in [".", "refs/heads/.+", "^main$", "main|other", "[a-z]", "ma?n", "$ref", "%"] {
        let rule = format!("\"{text}\"");
        values(&rule, &[json!(text)], &[json!("main"), json!("a"), json!("refs/heads/main"), json!("")]);
    }
}

#[test]
fn a_star_is_one_or_more_letters_of_one_step() {
    values(
        r#"{ glob = "refs/heads/release-*" }"#,
        &[
            json!("refs/heads/release-1"),
            json!("refs/heads/release-1.2"),
            json!("refs/heads/release--"),
            json!("refs/heads/release-*"),
            json!("refs/heads/release-\u{430}"),
        ],
        &[
            json!("refs/heads/release-"),
            json!("refs/heads/release"),
            json!("refs/heads/release-/"),
            json!("refs/heads/release-1/x"),
            json!("refs/heads/release-1:x"),
            json!("refs/heads/release-1@x"),
            json!("refs/heads/Release-1"),
            json!("xrefs/heads/release-1"),
            json!("refs/tags/release-1"),
            json!(""),
            json!(null),
            json!(1),
            json!(["refs/heads/release-1"]),
            json!({"x": "refs/heads/release-1"}),
        ],
    );
    values(
        r#"{ glob = "refs/*/v*.*" }"#,
        &[json!("refs/tags/v1.2"), json!("refs/heads/v1.2.3")],
        &[json!("refs/tags/x/v1.2"), json!("refs//v1.2"), json!("refs/tags/v.2"), json!("refs/tags/v1.")],
    );
}

#[test]
fn a_list_means_any_of() {
    values(
        r#"["refs/heads/main", { glob = "refs/tags/v*" }, 7, false]"#,
        &[json!("refs/heads/main"), json!("refs/tags/v1"), json!(7), json!(false)],
        &[
            json!("refs/heads/other"),
            json!("refs/tags/v"),
            json!("7"),
            json!("false"),
            json!(true),
            // Of a list in the token not even a part counts.
            json!(["refs/heads/main"]),
            json!(["refs/heads/main", "refs/tags/v1", 7, false]),
            json!([]),
        ],
    );
}

#[test]
fn a_number_is_no_text_and_a_text_no_number() {
    values(
        "7",
        &[json!(7)],
        &[
            json!("7"),
            json!(7.0),
            json!(7.5),
            json!(-7),
            json!(70),
            json!(true),
            json!([7]),
            json!(null),
            json!(u64::MAX),
        ],
    );
    values(
        r#""7""#,
        &[json!("7")],
        &[json!(7), json!("07"), json!("7.0"), json!("+7"), json!(" 7"), json!("\u{ff17}")],
    );
    values("-1", &[json!(-1)], &[json!(u64::MAX), json!("-1"), json!(1)]);
    values("0", &[json!(0)], &[json!(false), json!(""), json!("0"), json!(null), json!([])]);
}

#[test]
fn a_truth_value_is_no_text() {
    values("true", &[json!(true)], &[json!("true"), json!(1), json!("1"), json!([true]), json!(false), json!({})]);
    values("false", &[json!(false)], &[json!("false"), json!(0), json!(null), json!(""), json!([]), json!(true)]);
    values(r#""true""#, &[json!("true")], &[json!(true), json!("True"), json!("TRUE"), json!("1")]);
}

#[test]
fn a_project_is_its_id_as_a_text() {
    let other = |id: Value| {
        let config = Config::parse(CONFIG).unwrap();
        let claims = changed(release(), &json!({"repository_id": id, "repository": "acme/app"}));
        decide(&config.rules, &config.issuers[1], &Claims::of(&claims), &scope("repository:acme/app:pull"))
    };
    assert!(other(json!("77")).is_ok());
    for id in [json!(77), json!(["77"]), json!("077"), json!("77 "), json!({"id": "77"}), json!(""), json!(null)] {
        let refusal = other(id.clone()).unwrap_err();
        assert_eq!(refusal.sentence, "no rule accepts this job: none matches its `repository_id`", "{id}");
    }
}

/// What a rule says of a claim that may be a list, what the token says, and whether that is enough.
#[test]
fn a_list_is_taken_by_its_elements_where_a_claim_may_be_one() {
    let accepts = |rule: &str, value: &Value| {
        let wanted = format!(r#""oidc.circleci.com/context-ids" = {rule}, "oidc.circleci.com/project-id" = "p1""#);
        let config = CONFIG.replacen(r#""oidc.circleci.com/project-id" = "p1""#, &wanted, 1);
        let config = Config::parse(&config).unwrap();
        let claims = changed(circleci_claims(), &json!({"oidc.circleci.com/context-ids": value}));
        decide(&config.rules, &config.issuers[0], &Claims::of(&claims), &scope("repository:acme/app:pull")).is_ok()
    };
    let both = r#"{ all_of = ["a", "b"] }"#;
    for (rule, value, expected) in [
        (r#""a""#, json!(["a"]), true),
        (r#""a""#, json!(["b", "a"]), true),
        (r#""a""#, json!("a"), true),
        (r#""a""#, json!(["b"]), false),
        (r#""a""#, json!([]), false),
        (r#""a""#, json!([["a"]]), false),
        (r#""a""#, json!([{"a": "a"}]), false),
        (r#""a""#, json!({"0": "a"}), false),
        (r#"["a", "b"]"#, json!(["c", "b"]), true),
        (r#"["a", "b"]"#, json!(["c"]), false),
        ("7", json!([7]), true),
        ("7", json!(["7"]), false),
        ("false", json!(false), true),
        ("false", json!([false]), false),
        ("false", json!([true, false]), false),
        (both, json!(["b", "x", "a"]), true),
        (both, json!(["a"]), false),
        (both, json!("a"), false),
        (both, json!([]), false),
        (r#"{ all_of = ["a"] }"#, json!("a"), true),
        (r#"{ all_of = ["a", 7] }"#, json!(["a", 7]), true),
        (both, json!(null), false),
    ] {
        assert_eq!(accepts(rule, &value), expected, "{rule} {value}");
    }
}

#[test]
fn a_path_leads_into_objects_and_nowhere_else() {
    let rule = r#"name = "k"
issuer = "github"
account = "acme"
repositories = ["acme/app"]
actions = ["pull"]
claims = { "/kubernetes.io/namespace" = "ci", "/kubernetes.io/serviceaccount/name" = "builder" }"#;
    let (head, _) = CONFIG.split_once("[[rule]]").unwrap();
    let text = format!("{head}[[rule]]\n{rule}\n").replace(r#"kind = "github""#, r#"kind = "kubernetes""#);
    let config = Config::parse(&text).unwrap();
    let accepts = |claims: &Value| {
        decide(&config.rules, &config.issuers[1], &Claims::of(claims), &scope("repository:acme/app:pull")).is_ok()
    };
    assert!(accepts(&json!({"kubernetes.io": {"namespace": "ci", "serviceaccount": {"name": "builder"}}})));
    for claims in [
        json!({"kubernetes.io": {"namespace": "ci"}}),
        json!({"kubernetes.io": {"namespace": "ci", "serviceaccount": "builder"}}),
        json!({"kubernetes.io": {"namespace": "ci", "serviceaccount": [{"name": "builder"}]}}),
        json!({"kubernetes.io": [{"namespace": "ci", "serviceaccount": {"name": "builder"}}]}),
        json!({"kubernetes.io": {"namespace": ["ci"], "serviceaccount": {"name": "builder"}}}),
        json!({"kubernetes.io/namespace": "ci", "kubernetes.io/serviceaccount/name": "builder"}),
        json!({"/kubernetes.io/namespace": "ci", "/kubernetes.io/serviceaccount/name": "builder"}),
        json!({"namespace": "ci", "serviceaccount": {"name": "builder"}}),
    ] {
        assert!(!accepts(&claims), "{claims}");
    }
}

#[test]
fn an_event_that_runs_trusted_code_for_strangers_is_named_or_refused() {
    let wish = scope("repository:someone/app:pull");
    for (rule, event, accepted) in [
        (r#"environment = "production""#, "push", true),
        (r#"environment = "production""#, "pull_request_target", false),
        (r#"environment = "production""#, "workflow_run", false),
        (r#"environment = "production", ref = "refs/heads/main""#, "pull_request_target", false),
        (r#"environment = "production", event_name = "push""#, "pull_request_target", false),
        (r#"environment = "production", event_name = "pull_request_target""#, "pull_request_target", true),
        (r#"environment = "production", event_name = "pull_request_target""#, "workflow_run", false),
        (r#"environment = "production", event_name = ["push", "workflow_run"]"#, "workflow_run", true),
        (r#"event_name = ["push", "pull_request_target"]"#, "pull_request_target", true),
        (r#"event_name = "pull_request""#, "pull_request_target", false),
        (r#"event_name = "pull_request""#, "pull_request", true),
    ] {
        let config = CONFIG.replace(r#"environment = "production""#, rule);
        let config = Config::parse(&config).unwrap();
        let claims = json!({
            "repository_id": "78", "environment": "production", "event_name": event, "ref": "refs/heads/main",
        });
        let decision = decide(&config.rules, &config.issuers[1], &Claims::of(&claims), &wish);
        assert_eq!(decision.is_ok(), accepted, "{rule} {event}");
    }
}
