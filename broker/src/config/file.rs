//! The configuration file as it is typed. Every key that exists is here, and `broker/example.toml` explains them.

use std::collections::BTreeMap;

use serde::Deserialize;
use toml::{Spanned, Value};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) listen: Spanned<String>,
    pub(super) public_url: Spanned<String>,
    pub(super) trusted_proxies: Option<Spanned<Vec<Spanned<String>>>>,
    pub(super) metrics_listen: Option<Spanned<String>>,
    pub(super) instance: Spanned<String>,
    pub(super) journal: JournalTable,
    pub(super) tls: Option<TlsTable>,
    #[serde(default)]
    pub(super) limits: LimitsTable,
    #[serde(default)]
    pub(super) issuer: Vec<IssuerTable>,
    #[serde(default)]
    pub(super) account: Vec<AccountTable>,
    #[serde(default)]
    pub(super) rule: Vec<RuleTable>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct JournalTable {
    pub(super) path: Spanned<String>,
    pub(super) keep_days: Option<Spanned<u64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct TlsTable {
    pub(super) certificate_file: Spanned<String>,
    pub(super) key_file: Spanned<String>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct LimitsTable {
    pub(super) requests_per_minute_per_address: Option<Spanned<u64>>,
    pub(super) requests_per_minute: Option<Spanned<u64>>,
    pub(super) exchanges_per_minute_per_project: Option<Spanned<u64>>,
    pub(super) exchanges_per_minute_per_rule: Option<Spanned<u64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct IssuerTable {
    pub(super) name: Spanned<String>,
    pub(super) kind: Spanned<String>,
    pub(super) url: Spanned<String>,
    pub(super) algorithm: Option<Spanned<String>>,
    pub(super) jwks_uri: Option<Spanned<String>>,
    pub(super) identity_use: Option<Spanned<String>>,
    pub(super) max_live_leases_per_identity: Option<Spanned<usize>>,
    pub(super) max_mints_per_identity: Option<Spanned<usize>>,
    pub(super) accept_default_audience: Option<Spanned<bool>>,
    pub(super) project_claim: Option<Spanned<String>>,
    pub(super) job_claims: Option<Spanned<Vec<String>>>,
    pub(super) workflow_claims: Option<Spanned<Vec<String>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct AccountTable {
    pub(super) name: Spanned<String>,
    pub(super) kind: Spanned<String>,
    pub(super) username: Spanned<String>,
    pub(super) organization: Option<Spanned<String>>,
    pub(super) quota: Option<Spanned<u64>>,
    pub(super) password_file: Option<Spanned<String>>,
    pub(super) password_env: Option<Spanned<String>>,
    pub(super) password_vault: Option<Spanned<VaultTable>>,
    #[serde(default)]
    pub(super) token: Vec<TokenTable>,
}

/// A secret in Vault: `[account.password_vault]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct VaultTable {
    pub(super) address: Spanned<String>,
    pub(super) namespace: Option<Spanned<String>>,
    pub(super) auth_path: Option<Spanned<String>>,
    pub(super) role: Option<Spanned<String>>,
    pub(super) identity_token_file: Spanned<String>,
    pub(super) path: Spanned<String>,
    pub(super) field: Option<Spanned<String>>,
    pub(super) ca_file: Option<Spanned<String>>,
}

/// A token of a pool: `[[account.token]]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct TokenTable {
    pub(super) name: Spanned<String>,
    pub(super) token_file: Option<Spanned<String>>,
    pub(super) token_env: Option<Spanned<String>>,
    pub(super) repositories: Spanned<Vec<Spanned<Value>>>,
    pub(super) actions: Spanned<Vec<String>>,
    #[serde(default)]
    pub(super) public_pull: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table")]
pub(super) struct RuleTable {
    pub(super) name: Spanned<String>,
    pub(super) issuer: Spanned<String>,
    pub(super) connection_id: Option<Spanned<String>>,
    pub(super) account: Spanned<String>,
    pub(super) repositories: Spanned<Vec<Spanned<Value>>>,
    pub(super) actions: Spanned<Vec<String>>,
    pub(super) max_life_seconds: Option<Spanned<u64>>,
    pub(super) networks: Option<Spanned<Vec<Spanned<String>>>>,
    #[serde(default)]
    pub(super) public_pull: bool,
    #[serde(default)]
    pub(super) account_wide: bool,
    #[serde(default)]
    pub(super) revoke_workflow: bool,
    #[serde(default)]
    pub(super) report_only: bool,
    pub(super) claims: BTreeMap<String, Spanned<Value>>,
}
