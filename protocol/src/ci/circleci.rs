//! CircleCI.
//!
//! Follows CircleCI's "OpenID Connect tokens" and "Built-in environment variables". A forked pull request runs in the
//! original's project, so only `vcs-origin` tells it apart; and a job that was rerun with SSH has a person inside.

use super::facts::{
    Binding, BranchFacts, IdentityUse, IssuerAddress, JobFacts, LaterSteps, LaterStepsForm, RuleFacts, StrangersFacts,
    TokenFacts, TokenSource,
};

pub(super) const NAME: &str = "circleci";
pub(super) const TITLE: &str = "CircleCI";

pub(super) const JOB: JobFacts = JobFacts {
    // The second generation's `sub` names branch and origin.
    source: TokenSource::VariablesOrProgram(&["CIRCLE_OIDC_TOKEN_V2", "CIRCLE_OIDC_TOKEN"]),
    marker: Some("CIRCLECI"),
    witnesses: &["CIRCLE_JOB"],
    key: &["CIRCLE_WORKFLOW_JOB_ID"],
    workspace: Some("CIRCLE_WORKING_DIRECTORY"),
    masks: false,
    // `BASH_ENV` is every bash's; here the next step's shell begins with it.
    later_steps: Some(LaterSteps { file: "BASH_ENV", form: LaterStepsForm::Export, marked_jobs_only: true }),
    without_token: "builds of forks get one only if the project passes secrets to them; CircleCI Server has them from 4.4 on; \
                    another program named `circleci` that comes first on PATH hides the one of the job",
};

/// One issuer per organization, and the root one of all of them for jobs that ask for it; a server has its own. No `jti`, the
/// same token for the whole job.
pub(super) const TOKEN: TokenFacts = TokenFacts {
    issuers: &[IssuerAddress::Below("https://oidc.circleci.com/org"), IssuerAddress::At("https://oidc.circleci.com")],
    marks: &["oidc.circleci.com/project-id", "oidc.circleci.com/job-id"],
    default_audience_after: Some("/org/"),
    has_id: false,
    identity_use: IdentityUse::Reusable,
    project: "oidc.circleci.com/project-id",
    job: &["oidc.circleci.com/job-id"],
    workflow: &["oidc.circleci.com/workflow-id"],
};

pub(super) const RULE: RuleFacts = RuleFacts {
    patterns: &["oidc.circleci.com/vcs-ref", "oidc.circleci.com/vcs-origin"],
    branch: Some(BranchFacts { claims: &["oidc.circleci.com/vcs-ref"], subject_mark: "/vcs-ref/" }),
    strangers: Some(StrangersFacts::Origin {
        claim: "oidc.circleci.com/vcs-origin",
        subject_mark: "/vcs-origin/",
        reason: "it does not name `oidc.circleci.com/vcs-origin`, and a fork's pull request runs in this project where \
                 \"Pass secrets to builds from forked pull requests\" is on",
    }),
    bind: &[Binding {
        claims: &["oidc.circleci.com/ssh-rerun"],
        value: Some(false),
        code: "open_to_ssh_rerun",
        sentence: "is open to jobs that somebody reran with SSH and sits in: name `oidc.circleci.com/ssh-rerun` = false",
    }],
    // The root issuer speaks for every organization.
    also: &["oidc.circleci.com/org-id"],
    docker_connection: None,
};
