//! GitLab CI/CD, at gitlab.com and anywhere else.
//!
//! Follows GitLab's "OpenID Connect (OIDC) authentication using ID tokens" and "Predefined CI/CD variables". A job asks for its
//! token with `id_tokens` and names the variable itself. A fork's pipeline has the fork's project; where a member runs it in
//! the project itself, it has the reference of the merge request.

use super::facts::{
    BranchFacts, IdentityUse, IssuerAddress, JobFacts, RuleFacts, StrangersFacts, TokenFacts, TokenSource,
};

pub(super) const NAME: &str = "gitlab";
pub(super) const TITLE: &str = "GitLab";

pub(super) const JOB: JobFacts = JobFacts {
    source: TokenSource::Named,
    marker: None,
    witnesses: &[],
    key: &[],
    workspace: Some("CI_PROJECT_DIR"),
    masks: false,
    later_steps: None,
    without_token: "",
};

/// The same token for the whole job. Every installation has an issuer of its own.
pub(super) const TOKEN: TokenFacts = TokenFacts {
    issuers: &[IssuerAddress::At("https://gitlab.com")],
    marks: &["project_id", "pipeline_id", "ref_path", "namespace_path"],
    default_audience_after: None,
    has_id: true,
    identity_use: IdentityUse::Reusable,
    project: "project_id",
    job: &["job_id"],
    workflow: &["pipeline_id"],
};

pub(super) const RULE: RuleFacts = RuleFacts {
    patterns: &["ref", "ref_path", "environment", "ci_config_ref_uri", "project_path"],
    branch: Some(BranchFacts {
        // `ref` alone may be a tag as well as a branch, of a merge request a stranger's; any branch may name an environment.
        claims: &["ref_path", "ref_protected", "environment_protected", "ci_config_ref_uri"],
        subject_mark: ":ref:",
    }),
    strangers: Some(StrangersFacts::Reference { claim: "ref_path", offered: "refs/merge-requests/" }),
    bind: &[],
    also: &["namespace_id"],
    docker_connection: None,
};
