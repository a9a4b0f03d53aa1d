//! `logout --workflow`: which broker is asked, and by whose identity.

use super::{Logout, identity, provider};
use crate::cli::{Arguments, Source};
use crate::environment::Environment;
use crate::error::Error;
use crate::provider::revocation::Revoker;
use crate::provider::workflow::WorkflowRevocation;

/// What is about the identity token. Of a logout, only this one asks for it.
const IDENTIFYING: [&str; 4] = ["audience", "audience-elsewhere", "identity-token-env", "identity-token-file"];

/// A resolved `logout --workflow`.
#[derive(Debug)]
pub struct WorkflowLogout {
    /// What is undone of this job itself, afterwards; its revoker is the broker.
    pub logout: Logout,
    /// What is revoked of the whole workflow, before.
    pub revocation: WorkflowRevocation,
}

impl WorkflowLogout {
    /// Resolves what a logout does besides.
    pub(super) fn new(arguments: &Arguments, environment: &Environment, logout: Logout) -> Result<Self, Error> {
        let Revoker::Broker(broker) = logout.revoker.clone() else {
            return Err(Error::bug("a workflow at a provider that refuses it"));
        };
        if !broker.path.is_empty() {
            // An identity token does not go to an endpoint that was guessed.
            return Err(arguments.refuse(
                "broker-url",
                "with `--workflow` it has no path: only metadata says where a workflow is revoked",
            ));
        }
        let own = broker.origin.to_string();
        let audience = provider::audience(arguments, Some(own.clone()))?.unwrap_or(own);
        let revocation = WorkflowRevocation { identity: identity::detect(arguments, environment)?, audience, broker };
        Ok(Self { revocation, logout })
    }
}

/// A plain logout has no use for an identity token, so a flag about it is refused. Its variable may be there for `login`.
pub(super) fn refuse_identity(arguments: &Arguments) -> Result<(), Error> {
    match IDENTIFYING.iter().find(|flag| arguments.source(flag) == Some(Source::Flag)) {
        Some(flag) => Err(arguments.refuse(flag, "of a logout, only `--workflow` asks for an identity token")),
        None => Ok(()),
    }
}
