//! Which leases are meant: what an operator, or a job that speaks for its workflow, can name.

use super::LeaseState;

/// Every field that is there narrows the selection; without any it is all leases.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// The lease's own name.
    pub id: Option<String>,
    /// The states; empty means any.
    pub states: Vec<LeaseState>,
    /// The rules, one of which granted.
    pub rules: Option<Vec<String>>,
    /// The account that issues.
    pub account: Option<String>,
    /// The project's id.
    pub project: Option<String>,
    /// The job, in its canonical form.
    pub job: Option<String>,
    /// The workflow, in its canonical form.
    pub workflow: Option<String>,
    /// The hash of the identity token.
    pub token_sha256: Option<String>,
    /// The hash of the credential that was handed out.
    pub credential_sha256: Option<String>,
    /// The name of the token at Docker Hub, or in its pool.
    pub hub_id: Option<String>,
    /// Alive at that time: announced by then, and neither over nor expired before.
    pub at: Option<u64>,
    /// Announced before that time.
    pub created_before: Option<u64>,
    /// How many at most; nothing means all.
    pub limit: Option<usize>,
}
