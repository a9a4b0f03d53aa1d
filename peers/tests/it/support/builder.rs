//! A job with buildx and a builder of its own: BuildKit, reached as buildx's driver `remote` does.

use std::fs;
use std::path::PathBuf;

use hublease_peers::buildkit::BuildKit;
use hublease_peers::buildx::PEER;
use hublease_peers::docker_engine::static_program;
use hublease_sandbox::Sandbox;

use super::client::{Job, Outcome};
use super::lease::{AUDIENCE, play};

/// The builder's name.
pub const BUILDER: &str = "of-the-test";

/// The job. The builder is known in its docker directory before anybody logs in.
pub struct Builder<'s> {
    pub job: Job<'s>,
    // After the job.
    pub daemon: BuildKit,
}

impl<'s> Builder<'s> {
    pub fn new(sandbox: &'s Sandbox) -> Self {
        let daemon = BuildKit::start(&sandbox.environment());
        let job = Job::new(sandbox, AUDIENCE);
        let builder = Self { job, daemon };
        builder.buildx(&["create", "--name", BUILDER, "--driver", "remote", &builder.daemon.address()]).code(0);
        builder
    }

    pub fn buildx(&self, words: &[&str]) -> Outcome {
        play(&self.job, &PEER.program(), words)
    }

    /// Builds, without what differs from one build to the next by nature.
    pub fn build(&self, dockerfile: &str, words: &[&str]) -> Outcome {
        let context = self.context(dockerfile);
        self.buildx(&[&build_words()[..], words, &[context.to_str().unwrap()]].concat())
    }

    /// A folder with a static program and this file.
    pub fn context(&self, dockerfile: &str) -> PathBuf {
        let context = self.job.work().join("context");
        fs::create_dir_all(&context).unwrap();
        fs::copy(static_program(), context.join("program")).unwrap();
        fs::write(context.join("Dockerfile"), dockerfile).unwrap();
        context
    }
}

/// What every build is told.
pub fn build_words() -> [&'static str; 6] {
    ["build", "--builder", BUILDER, "--progress", "plain", "--provenance=false"]
}
