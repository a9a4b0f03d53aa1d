//! Personal access tokens: limited in what they may do, never in where. They reach every repository of the account.
//! The scope that a job is told is what it asked for and what the rule granted; the token itself is wider in where.
//!
//! Follows Docker's Hub API reference, "Personal access tokens".

use hublease_protocol::scope::Action;
use hublease_protocol::time::utc;
use serde_json::{Value, json};

use crate::token::Order;

/// Where an account's own tokens are.
pub(super) const COLLECTION: &str = "/v2/access-tokens";

/// The one scope that says the most; each includes the lesser ones.
pub(super) fn body(order: &Order) -> Value {
    let widest = Action::ALL.into_iter().rev().find(|action| order.scope.allows_anywhere(*action));
    let scope = match widest {
        Some(Action::Delete) => "repo:admin",
        Some(Action::Push) => "repo:write",
        Some(Action::Pull) | None => "repo:read",
    };
    json!({"token_label": order.label, "scopes": [scope], "expires_at": utc(order.expires_at)})
}
