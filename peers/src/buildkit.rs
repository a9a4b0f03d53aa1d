//! BuildKit: the builder behind `docker build` and buildx. As root, with runc and its OCI worker, on directories of its own.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::{Peer, Running, Source, docker_engine, place};

/// BuildKit's daemon.
pub const PEER: Peer = Peer {
    name: "buildkit",
    version: "0.34.2",
    source: Source::Go { package: "github.com/moby/buildkit/cmd/buildkitd", flags: &[], minutes: 12 },
    with: &["docker-registry", "docker-engine", "buildx"],
    touches: &["src/docker", "src/exec", "src/native/docker", "sandbox/src/registry", "deploy/Containerfile", "peers/"],
    proves: "BuildKit builds on a private image and pushes with a lease of buildx's user, until logout",
    quick: false,
};

/// A daemon, ready. Dropping it ends it.
#[derive(Debug)]
pub struct BuildKit {
    // The process before its directory.
    running: Running,
    directory: TempDir,
}

impl BuildKit {
    /// Starts one with this environment: its proxy, and the authorities that it trusts.
    ///
    /// # Panics
    /// When it does not come up; its output is shown.
    #[must_use]
    pub fn start(environment: &[(String, String)]) -> Self {
        let directory = place::directory(PEER.name).unwrap_or_else(|error| panic!("a directory: {error}"));
        let [configuration, log, socket] = ["buildkitd.toml", "log", "socket"].map(|name| directory.path().join(name));
        std::fs::write(&configuration, configured(directory.path())).unwrap_or_else(|error| panic!("{error}"));
        let (mut command, engine) = (Command::new(PEER.program()), docker_engine::PEER.program());
        command.arg("--config").arg(configuration).arg("--oci-worker-net=host");
        command.env_clear().envs(environment.iter().map(|(name, value)| (name, value))).env_remove("DOCKER_HOST");
        let mut running =
            Running::start(docker_engine::with_programs(&mut command, &engine).env("HOME", directory.path()), &log)
                .unwrap_or_else(|error| panic!("buildkitd: {error}"));
        // It makes the socket last, and says so then.
        let is_ready =
            || socket.exists() && std::fs::read_to_string(&log).is_ok_and(|text| text.contains("running server on"));
        if let Err(why) = running.ready(is_ready) {
            panic!("buildkitd is not ready ({why:?}):\n{}", running.output());
        }
        Self { running, directory }
    }

    /// For buildx's driver `remote`.
    #[must_use]
    pub fn address(&self) -> String {
        format!("unix://{}", self.directory.path().join("socket").display())
    }
}

impl Drop for BuildKit {
    fn drop(&mut self) {
        self.running.stop();
        place::unmount_below(self.directory.path());
    }
}

/// TOML, in which a text is written as in JSON.
fn configured(directory: &Path) -> String {
    let path = |name: &str| serde_json::Value::from(directory.join(name).display().to_string());
    let address = serde_json::Value::from(format!("unix://{}", directory.join("socket").display()));
    format!(
        "root = {}\n[grpc]\naddress = [{address}]\n[worker.oci]\nsnapshotter = \"native\"\n[worker.containerd]\nenabled = false\n\
         [cdi]\ndisabled = true\n",
        path("root")
    )
}
