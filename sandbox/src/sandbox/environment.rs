//! The environments in which programs are started: the way through the proxy, and what a CI system would set.
//!
//! Follows CircleCI's and GitHub's documents of their variables; only those that identify a job are here. Nothing is inherited:
//! a caller clears the environment and adds `PATH` and `HOME` of its choice.

use super::Sandbox;
use crate::issuer::IdTokenRequests;
use crate::service::Service;

impl Sandbox {
    /// What every program needs: `HTTPS_PROXY`, `SSL_CERT_FILE` (the run's authority alone), `SSL_CERT_DIR` (empty) and
    /// `DOCKER_HOST` (a socket that is not there, because an engine that answers would log in by itself, past the proxy).
    pub fn environment(&self) -> Vec<(String, String)> {
        let path = |name: &str| self.directory().join(name).display().to_string();
        owned(&[
            ("HTTPS_PROXY", &self.proxy_url()),
            ("SSL_CERT_FILE", &path("ca.pem")),
            ("SSL_CERT_DIR", &path("no-certificates")),
            ("DOCKER_HOST", &format!("unix://{}", path("no-engine.sock"))),
        ])
    }

    /// A CircleCI job whose tokens have the default audience, the organization id.
    pub fn circleci_environment(&self) -> Vec<(String, String)> {
        self.circleci_environment_for(&self.issuer().identity().organization_id)
    }

    /// A CircleCI job whose tokens have this audience.
    pub fn circleci_environment_for(&self, audience: &str) -> Vec<(String, String)> {
        let identity = self.issuer().identity();
        let first = self.issuer().circleci_v1().audience(audience).named("CIRCLE_OIDC_TOKEN").sign();
        let second = self.issuer().circleci().audience(audience).named("CIRCLE_OIDC_TOKEN_V2").sign();
        let (owner, name) = identity.repository.split_once('/').unwrap_or_default();
        owned(&[
            ("CI", "true"),
            ("CIRCLECI", "true"),
            ("CIRCLE_OIDC_TOKEN", &first),
            ("CIRCLE_OIDC_TOKEN_V2", &second),
            ("CIRCLE_ORGANIZATION_ID", &identity.organization_id),
            ("CIRCLE_PROJECT_ID", &identity.project_id),
            ("CIRCLE_PIPELINE_ID", &identity.pipeline_id),
            ("CIRCLE_WORKFLOW_ID", &identity.workflow_id),
            ("CIRCLE_WORKFLOW_JOB_ID", &identity.job_id),
            ("CIRCLE_JOB", "publish"),
            ("CIRCLE_PROJECT_USERNAME", owner),
            ("CIRCLE_PROJECT_REPONAME", name),
        ])
    }

    /// A GitHub Actions job with `id-token: write`; the request URL is GitHub's host, through the proxy.
    pub fn github_environment(&self) -> Vec<(String, String)> {
        let identity = self.issuer().identity();
        let url = IdTokenRequests::url("https://pipelines.actions.githubusercontent.com");
        owned(&[
            ("CI", "true"),
            ("GITHUB_ACTIONS", "true"),
            ("ACTIONS_ID_TOKEN_REQUEST_URL", &url),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", self.request_token()),
            ("GITHUB_RUN_ID", &identity.run_id),
            ("GITHUB_RUN_ATTEMPT", &identity.run_attempt),
            ("GITHUB_RUN_NUMBER", "42"),
            ("GITHUB_JOB", "publish"),
            ("GITHUB_REPOSITORY", &identity.repository),
            ("GITHUB_REPOSITORY_ID", &identity.repository_id),
            ("GITHUB_REPOSITORY_OWNER", identity.owner()),
            ("GITHUB_REPOSITORY_OWNER_ID", &identity.repository_owner_id),
            ("GITHUB_REF", &identity.git_ref),
            ("GITHUB_EVENT_NAME", &identity.event_name),
            ("GITHUB_SERVER_URL", "https://github.com"),
        ])
    }

    /// GitHub's request URL on the plain listener, for clients that do not go through the proxy.
    pub fn identity_request_url(&self) -> String {
        IdTokenRequests::url(&self.plain_url(Service::IdTokenRequest))
    }
}

fn owned(variables: &[(&str, &str)]) -> Vec<(String, String)> {
    variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}
