//! What tests say to a sandbox: where its services are, what they did, and what should go wrong next.

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use super::Sandbox;
use crate::control;
use crate::docker_identity::DockerIdentity;
use crate::fault::Fault;
use crate::hub::Hub;
use crate::issuer::Issuer;
use crate::journal::{KnownSecret, LiveCredential, Logged};
use crate::latch::{Hold, Latch};
use crate::server::Listener;
use crate::service::Service;
use crate::vault::Vault;

impl Sandbox {
    /// The identity issuers.
    pub fn issuer(&self) -> &Issuer {
        &self.issuer
    }

    /// Docker Hub.
    pub fn hub(&self) -> &Hub {
        &self.ledger.hub
    }

    /// Docker Identity.
    pub fn docker_identity(&self) -> &DockerIdentity {
        &self.ledger.docker_identity
    }

    /// Vault.
    pub fn vault(&self) -> &Vault {
        &self.ledger.vault
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

    /// From now on the token server hands out bearers with so many seconds of their life left, and says so by `issued_at`, as one does
    /// that gives the same bearer twice. Clients take no life below a minute from `expires_in`, but go by `issued_at`.
    pub fn set_bearer_left(&self, seconds: u64) {
        self.registry_auth.set_bearer_left(seconds);
    }

    /// Pulls in six hours for everybody; `None` takes the rate headers away, as on paid plans. Starts counting anew.
    pub fn set_pull_limit(&self, pulls: Option<u32>) {
        self.registry.set_pull_limit(pulls);
    }

    /// Founds one more issuer, with discovery and keys at this very address: `https://`, a host and a path.
    pub fn found_issuer(&self, address: &str) {
        self.core.found_issuer(address);
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
        self.log().into_iter().filter(|entry| entry.service == service).collect()
    }

    /// Connections to hosts that are not of this world; empty in a good test.
    pub fn unexpected(&self) -> Vec<String> {
        self.core.unexpected()
    }

    /// Every secret that was handed out, and every account secret.
    pub fn secrets(&self) -> Vec<KnownSecret> {
        self.ledger.secrets()
    }

    /// Adds a secret of the test's own, such as a broker's handle.
    pub fn add_secret(&self, secret: KnownSecret) {
        self.core.add_secret(secret);
    }

    /// Credentials that still open a door; registry bearers are not counted.
    pub fn live(&self) -> Vec<LiveCredential> {
        self.ledger.live()
    }

    /// A directory for `PATH` with a stand-in `circleci` program, which knows `run oidc get --claims JSON [--root-issuer]` and
    /// needs `curl`.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn circleci_program(&self) -> io::Result<PathBuf> {
        control::circleci_program(self.directory.path(), &self.control_url())
    }

    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn request_token(&self) -> &str {
        self.requests.token()
    }

    pub(crate) fn plain_url(&self, service: Service) -> String {
        self.plain.get(&service).map(Listener::url).unwrap_or_default()
    }
}
