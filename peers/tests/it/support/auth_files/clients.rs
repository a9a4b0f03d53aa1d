//! The clients, and how each is asked whom it finds.

use std::path::PathBuf;
use std::process::Command;

use super::containers::CONTAINERS;
use super::docker::DOCKER;
use super::{Row, With};

/// A client that reads logins.
#[derive(Debug, Clone)]
pub enum Reader {
    /// A command line of docker's, and the engine through which it logs in, if there is one.
    Docker { program: PathBuf, engine: Option<String> },
    /// podman, buildah or skopeo, which share a reader; hublease logs in by podman.
    Containers { program: PathBuf, podman: PathBuf },
}

/// By it podman is told of another registries.conf; skopeo 1.9 and buildah 1.28 were seen not to follow it.
const OTHER_CONF: &str = "CONTAINERS_REGISTRIES_CONF";

impl Reader {
    /// Whether what the row sets is anything to this client.
    pub(super) fn follows(&self, row: &Row) -> bool {
        let follows = self.program().ends_with("podman");
        follows || !row.with.iter().any(|with| matches!(with, With::Variable(OTHER_CONF, _)))
    }

    pub(super) fn rows(&self) -> &'static [Row] {
        match self {
            Self::Docker { .. } => DOCKER,
            Self::Containers { .. } => CONTAINERS,
        }
    }

    /// Docker Hub's key in its file.
    pub(super) fn key(&self) -> &'static str {
        match self {
            Self::Docker { .. } => "https://index.docker.io/v1/",
            Self::Containers { .. } => "docker.io",
        }
    }

    /// Its file, from the home on.
    pub(super) fn file(&self) -> &'static str {
        match self {
            Self::Docker { .. } => ".docker/config.json",
            Self::Containers { .. } => "run/containers/auth.json",
        }
    }

    /// For `--client`.
    pub(super) fn client(&self) -> &'static str {
        match self {
            Self::Docker { .. } => "docker",
            Self::Containers { .. } => "podman",
        }
    }

    /// What names its place of logins.
    pub(super) fn variable(&self) -> &'static str {
        match self {
            Self::Docker { .. } => "DOCKER_CONFIG",
            Self::Containers { .. } => "REGISTRY_AUTH_FILE",
        }
    }

    /// Whether it is docker before 23, which dies of `null` in the place of the logins.
    pub(super) fn is_old(&self) -> bool {
        let version = || Command::new(self.program()).arg("--version").output().unwrap().stdout;
        matches!(self, Self::Docker { .. }) && version().starts_with(b"Docker version 20.")
    }

    pub(super) fn program(&self) -> &PathBuf {
        match self {
            Self::Docker { program, .. } | Self::Containers { program, .. } => program,
        }
    }
}
