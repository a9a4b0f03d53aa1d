//! `logout --workflow`: which broker is asked, and by whose identity.

use hublease_protocol::endpoint::Endpoint;

use super::{Logout, identity, provider};
use crate::cli::{Source, Typed};
use crate::environment::Environment;
use crate::error::Error;
use crate::identity::Identity;
use crate::provider::revocation::Revoker;

/// What is about the identity token. Of a logout, only this one asks for it.
const IDENTIFYING: [&str; 4] = ["audience", "audience-elsewhere", "identity-token-env", "identity-token-file"];

/// A resolved `logout --workflow`.
#[derive(Debug)]
pub struct WorkflowLogout {
    /// What is undone of this job itself, afterwards; its revoker is the broker.
    pub logout: Logout,
    /// The broker; without a path, because only metadata names the endpoint.
    pub broker: Endpoint,
    /// Who we are.
    pub identity: Identity,
    /// The audience to ask an identity token for.
    pub audience: String,
}

impl WorkflowLogout {
    /// Resolves what a logout does besides.
    pub(super) fn new(typed: &Typed, environment: &Environment, logout: Logout) -> Result<Self, Error> {
        let Revoker::Broker(broker) = logout.revoker.clone() else {
            return Err(Error::bug("a workflow at a provider that refuses it"));
        };
        if !broker.path.is_empty() {
            // An identity token does not go to an endpoint that was guessed.
            return Err(typed.refuse(
                "broker-url",
                "with `--workflow` it has no path: only metadata says where a workflow is revoked",
            ));
        }
        let own = broker.origin.to_string();
        let audience = provider::audience(typed, Some(own.clone()))?.unwrap_or(own);
        Ok(Self { identity: identity::detect(typed, environment)?, audience, broker, logout })
    }
}

/// A plain logout has no use for an identity token, so a flag about it is refused. Its variable may be there for `login`.
pub(super) fn refuse_identity(typed: &Typed) -> Result<(), Error> {
    match IDENTIFYING.iter().find(|flag| typed.source(flag) == Some(Source::Flag)) {
        Some(flag) => Err(typed.refuse(flag, "of a logout, only `--workflow` asks for an identity token")),
        None => Ok(()),
    }
}
