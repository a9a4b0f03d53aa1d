//! Organization access tokens: limited to repositories, counted against the organization's plan until they are deleted.
//!
//! Follows Docker's Hub API reference, "Organization access tokens", and its list of scopes.

use hublease_protocol::scope::{Action, PUBLIC};
use hublease_protocol::time::utc;
use serde_json::{Value, json};

use crate::token::Order;

/// Where an organization's tokens are. Its name is a Docker ID, as its owner made sure of.
pub(super) fn collection(organization: &str) -> String {
    format!("/v2/orgs/{organization}/access-tokens")
}

/// Each repository with the one scope that says the most: Docker's `push` includes `pull`, its `delete` includes `push`.
/// Public images are a resource of their own, without which a token that names repositories can pull none.
pub(super) fn body(order: &Order) -> Value {
    let resource = |repository: &str| {
        let widest = order.scope.actions(repository).max().unwrap_or(Action::Pull);
        json!({"type": "TYPE_REPO", "path": repository, "scopes": [scope(widest)]})
    };
    let public = order.scope.allows_public_pull();
    let public = public.then(|| json!({"type": "TYPE_REPO", "path": PUBLIC, "scopes": [scope(Action::Pull)]}));
    json!({
        "label": order.label,
        "description": order.description,
        "resources": order.scope.repositories().map(resource).chain(public).collect::<Vec<_>>(),
        "expires_at": utc(order.expires_at),
    })
}

const fn scope(action: Action) -> &'static str {
    match action {
        Action::Pull => "scope-image-pull",
        Action::Push => "scope-image-push",
        Action::Delete => "scope-image-delete",
    }
}
