//! A real Docker Engine, a real registry behind the sandbox's names, and a lease: pulled, built, pushed, run, and refused afterwards.

mod brokers_image;
mod demo;

use std::fs;
use std::path::{Path, PathBuf};

use hublease_peers::docker_engine::{DockerEngine, Door, own_command_line, static_program};
use hublease_sandbox::{ACCOUNT, Sandbox};

use crate::support::auth_files::{Reader, every_row};
use crate::support::client::{Job, Outcome};
use crate::support::known::Right;
use crate::support::lease::{AUDIENCE, hub_with_a_registry, is_refused, login, logout, on_path, play, refused};
use crate::support::long_push::{Meanwhile, Pusher, long_push};

const IMAGE: &str = "acme/app:by-the-engine";

/// An engine and a job that knows the way to it.
struct Stage<'s> {
    job: Job<'s>,
    docker: PathBuf,
    // After the job.
    engine: DockerEngine,
}

impl<'s> Stage<'s> {
    fn new(sandbox: &'s Sandbox, docker: &Path, door: Door) -> Self {
        let engine = DockerEngine::start(&sandbox.environment(), door);
        let mut job = Job::new(sandbox, AUDIENCE);
        job.bring("docker", docker);
        job.set("DOCKER_HOST", engine.host());
        if door == Door::Tls {
            job.set("DOCKER_TLS_VERIFY", "1");
            job.set("DOCKER_CERT_PATH", &engine.certificates().display().to_string());
        }
        Self { job, docker: docker.to_owned(), engine }
    }

    fn docker(&self, words: &[&str]) -> Outcome {
        play(&self.job, &self.docker, words)
    }

    /// Builds by the engine's own builder, without BuildKit.
    fn build(&self, dockerfile: &str) -> Outcome {
        let context = self.context(dockerfile);
        let words = ["build", "--force-rm", "--tag", IMAGE, context.to_str().unwrap()];
        let mut command = self.job.command(&self.docker, &words);
        Outcome::of(&command.env("DOCKER_BUILDKIT", "0").output().unwrap())
    }

    fn context(&self, dockerfile: &str) -> PathBuf {
        let context = self.job.work().join("context");
        fs::create_dir_all(&context).unwrap();
        fs::copy(static_program(), context.join("program")).unwrap();
        fs::write(context.join("Dockerfile"), dockerfile).unwrap();
        context
    }

    /// Pulls anew: the engine forgets what it has.
    fn pull(&self) -> Outcome {
        self.forget();
        self.docker(&["pull", IMAGE])
    }

    /// The same by somebody who has copied docker's directory.
    fn pull_by_copy(&self, copy: &Path) -> Outcome {
        self.forget();
        Outcome::of(&self.job.command(&self.docker, &["pull", IMAGE]).env("DOCKER_CONFIG", copy).output().unwrap())
    }

    fn forget(&self) {
        drop(self.engine.administer(&["image", "rm", "--force", IMAGE]));
        let left = self.engine.administer(&["image", "ls", "--quiet", IMAGE]);
        assert_eq!((left.status.success(), left.stdout), (true, Vec::new()), "the engine still has the image");
    }

    /// What a thief would take while the job is logged in.
    fn copy(&self) -> PathBuf {
        let copy = self.job.work().join("copy");
        fs::create_dir_all(&copy).unwrap();
        fs::copy(self.job.home().join(".docker/config.json"), copy.join("config.json")).unwrap();
        copy
    }
}

const FROM_NOTHING: &str = "FROM scratch\nCOPY program /program\nENTRYPOINT [\"/program\", \"--version\"]\n";

/// From a build to the refusal after logout.
fn story(docker: &Path, door: Door) {
    let (sandbox, _registry) = hub_with_a_registry();
    let stage = Stage::new(&sandbox, docker, door);
    stage.build(FROM_NOTHING).code(0).says("Successfully tagged");
    refused(&stage.docker(&["push", IMAGE]));
    refused(&stage.pull());

    stage.build(FROM_NOTHING).code(0);
    login(&stage.job, &sandbox, "read", "docker");
    // Only pull was granted.
    refused(&stage.docker(&["push", IMAGE]));
    logout(&stage.job, &sandbox);

    login(&stage.job, &sandbox, "write", "docker");
    stage.docker(&["push", IMAGE]).code(0).says("digest: sha256:");
    stage.pull().code(0).says("Downloaded newer image");
    stage.docker(&["run", "--rm", "--network", "none", IMAGE]).code(0).says("tini version");
    // A build pulls its base with the login of who builds.
    stage.forget();
    stage.build(&format!("FROM {IMAGE}\nRUN [\"/program\", \"--version\"]\n")).code(0).says("tini version");
    let copy = stage.copy();
    stage.pull_by_copy(&copy).code(0);
    logout(&stage.job, &sandbox);
    refused(&stage.pull());
    refused(&stage.pull_by_copy(&copy));
    stage.forget();
    refused(&stage.build(&format!("FROM {IMAGE}\n")));
    assert_eq!(sandbox.unexpected(), [""; 0]);
}

