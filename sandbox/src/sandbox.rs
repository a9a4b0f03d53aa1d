//! Puts the world together.

mod api;
pub(crate) mod broker;
mod environment;

use std::collections::HashMap;
use std::sync::Arc;
use std::{fs, io};

use tempfile::TempDir;

use crate::control::Control;
use crate::core::Core;
use crate::docker_identity::DockerIdentity;
use crate::hub::Hub;
use crate::issuer::{IdTokenRequests, Issuer};
use crate::ledger::Ledger;
use crate::registry::{Registry, RegistryAuth, Signer};
use crate::server::{Authority, Listener, Proxy, serve_plain};
use crate::service::{Handler, Service};
use crate::vault::{Vault, World};
use crate::vault_minter::HubMinter;

/// Services that also listen without TLS, for clients that take a loopback URL.
const PLAIN: [Service; 4] = [Service::IdTokenRequest, Service::DockerIdentity, Service::Vault, Service::Hub];

/// A whole outside world; dropping it stops its threads and removes its files.
pub struct Sandbox {
    core: Arc<Core>,
    directory: TempDir,
    authority: Arc<Authority>,
    issuer: Arc<Issuer>,
    requests: Arc<IdTokenRequests>,
    ledger: Arc<Ledger>,
    registry_auth: Arc<RegistryAuth>,
    registry: Arc<Registry>,
    proxy: Listener,
    plain: HashMap<Service, Listener>,
    control: Listener,
}

impl Sandbox {
    /// Starts everything on free ports of 127.0.0.1.
    ///
    /// # Errors
    /// When sockets, threads, keys or the private directory cannot be made.
    pub fn start() -> io::Result<Self> {
        let core = Arc::new(Core::default());
        let authority = Arc::new(Authority::generate().map_err(io::Error::other)?);
        let directory = private_directory(authority.pem())?;

        let issuer = Arc::new(Issuer::new(Arc::clone(&core)).map_err(io::Error::other)?);
        let requests = Arc::new(IdTokenRequests::new(&core, Arc::clone(&issuer)));
        let hub = Arc::new(Hub::new(Arc::clone(&core)));
        let docker_identity = Arc::new(DockerIdentity::new(Arc::clone(&core), Arc::clone(&issuer)));
        let signer = Signer::generate().map_err(io::Error::other)?;
        let vault = Arc::new(Vault::new(world(&core, &issuer, &hub)));
        vault.seed_example(&crate::vault::Example {
            circleci_issuer: issuer.identity().circleci_issuer(),
            github_issuer: crate::issuer::GITHUB_ISSUER.to_owned(),
            audiences: vec![issuer.identity().organization_id, "https://vault.example.com".to_owned()],
        });
        let ledger = Arc::new(Ledger { core: Arc::clone(&core), hub, docker_identity, vault });
        let registry_auth = Arc::new(RegistryAuth::new(Arc::clone(&ledger), signer));
        let registry = Arc::new(Registry::new(Arc::clone(&registry_auth)));

        let handlers: HashMap<Service, Arc<dyn Handler>> = HashMap::from([
            (Service::Issuer, Arc::clone(&issuer) as Arc<dyn Handler>),
            (Service::IdTokenRequest, Arc::clone(&requests) as _),
            (Service::Hub, Arc::clone(&ledger.hub) as _),
            (Service::RegistryAuth, Arc::clone(&registry_auth) as _),
            (Service::Registry, Arc::clone(&registry) as _),
            (Service::DockerIdentity, Arc::clone(&ledger.docker_identity) as _),
            (Service::Vault, Arc::clone(&ledger.vault) as _),
        ]);
        let mut plain = HashMap::new();
        for service in PLAIN {
            let handler = Arc::clone(&handlers[&service]);
            plain.insert(service, plain_listener(&core, Some(service), handler)?);
        }
        let control = Control::new(Arc::clone(&ledger), Arc::clone(&issuer));
        let control = plain_listener(&core, None, Arc::new(control))?;
        let behind = Proxy::new(Arc::clone(&core), Arc::clone(&authority), handlers);
        let proxy = Listener::start(move |stream| behind.serve(stream))?;
        Ok(Self {
            core,
            directory,
            authority,
            issuer,
            requests,
            ledger,
            registry_auth,
            registry,
            proxy,
            plain,
            control,
        })
    }
}

/// Where files for other programs are: the CA alone in a file, an empty certificate directory.
fn private_directory(ca_pem: &str) -> io::Result<TempDir> {
    let directory = tempfile::Builder::new().prefix("hublease-sandbox-").tempdir()?;
    fs::write(directory.path().join("ca.pem"), ca_pem)?;
    fs::create_dir(directory.path().join("no-certificates"))?;
    Ok(directory)
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // Held requests are let go before the listeners close their connections.
        self.core.stop();
    }
}

fn world(core: &Arc<Core>, issuer: &Arc<Issuer>, hub: &Arc<Hub>) -> World {
    let (clock, issuer) = (core.clock.clone(), Arc::clone(issuer));
    World {
        now: Arc::new(move || clock.now()),
        verify: Arc::new(move |token: &str| issuer.verify(token)),
        minter: Arc::new(HubMinter::new(Arc::clone(core), Arc::clone(hub))),
    }
}

fn plain_listener(core: &Arc<Core>, service: Option<Service>, handler: Arc<dyn Handler>) -> io::Result<Listener> {
    let core = Arc::clone(core);
    Listener::start(move |stream| serve_plain(stream, &core, service, &*handler))
}
