//! podman with a lease: by its own file of logins, which `hublease login --client podman` lets it write.

use std::fs;

use hublease_peers::podman::{PEER, storage};
use hublease_sandbox::Sandbox;

use crate::support::auth_files::{Reader, every_row};
use crate::support::client::{Job, Outcome};
use crate::support::known::Right;
use crate::support::lease::{AUDIENCE, hub_with_a_registry, login, logout, play, refused};
use crate::support::long_push::{Meanwhile, Pusher, long_push};

const IMAGE: &str = "docker.io/acme/app:by-podman";

/// A job with podman on its PATH, its runtime directory, and an image.
fn job(sandbox: &Sandbox) -> Job<'_> {
    let mut job = Job::new(sandbox, AUDIENCE);
    job.bring("podman", &PEER.program());
    let runtime = job.home().join("run");
    fs::create_dir(&runtime).unwrap();
    job.set("XDG_RUNTIME_DIR", runtime.to_str().unwrap());
    let layer = job.work().join("layer.tar");
    fs::write(&layer, [0; 1024]).unwrap();
    podman(&job, &["import", layer.to_str().unwrap(), IMAGE]).code(0);
    job
}

fn podman(job: &Job<'_>, words: &[&str]) -> Outcome {
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
    let push = || podman(&job, &["push", IMAGE]);
    let pull = || {
        podman(&job, &["rmi", "--force", IMAGE]).code(0);
        podman(&job, &["pull", IMAGE])
    };
    refused(&push());
    login(&job, &sandbox, "read", "podman");
    refused(&push());
    logout(&job, &sandbox);
    login(&job, &sandbox, "write", "podman");
    push().code(0).says("Writing manifest to image destination");
    pull().code(0).says("Storing signatures");
    logout(&job, &sandbox);
    podman(&job, &["rmi", "--force", IMAGE]).code(0);
    refused(&podman(&job, &["pull", IMAGE]));
    assert_eq!(sandbox.unexpected(), [""; 0]);
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
        moment: "the login is renewed while podman pushes",
        code: 0,
        says: &["Writing manifest to image destination"],
        does_not_say: &["nauthorized"],
    });
}

#[test]
fn every_file_of_logins_is_read_as_podman_does() {
    let reader = Reader::Containers { program: PEER.program(), podman: PEER.program() };
    every_row(&Sandbox::start().unwrap(), &reader);
}
