//! An issuer that the broker trusts, and what is known about the shape of its tokens.
//!
//! The CI systems that are known by name have their facts in [`hublease_protocol::ci`]. For any other issuer the
//! configuration names the claims.

use hublease_protocol::ci::{Ci, EventFacts, IdentityUse, RuleFacts, StrangersFacts, UNKNOWN};

/// Whose tokens they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IssuerKind {
    /// A CI system that is known by name.
    Known(Ci),
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

impl IssuerKind {
    /// The claim that identifies the project for good: an id that a renamed or re-created project does not share.
    #[must_use]
    pub fn project_claim(&self) -> &str {
        match self {
            Self::Known(ci) => ci.token().project,
            Self::Other { project, .. } => project,
        }
    }

    /// The claims that together identify the job within its project.
    #[must_use]
    pub fn job_claims(&self) -> Vec<&str> {
        match self {
            Self::Known(ci) => ci.token().job.to_vec(),
            Self::Other { job, .. } => job.iter().map(String::as_str).collect(),
        }
    }

    /// The claims that together identify the workflow (a run of jobs) within its project.
    #[must_use]
    pub fn workflow_claims(&self) -> Vec<&str> {
        match self {
            Self::Known(ci) => ci.token().workflow.to_vec(),
            Self::Other { workflow, .. } => workflow.iter().map(String::as_str).collect(),
        }
    }

    /// What a rule about its jobs may and should say.
    #[must_use]
    pub const fn rule(&self) -> &'static RuleFacts {
        match self {
            Self::Known(ci) => ci.rule(),
            Self::Other { .. } => &UNKNOWN,
        }
    }

    /// How the event that started a job is told, where a claim does.
    #[must_use]
    pub const fn events(&self) -> Option<&'static EventFacts> {
        match &self.rule().strangers {
            Some(StrangersFacts::Event(events)) => Some(events),
            _ => None,
        }
    }

    /// How its tokens are counted when the configuration does not say.
    #[must_use]
    pub const fn usual_identity_use(&self) -> IdentityUse {
        match self {
            Self::Known(ci) => ci.token().identity_use,
            Self::Other { .. } => IdentityUse::Reusable,
        }
    }

    /// Whether its tokens have the form of a CI system that is known here.
    #[must_use]
    pub const fn is_known(&self) -> bool {
        matches!(self, Self::Known(_))
    }

    /// As people write it.
    #[must_use]
    pub const fn title(&self) -> &'static str {
        match self {
            Self::Known(ci) => ci.title(),
            Self::Other { .. } => "with claims of its own",
        }
    }
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
    /// `iss`, compared byte for byte, a slash at its end included.
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

impl Issuer {
    /// Where its discovery document is. OpenID Connect Discovery 1.0 section 4.1: a slash at the issuer's end is left out of
    /// this address, and nowhere else.
    #[must_use]
    pub fn discovery_url(&self) -> String {
        let start = self.url.strip_suffix('/').unwrap_or(&self.url);
        format!("{start}/.well-known/openid-configuration")
    }
}

#[cfg(test)]
mod tests {
    use crate::identity::issuer::Issuer;
    use crate::testing::circleci;

    #[test]
    fn a_slash_at_the_issuers_end_is_not_doubled() {
        for (url, found) in [
            ("https://sso.example", "https://sso.example/.well-known/openid-configuration"),
            ("https://sso.example/", "https://sso.example/.well-known/openid-configuration"),
            ("https://sso.example/a/b/", "https://sso.example/a/b/.well-known/openid-configuration"),
        ] {
            let issuer = Issuer { url: url.to_owned(), ..circleci() };
            assert_eq!(issuer.discovery_url(), found);
        }
    }
}
