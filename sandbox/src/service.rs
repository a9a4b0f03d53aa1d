//! Which services there are, under which host names they live, and what a handler is.

use std::fmt;

use http::{Request, Response};

/// One of the sandbox's services, as faults, latches and the log name them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    /// Discovery and key sets of the identity issuers.
    Issuer,
    /// GitHub's ID-token request URL.
    IdTokenRequest,
    /// The Docker Hub API.
    Hub,
    /// Docker Hub's registry token server.
    RegistryAuth,
    /// The registry front.
    Registry,
    /// Docker Identity, the exchange behind Docker's OIDC connections.
    DockerIdentity,
    /// Vault or OpenBao.
    Vault,
    /// A host name that a test forwards to a server of its own.
    Forwarded,
}

/// Host names that the CONNECT proxy accepts, and who answers there.
const HOSTS: [(&str, Service); 12] = [
    ("registry-1.docker.io", Service::Registry),
    ("index.docker.io", Service::Registry),
    ("dhi.io", Service::Registry),
    ("auth.docker.io", Service::RegistryAuth),
    ("hub.docker.com", Service::Hub),
    ("identity.docker.com", Service::DockerIdentity),
    ("oidc.circleci.com", Service::Issuer),
    ("token.actions.githubusercontent.com", Service::Issuer),
    ("kubernetes.example.com", Service::Issuer),
    ("pipelines.actions.githubusercontent.com", Service::IdTokenRequest),
    ("vault.example.com", Service::Vault),
    ("vault-standby.example.com", Service::Vault),
];

impl Service {
    /// Every service, in the order of the enum.
    pub const ALL: [Self; 8] = [
        Self::Issuer,
        Self::IdTokenRequest,
        Self::Hub,
        Self::RegistryAuth,
        Self::Registry,
        Self::DockerIdentity,
        Self::Vault,
        Self::Forwarded,
    ];

    /// The name used by the control endpoint: `issuer`, `id-token-request`, `hub`, `registry-auth`, `registry`,
    /// `docker-identity`, `vault`, `forwarded`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Issuer => "issuer",
            Self::IdTokenRequest => "id-token-request",
            Self::Hub => "hub",
            Self::RegistryAuth => "registry-auth",
            Self::Registry => "registry",
            Self::DockerIdentity => "docker-identity",
            Self::Vault => "vault",
            Self::Forwarded => "forwarded",
        }
    }

    /// The service with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|service| service.name() == name)
    }

    /// The built-in host names, and who answers there.
    pub fn hosts() -> impl Iterator<Item = (&'static str, Self)> {
        HOSTS.into_iter()
    }

    /// The service behind a built-in host name.
    pub(crate) fn at(host: &str) -> Option<Self> {
        HOSTS.iter().find(|(name, _)| *name == host).map(|(_, service)| *service)
    }
}

impl fmt::Display for Service {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// A service: from one whole request to one whole response, no sockets.
pub(crate) trait Handler: Send + Sync {
    /// Answers one request.
    fn handle(&self, request: &Request<Vec<u8>>) -> Response<Vec<u8>>;
}
