//! The decision for one job as an operator reads it: who asks and for what, each rule with each claim, and how it ended.

use hublease_protocol::printable::printable;
use hublease_protocol::time::span;
use serde_json::{Value, json};

use crate::refusal::Refusal;
use crate::rules::request::RequestedGrant;
use crate::rules::{Comparison, Coverage, Explanation, Grant, Judgement, Verdict};

/// Who asks: what the claims say, and whether a token has proved it.
pub(super) struct Asker {
    pub(super) issuer: String,
    pub(super) project: Option<String>,
    pub(super) job: Option<String>,
    pub(super) workflow: Option<String>,
    pub(super) is_proved: bool,
}

/// What there is to tell.
pub(super) struct Report<'a> {
    pub(super) asker: Asker,
    pub(super) wish: &'a RequestedGrant,
    pub(super) rules: &'a [Judgement<'a>],
    pub(super) decision: &'a Result<Grant, Refusal>,
}

impl<'a> Report<'a> {
    pub(super) fn of(asker: Asker, wish: &'a RequestedGrant, explanation: &'a Explanation<'a>) -> Self {
        Self { asker, wish, rules: &explanation.rules, decision: &explanation.decision }
    }

    pub(super) fn text(&self) -> String {
        let mut lines = vec![self.asker_line(), self.wish_line(), String::new()];
        for judged in self.rules {
            lines.push(format!("rule {}: {}", judged.rule.name, verdict(judged)));
            lines.extend(claim_lines(&judged.claims));
            lines.extend(judged.coverage.iter().map(coverage_line));
        }
        lines.push(String::new());
        lines.push(outcome(self.decision));
        lines.into_iter().map(|line| line + "\n").collect()
    }

    pub(super) fn json(&self) -> Value {
        json!({
            "identity": {
                "issuer": self.asker.issuer, "project": self.asker.project, "job": self.asker.job,
                "workflow": self.asker.workflow, "proved": self.asker.is_proved,
            },
            "wish": {
                "scope": self.wish.scope.as_ref().map(ToString::to_string),
                "expires_in": self.wish.expires_in, "min_expires_in": self.wish.least_life, "connection_id": self.wish.connection_id,
            },
            "rules": self.rules.iter().map(judgement_json).collect::<Vec<_>>(),
            "decision": decision_json(self.decision),
        })
    }

    fn asker_line(&self) -> String {
        let shown = |text: &Option<String>| text.as_deref().map_or_else(|| "(none)".to_owned(), printable);
        let Asker { issuer, project, job, is_proved, .. } = &self.asker;
        let proof = if *is_proved { "proved by its token" } else { "claims from a file, which prove nothing" };
        format!("job: issuer {issuer}, project {}, job {} ({proof})", shown(project), shown(job))
    }

    fn wish_line(&self) -> String {
        let scope =
            self.wish.scope.as_ref().map_or_else(|| "all that one rule spells out".to_owned(), ToString::to_string);
        let life = self.wish.expires_in.map_or_else(|| "as long as the rule allows".to_owned(), span);
        let connection = self.wish.connection_id.as_deref().map(printable);
        let connection = connection.map_or_else(String::new, |id| format!(", connection {id}"));
        format!("asks for: {scope}, {life}{connection}")
    }
}

/// The decision in one line; also for a token that was not accepted at all.
pub(super) fn outcome(decision: &Result<Grant, Refusal>) -> String {
    match decision {
        Ok(grant) => {
            let Grant { rule, account, scope, life, shortened_from } = grant;
            let shortened = shortened_from.map_or_else(String::new, |asked| format!(" instead of {}", span(asked)));
            format!("granted by rule {rule}: {scope} from account {account}, for {}{shortened}", span(*life))
        }
        Err(refusal) => format!("refused: {refusal}"),
    }
}

