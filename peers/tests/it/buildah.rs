//! buildah with a lease: by podman's file of logins, which it writes and reads as podman does.

use std::fs;

use hublease_peers::buildah::PEER;
use hublease_peers::podman::{self, storage};
use hublease_sandbox::Sandbox;

use crate::support::auth_files::{Reader, every_row};
use crate::support::brokers_image::{BrokersImage, is_as_promised};
use crate::support::client::{Job, Outcome};
use crate::support::known::Right;
use crate::support::lease::{AUDIENCE, hub_with_a_registry, login, logout, play, refused};
use crate::support::long_push::{Meanwhile, Pusher, long_push};

const IMAGE: &str = "docker.io/acme/app:by-buildah";

/// A job with a podman on its PATH, for `--client podman`, its runtime directory, and an image of nothing.
fn job(sandbox: &Sandbox) -> Job<'_> {
    let mut job = Job::new(sandbox, AUDIENCE);
    job.bring("podman", &podman::PEER.program());
    let runtime = job.home().join("run");
    fs::create_dir(&runtime).unwrap();
    job.set("XDG_RUNTIME_DIR", runtime.to_str().unwrap());
    fs::write(job.work().join("Containerfile"), "FROM scratch\nLABEL by=buildah\n").unwrap();
    buildah(&job, &["bud", "--tag", IMAGE, "."]).code(0);
    job
}

fn buildah(job: &Job<'_>, words: &[&str]) -> Outcome {
    let words = with_storage(job, words);
    play(job, &PEER.program(), &words.iter().map(String::as_str).collect::<Vec<_>>())
}

fn with_storage(job: &Job<'_>, words: &[&str]) -> Vec<String> {
    let words = words.iter().map(|word| (*word).to_owned());
    storage(&job.home().join("storage")).into_iter().chain(words).collect()
}

#[test]
fn what_was_pushed_with_a_lease_is_refused_after_logout() {
    let (sandbox, _registry) = hub_with_a_registry();
    let job = job(&sandbox);
    let push = || buildah(&job, &["push", IMAGE]);
    let pull = || {
        buildah(&job, &["rmi", "--force", IMAGE]).code(0);
        buildah(&job, &["pull", IMAGE])
    };
    refused(&push());
    login(&job, &sandbox, "read", "podman");
    refused(&push());
    logout(&job, &sandbox);
    login(&job, &sandbox, "write", "podman");
    push().code(0).says("Writing manifest to image destination");
    pull().code(0);
    // A build pulls its base with the login of who builds.
    buildah(&job, &["rmi", "--force", IMAGE]).code(0);
    fs::write(job.work().join("Containerfile"), format!("FROM {IMAGE}\nLABEL on=a-private-base\n")).unwrap();
    buildah(&job, &["bud", "--tag", "docker.io/acme/app:derived", "."]).code(0);
    logout(&job, &sandbox);
    buildah(&job, &["rmi", "--force", IMAGE]).code(0);
    refused(&buildah(&job, &["pull", IMAGE]));
    refused(&buildah(&job, &["bud", "."]));
    assert_eq!(sandbox.unexpected(), [""; 0]);
}

#[test]
fn the_brokers_image_holds_what_is_promised() {
    let sandbox = Sandbox::start().unwrap();
    let (job, image) = (job(&sandbox), BrokersImage::laid_out());
    let tag = "localhost/hublease-broker:of-the-test";
    image.build(|words| buildah(&job, words), &["bud", "--tag", tag]);
    for form in ["oci-archive", "docker-archive"] {
        let archive = image.archive(form);
        buildah(&job, &["push", tag, &format!("{form}:{}", archive.display())]).code(0);
        is_as_promised(&archive);
    }
}

fn push(meanwhile: Meanwhile) -> Outcome {
    let (sandbox, _registry) = hub_with_a_registry();
    let job = job(&sandbox);
    let words = with_storage(&job, &["push", IMAGE]);
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let pusher = Pusher { client: "podman", program: &PEER.program(), uploads_by: "PATCH" };
    long_push(&job, &sandbox, meanwhile, &pusher, &words)
}

#[test]
fn a_push_outlasts_its_bearer() {
    push(Meanwhile::Nothing).code(0).says("Writing manifest to image destination");
}

#[test]
fn a_push_outlasts_a_renewal_and_its_bearer() {
    push(Meanwhile::Renewed).is(&Right {
        moment: "the login is renewed while buildah pushes",
        code: 0,
        says: &["Writing manifest to image destination"],
        does_not_say: &["nauthorized"],
    });
}

#[test]
fn every_file_of_logins_is_read_as_buildah_does() {
    let reader = Reader::Containers { program: PEER.program(), podman: podman::PEER.program() };
    every_row(&Sandbox::start().unwrap(), &reader);
}
