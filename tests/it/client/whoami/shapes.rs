//! The shapes that identity tokens have, a row each. A new one is a row of the system that makes it.

use hublease_sandbox::{Issuer, TokenBuilder};
use serde_json::{Value, json};

/// One shape.
pub struct Shape {
    /// What it is.
    pub name: &'static str,
    /// What it begins with.
    pub base: fn(&Issuer) -> TokenBuilder,
    /// What it has besides or instead; `null` takes a claim away.
    pub claims: Value,
    /// Why there is no rule, where there is none.
    pub no_rule: Option<&'static str>,
}

fn shape(name: &'static str, base: fn(&Issuer) -> TokenBuilder, claims: Value) -> Shape {
    Shape { name, base, claims, no_rule: None }
}

impl Shape {
    fn without_rule(self, why: &'static str) -> Self {
        Self { no_rule: Some(why), ..self }
    }

    /// A token of this shape.
    pub fn token(&self, issuer: &Issuer, audience: &str) -> TokenBuilder {
        let token = (self.base)(issuer).audience(audience);
        self.claims.as_object().unwrap().iter().fold(token, |token, (name, value)| match value {
            Value::Null => token.remove(name),
            value => token.claim(name, value.clone()),
        })
    }
}

pub fn circleci() -> Vec<Shape> {
    let base = Issuer::circleci;
    vec![
        shape("the issuer of an organization", base, json!({})),
        shape("a `sub` that names no source", Issuer::circleci_v1, json!({})),
        shape("the root issuer", base, json!({"iss": "https://oidc.circleci.com"})),
        shape("a server of one's own", base, json!({"iss": "https://circleci.acme.example/org/0f0e"})),
        shape("a tag", base, json!({"oidc.circleci.com/vcs-ref": "refs/tags/v1.2"})),
        shape(
            "a custom webhook, which has no source",
            base,
            json!({"oidc.circleci.com/vcs-origin": null, "oidc.circleci.com/vcs-ref": null}),
        )
        .without_rule("open to forks and strangers: the token has no `oidc.circleci.com/vcs-origin`"),
        shape("a source without a reference", base, json!({"oidc.circleci.com/vcs-ref": ""}))
            .without_rule("open to any branch"),
        shape("a rerun with SSH", base, json!({"oidc.circleci.com/ssh-rerun": true}))
            .without_rule("open to jobs that somebody reran with SSH"),
        shape("a project without an id", base, json!({"oidc.circleci.com/project-id": null}))
            .without_rule("does not name its project by an id"),
    ]
}

pub fn github() -> Vec<Shape> {
    let base = Issuer::github;
    vec![
        shape("a push", base, json!({})),
        shape("an environment", base, json!({"environment": "production"})),
        shape("a branch of any letters", base, json!({"ref": "refs/heads/größe-\"'\\ \u{202e}::x"})),
        shape("a release", base, json!({"event_name": "release", "ref": "refs/tags/v1.2", "ref_type": "tag"})),
        shape("a schedule", base, json!({"event_name": "schedule"})),
        shape("a `sub` of the owner's making", base, json!({"sub": "repository_owner_id:5:job_workflow_ref:x"})),
        shape(
            "a workflow of another repository",
            base,
            json!({"job_workflow_ref": "acme/ci/.github/workflows/push.yml@refs/heads/main"}),
        ),
        shape(
            "the issuer of an enterprise",
            base,
            json!({"iss": "https://token.actions.githubusercontent.com/acme", "enterprise": "acme"}),
        ),
        shape("an Enterprise Server", base, json!({"iss": "https://ghe.acme.example/_services/token"})),
        shape(
            "another server with the same contract, without a `jti`",
            base,
            json!({"iss": "https://forge.acme.example/api/actions", "jti": null}),
        ),
        shape("a pull request", base, json!({"event_name": "pull_request", "ref": "refs/pull/7/merge"}))
            .without_rule("its `event_name` is one that people without write access can cause"),
        shape(
            "a pull request that names an environment",
            base,
            json!({"event_name": "pull_request_target", "environment": "production"}),
        )
        .without_rule("its `event_name` is one that people without write access can cause"),
        shape("a comment", base, json!({"event_name": "issue_comment"}))
            .without_rule("its `event_name` is one that people without write access can cause"),
        shape("no event", base, json!({"event_name": null})).without_rule("the token has no `event_name`"),
    ]
}

