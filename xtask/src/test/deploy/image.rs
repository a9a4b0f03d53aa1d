//! The image, built without network as the container file says, and started as the manifests do: read-only root, no
//! capability, another user, configuration and secrets mounted, the journal on a volume.
//!
//! The container has no network, so its account cannot be reached; it listens all the same, and ends when it is told to.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;
use std::{fs, thread};

use rcgen::generate_simple_self_signed;

use super::super::{Context, Trouble};
use super::kubernetes::{configuration, embedded, read_file};
use super::same_version;
use crate::broker;
use crate::process::Call;
use crate::workspace::program;

const PODMAN: &str = "podman";
/// Starts containers where control groups of the first version are mounted, too; podman's usual runtime refuses there.
const RUNTIME: &str = "runc";
/// Is there where control groups are of the second version alone.
const UNIFIED: &str = "/sys/fs/cgroup/cgroup.controllers";
/// The user of the image, by number.
const USER: &str = "65532";
/// How long it may take to listen, and to end.
const LIMIT: Duration = Duration::from_secs(60);

/// Image, container, volume and secrets of one run, all of one name; taken away when dropped.
struct Trial {
    name: String,
}

impl Drop for Trial {
    fn drop(&mut self) {
        let name = &self.name;
        // What was not made cannot be taken away.
        for words in [
            vec!["rm", "--force", name],
            vec!["volume", "rm", "--force", name],
            vec!["secret", "rm", &self.secret("password"), &self.secret("tls.crt"), &self.secret("tls.key")],
            vec!["rmi", "--force", name],
        ] {
            drop(Call::new(PODMAN).arguments(words).text());
        }
    }
}

pub(super) fn check(context: &Context<'_>, broker: &Path) -> Result<String, Trouble> {
    for needed in [Some(PODMAN), needs_runtime().then_some(RUNTIME)].into_iter().flatten() {
        if program(needed).is_none() {
            return Err(context.missing(format!("{needed} is not installed")));
        }
    }
    let file = context.workspace.root.join("deploy/Containerfile");
    same_version("deploy/Containerfile", &read_file(&file)?)?;
    let folder = tempfile::tempdir().map_err(|error| format!("a directory for the image: {error}"))?;
    let trial = Trial { name: format!("hublease-broker-trial-{}", std::process::id()) };
    let run = |call: Call| call.limit(LIMIT * 2).run(&context.log, context.terminal);
    lay_out(folder.path(), broker)?;
    let build = Call::new(PODMAN).arguments(["build", "--network", "none", "--layers=false", "--file"]).argument(&file);
    run(build.arguments(["--tag", &trial.name]).argument(folder.path().join("image")))?;
    let secrets = folder.path().join("secrets");
    for (name, content) in secrets_of()? {
        let path = secrets.join(name);
        fs::write(&path, content).map_err(|error| format!("{}: {error}", path.display()))?;
        run(Call::new(PODMAN).arguments(["secret", "create", &trial.secret(name)]).argument(&path))?;
    }
    let etc = folder.path().join("etc");
    let toml = embedded(&read_file(&configuration(&context.workspace.root))?)?;
    fs::write(etc.join("broker.toml"), toml).map_err(|error| format!("{}: {error}", etc.display()))?;
    let said = trial.listens(&etc)?;
    fs::write(&context.log, read_file(&context.log)? + &said).map_err(|error| error.to_string())?;
    run(Call::new(PODMAN).arguments(["stop", "--time", "30", &trial.name]))?;
    let code = Call::new(PODMAN).arguments(["wait", &trial.name]).text()?;
    if code.trim() != "0" {
        return Err(format!("the container ended with exit code {}", code.trim()).into());
    }
    let size = Call::new(PODMAN).arguments(["image", "inspect", "--format", "{{.Size}}", &trial.name]).text()?;
    Ok(format!("{} bytes, listens with a read-only root as user {USER}", size.trim()))
}

fn needs_runtime() -> bool {
    !Path::new(UNIFIED).exists()
}

/// The directory that the container file speaks of.
fn lay_out(folder: &Path, broker: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    let image = folder.join("image");
    for path in [image.join("journal"), folder.join("secrets"), folder.join("etc")] {
        fs::create_dir_all(path).map_err(failed)?;
    }
    fs::copy(broker, image.join("hublease-broker")).map_err(failed)?;
    // Nobody is verified without a network; that the file has its place is what counts.
    fs::write(image.join("ca-certificates.crt"), certificate()?.0).map_err(failed)
}

/// What the manifests mount, by the names of their files.
fn secrets_of() -> Result<[(&'static str, String); 3], String> {
    let (certificate, key) = certificate()?;
    Ok([("password", "not asked for".to_owned()), ("tls.crt", certificate), ("tls.key", key)])
}

fn certificate() -> Result<(String, String), String> {
    let made = generate_simple_self_signed(vec!["broker.example.com".to_owned()]);
    made.map(|made| (made.cert.pem(), made.signing_key.serialize_pem()))
        .map_err(|error| format!("a certificate: {error}"))
}

impl Trial {
    fn secret(&self, name: &str) -> String {
        format!("{}-{name}", self.name)
    }

    /// Starts it and waits until it listens; gives what it said.
    fn listens(&self, etc: &Path) -> Result<String, String> {
        let mut command = Command::new(PODMAN);
        if needs_runtime() {
            command.args(["--runtime", RUNTIME]);
        }
        command.args(["run", "--name", &self.name, "--network", "none"]);
        // Not even the places that podman leaves writable; the other is where the secrets are hung up.
        command.args(["--read-only", "--read-only-tmpfs=false", "--tmpfs", "/run/secrets"]);
        command.args(["--cap-drop", "all", "--security-opt", "no-new-privileges"]);
        // What podman sets by itself may be more than it may have.
        command.args(["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]);
        for (name, path) in [("password", "dockerhub/password"), ("tls.crt", "tls/tls.crt"), ("tls.key", "tls/tls.key")]
        {
            let secret = self.secret(name);
            let place = format!("{secret},type=mount,uid={USER},gid={USER},mode=0440,target=/run/secrets/{path}");
            command.args(["--secret", &place]);
        }
        command.arg("--volume").arg(format!("{}:/etc/hublease:ro", etc.display()));
        command.args(["--volume", &format!("{}:/var/lib/hublease", self.name), &self.name]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| format!("podman cannot start: {error}"))?;
        let stderr = child.stderr.take().ok_or("podman has no standard error")?;
        // Is there when the container is over.
        thread::spawn(move || drop(child.wait()));
        let mut said = String::new();
        match broker::address(stderr, LIMIT, &mut said)?.as_str() {
            "0.0.0.0:8443" => Ok(said),
            other => Err(format!("the broker in the container listens on {other}")),
        }
    }
}