#[test]
fn with_the_command_line_of_the_machine() {
    story(&on_path("docker"), Door::Socket);
}

#[test]
fn with_its_own_command_line() {
    story(&own_command_line(), Door::Socket);
}

/// The engine's own BuildKit, which fetches a private base with the login of who builds.
#[test]
fn by_its_own_buildkit() {
    let (sandbox, _registry) = hub_with_a_registry();
    let stage = Stage::new(&sandbox, &own_command_line(), Door::Socket);
    let build = |note: &str| {
        stage.forget();
        let dockerfile = format!("FROM {IMAGE}\nRUN [\"/program\", \"--version\"]\nLABEL note={note}\n");
        let context = stage.context(&dockerfile);
        let words = ["build", "--progress", "plain", "--no-cache", "--network", "none", context.to_str().unwrap()];
        Outcome::of(&stage.job.command(&stage.docker, &words).env("DOCKER_BUILDKIT", "1").output().unwrap())
    };
    stage.build(FROM_NOTHING).code(0);
    login(&stage.job, &sandbox, "write", "docker");
    stage.docker(&["push", IMAGE]).code(0);
    build("one").code(0).says("tini version");
    logout(&stage.job, &sandbox);
    refused(&build("two"));
    assert_eq!(sandbox.unexpected(), [""; 0]);
}

/// As CircleCI's `setup_remote_docker` hands it to a job: an address and a folder of certificates.
#[test]
fn over_tcp_with_certificates() {
    story(&on_path("docker"), Door::Tls);
}

/// The check of the story above is no check of docker's file: a credential that lives on is seen.
#[test]
fn a_credential_that_is_not_revoked_is_noticed() {
    let (sandbox, _registry) = hub_with_a_registry();
    let mut stage = Stage::new(&sandbox, &own_command_line(), Door::Socket);
    let (secret, _) = sandbox.hub().personal_token(ACCOUNT, "kept by the account", &["repo:write"], None);
    stage.job.set("KEPT", &secret);
    let words = ["login", "--provider", "static", "--username", ACCOUNT, "--secret-env", "KEPT"];
    stage.job.run(&words).code(0);
    stage.build(FROM_NOTHING).code(0);
    stage.docker(&["push", IMAGE]).code(0);
    let copy = stage.copy();
    stage.job.run(&["logout"]).code(0);
    refused(&stage.pull());
    let pulled = stage.pull_by_copy(&copy);
    assert!(!is_refused(&pulled) && pulled.code == 0, "{pulled:?}");
}

fn push(meanwhile: Meanwhile) -> Outcome {
    let (sandbox, _registry) = hub_with_a_registry();
    let stage = Stage::new(&sandbox, &own_command_line(), Door::Socket);
    stage.build(FROM_NOTHING).code(0);
    let pusher = Pusher { client: "docker", program: &stage.docker, uploads_by: "PATCH" };
    long_push(&stage.job, &sandbox, meanwhile, &pusher, &["push", IMAGE])
}

#[test]
fn a_push_outlasts_its_bearer() {
    push(Meanwhile::Nothing).code(0).says("digest: sha256:");
}

/// The stories of long pushes would notice.
#[test]
fn a_push_whose_credential_ends_meanwhile_is_refused() {
    refused(&push(Meanwhile::Ended));
}

#[test]
fn a_push_outlasts_a_renewal_and_its_bearer() {
    push(Meanwhile::Renewed).is(&Right {
        moment: "the login is renewed while the engine pushes",
        code: 0,
        says: &["digest: sha256:"],
        does_not_say: &["nauthorized"],
    });
}

/// docker's command lines log in by themselves where no engine answers.
#[test]
fn every_file_of_logins_is_read_as_the_command_line_of_the_machine_does() {
    every_row(&Sandbox::start().unwrap(), &Reader::Docker { program: on_path("docker"), engine: None });
}

#[test]
fn every_file_of_logins_is_read_as_its_own_command_line_does() {
    every_row(&Sandbox::start().unwrap(), &Reader::Docker { program: own_command_line(), engine: None });
}

#[test]
fn every_file_of_logins_is_read_as_through_an_engine() {
    let sandbox = Sandbox::start().unwrap();
    let engine = DockerEngine::start(&sandbox.environment(), Door::Socket);
    let reader = Reader::Docker { program: on_path("docker"), engine: Some(engine.host().to_owned()) };
    every_row(&sandbox, &reader);
}
