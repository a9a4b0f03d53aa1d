//! The registries that Docker Hub credentials are for, and the keys under which clients keep their logins.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::Client;

/// A registry that Docker Hub credentials are for. Hub's many spellings are one registry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Registry {
    /// `docker.io`: Docker Hub.
    #[serde(rename = "docker.io")]
    Hub,
    /// `dhi.io`: Docker Hardened Images.
    #[serde(rename = "dhi.io")]
    HardenedImages,
}

impl Registry {
    /// Reads a registry by any spelling that docker or its users know.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "docker.io"
            | "index.docker.io"
            | "registry-1.docker.io"
            | "registry.hub.docker.com"
            | "hub.docker.com"
            | "https://index.docker.io/v1/"
            | "https://index.docker.io/v1"
            | "https://docker.io" => Some(Self::Hub),
            "dhi.io" | "https://dhi.io" => Some(Self::HardenedImages),
            _ => None,
        }
    }

    /// The registry that a key of an auth file is about, by docker's own comparison (the host of an address) and podman's
    /// (a part of the registry, such as `docker.io/acme`).
    pub fn of_key(key: &str) -> Option<Self> {
        let key = key.to_ascii_lowercase();
        let host = ["https://", "http://"].iter().find_map(|scheme| key.strip_prefix(scheme)).unwrap_or(&key);
        let host = host.split('/').next().unwrap_or_default();
        let host = [":443", ":80"].iter().find_map(|port| host.strip_suffix(port)).unwrap_or(host);
        Self::parse(host)
    }

    /// The short name, for people and for podman.
    pub fn name(self) -> &'static str {
        match self {
            Self::Hub => "docker.io",
            Self::HardenedImages => "dhi.io",
        }
    }

    /// The key under which `client` stores and looks up the login.
    pub fn key(self, client: Client) -> &'static str {
        match (self, client) {
            (Self::Hub, Client::Docker | Client::None) => "https://index.docker.io/v1/",
            (Self::Hub, Client::Podman) => "docker.io",
            (Self::HardenedImages, _) => "dhi.io",
        }
    }
}

impl fmt::Display for Registry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}
