//! Access control: which capability a token has on a path.
//!
//! Follows Vault's policy documentation: an exact path beats a prefix, the longest prefix wins, rules for the same
//! path add up, `deny` beats all. Paths are exact or end in `*`; `+` segments and parameter constraints are not here.
//! A policy counts from the namespace that holds it, so that a token of `team/` is judged on `team/` and below.

use super::state::VaultState;
use super::token::Token;

/// The policy that may do anything, in the root namespace and below.
pub(super) const ROOT: &str = "root";
/// The policy that every token has unless its role says `token_no_default_policy`.
pub(super) const DEFAULT: &str = "default";

/// What a policy may allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Capability {
    /// Write where nothing is yet. The Docker Hub plugin's mint is a create: it has an existence check that never
    /// finds anything.
    Create,
    /// GET.
    Read,
    /// Write where something is, or where a backend has no existence check.
    Update,
    /// DELETE.
    Delete,
    /// LIST, or GET with `list=true`.
    List,
    /// Nothing, whatever else is allowed.
    Deny,
}

/// One `path "..." { capabilities = [...] }`.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) path: String,
    pub(super) capabilities: Vec<Capability>,
}

/// The parts of Vault's built-in default policy whose paths exist here. `sys/leases/revoke` is not among them.
pub(super) fn default_rules() -> Vec<Rule> {
    [
        ("auth/token/lookup-self", Capability::Read),
        ("auth/token/revoke-self", Capability::Update),
        ("sys/leases/lookup", Capability::Update),
    ]
    .into_iter()
    .map(|(path, capability)| Rule { path: path.to_owned(), capabilities: vec![capability] })
    .collect()
}

impl VaultState {
    /// Whether `token` may do `capability` on `full_path` (namespace and path).
    pub(super) fn permits(&self, token: &Token, full_path: &str, capability: Capability) -> bool {
        if token.policies.iter().any(|name| name == ROOT) {
            return full_path.starts_with(&token.namespace);
        }
        let Some(path) = full_path.strip_prefix(&token.namespace) else {
            return false;
        };
        let rules = token
            .policies
            .iter()
            .filter_map(|name| self.policies.get(&(token.namespace.clone(), name.clone())))
            .flatten();
        let mut best = None;
        let mut granted: Vec<Capability> = Vec::new();
        for rule in rules {
            let Some(closeness) = closeness(&rule.path, path) else {
                continue;
            };
            if best.is_none_or(|best| closeness > best) {
                best = Some(closeness);
                granted.clear();
            }
            if best == Some(closeness) {
                granted.extend(&rule.capabilities);
            }
        }
        granted.contains(&capability) && !granted.contains(&Capability::Deny)
    }
}

/// How closely a rule's path names `path`: exact before prefix, then by length.
fn closeness(rule: &str, path: &str) -> Option<(bool, usize)> {
    match rule.strip_suffix('*') {
        Some(prefix) => path.starts_with(prefix).then_some((false, prefix.len())),
        None => (rule == path).then_some((true, rule.len())),
    }
}
