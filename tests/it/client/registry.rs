//! A real registry (Debian's `docker-registry`), pushed to and pulled from by skopeo, docker and podman with leased
//! credentials, through the sandbox's front under Docker Hub's names.

pub mod image;
pub mod server;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use hublease_sandbox::Service;

use crate::client::registry::server::Server;
use crate::support::World;
use crate::support::job::{Job, Provider};
use crate::support::machine::which;

/// `1` runs the rest of the suite on a machine without programs like these.
const WITHOUT: &str = "HUBLEASE_WITHOUT_SYSTEM_TOOLS";

/// Names the programs that are known to be missing, with commas between; `cargo xtask test` sets it.
pub const KNOWN: &str = "HUBLEASE_TESTS_WITHOUT";

/// What a credential that is dead is told.
const DEAD: &str = "incorrect username or password";

/// Whether the programs are here. If they are not, the test fails, unless it was asked to do without.
pub fn installed(programs: &[&str]) -> bool {
    let missing: Vec<_> = programs.iter().copied().filter(|name| which(name).is_none()).collect();
    if missing.is_empty() {
        return true;
    }
    let missing = missing.join(" ");
    let known = std::env::var(KNOWN).unwrap_or_default();
    let is_known = programs.iter().all(|name| which(name).is_some() || known.split(',').any(|known| known == *name));
    let without = is_known || std::env::var(WITHOUT).is_ok_and(|value| value == "1");
    assert!(without, "not installed: {missing} (`apt-get install {missing}`, or {WITHOUT}=1 to run the rest)");
    // Past the test harness, which keeps what a passing test prints.
    let _ = writeln!(
        std::io::stderr(),
        "not run: a push and a pull at a real registry, or a job with the orb ({missing} is not installed)"
    );
    false
}

/// A program of the machine in the job's world, with docker's or podman's own stores.
fn run(world: &World, program: &str, words: &[&str]) -> Output {
    Command::new(which(program).unwrap())
        .args(words)
        .env_clear()
        .envs(world.sandbox.environment())
        .env("HOME", world.home())
        .env("PATH", "/usr/bin:/bin")
        .env("TMPDIR", world.path("spare"))
        .stdin(Stdio::null())
        .output()
        .unwrap()
}

#[track_caller]
fn succeeds(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[track_caller]
fn is_refused(output: &Output, text: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && said.contains(text), "{said}");
}

/// The image that is pushed and pulled, and where skopeo finds its logins.
struct Client<'w> {
    world: &'w World,
    image: PathBuf,
    store: PathBuf,
}

impl<'w> Client<'w> {
    fn new(world: &'w World, store: PathBuf) -> Self {
        Self { world, image: image::make(&world.path("spare")), store }
    }

    /// `skopeo copy` with the logins of a file.
    fn copy(&self, store: &Path, from: &str, to: &str) -> Output {
        let store = store.display().to_string();
        run(self.world, "skopeo", &["--insecure-policy", "copy", "--authfile", &store, from, to])
    }

    fn push(&self) -> Output {
        self.copy(&self.store, &format!("dir:{}", self.image.display()), "docker://docker.io/acme/app:1")
    }

    fn pull_with(&self, store: &Path) -> Output {
        let to = self.world.path("spare/pulled");
        self.copy(store, "docker://docker.io/acme/app:1", &format!("dir:{}", to.display()))
    }

    fn pull(&self) -> Output {
        self.pull_with(&self.store)
    }
}

/// A registry behind Docker Hub's names.
fn world_with_registry() -> (World, Server) {
    let world = World::new();
    let server = Server::start(&world);
    world.sandbox.set_registry(server.address);
    (world, server)
}

