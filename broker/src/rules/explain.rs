//! Why? The decision rule by rule, for the operator who asks. The decision itself is [`decide`]'s and nobody else's: what is
//! said about the rules is made of the same parts, and the fuzz target `rules` holds both against each other.

use hublease_protocol::scope::{Action, Scope};
use serde_json::Value;

use super::{Grant, Rule, Wanted, decide};
use crate::identity::claims::Claims;
use crate::identity::issuer::Issuer;
use crate::limits::MIN_LIFE_SECONDS;
use crate::refusal::Refusal;
use crate::rules::request::RequestedGrant;

/// The decision, and how each rule stands to it.
pub struct Explanation<'a> {
    /// Every rule, in the order of the configuration.
    pub rules: Vec<Judgement<'a>>,
    /// What a job with these claims and this wish gets.
    pub decision: Result<Grant, Refusal>,
}

/// How one rule stands to the job and its wish.
pub struct Judgement<'a> {
    /// The rule.
    pub rule: &'a Rule,
    /// What came of it.
    pub verdict: Verdict,
    /// Each claim that it names; none for a rule that is not in question.
    pub claims: Vec<Comparison<'a>>,
    /// Each repository of the scope; none when the rule does not accept the job, or there is no scope to hold against it.
    pub coverage: Vec<Coverage>,
}

/// What came of a rule, and, where it did not grant, the first thing that was missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is about tokens of another issuer.
    OtherIssuer,
    /// It belongs to another connection than the one that was asked for.
    OtherConnection,
    /// A claim is absent or does not match.
    ClaimsDiffer,
    /// It would accept the job, but does not name the event, and this one must be named.
    EventNotNamed,
    /// It accepts the job; no scope was asked for, and it grants a pattern.
    ScopeNeeded,
    /// It accepts the job, and does not grant all of the scope.
    ScopeNotGranted,
    /// It grants the scope, but not for so long or so short.
    LifeNotGranted,
    /// It grants the scope, and for a shorter time than is asked.
    Shortens,
    /// It would grant, and only reports.
    OnlyReports,
    /// It grants all that is wanted; without a scope, all that it spells out.
    Grants,
}

impl Verdict {
    /// Every verdict, in the order in which a rule can fail.
    pub const ALL: [Self; 10] = [
        Self::OtherIssuer,
        Self::OtherConnection,
        Self::ClaimsDiffer,
        Self::EventNotNamed,
        Self::ScopeNeeded,
        Self::ScopeNotGranted,
        Self::LifeNotGranted,
        Self::Shortens,
        Self::OnlyReports,
        Self::Grants,
    ];

    /// The machine's word.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OtherIssuer => "other_issuer",
            Self::OtherConnection => "other_connection",
            Self::ClaimsDiffer => "claims_differ",
            Self::EventNotNamed => "event_not_named",
            Self::ScopeNeeded => "scope_needed",
            Self::ScopeNotGranted => "scope_not_granted",
            Self::LifeNotGranted => "life_not_granted",
            Self::Shortens => "shortens",
            Self::OnlyReports => "only_reports",
            Self::Grants => "grants",
        }
    }
}

/// One claim that a rule names.
pub struct Comparison<'a> {
    /// Its name, or its JSON pointer.
    pub name: &'a str,
    /// What the rule wants.
    pub wanted: &'a Wanted,
    /// What the token says; nothing when it does not say it.
    pub found: Option<&'a Value>,
    /// Whether that is what is wanted.
    pub matches: bool,
}

/// How far a rule covers one repository of the scope.
pub struct Coverage {
    /// Its name.
    pub repository: String,
    /// Whether the rule names it.
    pub is_named: bool,
    /// The actions that were asked for and that the rule does not grant.
    pub lacking: Vec<Action>,
}

/// Decides, and says how each rule stands to it.
#[must_use]
pub fn explain<'a>(rules: &'a [Rule], issuer: &Issuer, claims: &'a Claims, wish: &RequestedGrant) -> Explanation<'a> {
    Explanation {
        rules: rules.iter().map(|rule| judge(rule, issuer, claims, wish)).collect(),
        decision: decide(rules, issuer, claims, wish),
    }
}

fn judge<'a>(rule: &'a Rule, issuer: &Issuer, claims: &'a Claims, wish: &RequestedGrant) -> Judgement<'a> {
    let stands = |verdict| Judgement { rule, verdict, claims: Vec::new(), coverage: Vec::new() };
    if rule.issuer != issuer.name {
        return stands(Verdict::OtherIssuer);
    }
    if !rule.is_of_connection(wish) {
        return stands(Verdict::OtherConnection);
    }
    let compare = |(name, wanted): &'a (String, Wanted)| {
        let found = claims.find(name);
        Comparison { name, wanted, found, matches: wanted.takes(found) }
    };
    let compared: Vec<_> = rule.claims.iter().map(compare).collect();
    let accepted = match compared.iter().all(|comparison| comparison.matches) {
        false => Err(Verdict::ClaimsDiffer),
        true if !rule.allows_event(issuer, claims) => Err(Verdict::EventNotNamed),
        true => wish.scope.clone().or_else(|| rule.reach.literal_scope()).ok_or(Verdict::ScopeNeeded),
    };
    match accepted {
        Err(verdict) => Judgement { claims: compared, ..stands(verdict) },
        Ok(scope) => {
            let granted = rule.reach.granted(&scope);
            let verdict = granted.map_or(Verdict::ScopeNotGranted, |_| rule.life_verdict(wish));
            let verdict = match verdict {
                Verdict::Grants | Verdict::Shortens if rule.report_only => Verdict::OnlyReports,
                verdict => verdict,
            };
            Judgement { claims: compared, coverage: rule.coverage(&scope), ..stands(verdict) }
        }
    }
}

impl Rule {
    fn life_verdict(&self, wish: &RequestedGrant) -> Verdict {
        match (wish.expires_in, wish.least_life) {
            (Some(asked), _) if asked < MIN_LIFE_SECONDS => Verdict::LifeNotGranted,
            (_, Some(least)) if least > self.max_life => Verdict::LifeNotGranted,
            (Some(asked), _) if asked > self.max_life => Verdict::Shortens,
            _ => Verdict::Grants,
        }
    }

    fn coverage(&self, scope: &Scope) -> Vec<Coverage> {
        let one = |repository: &str| Coverage {
            is_named: self.reach.reaches(repository),
            lacking: scope.actions(repository).filter(|action| !self.reach.actions.contains(action)).collect(),
            repository: repository.to_owned(),
        };
        scope.repositories().map(one).collect()
    }
}
