//! GitHub Actions, and what has its contract (Forgejo).
//!
//! Follows GitHub's "OpenID Connect reference", "Workflow commands" and "Events that trigger workflows".

use super::facts::{
    BranchFacts, EventFacts, IdentityUse, IssuerAddress, JobFacts, LaterSteps, LaterStepsForm, RuleFacts,
    StrangersFacts, TokenFacts, TokenSource,
};

pub(super) const NAME: &str = "github";
pub(super) const TITLE: &str = "GitHub Actions";

/// The issuer of github.com. An enterprise there may have one below it.
const ISSUER: &str = "https://token.actions.githubusercontent.com";

pub(super) const JOB: JobFacts = JobFacts {
    // Set only with `id-token: write`.
    source: TokenSource::Endpoint { url: "ACTIONS_ID_TOKEN_REQUEST_URL", bearer: "ACTIONS_ID_TOKEN_REQUEST_TOKEN" },
    marker: Some("GITHUB_ACTIONS"),
    witnesses: &["GITHUB_RUN_ID", "GITHUB_JOB"],
    // A run id is shared by the jobs of a matrix, which differ by the runner's temporary directory.
    key: &["GITHUB_RUN_ID", "GITHUB_RUN_ATTEMPT", "GITHUB_JOB", "RUNNER_TEMP"],
    workspace: Some("GITHUB_WORKSPACE"),
    masks: true,
    later_steps: Some(LaterSteps { file: "GITHUB_ENV", form: LaterStepsForm::Heredoc, marked_jobs_only: false }),
    without_token: "add `permissions: { id-token: write, contents: read }` to the job",
};

/// A fresh token with a `jti` for each request.
pub(super) const TOKEN: TokenFacts = TokenFacts {
    issuers: &[IssuerAddress::Below(ISSUER), IssuerAddress::Path("/_services/token")],
    marks: &["repository_id", "event_name", "ref", "workflow_ref", "run_attempt"],
    default_audience_after: None,
    has_id: true,
    identity_use: IdentityUse::Once,
    project: "repository_id",
    job: &["run_id", "run_attempt", "check_run_id"],
    workflow: &["run_id"],
};

pub(super) const RULE: RuleFacts = RuleFacts {
    patterns: &["ref", "environment", "workflow_ref", "job_workflow_ref", "repository"],
    branch: Some(BranchFacts { claims: &["ref", "environment", "workflow_ref"], subject_mark: ":ref:" }),
    strangers: Some(StrangersFacts::Event(EventFacts {
        claim: "event_name",
        either: &["event_name", "environment"],
        either_sentence: "a rule for GitHub names `event_name` or `environment` in its `claims`",
        // With the code of the default branch, and with its identity, by whoever may comment, fork or watch: everybody.
        to_be_named: &[
            "pull_request_target",
            "workflow_run",
            "issue_comment",
            "issues",
            "discussion",
            "discussion_comment",
            "fork",
            "watch",
        ],
        untrusted_prefix: "pull_request",
        untrusted: &["workflow_run", "issues", "issue_comment", "discussion", "discussion_comment", "fork", "watch"],
        reason: "it does not name `event_name`, so a pull request may name the environment too, unless the environment's \
                 own protection says otherwise",
    })),
    bind: &[],
    // An environment can be protected, but a pull request may name it too, so it is never instead of event and reference.
    also: &["repository_owner_id", "environment", "workflow_ref"],
    docker_connection: Some(ISSUER),
};
