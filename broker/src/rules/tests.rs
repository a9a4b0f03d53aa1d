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
        (59, "`expires_in` is under the least life of 60 seconds"),
        (0, "`expires_in` is under the least life of 60 seconds"),
    ] {
        let refusal = life(seconds).unwrap_err();
        assert_eq!((refusal.code, refusal.sentence.as_str()), (Code::LifeNotGranted, sentence));
    }
}

/// What is asked, the least that is of use, and the life that comes of it.
#[test]
fn a_life_over_the_rule_is_shortened_unless_the_client_insists() {
    let over = |longest: u64| Err(format!("`min_expires_in` is over the longest life of {longest} seconds"));
    for (asked, least, expected) in [
        (Some(1800), None, Ok((1800, None))),
        (Some(1801), None, Ok((1800, Some(1801)))),
        (Some(u64::MAX), None, Ok((1800, Some(u64::MAX)))),
        (Some(3600), Some(1800), Ok((1800, Some(3600)))),
        (Some(3600), Some(1801), over(1800)),
        (Some(3600), Some(3600), over(1800)),
        (None, Some(1800), Ok((1800, None))),
        (None, Some(1801), over(1800)),
        (Some(60), Some(60), Ok((60, None))),
    ] {
        let wish = RequestedGrant { expires_in: asked, least_life: least, ..scope("repository:acme/app:pull") };
        let decided = decide_for("github", &release(), &wish);
        if let Err(refusal) = &decided {
            assert_eq!(refusal.code, Code::LifeNotGranted);
        }
        let life = decided.map(|grant| (grant.life, grant.shortened_from)).map_err(|refusal| refusal.sentence);
        assert_eq!(life, expected, "{asked:?} {least:?}");
    }
}

/// The second rule takes the same jobs for what is said of it.
fn with_second(first: &str, second: &str) -> Config {
    let rule = |name: &str, more: &str| {
        format!(
            "[[rule]]\nname = \"{name}\"\nissuer = \"github\"\naccount = \"acme\"\nactions = [\"pull\", \"push\"]\n{more}\n\
             claims = {{ repository_id = \"77\", event_name = \"push\" }}\n"
        )
    };
    let (head, _) = CONFIG.split_once("[[rule]]").unwrap();
    Config::parse(&format!("{head}{}{}", rule("first", first), rule("second", second))).unwrap()
}

/// What two rules say, what is asked, and the rule that grants or what is refused.
#[test]
fn of_rules_that_grant_the_same_the_first_in_the_file_does() {
    let (app, base) = ("repositories = [\"acme/app\"]", "repositories = [\"acme/base\"]");
    let both = "repositories = [\"acme/app\", \"acme/base\"]";
    let glob = "repositories = [{ glob = \"acme/a*\" }]";
    let long = format!("{app}\nmax_life_seconds = 3600");
    let public = format!("{app}\npublic_pull = true");
    let silent = format!("{app}\nreport_only = true");
    let (none, pull) = (RequestedGrant::default(), scope("repository:acme/app:pull"));
    let asks = |seconds| RequestedGrant { expires_in: Some(seconds), ..none.clone() };
    let differ = Err(
        "the rules `first`, `second` accept this job and do not grant the same, so `scope` must say what is wanted",
    );
    for (first, second, wish, expected) in [
        (app, app, &none, Ok("first")),
        (app, app, &pull, Ok("first")),
        (base, app, &pull, Ok("second")),
        (app, both, &none, differ),
        (app, both, &pull, Ok("first")),
        (both, app, &scope("repository:acme/base:pull"), Ok("first")),
        (app, both, &scope("repository:acme/app:pull repository:acme/base:pull"), Ok("second")),
        (app, &public, &none, differ),
        (&public, app, &pull, Ok("first")),
        (app, glob, &none, differ),
        (glob, glob, &none, differ),
        (glob, app, &pull, Ok("first")),
        // A life is no part of what is granted: the first that grants all of the wish does.
        (app, &long, &none, Ok("first")),
        (app, &long, &asks(1800), Ok("second")),
        (app, &long, &asks(7200), Ok("second")),
        (&long, app, &asks(7200), Ok("first")),
        // What only reports is not there.
        (&silent, app, &none, Ok("second")),
        (&silent, both, &none, Ok("second")),
        (&silent, base, &pull, Err("the rules accept this job, but no single one grants all of the scope")),
    ] {
        let config = with_second(first, second);
        let decided = decide(&config.rules, &config.issuers[1], &Claims::of(&release()), wish);
        let decided = decided.map(|grant| grant.rule).map_err(|refusal| refusal.sentence);
        let decided = decided.as_ref().map(String::as_str).map_err(String::as_str);
        assert_eq!(decided, expected, "{first} / {second} / {wish:?}");
    }
}

#[test]
fn a_rule_that_only_reports_decides_beside_the_others() {
    let app = "repositories = [\"acme/app\"]";
    let silent = format!("{app}\nreport_only = true");
    let foreign = json!({"repository_id": "78", "event_name": "push"});
    for (first, claims, wish, would, decided) in [
        (app, &release(), "acme/app:pull", None, Ok("first")),
        (&silent, &release(), "acme/app:pull", Some("first"), Err(Code::NoRuleMatches)),
        (&silent, &release(), "acme/base:pull", None, Err(Code::NoRuleMatches)),
        (&silent, &foreign, "acme/app:pull", None, Err(Code::NoRuleMatches)),
    ] {
        let mut config = with_second(first, app);
        config.rules.truncate(1);
        let (claims, wish) = (Claims::of(claims), scope(&format!("repository:{wish}")));
        let issuer = &config.issuers[1];
        assert_eq!(reported(&config.rules, issuer, &claims, &wish).as_deref(), would, "{first} {wish:?}");
        let grant = decide(&config.rules, issuer, &claims, &wish);
        assert_eq!(grant.as_ref().map(|grant| grant.rule.as_str()).map_err(|refusal| refusal.code), decided);
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
