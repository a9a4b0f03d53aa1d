//! The broker's image by the engine: built by both of its builders, and started as its own user and as one that a platform chose.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use hublease_peers::docker_engine::{Door, own_command_line};
use hublease_peers::until;
use hublease_sandbox::{BrokerLimits, PASSWORD, Sandbox};

use super::Stage;
use crate::support::brokers_image::{BrokersImage, is_as_promised};
use crate::support::client::Outcome;

const TAG: &str = "hublease-broker:of-the-test";
/// Its own user, and one as OpenShift chooses them.
const USERS: [(&[&str], &str); 2] = [(&[], "65532"), (&["--user", "12345:0"], "12345")];

/// By one of the engine's builders: with BuildKit, or without.
fn build(stage: &Stage<'_>, image: &BrokersImage, with_buildkit: &str) {
    let run = |words: &[&str]| {
        let mut command = stage.job.command(&stage.docker, words);
        Outcome::of(&command.env("DOCKER_BUILDKIT", with_buildkit).output().unwrap())
    };
    image.build(run, &["build", "--tag", TAG]);
}

#[test]
fn it_holds_what_is_promised_by_either_builder() {
    let sandbox = Sandbox::start().unwrap();
    let stage = Stage::new(&sandbox, &own_command_line(), Door::Socket);
    let image = BrokersImage::laid_out();
    for with_buildkit in ["0", "1"] {
        build(&stage, &image, with_buildkit);
        let archive = image.archive(&format!("archive-{with_buildkit}"));
        stage.docker(&["save", "--output", archive.to_str().unwrap(), TAG]).code(0);
        is_as_promised(&archive);
    }
}

/// With a read-only root and no capability; it reaches the sandbox's Docker Hub, makes its journal on the volume, and ends when it is
/// told to. The tests' broker is linked dynamically, so the machine's libraries are mounted beside it.
#[test]
fn it_starts_as_its_own_user_and_as_another() {
    let sandbox = Sandbox::start().unwrap();
    let stage = Stage::new(&sandbox, &own_command_line(), Door::Socket);
    build(&stage, &BrokersImage::laid_out(), "0");
    let etc = stage.job.work().join("etc");
    let journal = Path::new("/var/lib/hublease");
    let configuration = sandbox.broker_configuration("https://broker.example.com", journal, BrokerLimits::default());
    fs::create_dir(&etc).unwrap();
    fs::write(etc.join("broker.toml"), configuration).unwrap();
    fs::copy(sandbox.ca_file(), etc.join("ca.pem")).unwrap();
    fs::set_permissions(&etc, Permissions::from_mode(0o755)).unwrap();
    for name in ["broker.toml", "ca.pem"] {
        fs::set_permissions(etc.join(name), Permissions::from_mode(0o644)).unwrap();
    }
    let mount = format!("{}:/etc/hublease:ro", etc.display());
    let (proxy, password) = (format!("HTTPS_PROXY={}", sandbox.proxy_url()), format!("ACMEBOT_PASSWORD={PASSWORD}"));
    for (user, name) in USERS {
        let options = ["run", "--detach", "--name", name, "--network", "host", "--read-only", "--cap-drop", "all"];
        let environment = ["--env", &proxy, "--env", &password, "--env", "SSL_CERT_FILE=/etc/hublease/ca.pem"];
        let libraries = ["/lib:/lib:ro", "/lib64:/lib64:ro", "/usr/lib:/usr/lib:ro"];
        let libraries: Vec<&str> = libraries.into_iter().flat_map(|mount| ["--volume", mount]).collect();
        let more = ["--security-opt", "no-new-privileges", "--volume", &mount];
        stage.docker(&[&options[..], user, &environment, &libraries, &more, &[TAG]].concat()).code(0);
        let state = || stage.docker(&["inspect", "--format", "{{.State.Running}}", name]).stdout;
        let logs = || stage.docker(&["logs", name]);
        until("the broker listens", || logs().said("listening on ") || state().trim() != "true");
        logs().says("listening on ");
        stage.docker(&["stop", "--time", "60", name]).code(0);
        assert_eq!(stage.docker(&["wait", name]).code(0).stdout.trim(), "0", "{:?}", logs());
        stage.docker(&["rm", "--volumes", name]).code(0);
    }
}
