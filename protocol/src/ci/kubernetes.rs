//! Pods of a Kubernetes cluster, by a projected service account token that the kubelet renews.
//!
//! Follows Kubernetes' "Service account token volume projection" and "Managing Service Accounts".

use super::facts::{Binding, IdentityUse, JobFacts, RuleFacts, TokenFacts, TokenSource};

pub(super) const NAME: &str = "kubernetes";
pub(super) const TITLE: &str = "Kubernetes";

pub(super) const JOB: JobFacts = JobFacts {
    source: TokenSource::Named,
    marker: None,
    witnesses: &[],
    key: &[],
    workspace: None,
    masks: false,
    later_steps: None,
    without_token: "",
};

/// Every cluster has an issuer of its own.
pub(super) const TOKEN: TokenFacts = TokenFacts {
    issuers: &[],
    marks: &["/kubernetes.io/namespace", "/kubernetes.io/serviceaccount/name"],
    default_audience_after: None,
    has_id: true,
    identity_use: IdentityUse::Reusable,
    project: "/kubernetes.io/namespace",
    job: &["/kubernetes.io/pod/uid"],
    workflow: &[],
};

pub(super) const RULE: RuleFacts = RuleFacts {
    patterns: &[],
    branch: None,
    strangers: None,
    bind: &[Binding {
        claims: &["/kubernetes.io/serviceaccount/name", "sub"],
        value: None,
        code: "open_to_any_service_account",
        sentence: "is open to every service account of the namespace: name `/kubernetes.io/serviceaccount/name`",
    }],
    also: &[],
    docker_connection: None,
};
