//! skopeo with a lease: by docker's file of logins and by podman's.

use std::fs;

use hublease_peers::podman;
use hublease_peers::skopeo::PEER;
use hublease_sandbox::Sandbox;

use crate::support::auth_files::{Reader, every_row};
use crate::support::client::{Job, Outcome};
use crate::support::known::Right;
use crate::support::lease::{AUDIENCE, hub_with_a_registry, login, logout, play, refused};
use crate::support::long_push::{Meanwhile, Pusher, long_push};

const IMAGE: &str = "docker://acme/app:by-skopeo";

fn skopeo(job: &Job<'_>, words: &[&str]) -> Outcome {
    play(job, &PEER.program(), words)
}

/// An image in a file: a tape archive of nothing, two blocks of zeros.
fn layer(job: &Job<'_>) -> String {
    let layer = job.work().join("layer.tar");
    fs::write(&layer, [0; 1024]).unwrap();
    format!("tarball:{}", layer.display())
}

fn story(client: &str, variables: &[(&str, &str)]) {
    let (sandbox, _registry) = hub_with_a_registry();
    let mut job = Job::new(&sandbox, AUDIENCE);
    variables.iter().for_each(|(name, value)| job.set(name, value));
    let source = layer(&job);
    let push = ["copy", "--insecure-policy", &source, IMAGE];

    refused(&skopeo(&job, &push));
    login(&job, &sandbox, "read", client);
    refused(&skopeo(&job, &push));
    logout(&job, &sandbox);
    login(&job, &sandbox, "write", client);
    skopeo(&job, &push).code(0);
    skopeo(&job, &["inspect", IMAGE]).code(0).says("sha256:");
    let pull = ["copy", "--insecure-policy", IMAGE, "dir:pulled"];
    skopeo(&job, &pull).code(0).says("Storing signatures");
    logout(&job, &sandbox);
    refused(&skopeo(&job, &["inspect", IMAGE]));
    refused(&skopeo(&job, &pull));
    assert_eq!(sandbox.unexpected(), [""; 0]);
}

#[test]
fn by_dockers_file_of_logins() {
    story("none", &[]);
}

fn push(meanwhile: Meanwhile) -> Outcome {
    let (sandbox, _registry) = hub_with_a_registry();
    let job = Job::new(&sandbox, AUDIENCE);
    let words = ["copy", "--insecure-policy", &layer(&job), IMAGE];
    let pusher = Pusher { client: "none", program: &PEER.program(), uploads_by: "PATCH" };
    long_push(&job, &sandbox, meanwhile, &pusher, &words)
}

#[test]
fn a_push_outlasts_its_bearer() {
    push(Meanwhile::Nothing).code(0).says("Writing manifest");
}

#[test]
fn a_push_outlasts_a_renewal_and_its_bearer() {
    push(Meanwhile::Renewed).is(&Right {
        moment: "the login is renewed while skopeo pushes",
        code: 0,
        says: &["Writing manifest"],
        does_not_say: &["nauthorized"],
    });
}

/// The stories of long pushes, here and at the other clients, would notice.
#[test]
fn a_push_whose_credential_ends_meanwhile_is_refused() {
    refused(&push(Meanwhile::Ended));
}

#[test]
fn every_file_of_logins_is_read_as_skopeo_does() {
    let reader = Reader::Containers { program: PEER.program(), podman: podman::PEER.program() };
    every_row(&Sandbox::start().unwrap(), &reader);
}
