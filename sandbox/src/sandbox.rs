//! Puts the world together, and is the library's face.

use std::collections::HashMap;
use std::error::Error;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::{fs, io};

use http::{Request, Response};
use tempfile::TempDir;

use crate::control::Control;
use crate::core::Core;
use crate::docker_identity::DockerIdentity;
use crate::fault::Fault;
use crate::hub::Hub;
use crate::issuer::{IdTokenRequests, Issuer};
use crate::journal::{KnownSecret, LiveCredential, Logged};
use crate::latch::{Hold, Latch};
use crate::registry::{Registry, RegistryAuth, Signer};
use crate::server::{Authority, Listener, Proxy, serve_plain};
use crate::service::{Handler, Service};
use crate::vault::{Vault, World};
use crate::vault_minter::HubMinter;

/// A whole outside world; dropping it stops its threads and removes its files.
pub struct Sandbox {
    core: Arc<Core>,
    directory: TempDir,
    authority: Arc<Authority>,
    issuer: Arc<Issuer>,
    requests: Arc<IdTokenRequests>,
    hub: Arc<Hub>,
    docker_identity: Arc<DockerIdentity>,
    registry_auth: Arc<RegistryAuth>,
    registry: Arc<Registry>,
    vault: Arc<VaultService>,
    minter: Arc<HubMinter>,
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
        let directory = tempfile::Builder::new()
            .prefix("hublease-sandbox-")
            .tempdir()?;
        let authority = Arc::new(Authority::generate().map_err(io::Error::other)?);
        fs::write(directory.path().join("ca.pem"), authority.pem())?;
        fs::create_dir(directory.path().join("no-certificates"))?;

        let issuer = Arc::new(Issuer::new(Arc::clone(&core)).map_err(io::Error::other)?);
        let requests = Arc::new(IdTokenRequests::new(&core, Arc::clone(&issuer)));
        let hub = Arc::new(Hub::new(Arc::clone(&core)));
        let docker_identity = Arc::new(DockerIdentity::new(Arc::clone(&core), Arc::clone(&issuer)));
        let signer = Signer::generate().map_err(as_io)?;
        let registry_auth = Arc::new(RegistryAuth::new(
            Arc::clone(&core),
            Arc::clone(&hub),
            Arc::clone(&docker_identity),
            signer,
        ));
        let registry = Arc::new(Registry::new(Arc::clone(&registry_auth)));
        let minter = Arc::new(HubMinter::new(Arc::clone(&core), Arc::clone(&hub)));
        let vault = Arc::new(VaultService(Vault::new(world(&core, &issuer, &minter))));

