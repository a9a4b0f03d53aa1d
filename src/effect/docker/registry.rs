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
    /// Reads a registry by its host: alone, or as the address that docker and its users make of it, with `https://`
    /// and with the root of the registry's API as its path. Nothing else belongs to such an address.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.to_ascii_lowercase();
        let rest = text.strip_prefix("https://").unwrap_or(&text);
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let is_root = matches!(path.trim_end_matches('/'), "" | "v1" | "v2");
        is_root.then(|| Self::of_host(host)).flatten()
    }

    /// The registry that a key of an auth file is about, by docker's own comparison (the host of an address) and podman's
    /// (a part of the registry, such as `docker.io/acme`).
    pub fn of_key(key: &str) -> Option<Self> {
        let key = key.to_ascii_lowercase();
        let host = ["https://", "http://"].iter().find_map(|scheme| key.strip_prefix(scheme)).unwrap_or(&key);
        let host = host.split('/').next().unwrap_or_default();
        let host = [":443", ":80"].iter().find_map(|port| host.strip_suffix(port)).unwrap_or(host);
        Self::of_host(host)
    }

    fn of_host(host: &str) -> Option<Self> {
        match host {
            "docker.io" | "index.docker.io" | "registry-1.docker.io" | "registry.hub.docker.com" | "hub.docker.com" => {
                Some(Self::Hub)
            }
            "dhi.io" => Some(Self::HardenedImages),
            _ => None,
        }
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
