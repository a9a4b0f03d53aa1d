//! The old way through the same door: a username and token that the CI system already holds.
//!
//! Nothing is exchanged and nothing can be revoked: the token lives on at its owner. What is gained is the same
//! login, the same logout and the same record, so that a team can move one job at a time.

use hublease_protocol::secret::Secret;

use crate::effect::Effects;
use crate::error::Error;
use crate::lease::{Handle, Lease, LeaseRecord};
use crate::provider::{Exchange, credential};
use crate::record::RecordWriter;

/// The token; the username is the plan's.
#[derive(Clone, Debug)]
pub struct StaticCredential {
    /// From the named variable.
    pub secret: Secret,
}

/// variable -> lease.
pub(super) async fn exchange(
    effects: &Effects,
    fixed: &StaticCredential,
    plan: &Exchange,
    writer: &mut RecordWriter,
) -> Result<Lease, Error> {
    effects.mask(&fixed.secret).await?;
    let credential = credential("the static provider", plan, None, fixed.secret.clone(), &[])?;
    let mut note = LeaseRecord {
        provider: "static".to_owned(),
        origin: String::new(),
        username: String::new(),
        mark: None,
        issued_at: effects.now().await?,
        expires_at: None,
        handle: Handle::NotALease,
    };
    note.describe(&credential);
    writer.hold(effects, &note).await?;
    Ok(Lease { credential, note })
}
