//! The server that the documentation describes, ready to log in to.

use serde_json::{Map, Value, json};

use super::Vault;
use super::docker_hub::{DockerHubAccount, Generation};
use super::key_value::KeyValueVersion;
use super::login::{JwtMount, Role};
use super::policy::Capability::{Create, Read, Update};

/// The password of `acmebot` at the sandbox's Docker Hub.
pub const EXAMPLE_PASSWORD: &str = "acmebot-password-of-the-sandbox";
/// The long-lived token that the KV engines hold.
pub const EXAMPLE_STATIC_TOKEN: &str = "dckr_pat_example-long-lived-token";

/// Life of the example's client tokens.
const TOKEN_TTL_SECONDS: u64 = 600;

/// What the example trusts.
#[derive(Debug, Clone)]
pub struct Example {
    /// `https://oidc.circleci.com/org/<org-uuid>`.
    pub circleci_issuer: String,
    /// `https://token.actions.githubusercontent.com`.
    pub github_issuer: String,
    /// Any of them is accepted; Vault's own address, and for CircleCI the organization's id.
    pub audiences: Vec<String>,
}

impl Vault {
    /// Mounts and fills, in the root namespace:
    /// - JWT at `auth/jwt-circleci`, `auth/jwt-github`, and `auth/jwt` for CircleCI again, each with the roles
    ///   `dockerhub` and `dockerhub-mint-only` (the policies of the same names) for every project;
    /// - the plugin at `dockerhub/` (HEAD; `acmebot` may have `read`, `write`, `public_read`) and `dockerhub-2021/`
    ///   (`acmebot` may have the namespace `acme`), with [`EXAMPLE_PASSWORD`], both as published, so that no revocation is
    ///   confirmed before [`Vault::mend_docker_hub`];
    /// - KV version 2 at `secret/` and version 1 at `kv1/`, each with `ci/dockerhub` {username, token}.
    ///
    /// The policy `dockerhub` mints, reads KV and revokes leases; `dockerhub-mint-only` cannot revoke leases.
    pub fn seed_example(&self, example: &Example) {
        self.seed_policies();
        for (mount, issuer) in [
            ("auth/jwt-circleci", &example.circleci_issuer),
            ("auth/jwt-github", &example.github_issuer),
            ("auth/jwt", &example.circleci_issuer),
        ] {
            let config = JwtMount {
                discovery_issuer: Some(issuer.clone()),
                bound_issuer: Some(issuer.clone()),
                default_role: Some("dockerhub".to_owned()),
                ..JwtMount::default()
            };
            self.enable_jwt(mount, config);
            let user_claim =
                if *issuer == example.github_issuer { "repository" } else { "oidc.circleci.com/project-id" };
            for policy in ["dockerhub", "dockerhub-mint-only"] {
                let role = Role {
                    bound_audiences: example.audiences.clone(),
                    user_claim: user_claim.to_owned(),
                    token_policies: vec![policy.to_owned()],
                    token_ttl: TOKEN_TTL_SECONDS,
                    ..Role::default()
                };
                self.write_role(mount, policy, role);
            }
        }
        self.seed_engines();
    }

    fn seed_policies(&self) {
        let mint = [
            ("dockerhub/token/acmebot/*", &[Create, Update][..]),
            ("dockerhub-2021/token/acmebot/*", &[Create, Update]),
            ("secret/data/ci/*", &[Read]),
            ("kv1/ci/*", &[Read]),
        ];
        self.write_policy("", "dockerhub-mint-only", &mint);
        let revoke = [("sys/leases/revoke", &[Update][..])];
        self.write_policy("", "dockerhub", &[&mint[..], &revoke].concat());
    }

    fn seed_engines(&self) {
        for (mount, generation, allowed) in [
            ("dockerhub", Generation::Head, &["read", "write", "public_read"][..]),
            ("dockerhub-2021", Generation::Year2021, &["acme"]),
        ] {
            self.enable_docker_hub(mount, generation);
            let account = DockerHubAccount {
                password: EXAMPLE_PASSWORD.to_owned(),
                allowed: allowed.iter().map(|&allowed| allowed.to_owned()).collect(),
            };
            self.write_docker_hub_account(mount, "acmebot", account);
        }
        for (mount, version) in [("secret", KeyValueVersion::Two), ("kv1", KeyValueVersion::One)] {
            self.enable_key_value(mount, version);
            self.put_key_value(mount, "ci/dockerhub", static_credential());
        }
    }
}

fn static_credential() -> Map<String, Value> {
    [("username".to_owned(), json!("acmebot")), ("token".to_owned(), json!(EXAMPLE_STATIC_TOKEN))].into_iter().collect()
}
