//! Which registry actions a credential has on a repository, and what of a request is granted.
//!
//! The token specification says to grant the intersection. Docker Hub does otherwise for tokens of limited reach: it refuses the
//! whole request with `access token has insufficient scopes`. Guesses: that this also holds for a repository that an
//! organization token does not name, and for public repositories without the `*/*/public` resource.

use serde_json::{Value, json};

use crate::hub::{Authenticated, HubState, Resource};

/// Actions in the order in which each includes those before it.
const ACTIONS: [&str; 3] = ["pull", "push", "delete"];

/// One `repository:NAME:ACTIONS` of a request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) repository: String,
    pub(super) actions: Vec<String>,
}

/// A token of limited reach was asked for more.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Insufficient;

/// Reads the `scope` parameters: several parameters, and several scopes separated by spaces in each. Other types are ignored.
/// What is said of one repository in several places is one, and an action counts once, as in distribution's token service.
pub(super) fn parse<'q>(parameters: impl Iterator<Item = &'q str>) -> Vec<Asked> {
    let scopes = parameters.flat_map(str::split_whitespace);
    let mut asked: Vec<Asked> = Vec::new();
    for (repository, actions) in scopes.filter_map(|scope| scope.strip_prefix("repository:")?.rsplit_once(':')) {
        let place = asked.iter().position(|known| known.repository == repository).unwrap_or_else(|| {
            asked.push(Asked { repository: repository.to_owned(), actions: Vec::new() });
            asked.len() - 1
        });
        for action in actions.split(',') {
            if !asked[place].actions.iter().any(|known| known == action) {
                asked[place].actions.push(action.to_owned());
            }
        }
    }
    asked
}

/// The `access` claim for what was asked.
pub(super) fn grant(state: &HubState, who: &Authenticated, asked: &[Asked]) -> Result<Value, Insufficient> {
    let mut access = Vec::new();
    for Asked { repository, actions } in asked {
        let (allowed, owned) = (level(state, who, repository), owner_level(state, who, repository));
        let wanted = actions.iter().filter_map(|action| rank(action)).max().unwrap_or(0);
        // More than the token has, but not more than its owner has: the token is what is too small.
        if wanted > allowed && owned > allowed {
            return Err(Insufficient);
        }
        let granted: Vec<_> =
            actions.iter().filter(|action| rank(action).is_some_and(|rank| rank <= allowed)).collect();
        if !granted.is_empty() {
            access.push(json!({ "type": "repository", "name": repository, "actions": granted }));
        }
    }
    Ok(Value::Array(access))
}

/// 1 for pull, 2 for push, 3 for delete or everything.
fn rank(action: &str) -> Option<usize> {
    if action == "*" {
        Some(ACTIONS.len())
    } else {
        ACTIONS.iter().position(|known| *known == action).map(|place| place + 1)
    }
}

/// The highest rank that this credential has on the repository; 0 is nothing.
fn level(state: &HubState, who: &Authenticated, repository: &str) -> usize {
    let public = usize::from(state.repositories.get(repository) == Some(&false));
    match who {
        Authenticated::Unknown | Authenticated::PasswordNotEnough => public,
        Authenticated::Account(_) => owner_level(state, who, repository).max(public),
        Authenticated::Personal(_, scopes) => {
            let limit = scopes.iter().map(|scope| personal_rank(scope)).max().unwrap_or(0);
            owner_level(state, who, repository).min(limit).max(public)
        }
        Authenticated::Organization(_, resources) => {
            resources.iter().map(|resource| reach(resource, repository, public)).max().unwrap_or(0)
        }
    }
}

/// What the owner of the credential could have given it.
fn owner_level(state: &HubState, who: &Authenticated, repository: &str) -> usize {
    let namespace = repository.split('/').next().unwrap_or_default();
    let public = usize::from(state.repositories.get(repository) == Some(&false));
    let owns = match who {
        Authenticated::Account(name) | Authenticated::Personal(name, _) => state.controls(name, namespace),
        Authenticated::Organization(name, _) => name == namespace,
        Authenticated::Unknown | Authenticated::PasswordNotEnough => false,
    };
    if owns { ACTIONS.len() } else { public }
}

fn personal_rank(scope: &str) -> usize {
    match scope {
        "repo:admin" => 3,
        "repo:write" => 2,
        "repo:read" => 1,
        _ => 0,
    }
}

fn reach(resource: &Resource, repository: &str, public: usize) -> usize {
    let matches = match resource.path.as_str() {
        "*/*/public" => public == 1,
        path => {
            path == repository
                || path.strip_suffix('*').is_some_and(|prefix| prefix.ends_with('/') && repository.starts_with(prefix))
        }
    };
    let rank = resource.scopes.iter().map(|scope| match scope.as_str() {
        "scope-image-delete" | "scope-repository-admin" => 3,
        "scope-image-push" => 2,
        "scope-image-pull" => 1,
        _ => 0,
    });
    if matches && resource.kind == "TYPE_REPO" { rank.max().unwrap_or(0) } else { 0 }
}
