//! The configuration of a broker for the sandbox's identity and accounts.

use std::path::Path;

use super::Sandbox;
use crate::hub::{ACCOUNT, ORGANIZATION};
use crate::issuer::GITHUB_ISSUER;

/// How much a broker lets one job and one organization have.
#[derive(Clone, Copy, Debug)]
pub struct BrokerLimits {
    /// Live leases, and mints, of one job.
    pub leases: usize,
    /// Organization tokens.
    pub quota: usize,
}

impl Default for BrokerLimits {
    /// A Team plan, and what the broker allows by itself to mint.
    fn default() -> Self {
        Self { leases: 10, quota: 10 }
    }
}

impl Sandbox {
    /// TOML for `hublease-broker serve --config`: both issuers, the organization account, and a rule for the test
    /// identity of each. The password is expected in `ACMEBOT_PASSWORD`; the journal is made in `folder`.
    pub fn broker_configuration(&self, public_url: &str, folder: &Path, limits: BrokerLimits) -> String {
        let identity = self.issuer().identity();
        let BrokerLimits { leases, quota } = limits;
        format!(
            r#"listen = "127.0.0.1:0"
public_url = "{public_url}"
instance = "sandbox"
journal = {{ path = "{journal}" }}

[[issuer]]
name = "circleci"
kind = "circleci"
url = "{circleci}"
max_live_leases_per_identity = {leases}
max_mints_per_identity = {leases}

[[issuer]]
name = "github"
kind = "github"
url = "{GITHUB_ISSUER}"
max_live_leases_per_identity = {leases}
max_mints_per_identity = {leases}

[[account]]
name = "acme"
kind = "oat"
organization = "{ORGANIZATION}"
username = "{ACCOUNT}"
quota = {quota}
password_env = "ACMEBOT_PASSWORD"

[[rule]]
name = "circleci-app"
issuer = "circleci"
account = "acme"
repositories = ["acme/app"]
actions = ["pull", "push"]
max_life_seconds = 900
revoke_workflow = true
claims = {{ "oidc.circleci.com/project-id" = "{project}" }}

[[rule]]
name = "github-app"
issuer = "github"
account = "acme"
repositories = ["acme/app"]
actions = ["pull", "push"]
max_life_seconds = 900
revoke_workflow = true
claims = {{ repository_id = "{repository}", event_name = "{event}" }}
"#,
            journal = folder.join("journal.db").display(),
            circleci = identity.circleci_issuer(),
            project = identity.project_id,
            repository = identity.repository_id,
            event = identity.event_name,
        )
    }
}
