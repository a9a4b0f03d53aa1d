//! The full claim set of each platform's token.
//!
//! CircleCI: `exp` is one hour after `iat`; no `jti`, no `nbf`. GitHub: `exp` 300 s after `iat`, `nbf` 600 s before it, all ids
//! are strings. Kubernetes: one hour, nested object `kubernetes.io`, and an audience that is a list; as API server 1.36 was seen
//! to make them for a pod on a node.

use serde_json::{Map, Value, json};

use super::identity::Identity;
use super::{GITHUB_ISSUER, KUBERNETES_ISSUER};
use crate::random;

const CIRCLECI_LIFE_SECONDS: u64 = 3600;
const GITHUB_LIFE_SECONDS: u64 = 300;
const GITHUB_BACKDATE_SECONDS: u64 = 600;
const KUBERNETES_LIFE_SECONDS: u64 = 3600;
/// A commit that never was.
const COMMIT: &str = "5f2f8c6f1a010b0e5a446c1f4a6d9d0a5f2f8c6f";

pub(super) fn circleci(identity: &Identity, now: u64, with_source: bool) -> Value {
    let origin = format!("github.com/{}", identity.repository);
    let mut subject =
        format!("org/{}/project/{}/user/{}", identity.organization_id, identity.project_id, identity.user_id);
    if with_source {
        subject = format!("{subject}/vcs-origin/{origin}/vcs-ref/{}", identity.git_ref);
    }
    json!({
        "iss": identity.circleci_issuer(),
        "sub": subject,
        "aud": identity.organization_id,
        "iat": now,
        "exp": now + CIRCLECI_LIFE_SECONDS,
        "oidc.circleci.com/context-ids": identity.context_ids,
        "oidc.circleci.com/job-id": identity.job_id,
        "oidc.circleci.com/org-id": identity.organization_id,
        "oidc.circleci.com/pipeline-definition-id": identity.pipeline_definition_id,
        "oidc.circleci.com/pipeline-id": identity.pipeline_id,
        "oidc.circleci.com/project-id": identity.project_id,
        "oidc.circleci.com/ssh-rerun": false,
        "oidc.circleci.com/vcs-origin": origin,
        "oidc.circleci.com/vcs-ref": identity.git_ref,
        "oidc.circleci.com/workflow-id": identity.workflow_id,
    })
}

pub(super) fn github(identity: &Identity, now: u64) -> Value {
    let (owner, repository) = (identity.owner(), &identity.repository);
    let workflow = format!("{repository}/.github/workflows/publish.yml@{}", identity.git_ref);
    let subject = match (&identity.environment, identity.event_name.as_str()) {
        (Some(environment), _) => format!("repo:{repository}:environment:{}", environment.replace(':', "%3A")),
        (None, "pull_request") => format!("repo:{repository}:pull_request"),
        (None, _) => format!("repo:{repository}:ref:{}", identity.git_ref),
    };
    let mut claims = json!({
        "iss": GITHUB_ISSUER, "sub": subject, "aud": format!("https://github.com/{owner}"), "jti": random::uuid(),
        "iat": now, "nbf": now - GITHUB_BACKDATE_SECONDS, "exp": now + GITHUB_LIFE_SECONDS,
        "actor": "octavia", "actor_id": "730001003", "base_ref": "", "head_ref": "", "check_run_id": identity.check_run_id,
        "event_name": identity.event_name, "job_workflow_ref": workflow, "job_workflow_sha": COMMIT,
        "ref": identity.git_ref, "ref_protected": "true",
        "ref_type": if identity.git_ref.starts_with("refs/tags/") { "tag" } else { "branch" },
        "repository": repository, "repository_id": identity.repository_id,
        "repository_owner": owner, "repository_owner_id": identity.repository_owner_id, "repository_visibility": "private",
        "run_id": identity.run_id, "run_number": "42", "run_attempt": identity.run_attempt,
        "runner_environment": "github-hosted", "sha": COMMIT,
        "workflow": "publish", "workflow_ref": workflow, "workflow_sha": COMMIT,
    });
    if let (Some(environment), Some(object)) = (&identity.environment, claims.as_object_mut()) {
        object.insert("environment".to_owned(), json!(environment));
    }
    claims
}

pub(super) fn kubernetes(identity: &Identity, now: u64) -> Value {
    let (namespace, account) = (&identity.namespace, &identity.service_account);
    let mut bound = Map::new();
    bound.insert("namespace".to_owned(), json!(namespace));
    bound.insert("node".to_owned(), json!({ "name": "node-1", "uid": "a5064cb9-c4e1-4795-93a7-04a3c5b4d71b" }));
    bound.insert("pod".to_owned(), json!({ "name": "publish-7xk2p", "uid": identity.pod_uid }));
    bound
        .insert("serviceaccount".to_owned(), json!({ "name": account, "uid": "94f5a6b8-b3d0-4684-82c6-f593a2b4c60a" }));
    json!({
        "iss": KUBERNETES_ISSUER,
        "sub": format!("system:serviceaccount:{namespace}:{account}"),
        "aud": [KUBERNETES_ISSUER],
        "iat": now,
        "nbf": now,
        "exp": now + KUBERNETES_LIFE_SECONDS,
        "jti": random::uuid(),
        "kubernetes.io": bound,
    })
}
