//! The environment of the tests: nothing that a CI system, a proxy or a developer's shell has put there.
//!
//! The tests scrub the environment of the programs that they start; this keeps the test programs themselves from finding
//! an identity, an address or a certificate that is not theirs.

/// Families of variables, by how their names begin.
const FAMILIES: &[&str] = &[
    "ACTIONS_",
    "AWS_",
    "BAO_",
    "BUILDKITE",
    "CIRCLE",
    "CI_",
    "CODEBUILD_",
    "DOCKER_",
    "DOCKERHUB_",
    "GITHUB_",
    "GITLAB_",
    "HUBLEASE_",
    "KUBERNETES_",
    "NODE_",
    "OIDC_",
    "REGISTRY_AUTH_",
    "RUNNER_",
    "SSL_CERT_",
    "VAULT_",
];
/// Single ones, whatever their case.
const SINGLES: &[&str] = &[
    "ALL_PROXY",
    "BASH_ENV",
    "CI",
    "CURL_CA_BUNDLE",
    "ENV",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "NO_PROXY",
    "REQUESTS_CA_BUNDLE",
    "XDG_CONFIG_HOME",
    "XDG_RUNTIME_DIR",
];

/// Whether the tests must not see the variable.
pub(super) fn is_foreign(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    FAMILIES.iter().any(|family| name.starts_with(family)) || SINGLES.contains(&name.as_str())
}

#[cfg(test)]
mod tests {
    use super::is_foreign;

    #[test]
    fn identities_addresses_and_certificates_are_foreign_and_the_toolchain_is_not() {
        for name in [
            "CI",
            "GITHUB_TOKEN",
            "CIRCLE_OIDC_TOKEN_V2",
            "CIRCLECI",
            "DOCKER_AUTH_CONFIG",
            "VAULT_TOKEN",
            "BAO_ADDR",
            "AWS_PROFILE",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
            "HUBLEASE_BROKER_URL",
            "https_proxy",
            "NO_PROXY",
            "SSL_CERT_FILE",
        ] {
            assert!(is_foreign(name), "{name}");
        }
        for name in ["HOME", "PATH", "CARGO_HOME", "RUSTUP_HOME", "RUSTFLAGS", "TMPDIR", "CARGO_TARGET_DIR", "TERM"] {
            assert!(!is_foreign(name), "{name}");
        }
    }
}
