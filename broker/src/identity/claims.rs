//! Who asks: the claims of an identity token whose signature was checked, and what follows from them.
//!
//! Only `verify` makes an [`Identity`], so that a function which takes one cannot be called with anything unverified.

use hublease_protocol::{claims, hex};
use ring::digest::{SHA256, digest};
use serde_json::{Map, Value};

use crate::identity::issuer::Issuer;

/// Verified claims.
pub struct Claims(Map<String, Value>);

impl Claims {
    /// Wraps the payload of a token. The caller has checked its signature.
    pub(crate) const fn verified(claims: Map<String, Value>) -> Self {
        Self(claims)
    }

    /// Claims that no token has proved, for an operator who asks what would be decided. They never make an [`Identity`], so
    /// nothing is issued for them.
    pub(crate) const fn supposed(claims: Map<String, Value>) -> Self {
        Self(claims)
    }

    /// Claims that no token has to prove, for tests.
    #[cfg(test)]
    pub(crate) fn of(claims: &Value) -> Self {
        Self(claims.as_object().cloned().unwrap_or_default())
    }

    /// A claim by its name, or by its JSON pointer (RFC 6901) when the name starts with `/`.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&Value> {
        claims::find(&self.0, name)
    }

    /// A claim that is a text and not empty.
    #[must_use]
    pub fn text(&self, name: &str) -> Option<&str> {
        self.find(name)?.as_str().filter(|text| !text.is_empty())
    }
}

/// An identity that was proved.
pub struct Identity {
    /// The position of the issuer in the configuration.
    pub issuer: usize,
    /// What the issuer says.
    pub claims: Claims,
    /// The project's id; a token without one matches no rule.
    pub project: Option<String>,
    /// Issuer, project and job as one text, or issuer and hash of the token's signed part when the token names no job: what
    /// limits and `request_id` are counted by.
    pub job: String,
    /// Issuer, project and workflow as one text; nothing for a token that names no workflow.
    pub workflow: Option<String>,
    /// `jti`, for an issuer whose tokens count once.
    pub single_use_id: Option<String>,
    /// When the token was made, in seconds since 1970.
    pub issued_at: u64,
    /// When the token ends, in seconds since 1970.
    pub expires_at: u64,
    /// SHA-256 of the token as [`token_sha256`] has it.
    pub token_sha256: String,
}

/// Issuer, project and job, or issuer and hash when the token names no job.
///
/// A token of an older GitHub Enterprise Server names the run and not the job in it. Then the jobs of the run are counted as one:
/// counted by token, each job could have as many as it likes.
pub(crate) fn job_key(issuer: &Issuer, claims: &Claims, signed_sha256: &str) -> String {
    let names = issuer.kind.job_claims();
    let of_the_run = || names.split_last().filter(|(_, run)| !run.is_empty() && issuer.kind.is_known());
    key(issuer, claims, &names)
        .or_else(|| of_the_run().and_then(|(_, run)| key(issuer, claims, run)))
        .unwrap_or_else(|| Value::from(vec![issuer.url.as_str(), "token", signed_sha256]).to_string())
}

/// Issuer, project and workflow.
pub(crate) fn workflow_key(issuer: &Issuer, claims: &Claims) -> Option<String> {
    key(issuer, claims, &issuer.kind.workflow_claims())
}

/// Issuer, project and what these claims say, as a JSON array of texts, which no choice of values can make ambiguous. Nothing
/// without claims, or when one of them is not there.
fn key(issuer: &Issuer, claims: &Claims, names: &[&str]) -> Option<String> {
    let values: Vec<&str> = names.iter().map(|name| claims.text(name)).collect::<Option<_>>()?;
    let project = claims.text(issuer.kind.project_claim())?;
    (!values.is_empty()).then(|| Value::from([&[issuer.url.as_str(), project][..], &values].concat()).to_string())
}

/// SHA-256, in hexadecimal, of what a token says: its header and payload with the dot between them. Not of its signature: of an
/// ECDSA signature anybody can make a second one that verifies too, and it would be another hash of the same token.
#[must_use]
pub fn token_sha256(token: &str) -> String {
    sha256(token.rsplit_once('.').map_or(token, |(signed, _)| signed).as_bytes())
}