/// The same for scripts.
pub(super) fn decision_json(decision: &Result<Grant, Refusal>) -> Value {
    match decision {
        Ok(grant) => json!({
            "outcome": "granted", "rule": grant.rule, "account": grant.account, "scope": grant.scope.to_string(),
            "public_pull": grant.scope.allows_public_pull(), "expires_in": grant.life,
            "shortened_from": grant.shortened_from,
        }),
        Err(refusal) => json!({"outcome": "refused", "code": refusal.code.as_str(), "sentence": refusal.sentence}),
    }
}

fn verdict(judged: &Judgement<'_>) -> String {
    let rule = judged.rule;
    match judged.verdict {
        Verdict::OtherIssuer => format!("is about tokens of {}", rule.issuer),
        Verdict::OtherConnection => match &rule.connection_id {
            Some(id) => format!("belongs to connection {id}"),
            None => "belongs to no connection".to_owned(),
        },
        Verdict::ClaimsDiffer => "does not accept the job".to_owned(),
        Verdict::EventNotNamed => {
            "does not accept the job: this event counts only for a rule that has it in `event_name`".to_owned()
        }
        Verdict::ScopeNeeded => "accepts the job; it grants a pattern, so a scope must say what is wanted".to_owned(),
        Verdict::ScopeNotGranted => "accepts the job, and does not grant all of the scope".to_owned(),
        Verdict::LifeNotGranted => {
            format!("grants the scope, for up to {} and not for what is asked", span(rule.max_life))
        }
        Verdict::Shortens => {
            format!("grants the scope, and for up to {} instead of what is asked", span(rule.max_life))
        }
        Verdict::OnlyReports => "would grant this, and only reports it".to_owned(),
        Verdict::Grants => format!("grants this, for up to {}", span(rule.max_life)),
    }
}

fn claim_lines(claims: &[Comparison<'_>]) -> Vec<String> {
    let width = claims.iter().map(|claim| printable(claim.name).chars().count()).max().unwrap_or_default();
    let line = |claim: &Comparison<'_>| {
        let mark = if claim.matches { "ok" } else { "NO" };
        let found = claim.found.map_or_else(|| "nothing".to_owned(), |value| printable(&value.to_string()));
        format!(
            "  {mark}  {:width$}  wants {}, found {found}",
            printable(claim.name),
            printable(&claim.wanted.to_string())
        )
    };
    claims.iter().map(line).collect()
}

fn coverage_line(one: &Coverage) -> String {
    let lacking: Vec<_> = one.lacking.iter().map(|action| action.as_str()).collect();
    match (one.is_named, lacking.is_empty()) {
        (false, _) => format!("  NO  repository {}: not named by the rule", one.repository),
        (true, false) => format!("  NO  repository {}: {} not granted", one.repository, lacking.join(", ")),
        (true, true) => format!("  ok  repository {}", one.repository),
    }
}

fn judgement_json(judged: &Judgement<'_>) -> Value {
    let claim = |claim: &Comparison<'_>| {
        let wanted: Vec<_> = claim.wanted.patterns().iter().map(ToString::to_string).collect();
        let mut entry = json!({"claim": claim.name, "wanted": wanted, "matches": claim.matches});
        // A claim that is not there has no `found`; one that is null has.
        if let Some(value) = claim.found {
            entry["found"] = value.clone();
        }
        entry
    };
    let coverage = |one: &Coverage| {
        let lacking: Vec<_> = one.lacking.iter().map(|action| action.as_str()).collect();
        json!({"repository": one.repository, "named": one.is_named, "lacking": lacking})
    };
    json!({
        "rule": judged.rule.name,
        "verdict": judged.verdict.as_str(),
        "max_life_seconds": judged.rule.max_life,
        "public_pull": judged.rule.reach.public_pull, "report_only": judged.rule.report_only,
        "claims": judged.claims.iter().map(claim).collect::<Vec<_>>(),
        "repositories": judged.coverage.iter().map(coverage).collect::<Vec<_>>(),
    })
}
