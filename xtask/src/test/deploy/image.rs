//! The image, built without network by the very commands in the container file's header, compared with what is promised of
//! it, and started as the manifests do: read-only root, no capability, configuration and secrets mounted, the journal on a
//! volume; once as its own user and once as one that a platform chose.
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
use crate::process::Call;
use crate::workspace::program;
use crate::{broker, image};

const PODMAN: &str = "podman";
/// Starts containers where control groups of the first version are mounted, too; podman's usual runtime refuses there.
const RUNTIME: &str = "runc";
/// Is there where control groups are of the second version alone.
const UNIFIED: &str = "/sys/fs/cgroup/cgroup.controllers";
/// Users that it is started as, by number: its own, and one as OpenShift chooses them.
const USERS: [(Option<&str>, &str); 2] = [(None, "65532"), (Some("12345:0"), "12345")];
/// Forms of an archive, in the words of `podman save`.
const FORMATS: [&str; 2] = ["oci-archive", "docker-archive"];
/// How long it may take to listen, and to end.
const LIMIT: Duration = Duration::from_secs(60);

/// Image, containers, volumes and secrets of one run, whose names begin alike; taken away when dropped.
struct Trial {
    name: String,
}

impl Drop for Trial {
    fn drop(&mut self) {
        let name = &self.name;
        // What was not made cannot be taken away.
        let remove = |words: &[&str]| drop(Call::new(PODMAN).arguments(words).text());
        for (_, uid) in USERS {
            remove(&["rm", "--force", &self.of(uid)]);
            remove(&["volume", "rm", "--force", &self.of(uid)]);
        }
        remove(&["secret", "rm", &self.of("password"), &self.of("tls.crt"), &self.of("tls.key")]);
        remove(&["rmi", "--force", name]);
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
    let (etc, secrets) = (folder.path().join("etc"), folder.path().join("secrets"));
    for path in [&etc, &secrets] {
        fs::create_dir(path).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    image::lay_out(&context.workspace.root, folder.path(), broker)?;
    let build = Call::new(PODMAN).arguments(["build", "--network", "none", "--layers=false", "--file"]).argument(&file);
    run(build.arguments(["--tag", &trial.name]).argument(folder.path().join("image")))?;
    for format in FORMATS {
        let archive = folder.path().join(format);
        let save = Call::new(PODMAN).arguments(["save", "--quiet", "--format", format, "--output"]).argument(&archive);
        run(save.argument(&trial.name))?;
        image::check(&archive)?;
    }
    for (name, content) in secrets_of()? {
        let path = secrets.join(name);
        fs::write(&path, content).map_err(|error| format!("{}: {error}", path.display()))?;
        run(Call::new(PODMAN).arguments(["secret", "create", &trial.of(name)]).argument(&path))?;
    }
    let toml = embedded(&read_file(&configuration(&context.workspace.root))?)?;
    fs::write(etc.join("broker.toml"), toml).map_err(|error| format!("{}: {error}", etc.display()))?;
    for (user, uid) in USERS {
        let said = trial.listens(&etc, user, uid)?;
        fs::write(&context.log, read_file(&context.log)? + &said).map_err(|error| error.to_string())?;
        run(Call::new(PODMAN).arguments(["stop", "--time", "30", &trial.of(uid)]))?;
        let code = Call::new(PODMAN).arguments(["wait", &trial.of(uid)]).text()?;
        if code.trim() != "0" {
            return Err(format!("the container of user {uid} ended with exit code {}", code.trim()).into());
        }
    }
    let size = Call::new(PODMAN).arguments(["image", "inspect", "--format", "{{.Size}}", &trial.name]).text()?;
    let users = USERS.map(|(_, uid)| uid).join(" and ");
    Ok(format!("{} bytes, modes as promised, listens with a read-only root as users {users}", size.trim()))
}

fn needs_runtime() -> bool {
    !Path::new(UNIFIED).exists()
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
    /// The name of a container and its volume, by the user, or of a secret.
    fn of(&self, part: &str) -> String {
        format!("{}-{part}", self.name)
    }

    /// Starts it and waits until it listens; gives what it said. Without a user it is the image's own; the number says who
    /// owns the secrets.
    fn listens(&self, etc: &Path, user: Option<&str>, uid: &str) -> Result<String, String> {
        let mut command = Command::new(PODMAN);
        if needs_runtime() {
            command.args(["--runtime", RUNTIME]);
        }
        let name = self.of(uid);
        command.args(["run", "--name", &name, "--network", "none"]);
        command.args(user.into_iter().flat_map(|user| ["--user", user]));
        // Not even the places that podman leaves writable; the other is where the secrets are hung up.
        command.args(["--read-only", "--read-only-tmpfs=false", "--tmpfs", "/run/secrets"]);
        command.args(["--cap-drop", "all", "--security-opt", "no-new-privileges"]);
        // What podman sets by itself may be more than it may have.
        command.args(["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=1024:1024"]);
        for (secret, path) in
            [("password", "dockerhub/password"), ("tls.crt", "tls/tls.crt"), ("tls.key", "tls/tls.key")]
        {
            let secret = self.of(secret);
            let place = format!("{secret},type=mount,uid={uid},gid=0,mode=0440,target=/run/secrets/{path}");
            command.args(["--secret", &place]);
        }
        command.arg("--volume").arg(format!("{}:/etc/hublease:ro", etc.display()));
        command.args(["--volume", &format!("{name}:/var/lib/hublease"), &self.name]);
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
