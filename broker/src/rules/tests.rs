//! The decision, case by case. What a rule says about one claim is told in `claims`, and why a decision is so in `explained`.

mod claims;
mod explained;

use serde_json::json;

use super::*;
use crate::config::Config;
use crate::testing::{CONFIG, changed, circleci_claims};

fn decide_for(issuer: &str, claims: &Value, wish: &RequestedGrant) -> Result<Grant, Refusal> {
    let config = Config::parse(CONFIG).unwrap();
    let issuer = config.issuers.iter().find(|known| known.name == issuer).unwrap();
    decide(&config.rules, issuer, &Claims::of(claims), wish)
}

fn scope(text: &str) -> RequestedGrant {
    RequestedGrant { scope: Some(Scope::parse(text).unwrap().with_implied()), ..RequestedGrant::default() }
}

fn release() -> Value {
    json!({"repository_id": "77", "event_name": "push", "ref": "refs/tags/v1.2.3"})
}

#[test]
fn without_a_scope_the_one_rule_says_what_is_meant() {
    let grant = decide_for("circleci", &circleci_claims(), &RequestedGrant::default()).unwrap();
    assert_eq!(grant.scope.to_string(), "repository:acme/app:pull,push repository:acme/base:pull,push");
    assert_eq!((grant.rule.as_str(), grant.account.as_str(), grant.life), ("app-main", "acme", 900));

    let refusal = decide_for("github", &release(), &RequestedGrant::default()).unwrap_err();
    assert_eq!(refusal.code, Code::ScopeRequired, "a pattern is no scope");
}

#[test]
fn what_is_asked_is_what_is_granted() {
    let narrow = scope("repository:acme/tool-x:pull");
    let grant = decide_for("github", &release(), &narrow).unwrap();
    assert_eq!(grant.scope.to_string(), "repository:acme/tool-x:pull");
    assert_eq!(grant.life, 1800);
    let table = [
        "repository:acme/tool-x:delete",
        "repository:acme/tool:pull",
        "repository:acme/tool-x/y:pull",
        "repository:acme/other:pull",
        "repository:evil/app:pull",
        "repository:acme/app:pull repository:acme/other:pull",
    ];
    for text in table {
        let refusal = decide_for("github", &release(), &scope(text)).unwrap_err();
        assert_eq!(refusal.code, Code::ScopeNotGranted, "{text}");
    }
}

