//! The policies and roles of both servers.

use hublease_sandbox::vault::Capability::{self, Create, Read, Update};
use hublease_sandbox::vault::{Role, RoleType, TokenType};
use serde_json::{Map, Value, json};

use super::twins::AUDIENCE;

/// A policy by name, and what it lets.
pub type Policy = (&'static str, &'static [(&'static str, &'static [Capability])]);

pub const POLICIES: &[Policy] = &[
    (
        "dockerhub",
        &[
            ("database/creds/*", &[Read]),
            ("dockerhub/token/*", &[Create, Update]),
            ("secret/data/ci/*", &[Read]),
            ("kv1/ci/*", &[Read]),
            ("sys/leases/revoke", &[Update]),
        ],
    ),
    ("dockerhub-mint-only", &[("database/creds/*", &[Read]), ("secret/data/ci/*", &[Read]), ("kv1/ci/*", &[Read])]),
];

/// Constraints that the stand-in's policies do not have.
pub const STRICT: &str = r#"
path "sys/leases/revoke" { capabilities = ["update"] allowed_parameters = { "lease_id" = ["database/creds/app/*"] "sync" = [] } }
path "database/creds/*" { capabilities = ["read"] }
path "kv1/ci/*" { capabilities = ["read"] min_wrapping_ttl = "10s" }
"#;

/// Rules as an operator writes them.
pub fn as_hcl(rules: &[(&str, &[Capability])]) -> String {
    let rules = rules.iter().map(|(path, capabilities)| {
        let words: Vec<_> = capabilities.iter().map(|word| format!("{word:?}").to_lowercase()).collect();
        format!("path {path:?} {{ capabilities = {words:?} }}\n")
    });
    rules.collect()
}

/// The roles of the rows.
pub fn roles() -> Vec<(&'static str, Role)> {
    let usual = || Role {
        bound_audiences: vec![AUDIENCE.to_owned()],
        user_claim: "oidc.circleci.com/project-id".to_owned(),
        token_policies: vec!["dockerhub".to_owned()],
        token_ttl: 600,
        ..Role::default()
    };
    let bound = |name: &str, value: Value| Map::from_iter([(name.to_owned(), value)]);
    vec![
        ("dockerhub", usual()),
        ("dockerhub-mint-only", Role { token_policies: vec!["dockerhub-mint-only".to_owned()], ..usual() }),
        ("strict", Role { token_policies: vec!["strict".to_owned()], ..usual() }),
        ("without-policies", Role { token_policies: Vec::new(), ..usual() }),
        // OpenBao writes no role that binds nothing.
        (
            "without-audience",
            Role {
                bound_audiences: Vec::new(),
                bound_claims: bound("oidc.circleci.com/ssh-rerun", json!(false)),
                ..usual()
            },
        ),
        ("another-subject", Role { bound_subject: Some("somebody".to_owned()), ..usual() }),
        ("another-project", Role { bound_claims: bound("oidc.circleci.com/project-id", json!("other")), ..usual() }),
        ("missing-claim", Role { bound_claims: bound("not-there", json!("x")), ..usual() }),
        ("ssh-only", Role { bound_claims: bound("oidc.circleci.com/ssh-rerun", json!(true)), ..usual() }),
        ("no-ssh", Role { bound_claims: bound("oidc.circleci.com/ssh-rerun", json!(false)), ..usual() }),
        ("another-user-claim", Role { user_claim: "not-there".to_owned(), ..usual() }),
        ("list-user-claim", Role { user_claim: "oidc.circleci.com/context-ids".to_owned(), ..usual() }),
        ("batch", Role { token_type: TokenType::Batch, ..usual() }),
        (
            "batch-mint-only",
            Role { token_type: TokenType::Batch, token_policies: vec!["dockerhub-mint-only".to_owned()], ..usual() },
        ),
        (
            "no-default",
            Role { token_no_default_policy: true, token_policies: vec!["dockerhub-mint-only".to_owned()], ..usual() },
        ),
        ("no-revoke-self", Role { token_no_default_policy: true, ..usual() }),
        ("one-use", Role { token_num_uses: 1, ..usual() }),
        ("two-uses", Role { token_num_uses: 2, ..usual() }),
        ("three-uses", Role { token_num_uses: 3, ..usual() }),
        ("from-elsewhere", Role { token_bound_cidrs: vec!["10.0.0.0/8".to_owned()], ..usual() }),
        ("from-here", Role { token_bound_cidrs: vec!["127.0.0.1".to_owned()], ..usual() }),
        ("somebody", Role { user_claim: "oidc.circleci.com/job-id".to_owned(), ..usual() }),
        ("no-skew", Role { clock_skew_leeway: -1, ..usual() }),
    ]
}

/// A role as an operator writes it.
pub fn as_json(role: &Role) -> Value {
    json!({
        "role_type": if role.role_type == RoleType::Oidc { "oidc" } else { "jwt" },
        "bound_audiences": role.bound_audiences,
        "bound_subject": role.bound_subject.clone().unwrap_or_default(),
        "bound_claims": role.bound_claims,
        "user_claim": role.user_claim,
        "clock_skew_leeway": role.clock_skew_leeway,
        "token_policies": role.token_policies,
        "token_no_default_policy": role.token_no_default_policy,
        "token_ttl": role.token_ttl,
        "token_num_uses": role.token_num_uses,
        "token_bound_cidrs": role.token_bound_cidrs,
        "token_type": if role.token_type == TokenType::Batch { "batch" } else { "service" },
    })
}
