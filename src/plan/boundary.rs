//! What whoever performs the effects fixes before the story begins, so that nothing in it can steer where a secret goes.

use hublease_protocol::endpoint::Origin;
use serde::{Deserialize, Serialize};

use crate::cli::{Arguments, ProviderName, Source};
use crate::effect::http::Destination;
use crate::plan::{Logout, Plan};
use crate::provider::revocation::Revoker;

/// What is fixed.
#[derive(Clone, Debug)]
pub struct Fixed {
    /// Which origin each destination of the plan stands for.
    pub destinations: Vec<(Destination, Origin)>,
    /// Certificates to trust in addition to the system's.
    pub ca_cert: Option<CaCert>,
    /// The file that holds the identity token.
    pub identity_file: Option<String>,
}

/// Where extra certificates are, and whom they are for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CaCert {
    /// The file, as typed.
    pub path: String,
    /// Whether they count for the provider alone: a neighbour's variable (`VAULT_CACERT`) says nothing about others.
    pub provider_only: bool,
}

impl Plan {
    /// What is fixed for this plan, which was made of these words.
    pub fn fixed(&self, arguments: &Arguments) -> Fixed {
        let provider_only = matches!(arguments.source("ca-cert"), Some(Source::Neighbour(_)));
        // A neighbour's variable counts in runs that ask Vault.
        let path = arguments.one("ca-cert").filter(|_| !provider_only || self.asks_vault());
        Fixed {
            destinations: self.destinations(),
            ca_cert: path.map(|path| CaCert { path: path.to_owned(), provider_only }),
            identity_file: arguments.one("identity-token-file").map(str::to_owned),
        }
    }

    /// Whether it is Vault that is asked: what is meant for Vault alone counts then and only then.
    pub fn asks_vault(&self) -> bool {
        match self {
            Self::Logout(logout) => matches!(logout.revoker, Revoker::Vault(_)),
            _ => self.exchange().is_some_and(|exchange| exchange.provider.name() == ProviderName::Vault),
        }
    }

    /// Which origin each destination of this plan stands for.
    fn destinations(&self) -> Vec<(Destination, Origin)> {
        let mut known = Vec::new();
        match self {
            Self::Logout(logout) => known.extend(undoing(logout)),
            Self::WorkflowLogout(plan) => {
                known.extend(undoing(&plan.logout));
                known.extend(plan.revocation.identity.destination());
            }
            Self::Whoami(whoami) => known.extend(whoami.identity.destination()),
            Self::Check(_) => known.extend(
                [
                    (Destination::RegistryAuth, "https://auth.docker.io"),
                    (Destination::Registry, "https://registry-1.docker.io"),
                ]
                .into_iter()
                .filter_map(|(to, origin)| Origin::parse(origin).ok().map(|origin| (to, origin))),
            ),
            _ => {}
        }
        if let Some(exchange) = self.exchange() {
            known.extend(exchange.identity.destination());
            known.extend(exchange.provider.destinations());
        }
        known
    }
}

/// Who is asked while records are undone.
pub(crate) fn undoing(logout: &Logout) -> Vec<(Destination, Origin)> {
    let mut known = logout.revoker.destinations();
    known.extend(Origin::parse("https://auth.docker.io").ok().map(|origin| (Destination::RegistryAuth, origin)));
    known
}
