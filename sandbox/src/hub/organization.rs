//! Organization access tokens: `/v2/orgs/{name}/access-tokens` and `.../{id}`.
//!
//! Only an owner who signed in with a password manages them. Expired and deactivated tokens count toward the quota until they
//! are deleted. Status and text of the quota refusal are guesses.

use http::{Request, Response};
use hublease_protocol::time::utc;
use serde_json::{Value, json};

use super::errors::{Checked, forbidden, invalid, method_not_allowed, not_found};
use super::personal::{expiry, page};
use super::state::{HubState, OrganizationToken, Resource, time};
use super::{Hub, TEAM_QUOTA};
use crate::message::{body_json, empty, json as answer};

/// Characters in a label; taken from the personal tokens, the organization's limit is not documented.
const LABEL_LENGTH: std::ops::RangeInclusive<usize> = 1..=100;
/// Repositories that one token may name.
const MAX_RESOURCES: usize = 50;
/// Scopes of a repository.
const REPOSITORY_SCOPES: [&str; 8] = [
    "scope-image-pull",
    "scope-image-push",
    "scope-image-delete",
    "scope-repository-read",
    "scope-repository-edit",
    "scope-repository-admin",
    "scope-tag-read",
    "scope-tag-admin",
];

impl Hub {
    pub(super) fn organization_tokens(&self, request: &Request<Vec<u8>>, name: &str) -> Response<Vec<u8>> {
        let owner = match self.owner_of(request, name) {
            Ok(owner) => owner,
            Err(refusal) => return *refusal,
        };
        match request.method().as_str() {
            "POST" => self.create_organization_token(&owner, name, &body_json(request)),
            "GET" => {
                let state = self.state();
                let all: Vec<_> =
                    state.organization_tokens.iter().filter(|token| token.organization == name).map(listed).collect();
                let mut body = page(request, &all);
                body["total"] = json!(all.len());
                answer(200, &body)
            }
            _ => method_not_allowed(),
        }
    }

    pub(super) fn organization_token_by_id(
        &self,
        request: &Request<Vec<u8>>,
        name: &str,
        id: &str,
    ) -> Response<Vec<u8>> {
        if let Err(refusal) = self.owner_of(request, name) {
            return *refusal;
        }
        let mut state = self.state();
        let Some(place) =
            state.organization_tokens.iter().position(|token| token.id == id && token.organization == name)
        else {
            return not_found();
        };
        match request.method().as_str() {
            "GET" => answer(200, &listed(&state.organization_tokens[place])),
            "DELETE" => {
                state.organization_tokens.remove(place);
                empty(204)
            }
            "PATCH" => {
                let body = body_json(request);
                let resources = match &body["resources"] {
                    Value::Null => None,
                    given => match resources(&state, name, given) {
                        Ok(resources) => Some(resources),
                        Err(refusal) => return *refusal,
                    },
                };
                let token = &mut state.organization_tokens[place];
                patch(token, &body, resources);
                answer(200, &listed(token))
            }
            _ => method_not_allowed(),
        }
    }

    fn create_organization_token(&self, owner: &str, name: &str, body: &Value) -> Response<Vec<u8>> {
        let now = self.core.clock.now();
        let label = body["label"].as_str().unwrap_or_default();
        if !LABEL_LENGTH.contains(&label.chars().count()) {
            return invalid(&[("label", "must be 1 to 100 characters")]);
        }
        let mut state = self.state();
        let (resources, expires_at) = match (resources(&state, name, &body["resources"]), expiry(body, now)) {
            (Ok(resources), Ok(expires_at)) => (resources, expires_at),
            (Err(refusal), _) | (_, Err(refusal)) => return *refusal,
        };
        let held = state.organization_tokens.iter().filter(|token| token.organization == name).count();
        if held >= state.organization(name).map_or(TEAM_QUOTA, |organization| organization.quota) {
            return forbidden("the organization has reached its limit of access tokens");
        }
        let (secret, id) = state.add_organization_token(name, label, resources, expires_at, now);
        let Some(token) = state.organization_tokens.iter_mut().find(|token| token.id == id) else {
            return not_found();
        };
        owner.clone_into(&mut token.created_by);
        body["description"].as_str().unwrap_or_default().clone_into(&mut token.description);
        let mut shown = listed(token);
        shown["token"] = json!(secret);
        drop(state);
        self.know_token(label, "organization access token", &secret);
        answer(201, &shown)
    }

    fn owner_of(&self, request: &Request<Vec<u8>>, name: &str) -> Checked<String> {
        let account = self.manager(request)?;
        let state = self.state();
        let organization = state.organization(name).ok_or_else(|| Box::new(not_found()))?;
        if organization.owners.contains(&account) {
            Ok(account)
        } else {
            Err(Box::new(forbidden("you are not an owner of this organization")))
        }
    }
}

/// Validates `resources`. A repository must exist unless the path is a glob.
fn resources(state: &HubState, organization: &str, given: &Value) -> Checked<Vec<Resource>> {
    let refused = |text| Err(Box::new(invalid(&[("resources", text)])));
    let Some(list) = given.as_array().filter(|list| !list.is_empty()) else {
        return refused("at least one is required");
    };
    if list.len() > MAX_RESOURCES {
        return refused("at most 50 are allowed");
    }
    let mut resources = Vec::new();
    for item in list {
        let (kind, path) = (item["type"].as_str().unwrap_or_default(), item["path"].as_str().unwrap_or_default());
        let scopes: Vec<_> =
            item["scopes"].as_array().into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect();
        let known = match kind {
            "TYPE_REPO" => scopes.iter().all(|scope| REPOSITORY_SCOPES.contains(&scope.as_str())),
            "TYPE_ORG" => scopes.iter().all(|scope| scope.starts_with("scope-")),
            _ => return refused("unknown type"),
        };
        if scopes.is_empty() || !known {
            return refused("unknown scope");
        }
        let own = path.split_once('/').is_some_and(|(namespace, _)| namespace == organization);
        let reachable = match kind {
            "TYPE_ORG" => path == organization,
            _ => path == "*/*/public" || own && (path.ends_with("/*") || state.repositories.contains_key(path)),
        };
        if !reachable {
            return refused("unknown path");
        }
        resources.push(Resource { kind: kind.to_owned(), path: path.to_owned(), scopes });
    }
    Ok(resources)
}

fn patch(token: &mut OrganizationToken, body: &Value, resources: Option<Vec<Resource>>) {
    if let Some(label) = body["label"].as_str() {
        label.clone_into(&mut token.label);
    }
    if let Some(description) = body["description"].as_str() {
        description.clone_into(&mut token.description);
    }
    if let Some(resources) = resources {
        token.resources = resources;
    }
    token.is_active = body["is_active"].as_bool().unwrap_or(token.is_active);
}

fn listed(token: &OrganizationToken) -> Value {
    json!({
        "id": token.id,
        "label": token.label,
        "description": token.description,
        "created_by": token.created_by,
        "is_active": token.is_active,
        "created_at": utc(token.created_at),
        "expires_at": time(token.expires_at),
        "last_used_at": time(token.last_used),
        "resources": token.resources.iter().map(Resource::json).collect::<Vec<_>>(),
    })
}