/// SHA-256 in hexadecimal.
#[must_use]
pub fn sha256(data: &[u8]) -> String {
    hex::lower(digest(&SHA256, data).as_ref())
}

#[cfg(test)]
mod tests {
    use hublease_protocol::ci::Ci;
    use serde_json::json;

    use super::*;
    use crate::identity::issuer::IssuerKind;
    use crate::testing::circleci;

    #[test]
    fn claims_are_found_by_name_and_by_pointer() {
        let claims = Claims::of(
            &json!({"a/b": "x", "kubernetes.io": {"namespace": "ci", "pod": {"uid": "u"}}, "": "e", "n": 1}),
        );
        assert_eq!(claims.text("a/b"), Some("x"));
        assert_eq!(claims.text("/a~1b"), Some("x"));
        assert_eq!(claims.text("/kubernetes.io/pod/uid"), Some("u"));
        assert_eq!(claims.text("kubernetes.io/namespace"), None);
        assert_eq!(claims.text("/n/x"), None);
        assert_eq!(claims.text("n"), None);
    }

    #[test]
    fn a_job_is_issuer_project_and_job_or_else_the_token() {
        let circle = circleci();
        let key = |value| job_key(&circle, &Claims::of(&value), "hash");
        let (project, job) = ("oidc.circleci.com/project-id", "oidc.circleci.com/job-id");
        assert_eq!(key(json!({project: "p", job: "j"})), r#"["https://oidc.circleci.com/org/0f0e","p","j"]"#);
        let by_token = r#"["https://oidc.circleci.com/org/0f0e","token","hash"]"#;
        assert_eq!(key(json!({project: "p"})), by_token);
        assert_eq!(key(json!({project: "p", job: 7})), by_token);
        assert_eq!(key(json!({project: "p", job: ""})), by_token);
        assert_ne!(key(json!({project: "p\",\"q", job: "j"})), key(json!({project: "p", job: "q\",\"j"})));

        let other = Issuer {
            kind: IssuerKind::Other { project: "id".to_owned(), job: Vec::new(), workflow: Vec::new() },
            ..circleci()
        };
        assert_eq!(job_key(&other, &Claims::of(&json!({"id": "p"})), "hash"), by_token);
        let github = Issuer { kind: IssuerKind::Known(Ci::Github), ..circleci() };
        let whole = json!({"repository_id": "1", "run_id": "2", "run_attempt": "3", "check_run_id": "4"});
        assert_eq!(
            job_key(&github, &Claims::of(&whole), "hash"),
            r#"["https://oidc.circleci.com/org/0f0e","1","2","3","4"]"#
        );
        let run = json!({"repository_id": "1", "run_id": "2", "run_attempt": "3"});
        assert_eq!(
            job_key(&github, &Claims::of(&run), "hash"),
            r#"["https://oidc.circleci.com/org/0f0e","1","2","3"]"#
        );
        let nothing = json!({"repository_id": "1", "run_id": "2"});
        assert_eq!(job_key(&github, &Claims::of(&nothing), "hash"), by_token);
        assert_eq!(
            workflow_key(&github, &Claims::of(&whole)).as_deref(),
            Some(r#"["https://oidc.circleci.com/org/0f0e","1","2"]"#)
        );
    }

    #[test]
    fn a_workflow_is_issuer_project_and_workflow_or_nothing() {
        let key = |value| workflow_key(&circleci(), &Claims::of(&value));
        let (project, workflow) = ("oidc.circleci.com/project-id", "oidc.circleci.com/workflow-id");
        let whole = r#"["https://oidc.circleci.com/org/0f0e","p","w"]"#;
        assert_eq!(key(json!({project: "p", workflow: "w"})).as_deref(), Some(whole));
        for incomplete in [json!({project: "p"}), json!({workflow: "w"}), json!({project: "p", workflow: 7}), json!({})]
        {
            assert_eq!(key(incomplete), None);
        }
        let kubernetes = Issuer { kind: IssuerKind::Known(Ci::Kubernetes), ..circleci() };
        assert_eq!(workflow_key(&kubernetes, &Claims::of(&json!({"kubernetes.io": {"namespace": "n"}}))), None);
    }
}
