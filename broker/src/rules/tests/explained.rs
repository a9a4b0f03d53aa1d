//! Why a decision is so. That the verdicts and the decision agree is held by the fuzz target `rules`, on any input.

use serde_json::{Value, json};

use super::{CONFIG, changed, release, scope};
use crate::config::Config;
use crate::identity::claims::Claims;
use crate::rules::request::RequestedGrant;
use crate::rules::{Verdict, explain};

/// What becomes of the rules `app-main`, `release` and `personal` for a job at GitHub.
fn verdicts(changes: &Value, wish: &RequestedGrant) -> Vec<Verdict> {
    let config = Config::parse(CONFIG).unwrap();
    let claims = Claims::of(&changed(release(), changes));
    explain(&config.rules, &config.issuers[1], &claims, wish).rules.iter().map(|judged| judged.verdict).collect()
}

#[test]
fn each_rule_is_told_its_first_lack() {
    let app = scope("repository:acme/app:pull");
    let personal = json!({"repository_id": "78", "environment": "production", "event_name": "workflow_run"});
    let connection = |id: &str| RequestedGrant { connection_id: Some(id.to_owned()), ..app.clone() };
    let life = |seconds| RequestedGrant { expires_in: Some(seconds), ..app.clone() };
    for (changes, wish, release, personal_rule) in [
        (json!({}), app.clone(), Verdict::Grants, Verdict::ClaimsDiffer),
        (json!({"ref": "refs/heads/x"}), app.clone(), Verdict::ClaimsDiffer, Verdict::ClaimsDiffer),
        (json!({}), connection("0f0e0d"), Verdict::Grants, Verdict::OtherConnection),
        (json!({}), connection("personal"), Verdict::OtherConnection, Verdict::ClaimsDiffer),
        (json!({}), RequestedGrant::default(), Verdict::ScopeNeeded, Verdict::ClaimsDiffer),
        (json!({}), scope("repository:acme/app:delete"), Verdict::ScopeNotGranted, Verdict::ClaimsDiffer),
        (json!({}), scope("repository:acme/other:pull"), Verdict::ScopeNotGranted, Verdict::ClaimsDiffer),
        (json!({}), life(1801), Verdict::Shortens, Verdict::ClaimsDiffer),
        (json!({}), life(59), Verdict::LifeNotGranted, Verdict::ClaimsDiffer),
        (json!({}), life(60), Verdict::Grants, Verdict::ClaimsDiffer),
        (personal, RequestedGrant::default(), Verdict::ClaimsDiffer, Verdict::EventNotNamed),
    ] {
        assert_eq!(verdicts(&changes, &wish), [Verdict::OtherIssuer, release, personal_rule], "{changes} {wish:?}");
    }
}

#[test]
fn each_claim_and_each_repository_is_told() {
    let config = Config::parse(CONFIG).unwrap();
    let claims = Claims::of(&changed(release(), &json!({"ref": null})));
    let explanation = explain(&config.rules, &config.issuers[1], &claims, &scope("repository:acme/app:pull"));
    let told: Vec<_> = explanation.rules[1]
        .claims
        .iter()
        .map(|claim| (claim.name, claim.found.map(Value::to_string), claim.matches))
        .collect();
    let found = |text: &str| Some(format!("\"{text}\""));
    assert_eq!(told, [("event_name", found("push"), true), ("ref", None, false), ("repository_id", found("77"), true)]);

    let claims = Claims::of(&release());
    let wish = scope("repository:acme/app:delete repository:acme/other:pull repository:acme/tool-x:pull");
    let explanation = explain(&config.rules, &config.issuers[1], &claims, &wish);
    let reach = explanation.rules[1].coverage.iter();
    let told: Vec<_> = reach.map(|reach| (reach.repository.as_str(), reach.is_named, reach.lacking.len())).collect();
    assert_eq!(told, [("acme/app", true, 1), ("acme/other", false, 0), ("acme/tool-x", true, 0)]);
}

#[test]
fn the_words_are_distinct() {
    let mut words = Verdict::ALL.map(Verdict::as_str).to_vec();
    words.sort_unstable();
    words.dedup();
    assert_eq!(words.len(), Verdict::ALL.len());
}
