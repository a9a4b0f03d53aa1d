//! A real registry (distribution 2.8) behind the front, pushed to and pulled from by skopeo and docker.
//!
//! Needs Debian's `docker-registry` and `skopeo`; without them the test says so and ends.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use hublease_protocol::hex;
use hublease_sandbox::{ACCOUNT, Sandbox, Service};
use sha2::{Digest as _, Sha256};

use crate::support::{Docker, PROGRAMS, installed, run, text};

struct RealRegistry {
    child: Child,
    address: SocketAddr,
}

impl RealRegistry {
    fn start(sandbox: &Sandbox, directory: &Path) -> Self {
        let (certificate, config) = (directory.join("registry.pem"), directory.join("registry.yml"));
        std::fs::write(&certificate, sandbox.registry_certificate()).unwrap();
        let yaml = format!(
            "version: 0.1\nlog: {{level: info}}\nstorage: {{inmemory: {{}}, delete: {{enabled: true}}}}\n\
             http: {{addr: \"127.0.0.1:0\", relativeurls: true, secret: x}}\n\
             auth: {{token: {{realm: \"https://auth.docker.io/token\", service: registry.docker.io, issuer: auth.docker.io, rootcertbundle: {}}}}}\n",
            certificate.display()
        );
        std::fs::write(&config, yaml).unwrap();
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(&config).env_clear().env("PATH", PROGRAMS).env("OTEL_TRACES_EXPORTER", "none");
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let address = lines.find_map(|line| line.ok()?.split_once("listening on ")?.1.split('"').next()?.parse().ok());
        // The log is read to its end, or the registry would stop at a full pipe.
        std::thread::spawn(move || lines.for_each(drop));
        Self { child, address: address.expect("the registry's address") }
    }
}

impl Drop for RealRegistry {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// A one-layer image in skopeo's `dir:` form; the layer is new each time, so no blob cache knows it.
fn image(directory: &Path) -> PathBuf {
    let path = directory.join("image");
    std::fs::create_dir(&path).unwrap();
    let blob = |bytes: &[u8]| {
        let digest = hex::lower(&Sha256::digest(bytes));
        std::fs::File::create(path.join(&digest)).unwrap().write_all(bytes).unwrap();
        (digest, bytes.len())
    };
    let (layer, layer_size) = blob(format!("layer of {}", directory.display()).as_bytes());
    let config = format!(
        r#"{{"architecture":"amd64","os":"linux","config":{{}},"rootfs":{{"type":"layers","diff_ids":["sha256:{layer}"]}}}}"#
    );
    let (config, config_size) = blob(config.as_bytes());
    let manifest = format!(
        r#"{{"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json",
        "config":{{"mediaType":"application/vnd.docker.container.image.v1+json","size":{config_size},"digest":"sha256:{config}"}},
        "layers":[{{"mediaType":"application/vnd.docker.image.rootfs.diff.tar","size":{layer_size},"digest":"sha256:{layer}"}}]}}"#
    );
    std::fs::write(path.join("manifest.json"), manifest).unwrap();
    std::fs::write(path.join("version"), "Directory Transport Version: 1.1\n").unwrap();
    path
}

fn skopeo(sandbox: &Sandbox, config: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new("skopeo");
    command.arg("--insecure-policy").args(arguments).env_clear().envs(sandbox.environment());
    command.env("PATH", PROGRAMS).env("HOME", config).env("DOCKER_CONFIG", config);
    run(&mut command, "")
}

#[test]
fn real_clients_push_to_and_pull_from_a_real_registry() {
    if !installed("docker-registry") || !installed("skopeo") {
        let mut error = std::io::stderr();
        writeln!(error, "not run: docker-registry and skopeo are not installed").unwrap();
        return;
    }
    let sandbox = Sandbox::start().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let registry = RealRegistry::start(&sandbox, directory.path());
    sandbox.set_registry(registry.address);
    let (token, uuid) = sandbox.hub().personal_token(ACCOUNT, "ci", &["repo:write"], None);
    let docker = Docker::new(&sandbox);
    assert!(docker.login(ACCOUNT, &token).status.success());

    let skopeo = |arguments: &[&str]| skopeo(&sandbox, docker.directory(), arguments);
    let source = format!("dir:{}", image(directory.path()).display());
    let push = skopeo(&["copy", &source, "docker://acme/app:1"]);
    assert!(push.status.success(), "{}", text(&push.stderr));
    let inspect = docker.run(&["manifest", "inspect", "acme/app:1"], "");
    assert!(inspect.status.success(), "{}", text(&inspect.stderr));
    let pull = skopeo(&["copy", "docker://acme/app:1", &format!("dir:{}", directory.path().join("out").display())]);
    assert!(pull.status.success(), "{}", text(&pull.stderr));

    // `docker manifest push` is a push by the docker CLI itself.
    assert!(docker.run(&["manifest", "create", "acme/app:2", "acme/app:1"], "").status.success());
    let pushed = docker.run(&["manifest", "push", "acme/app:2"], "");
    assert!(pushed.status.success(), "{}", text(&pushed.stderr));

    assert!(sandbox.hub().delete_token(&uuid));
    let refused = docker.run(&["manifest", "inspect", "acme/app:1"], "");
    assert!(text(&refused.stderr).contains("incorrect username or password"), "{}", text(&refused.stderr));
    assert!(sandbox.requests(Service::Registry).iter().any(|entry| entry.method == "PUT" && entry.status == Some(201)));
    assert_eq!(sandbox.unexpected(), [""; 0]);
}
