//! BuildKit with the login of buildx's user: it is handed over while a build runs.

use std::fs;

use hublease_peers::buildx::PEER;
use hublease_sandbox::{Sandbox, Service};

use crate::support::brokers_image::{BrokersImage, is_as_promised};
use crate::support::builder::{Builder, build_words};
use crate::support::lease::{hub_with_a_registry, lease_words, login, logout, refused};

const BASE: &str = "FROM scratch\nCOPY program /program\n";
const BASE_IMAGE: &str = "acme/base:by-buildkit";
/// docker's file with a login that nobody has.
const WRONG: &str = r#"{"auths":{"https://index.docker.io/v1/":{"auth":"bWFsbG9yeTpub3QtYS1wYXNzd29yZA=="}}}"#;

#[test]
fn a_build_on_a_private_image_is_refused_after_logout() {
    let (sandbox, _registry) = hub_with_a_registry();
    let builder = Builder::new(&sandbox);
    let push_base = || builder.build(BASE, &["--tag", BASE_IMAGE, "--push"]);
    // Nothing of one build serves another.
    let derived = |note: &str| {
        let dockerfile = format!("FROM {BASE_IMAGE}\nRUN [\"/program\", \"--version\"]\nLABEL note={note}\n");
        builder.build(&dockerfile, &["--no-cache", "--tag", "acme/app:by-buildkit", "--push"])
    };
    refused(&push_base());
    login(&builder.job, &sandbox, "read", "none");
    refused(&push_base());
    logout(&builder.job, &sandbox);

    login(&builder.job, &sandbox, "write", "none");
    push_base().code(0).says("pushing manifest");
    derived("one").code(0).says("tini version").says("pushing manifest");
    logout(&builder.job, &sandbox);
    refused(&derived("two"));
    assert!(pushes(&sandbox) > 0);
    assert_eq!(sandbox.unexpected(), [""; 0]);
}

/// A builder that outlives the job keeps what it was handed: whoever builds from the same docker directory, with any login at all,
/// is served by the bearer of the login that was revoked, until that bearer ends. Nobody is without one, or from another directory.
#[test]
fn a_builder_that_lives_on_hands_a_bearer_to_the_next_login_of_the_same_directory() {
    let (sandbox, _registry) = hub_with_a_registry();
    let builder = Builder::new(&sandbox);
    login(&builder.job, &sandbox, "write", "none");
    builder.build(BASE, &["--tag", BASE_IMAGE, "--push"]).code(0);
    let derived = |note: &str| {
        builder.build(
            &format!("FROM {BASE_IMAGE}\nRUN [\"/program\", \"--version\"]\nLABEL note={note:?}\n"),
            &["--no-cache"],
        )
    };
    derived("with the lease").code(0);
    logout(&builder.job, &sandbox);
    refused(&derived("nobody"));

    let directory = builder.job.home().join(".docker");
    fs::write(directory.join("config.json"), WRONG).unwrap();
    derived("a wrong login of the same directory").code(0);
    // What BuildKit knows the directory by.
    fs::remove_file(directory.join(".token_seed")).unwrap();
    refused(&derived("a wrong login of another directory"));
}

/// The way out that SECURITY.md names: a private directory has a seed of its own, which goes with it.
#[test]
fn what_exec_was_handed_serves_no_login_after_it() {
    let (sandbox, _registry) = hub_with_a_registry();
    let builder = Builder::new(&sandbox);
    let (program, context) = (PEER.program(), builder.context(BASE));
    let lease = lease_words(&sandbox, "write");
    let lease: Vec<&str> = lease.iter().map(String::as_str).collect();
    let push = ["--tag", BASE_IMAGE, "--push", context.to_str().unwrap()];
    let exec = [&["exec", "--client", "none"][..], &lease, &["--", program.to_str().unwrap()], &build_words(), &push];
    builder.job.run(&exec.concat()).code(0).says("revoked and confirmed");
    fs::write(builder.job.home().join(".docker/config.json"), WRONG).unwrap();
    refused(&builder.build(&format!("FROM {BASE_IMAGE}\nLABEL by=somebody\n"), &["--no-cache"]));
}

#[test]
fn the_brokers_image_holds_what_is_promised() {
    let sandbox = Sandbox::start().unwrap();
    let (builder, image) = (Builder::new(&sandbox), BrokersImage::laid_out());
    for kind in ["oci", "docker"] {
        let archive = image.archive(kind);
        let output = format!("type={kind},dest={}", archive.display());
        image.build(|words| builder.buildx(words), &[&build_words()[..], &["--output", &output]].concat());
        is_as_promised(&archive);
    }
}

fn pushes(sandbox: &Sandbox) -> usize {
    let registry = sandbox.requests(Service::Registry).into_iter();
    registry.filter(|request| request.method == "PUT" && request.status == Some(201)).count()
}

/// What needs real minutes.
mod long {
    use std::fs;

    use hublease_peers::buildx::PEER;
    use hublease_peers::docker_engine::busybox;

    use crate::support::builder::{Builder, build_words};
    use crate::support::client::Outcome;
    use crate::support::known::Right;
    use crate::support::lease::hub_with_a_registry;
    use crate::support::long_push::{Meanwhile, Pusher, start};

    /// buildx asks its file of logins anew when an answer of it is older than four minutes and fifty seconds; the file itself it has
    /// read when it began.
    const SECONDS: u32 = 300;

    fn push(meanwhile: Meanwhile) -> Outcome {
        let (sandbox, _registry) = hub_with_a_registry();
        let builder = Builder::new(&sandbox);
        let dockerfile = format!("FROM acme/base:long\nRUN [\"/busybox\", \"sleep\", \"{SECONDS}\"]\n");
        let context = builder.context(&dockerfile);
        fs::copy(busybox(), context.join("busybox")).unwrap();
        let pusher = Pusher { client: "none", program: &PEER.program(), uploads_by: "PUT" };
        let build = |meanwhile, dockerfile: &str, tag: &str| {
            fs::write(context.join("Dockerfile"), dockerfile).unwrap();
            let words = [&build_words()[..], &["--tag", tag, "--push", context.to_str().unwrap()]].concat();
            let exec = start(&builder.job, &sandbox, meanwhile, &pusher, &words);
            Outcome::of(&exec.wait_with_output().unwrap())
        };
        build(Meanwhile::Nothing, "FROM scratch\nCOPY busybox /busybox\n", "acme/base:long").code(0);
        build(meanwhile, &dockerfile, "acme/app:long")
    }

    #[test]
    fn a_push_after_a_build_of_five_minutes() {
        push(Meanwhile::Nothing).code(0).says("pushing manifest");
    }

    #[test]
    fn a_push_after_a_build_of_five_minutes_and_many_renewals() {
        push(Meanwhile::Renewed).is(&Right {
            moment: "the login is renewed while BuildKit builds",
            code: 0,
            says: &["pushing manifest"],
            does_not_say: &["nauthorized"],
        });
    }
}
