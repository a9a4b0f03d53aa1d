//! An issuer that the broker trusts, and what is known about the shape of its tokens.
//!
//! Follows the CI systems' own documentation: CircleCI "OpenID Connect tokens", GitHub "OpenID Connect reference",
//! Kubernetes' projected service account tokens. For any other issuer the configuration names the claims.

/// Whose tokens they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IssuerKind {
    /// CircleCI: one issuer per organization, no `jti`, the same token for the whole job.
    CircleCi,
    /// GitHub Actions: a fresh token with a `jti` for each request.
    GitHub,
    /// Kubernetes service accounts: a token file that the kubelet renews.
    Kubernetes,
    /// Any other: the claims that identify the project and the job.
    Other {
        /// The project's immutable id.
        project: String,
        /// What tells one job from another, together with the project; empty means that the token does.
        job: Vec<String>,
        /// What tells one workflow from another, together with the project; empty means that nothing does.
        workflow: Vec<String>,
    },
}

/// The events at GitHub that run trusted code on behalf of strangers; a rule must name them to allow them.
pub const RISKY_EVENTS: [&str; 2] = ["pull_request_target", "workflow_run"];

impl IssuerKind {
    /// The claim that identifies the project for good: an id that a renamed or re-created project does not share.
    #[must_use]
    pub fn project_claim(&self) -> &str {
        match self {
            Self::CircleCi => "oidc.circleci.com/project-id",
            Self::GitHub => "repository_id",
            Self::Kubernetes => "/kubernetes.io/namespace",
            Self::Other { project, .. } => project,
        }
    }

    /// The claims that together identify the job within its project.
    #[must_use]
    pub fn job_claims(&self) -> Vec<&str> {
        match self {
            Self::CircleCi => vec!["oidc.circleci.com/job-id"],
            Self::GitHub => vec!["run_id", "run_attempt", "check_run_id"],
            Self::Kubernetes => vec!["/kubernetes.io/pod/uid"],
            Self::Other { job, .. } => job.iter().map(String::as_str).collect(),
        }
    }

    /// The claims that together identify the workflow (a run of jobs) within its project.
    #[must_use]
    pub fn workflow_claims(&self) -> Vec<&str> {
        match self {
            Self::CircleCi => vec!["oidc.circleci.com/workflow-id"],
            Self::GitHub => vec!["run_id"],
            Self::Kubernetes => Vec::new(),
            Self::Other { workflow, .. } => workflow.iter().map(String::as_str).collect(),
        }
    }

    /// The claims that a rule may match with `glob`: references, environments, workflow paths and repositories.
    #[must_use]
    pub const fn glob_claims(&self) -> &'static [&'static str] {
        match self {
            Self::CircleCi => &["oidc.circleci.com/vcs-ref", "oidc.circleci.com/vcs-origin"],
            Self::GitHub => &["ref", "environment", "workflow_ref", "job_workflow_ref", "repository"],
            Self::Kubernetes => &[],
            Self::Other { .. } => {
                &["ref", "ref_path", "environment", "ci_config_ref_uri", "project_path", "repository", "build_branch"]
            }
        }
    }

    /// How its tokens are counted when the configuration does not say.
    #[must_use]
    pub const fn usual_identity_use(&self) -> IdentityUse {
        match self {
            Self::GitHub => IdentityUse::Once,
            _ => IdentityUse::Reusable,
        }
    }
}

/// How often one identity token may be exchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdentityUse {
    /// Once: `jti` is remembered, and seen again it is a replay unless the same `request_id` comes with it.
    Once,
    /// As often as the issuer's limits on leases and mints per job allow, because the job has no other token.
    Reusable,
}

/// The signature algorithms that an issuer may be pinned to. All are asymmetric: there is no secret to confuse with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// RSA PKCS #1 v1.5 with SHA-256, 2048 bits or more.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
}

impl Algorithm {
    /// The name in a token's header.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
        }
    }
}

/// One trusted issuer, as configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    /// The name that rules use.
    pub name: String,
    /// `iss`, compared byte for byte; no slash at its end.
    pub url: String,
    /// The shape of its tokens.
    pub kind: IssuerKind,
    /// The one algorithm.
    pub algorithm: Algorithm,
    /// Where its keys are, when that is pinned; else discovery says, on the issuer's own origin.
    pub jwks_uri: Option<String>,
    /// How its tokens are counted.
    pub identity_use: IdentityUse,
    /// The most leases that one job holds at one time.
    pub max_live_leases: usize,
    /// The most leases that one job is ever given.
    pub max_mints: usize,
    /// The CircleCI organization's id, when its tokens are accepted although they do not name the broker as audience.
    pub default_audience: Option<String>,
}