#[test]
fn a_leased_credential_pushes_and_pulls_at_a_real_registry_until_logout() {
    if !installed(&["docker-registry", "skopeo"]) {
        return;
    }
    for provider in [Provider::Broker, Provider::Vault, Provider::Docker] {
        let (world, _server) = world_with_registry();
        let client = Client::new(&world, world.config());
        let before = world.sandbox.live();
        world.job("login").usual(provider).run().code(0);
        succeeds(&client.push());
        succeeds(&client.pull());
        succeeds(&run(&world, "docker", &["manifest", "inspect", "acme/app:1"]));
        assert_eq!(image::id(&world.path("spare/pulled")), image::id(&client.image));
        // What somebody could have copied while the job ran.
        let copied = world.path("spare/auth.json");
        std::fs::copy(world.config(), &copied).unwrap();

        world.job("logout").usual(provider).run().code(0);
        is_refused(&client.pull(), "requested access to the resource is denied");
        let inspect = run(&world, "docker", &["manifest", "inspect", "acme/app:1"]);
        assert!(!inspect.status.success(), "{provider:?}");
        if provider.revokes() {
            assert_eq!(world.sandbox.live(), before);
        } else {
            succeeds(&client.pull_with(&copied));
            // Docker Identity's tokens die by themselves; the longest is six hours.
            world.sandbox.advance(21_600);
        }
        is_refused(&client.pull_with(&copied), DEAD);
        assert_eq!(world.sandbox.unexpected(), [""; 0]);
        let pushed = |request: &hublease_sandbox::Logged| request.method == "PUT" && request.status == Some(201);
        assert!(world.sandbox.requests(Service::Registry).iter().any(pushed));
    }
}

/// A podman job with an auth file of its own, outside CI or in it.
fn podman_job<'w>(world: &'w World, command: &str, in_ci: bool) -> Job<'w> {
    let file = world.path("spare/podman/auth.json").display().to_string();
    let job = world.job(command).usual(Provider::Vault).env("REGISTRY_AUTH_FILE", file);
    let job = if command == "login" { job.args(&["--client", "podman"]) } else { job };
    if in_ci { job } else { job.without("CIRCLE_WORKFLOW_JOB_ID") }
}

#[test]
fn podman_and_those_who_share_its_auth_file_use_a_leased_credential_until_logout() {
    if !installed(&["docker-registry", "skopeo", "podman"]) {
        return;
    }
    for in_ci in [true, false] {
        let (world, _server) = world_with_registry();
        world.wrap("podman");
        std::fs::remove_file(world.path("bin/docker")).unwrap();
        let store = world.path("spare/podman/auth.json");
        let client = Client::new(&world, store.clone());
        let before = world.sandbox.live();
        podman_job(&world, "login", in_ci).run().code(0).says("logged in to docker.io as acmebot");
        let read = || -> serde_json::Value { serde_json::from_str(&std::fs::read_to_string(&store).unwrap()).unwrap() };
        assert!(read()["auths"]["docker.io"]["auth"].is_string());
        succeeds(&client.push());
        succeeds(&client.pull());

        let outcome = podman_job(&world, "logout", in_ci).run().code(0);
        outcome.says("the credential of acmebot: revoked and confirmed\n");
        assert!(read()["auths"]["docker.io"].is_null());
        is_refused(&client.pull(), "requested access to the resource is denied");
        assert_eq!(world.sandbox.live(), before);
        assert_eq!(
            world.children(),
            [
                "[podman] [--version]",
                "[podman] [login] [--username] [acmebot] [--password-stdin] [docker.io]",
                "[podman] [logout] [docker.io]",
            ]
        );
        assert!(!world.config().exists(), "docker's file is not podman's");
    }
}

#[test]
fn podman_is_missing_and_that_is_found_before_anything_is_minted() {
    let world = World::new();
    let before = world.sandbox.live();
    let outcome = podman_job(&world, "login", true).run().code(6);
    let hint = "hint: install it, or give `--client none`: hublease then writes the auth file itself\n";
    assert_eq!(outcome.stderr, format!("error: no podman program on PATH\n{hint}"));
    assert_eq!(outcome.requests.len(), 0);
    assert_eq!(world.sandbox.live(), before);
}
