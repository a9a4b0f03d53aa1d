//! Where Vault is: compared with what a record names, and asked.

use std::fmt;

use hublease_protocol::endpoint::{Endpoint, Origin};

use crate::effect::Effects;
use crate::effect::http::Destination;
use crate::request::Server;

/// Where Vault is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// Origin and base path.
    pub endpoint: Endpoint,
    /// `X-Vault-Namespace`.
    pub namespace: Option<String>,
    /// The one other origin that a standby may name.
    pub redirect: Option<Origin>,
}

impl fmt::Display for Address {
    /// What a record names, and a logout compares: a token is good in its namespace only.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(formatter, "{} (namespace {namespace})", self.endpoint),
            None => write!(formatter, "{}", self.endpoint),
        }
    }
}

impl Address {
    /// The origins that may be asked.
    pub fn destinations(&self) -> Vec<(Destination, Origin)> {
        let mut known = vec![(Destination::Provider, self.endpoint.origin.clone())];
        known.extend(self.redirect.clone().map(|origin| (Destination::ProviderRedirect, origin)));
        known
    }

    pub(crate) fn server<'a>(&'a self, effects: &'a Effects) -> Server<'a> {
        Server::new(effects, self.endpoint.origin.to_string()).or_at(self.redirect.as_ref())
    }
}