        let handlers = HashMap::from([
            (Service::Issuer, Arc::clone(&issuer) as Arc<dyn Handler>),
            (
                Service::IdTokenRequest,
                Arc::clone(&requests) as Arc<dyn Handler>,
            ),
            (Service::Hub, Arc::clone(&hub) as Arc<dyn Handler>),
            (
                Service::RegistryAuth,
                Arc::clone(&registry_auth) as Arc<dyn Handler>,
            ),
            (Service::Registry, Arc::clone(&registry) as Arc<dyn Handler>),
            (
                Service::DockerIdentity,
                Arc::clone(&docker_identity) as Arc<dyn Handler>,
            ),
            (Service::Vault, Arc::clone(&vault) as Arc<dyn Handler>),
        ]);
        let mut plain = HashMap::new();
        for service in [
            Service::IdTokenRequest,
            Service::DockerIdentity,
            Service::Vault,
            Service::Hub,
        ] {
            if let Some(handler) = handlers.get(&service) {
                plain.insert(
                    service,
                    plain_listener(&core, Some(service), Arc::clone(handler))?,
                );
            }
        }
        let live = live_list(&hub, &docker_identity, &vault);
        let control = Arc::new(Control::new(Arc::clone(&core), Arc::clone(&issuer), live));
        let control = plain_listener(&core, None, control)?;
        let behind = Proxy::new(Arc::clone(&core), Arc::clone(&authority), handlers);
        let proxy = Listener::start(move |stream| behind.serve(stream))?;
        Ok(Self {
            core,
            directory,
            authority,
            issuer,
            requests,
            hub,
            docker_identity,
            registry_auth,
            registry,
            vault,
            minter,
            proxy,
            plain,
            control,
        })
    }

    /// The identity issuers.
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// Docker Hub.
    pub fn hub(&self) -> &Hub {
        &self.hub
    }

    /// Docker Identity.
    pub fn docker_identity(&self) -> &DockerIdentity {
        &self.docker_identity
    }

    /// Vault.
    pub fn vault(&self) -> &Vault {
        &self.vault.0
    }

    /// The proxy, for `HTTPS_PROXY`.
    pub fn proxy_url(&self) -> String {
        self.proxy.url()
    }

    /// Vault over plain HTTP, for `VAULT_ADDR`.
    pub fn vault_url(&self) -> String {
        self.plain_url(Service::Vault)
    }

    /// Docker Identity over plain HTTP.
    pub fn docker_identity_url(&self) -> String {
        self.plain_url(Service::DockerIdentity)
    }

    /// The Docker Hub API over plain HTTP.
    pub fn hub_url(&self) -> String {
        self.plain_url(Service::Hub)
    }

    /// The control endpoint, for shell scripts.
    pub fn control_url(&self) -> String {
        self.control.url()
    }

    /// The run's certificate authority as PEM.
    pub fn ca_pem(&self) -> &str {
        self.authority.pem()
    }

    /// The same in a file, alone.
    pub fn ca_file(&self) -> PathBuf {
        self.directory.path().join("ca.pem")
    }

    /// The certificate that signs registry tokens, for a real registry's `rootcertbundle`.
    pub fn registry_certificate(&self) -> &str {
        self.registry_auth.certificate()
    }

    /// Puts a real registry on loopback behind `registry-1.docker.io` and `dhi.io`.
    pub fn set_registry(&self, address: SocketAddr) {
        self.registry.set_upstream(address);
    }

    /// Pulls in six hours for everybody; `None` takes the rate headers away, as on paid plans. Starts counting anew.
    pub fn set_pull_limit(&self, pulls: Option<u32>) {
        self.registry.set_pull_limit(pulls);
    }

    /// Turns on the Vault plugin's defect: it takes only 202 for a deletion, while the Hub sends 204.
    pub fn vault_plugin_wants_202(&self, on: bool) {
        self.minter.set_wants_202(on);
    }

    /// Sends a host name through the proxy to a plain HTTP server on loopback.
    pub fn forward(&self, host: &str, address: SocketAddr) {
        self.core.forward(host, address);
    }

    /// Sandbox time in unix seconds.
    pub fn now(&self) -> u64 {
        self.core.clock.now()
    }

    /// Moves the sandbox's clock forward.
    pub fn advance(&self, seconds: u64) {
        self.core.clock.advance(seconds);
    }

    /// Adds a fault.
    pub fn fault(&self, fault: Fault) {
        self.core.add_fault(fault);
    }

    /// Forgets every fault.
    pub fn clear_faults(&self) {
        self.core.clear_faults();
    }

    /// Places a latch.
    pub fn latch(&self, hold: Hold) -> Latch {
        self.core.latches.place(hold)
    }

    /// Every request to a service, in order of arrival.
    pub fn log(&self) -> Vec<Logged> {
        self.core.log()
    }

    /// The requests to one service.
    pub fn requests(&self, service: Service) -> Vec<Logged> {
        self.log()
            .into_iter()
            .filter(|entry| entry.service == service)
            .collect()
    }

    /// Connections to hosts that are not of this world; empty in a good test.
    pub fn unexpected(&self) -> Vec<String> {
        self.core.unexpected()
    }

    /// Every secret that was handed out, and every account secret.
    pub fn secrets(&self) -> Vec<KnownSecret> {
        for (name, value) in self.vault.0.secrets() {
            self.core.know(name, "vault", &value, &[Service::Vault]);
        }
        self.core.secrets()
    }

    /// Adds a secret of the test's own, such as a broker's handle.
    pub fn add_secret(&self, secret: KnownSecret) {
        self.core.add_secret(secret);
    }

    /// Credentials that still open a door; registry bearers are not counted.
    pub fn live(&self) -> Vec<LiveCredential> {
        live_list(&self.hub, &self.docker_identity, &self.vault)()
    }

    /// A directory for `PATH` with a stand-in `circleci` program, which knows `run oidc get --claims JSON [--root-issuer]` and
    /// needs `curl`.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn circleci_program(&self) -> io::Result<PathBuf> {
        crate::control::circleci_program(self.directory.path(), &self.control_url())
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn request_token(&self) -> &str {
        self.requests.token()
    }

    pub(crate) fn plain_url(&self, service: Service) -> String {
        self.plain
            .get(&service)
            .map(Listener::url)
            .unwrap_or_default()
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // Held requests are let go before the listeners close their connections.
        self.core.stop();
    }
}

struct VaultService(Vault);

impl Handler for VaultService {
    fn handle(&self, request: &Request<Vec<u8>>) -> Response<Vec<u8>> {
        self.0.handle(request)
    }
}

fn world(core: &Arc<Core>, issuer: &Arc<Issuer>, minter: &Arc<HubMinter>) -> World {
    let (clock, issuer) = (core.clock.clone(), Arc::clone(issuer));
    World {
        now: Arc::new(move || clock.now()),
        verify: Arc::new(move |token| issuer.verify(token)),
        minter: Arc::clone(minter) as Arc<dyn crate::vault::Minter>,
    }
}

fn live_list(
    hub: &Arc<Hub>,
    identity: &Arc<DockerIdentity>,
    vault: &Arc<VaultService>,
) -> impl Fn() -> Vec<LiveCredential> + Send + Sync + 'static {
    let (hub, identity, vault) = (Arc::clone(hub), Arc::clone(identity), Arc::clone(vault));
    move || {
        let items = vault.0.live().into_iter().map(|item| LiveCredential {
            kind: item.kind,
            id: item.id,
        });
        hub.live()
            .into_iter()
            .chain(identity.live())
            .chain(items)
            .collect()
    }
}

fn plain_listener(
    core: &Arc<Core>,
    service: Option<Service>,
    handler: Arc<dyn Handler>,
) -> io::Result<Listener> {
    let core = Arc::clone(core);
    Listener::start(move |stream| serve_plain(stream, &core, service, &*handler))
}

fn as_io(error: Box<dyn Error + Send + Sync>) -> io::Error {
    io::Error::other(error)
}