#[test]
fn public_images_are_beside_what_is_asked_where_the_rule_says_so() {
    let with = CONFIG.replace("max_life_seconds = 1800", "max_life_seconds = 1800\npublic_pull = true");
    let literal = with.replace(r#", { glob = "acme/tool-*" }"#, "");
    assert!(with != CONFIG && literal != with);
    let none = RequestedGrant::default();
    let fifty = (0..50).map(|index| format!("repository:acme/tool-{index}:pull")).collect::<Vec<_>>();
    let (fifty, fewer) = (scope(&fifty.join(" ")), scope(&fifty[1..].join(" ")));
    for (config, wish, granted) in [
        (CONFIG, &scope("repository:acme/app:pull"), Ok("repository:acme/app:pull")),
        (&with, &scope("repository:acme/app:pull"), Ok("repository:acme/app:pull repository:*/*/public:pull")),
        (&with, &scope("repository:library/alpine:pull"), Err(Code::ScopeNotGranted)),
        (&with, &fifty, Err(Code::ScopeNotGranted)),
        (CONFIG, &fifty, Ok("repository:acme/tool-9:pull")),
        (&with, &fewer, Ok("repository:acme/tool-9:pull repository:*/*/public:pull")),
        (&literal, &none, Ok("repository:acme/app:pull,push repository:*/*/public:pull")),
        (&with, &none, Err(Code::ScopeRequired)),
    ] {
        let config = Config::parse(config).unwrap();
        let decision = decide(&config.rules, &config.issuers[1], &Claims::of(&release()), wish);
        match (decision, granted) {
            (Ok(grant), Ok(end)) => assert!(grant.scope.to_string().ends_with(end), "{}", grant.scope),
            (decision, granted) => {
                assert_eq!(decision.map_err(|refusal| refusal.code).err(), granted.err(), "{wish:?}");
            }
        }
    }
}

#[test]
fn the_life_is_bounded_by_the_rule() {
    let wish = |seconds| RequestedGrant { expires_in: Some(seconds), ..scope("repository:acme/app:pull") };
    let life = |seconds| decide_for("github", &release(), &wish(seconds)).map(|grant| grant.life);
    assert_eq!(life(60), Ok(60));
    assert_eq!(life(1800), Ok(1800));
    for (seconds, sentence) in [
        (1801, "`expires_in` is over the longest life of 1800 seconds"),
        (59, "`expires_in` is under the least life of 60 seconds"),
        (0, "`expires_in` is under the least life of 60 seconds"),
        (u64::MAX, "`expires_in` is over the longest life of 1800 seconds"),
    ] {
        let refusal = life(seconds).unwrap_err();
        assert_eq!((refusal.code, refusal.sentence.as_str()), (Code::LifeNotGranted, sentence));
    }
}

#[test]
fn every_named_claim_counts() {
    let table = [
        (json!({"oidc.circleci.com/project-id": "p2"}), "none matches its `oidc.circleci.com/project-id`"),
        (json!({"oidc.circleci.com/project-id": null}), "none matches its `oidc.circleci.com/project-id`"),
        (json!({"oidc.circleci.com/project-id": ["p1"]}), "none matches its `oidc.circleci.com/project-id`"),
        (json!({"oidc.circleci.com/vcs-ref": "refs/heads/main2"}), "`oidc.circleci.com/vcs-ref` did not match"),
        (json!({"oidc.circleci.com/vcs-ref": null}), "`oidc.circleci.com/vcs-ref` did not match"),
        (json!({"oidc.circleci.com/ssh-rerun": true}), "`oidc.circleci.com/ssh-rerun` did not match"),
        (json!({"oidc.circleci.com/ssh-rerun": "false"}), "`oidc.circleci.com/ssh-rerun` did not match"),
        (json!({"oidc.circleci.com/ssh-rerun": null}), "`oidc.circleci.com/ssh-rerun` did not match"),
    ];
    for (changes, sentence) in table {
        let refusal =
            decide_for("circleci", &changed(circleci_claims(), &changes), &RequestedGrant::default()).unwrap_err();
        assert_eq!(refusal.code, Code::NoRuleMatches);
        assert_eq!(refusal.sentence, format!("no rule accepts this job: {sentence}"));
    }
    let refusal = decide_for("github", &circleci_claims(), &RequestedGrant::default()).unwrap_err();
    assert_eq!(refusal.code, Code::NoRuleMatches, "the rules of another issuer do not count");
}

#[test]
fn risky_events_must_be_named() {
    let wish = scope("repository:someone/app:pull");
    let job = |event: &str| json!({"repository_id": "78", "environment": "production", "event_name": event});
    assert!(decide_for("github", &job("push"), &wish).is_ok());
    for event in ["pull_request_target", "workflow_run"] {
        let refusal = decide_for("github", &job(event), &wish).unwrap_err();
        assert_eq!(refusal.code, Code::EventNotAllowed, "{event}");
        // A job that no rule accepts does not learn more than that.
        let stranger = json!({"repository_id": "79", "event_name": event});
        assert_eq!(decide_for("github", &stranger, &wish).unwrap_err().code, Code::NoRuleMatches);
    }
    for event in [json!(null), json!(""), json!(1), json!(["push"])] {
        let claims = changed(job("push"), &json!({"event_name": event}));
        let refusal = decide_for("github", &claims, &wish).unwrap_err();
        assert_eq!(refusal.code, Code::EventNotAllowed, "{event}");
    }
    let named = CONFIG.replace(r#"environment = "production""#, r#"event_name = "workflow_run""#);
    assert_ne!(named, CONFIG);
    let config = Config::parse(&named).unwrap();
    let claims = Claims::of(&json!({"repository_id": "78", "event_name": "workflow_run"}));
    assert!(decide(&config.rules, &config.issuers[1], &claims, &wish).is_ok());
}

#[test]
fn a_connection_selects_its_rules() {
    let wish = |id: &str| RequestedGrant { connection_id: Some(id.to_owned()), ..scope("repository:acme/app:pull") };
    assert!(decide_for("github", &release(), &wish("0f0e0d")).is_ok());
    assert_eq!(decide_for("github", &release(), &wish("personal")).unwrap_err().code, Code::NoRuleMatches);
    assert_eq!(decide_for("github", &release(), &wish("nothing")).unwrap_err().code, Code::ConnectionUnknown);
}

#[test]
fn several_rules_are_never_added_up() {
    let second = CONFIG
        .replace(r#"repository_id = "78", environment = "production""#, r#"repository_id = "77", event_name = "push""#);
    assert_ne!(second, CONFIG);
    let config = Config::parse(&second).unwrap();
    let decide = |wish: &RequestedGrant| decide(&config.rules, &config.issuers[1], &Claims::of(&release()), wish);
    assert_eq!(decide(&RequestedGrant::default()).unwrap_err().code, Code::ScopeRequired);
    assert_eq!(decide(&scope("repository:someone/app:pull")).unwrap().rule, "personal");
    let both = scope("repository:someone/app:pull repository:acme/app:pull");
    assert_eq!(decide(&both).unwrap_err().code, Code::ScopeNotGranted);
}

#[test]
fn nothing_is_granted_without_rules() {
    let config = Config::parse(CONFIG).unwrap();
    let claims = Claims::of(&circleci_claims());
    assert_eq!(
        decide(&[], &config.issuers[0], &claims, &RequestedGrant::default()).unwrap_err().code,
        Code::NoRuleMatches
    );
}
