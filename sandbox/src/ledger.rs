//! What still opens a door, and every secret there is: the sum over all services.

use std::sync::Arc;

use http::{Request, Response};

use crate::core::Core;
use crate::docker_identity::DockerIdentity;
use crate::hub::Hub;
use crate::journal::{KnownSecret, LiveCredential};
use crate::service::{Handler, Service};
use crate::vault::Vault;

pub(crate) struct Ledger {
    pub(crate) core: Arc<Core>,
    pub(crate) hub: Arc<Hub>,
    pub(crate) docker_identity: Arc<DockerIdentity>,
    pub(crate) vault: Arc<Vault>,
}

impl Ledger {
    /// Live credentials; registry bearers are not counted.
    pub(crate) fn live(&self) -> Vec<LiveCredential> {
        let items = self.vault.live().into_iter();
        let items = items.map(|item| LiveCredential { kind: item.kind, id: item.id });
        self.hub.live().into_iter().chain(self.docker_identity.live()).chain(items).collect()
    }

    /// Every secret; Vault's are asked for now, because it keeps its own list.
    pub(crate) fn secrets(&self) -> Vec<KnownSecret> {
        for (name, value) in self.vault.secrets() {
            self.core.know(name, "vault", &value, &[Service::Vault]);
        }
        self.core.secrets()
    }
}

impl Handler for Vault {
    fn handle(&self, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        // The inherent method, which is the module's contract.
        Self::handle(self, request)
    }
}
