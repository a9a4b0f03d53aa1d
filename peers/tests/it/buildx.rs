//! buildx: its builders in a private directory, and pushes that take longer than their login.

use std::fs;
use std::os::unix::fs::symlink;

use hublease_peers::buildx::PEER;

use crate::support::builder::{BUILDER, Builder, build_words};
use crate::support::client::{Job, Outcome};
use crate::support::known::Right;
use crate::support::lease::{AUDIENCE, hub_with_a_registry, lease_words, on_path, play, refused};
use crate::support::long_push::{Meanwhile, Pusher, long_push};

const FROM_NOTHING: &str = "FROM scratch\nCOPY program /program\n";

/// `exec` logs in to a private directory; a builder that was made before is found there, and nothing is left.
#[test]
fn a_builder_is_found_inside_exec_and_nothing_is_left_of_the_private_directory() {
    let (sandbox, _registry) = hub_with_a_registry();
    let builder = Builder::new(&sandbox);
    let lease = lease_words(&sandbox, "write");
    let lease: Vec<&str> = lease.iter().map(String::as_str).collect();
    let program = PEER.program();
    let list = ["--client", "none", "--", program.to_str().unwrap(), "ls"];
    builder.job.run(&[&["exec"][..], &lease, &list].concat()).code(0).says(BUILDER);
    assert_eq!(builder.job.left_behind(), [""; 0]);
}

/// The first buildx of a machine runs inside: what it makes is the user's, and nothing of ours stays.
#[test]
fn a_builder_that_is_made_inside_exec_is_there_afterwards() {
    let (sandbox, _registry) = hub_with_a_registry();
    let job = Job::new(&sandbox, AUDIENCE);
    let lease = lease_words(&sandbox, "write");
    let lease: Vec<&str> = lease.iter().map(String::as_str).collect();
    let program = PEER.program();
    assert!(!job.home().join(".docker/buildx").exists());
    let create = ["create", "--name", "made-inside", "--driver", "remote", "tcp://127.0.0.1:1"];
    let create = [&["--client", "none", "--", program.to_str().unwrap()], &create[..]].concat();
    job.run(&[&["exec"][..], &lease, &create].concat()).code(0);
    assert_eq!(job.left_behind(), [""; 0]);
    play(&job, &program, &["ls"]).says("made-inside");
    // Another login finds it, too.
    let list = ["--client", "none", "--", program.to_str().unwrap(), "ls"];
    job.run(&[&["exec"][..], &lease, &list].concat()).code(0).says("made-inside");
    assert_eq!(job.left_behind(), [""; 0]);
}

/// `docker buildx`, as most people type it.
#[test]
fn as_a_plugin_of_docker_it_pushes_inside_exec_and_is_refused_outside() {
    let (sandbox, _registry) = hub_with_a_registry();
    let builder = Builder::new(&sandbox);
    let (docker, plugins) = (on_path("docker"), builder.job.home().join(".docker/cli-plugins"));
    fs::create_dir(&plugins).unwrap();
    symlink(PEER.program(), plugins.join("docker-buildx")).unwrap();
    builder.job.bring("docker", &docker);
    let context = builder.context(FROM_NOTHING);
    let push = ["--tag", "acme/app:by-the-plugin", "--push", context.to_str().unwrap()];
    let build = [&["docker", "buildx"][..], &build_words(), &push].concat();
    let lease = lease_words(&sandbox, "write");
    let exec = [&["exec"][..], &lease.iter().map(String::as_str).collect::<Vec<_>>(), &["--"], &build].concat();
    builder.job.run(&exec).code(0).says("pushing manifest").says("revoked and confirmed");
    assert_eq!(builder.job.left_behind(), [""; 0]);
    refused(&play(&builder.job, &docker, &build[1..]));
}

fn push(meanwhile: Meanwhile) -> Outcome {
    let (sandbox, _registry) = hub_with_a_registry();
    let builder = Builder::new(&sandbox);
    let context = builder.context(FROM_NOTHING);
    let words = [&build_words()[..], &["--tag", "acme/app:by-buildx", "--push", context.to_str().unwrap()]].concat();
    let pusher = Pusher { client: "none", program: &PEER.program(), uploads_by: "PUT" };
    long_push(&builder.job, &sandbox, meanwhile, &pusher, &words)
}

#[test]
fn a_push_outlasts_its_bearer() {
    push(Meanwhile::Nothing).code(0).says("pushing manifest");
}

/// The stories of long pushes would notice.
#[test]
fn a_push_whose_credential_ends_meanwhile_is_refused() {
    refused(&push(Meanwhile::Ended));
}

#[test]
fn a_push_outlasts_a_renewal_and_its_bearer() {
    push(Meanwhile::Renewed).is(&Right {
        moment: "the login is renewed while buildx pushes",
        code: 0,
        says: &["pushing manifest"],
        does_not_say: &["nauthorized"],
    });
}
