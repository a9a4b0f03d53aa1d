//! Pairs of rules of which the first in the file wins, although the second would give something else.

use ipnet::IpNet;

use crate::operator::check::warnings::Warning;
use crate::rules::{Pattern, Rule, Wanted};

/// A warning for each pair whose order matters.
pub(super) fn order(rules: &[Rule], found: &mut Vec<Warning>) {
    for (at, first) in rules.iter().enumerate() {
        for second in &rules[at + 1..] {
            let differing = differing(first, second);
            if !differing.is_empty() && may_meet(first, second) {
                found.push(warning(first, second, &differing.join(" and ")));
            }
        }
    }
}

fn warning(first: &Rule, second: &Rule, differing: &str) -> Warning {
    let sentence = format!(
        "stands before rule `{}`, may take the same job for the same repositories, and has another {differing}: of what both grant, the \
         first in the file is given; name what tells their jobs apart, or put the one first that is meant",
        second.name
    );
    Warning { code: "order_matters", about: format!("rule `{}`", first.name), sentence }
}

/// The keys by which what a job gets is another.
fn differing(first: &Rule, second: &Rule) -> Vec<&'static str> {
    let keys = [
        ("`account`", first.account != second.account),
        ("`max_life_seconds`", first.max_life != second.max_life),
        ("`public_pull`", first.reach.public_pull != second.reach.public_pull),
        ("`revoke_workflow`", first.revoke_workflow != second.revoke_workflow),
    ];
    keys.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key).collect()
}

/// Whether both may be asked for the same by one job.
fn may_meet(first: &Rule, second: &Rule) -> bool {
    let grants_nothing = first.report_only || second.report_only;
    let excludes = |(name, wanted): &(String, Wanted)| {
        second.claims.iter().any(|(other, another)| other == name && wanted.excludes(another))
    };
    let reaches = |one: &Pattern| second.reach.repositories.iter().any(|another| one.may_meet(another));
    !grants_nothing
        && first.issuer == second.issuer
        && !first.claims.iter().any(excludes)
        && first.reach.repositories.iter().any(reaches)
        && networks_meet(&first.networks, &second.networks)
}

fn networks_meet(first: &[IpNet], second: &[IpNet]) -> bool {
    let meets = |one: &IpNet| second.iter().any(|another| one.contains(another) || another.contains(one));
    first.is_empty() || second.is_empty() || first.iter().any(meets)
}

#[cfg(test)]
mod tests;
