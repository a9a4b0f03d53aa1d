//! The engine's containerd. It has a socket and directories of its own, so that one of the machine, which dockerd would choose where
//! nothing is said, is left alone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::with_programs;
use crate::Running;

/// Starts the one that is beside `dockerd`, or the machine's program, in a folder of `directory`, and waits until it listens.
///
/// # Errors
/// A sentence, with its output, when it does not come up.
pub(super) fn start(dockerd: &Path, directory: &Path, environment: &[(String, String)]) -> Result<Running, String> {
    let folder = directory.join("containerd");
    let [configuration, log] = ["configuration.toml", "log"].map(|name| folder.join(name));
    let written = fs::create_dir(&folder).and_then(|()| fs::write(&configuration, configured(&folder)));
    written.map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut command = Command::new("containerd");
    command.arg("--config").arg(configuration);
    command.env_clear().envs(environment.iter().map(|(name, value)| (name, value)));
    let running = Running::start(with_programs(&mut command, dockerd).env("HOME", directory), &log);
    let mut running = running.map_err(|error| format!("containerd: {error}"))?;
    match running.ready(|| socket(directory).exists()) {
        Ok(()) => Ok(running),
        Err(why) => Err(format!("containerd is not ready ({why:?}):\n{}", running.output())),
    }
}

/// Where it listens.
pub(super) fn socket(directory: &Path) -> PathBuf {
    directory.join("containerd/socket")
}

/// TOML, in which a text is written as in JSON. The plugin for Kubernetes would want a network.
fn configured(folder: &Path) -> String {
    let path = |name: &str| serde_json::Value::from(folder.join(name).display().to_string());
    format!(
        "version = 2\nroot = {}\nstate = {}\ndisabled_plugins = [\"io.containerd.grpc.v1.cri\"]\n[grpc]\naddress = {}\n",
        path("root"),
        path("state"),
        path("socket")
    )
}