pub fn kubernetes() -> Vec<Shape> {
    let base = Issuer::kubernetes;
    let account = json!({"namespace": "ci", "serviceaccount": {"name": "builder", "uid": "s"}});
    vec![
        shape("a pod", base, json!({})),
        shape("an issuer that ends with a slash", base, json!({"iss": "https://aks.example/tenant/cluster/"})),
        shape(
            "an issuer with a path, and no pod",
            base,
            json!({"iss": "https://eks.example/id/0F", "kubernetes.io": account}),
        ),
        shape("no service account", base, json!({"kubernetes.io": {"namespace": "ci"}}))
            .without_rule("does not name its project by an id"),
    ]
}

/// GitLab's own claims; those that are numbers elsewhere are texts.
fn of_gitlab(issuer: &Issuer) -> TokenBuilder {
    issuer.of(json!({
        "iss": "https://gitlab.com", "sub": "project_path:acme/app:ref_type:branch:ref:main", "jti": "0b0e5a44",
        "namespace_id": "72", "namespace_path": "acme", "project_id": "20", "project_path": "acme/app", "user_id": "1",
        "user_login": "octavia", "pipeline_id": "574", "pipeline_source": "push", "job_id": "302", "ref": "main",
        "ref_type": "branch", "ref_path": "refs/heads/main", "ref_protected": "true", "runner_id": 1,
        "runner_environment": "gitlab-hosted", "sha": "714a629c0b401fdce83e847fc9589983fc6f46bc",
        "ci_config_ref_uri": "gitlab.com/acme/app//.gitlab-ci.yml@refs/heads/main", "project_visibility": "private",
    }))
}

pub fn gitlab() -> Vec<Shape> {
    let base = of_gitlab;
    vec![
        shape("gitlab.com", base, json!({})),
        shape("a GitLab of one's own", base, json!({"iss": "https://git.acme.example"})),
        shape("a GitLab below a path", base, json!({"iss": "https://acme.example/gitlab"})),
        shape(
            "a tag",
            base,
            json!({"ref": "v1", "ref_type": "tag", "ref_path": "refs/tags/v1", "ref_protected": "false"}),
        ),
        shape(
            "an environment",
            base,
            json!({"environment": "production", "environment_protected": "true", "deployment_tier": "production"}),
        ),
        shape(
            "a merge request of a fork, run in the project itself",
            base,
            json!({"pipeline_source": "merge_request_event", "ref_path": "refs/merge-requests/7/head"}),
        )
        .without_rule("its `ref_path` is of code that is offered and not taken yet"),
    ]
}

fn of_another(issuer: &Issuer) -> TokenBuilder {
    issuer.of(json!({"iss": "https://ci.acme.example", "sub": "acme/app"}))
}

pub fn others() -> Vec<Shape> {
    let base = of_another;
    vec![
        shape(
            "an issuer that ends with a slash",
            base,
            json!({"iss": "https://sso.acme.example/application/o/ci/", "project_id": "7", "ref": "refs/heads/main"}),
        ),
        shape("a number for a branch", base, json!({"repository_id": "7", "ref": 12, "runner": {"os": "linux"}})),
        shape(
            "Bitbucket's claims",
            base,
            json!({"repositoryUuid": "{0b0e5a44}", "workspaceUuid": "{6c1f4a6d}", "branchName": "main"}),
        ),
        shape(
            "Buildkite's claims with ids",
            base,
            json!({"organization_id": "o1", "pipeline_id": "p1", "build_branch": "main", "build_number": 9}),
        ),
        shape("Buildkite's claims without ids", base, json!({"pipeline_slug": "app", "build_branch": "main"}))
            .without_rule("does not name its project by an id"),
        shape("a job's address for everything", base, json!({"sub": "https://jenkins.acme.example/job/app/"}))
            .without_rule("does not name its project by an id"),
        shape("a project and no branch", base, json!({"project_id": "7"})).without_rule("open to any branch"),
        shape("a list for a branch", base, json!({"project_id": "7", "ref": ["main"]}))
            .without_rule("its `ref` is no text, whole number or truth value"),
    ]
}
