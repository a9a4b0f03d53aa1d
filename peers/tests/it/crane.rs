//! crane with the login that `hublease login --client none` writes, at a real registry behind the sandbox's names.

use std::fs;

use hublease_peers::crane::{PEER, crane};
use hublease_peers::docker_registry::DockerRegistry;
use hublease_sandbox::{Sandbox, Service};

use crate::support::client::{Job, Outcome};
use crate::support::known::Right;
use crate::support::lease::{AUDIENCE, hub_with_a_registry};
use crate::support::long_push::{Meanwhile, Pusher, long_push};

const IMAGE: &str = "acme/app:by-crane";

#[test]
fn what_was_pushed_with_a_lease_is_refused_after_logout() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.vault().mend_docker_hub();
    let registry = DockerRegistry::start(sandbox.registry_certificate());
    sandbox.set_registry(registry.address());
    let job = Job::new(&sandbox, "https://vault.example.com");
    let layer = job.home().join("layer.tar");
    // A tape archive of nothing: two blocks of zeros.
    fs::write(&layer, [0; 1024]).unwrap();
    let environment = sandbox.environment();
    let crane = |words: &[&str]| {
        let output = crane(&environment, &job.home(), words);
        (output.status.success(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let push: &[&str] = &["append", "--new_layer", layer.to_str().unwrap(), "--new_tag", IMAGE];
    let login = |scope: &str| {
        let path = format!("dockerhub/token/acmebot/{scope}");
        let vault =
            ["--vault-addr", &sandbox.vault_url(), "--vault-auth-path", "jwt-circleci", "--vault-role", "dockerhub"];
        let mint = ["--vault-path", &path, "--vault-method", "write", "--vault-data", "label=a job"];
        let audience = ["--audience", "https://vault.example.com", "--audience-elsewhere"];
        job.run(&[&["login", "--client", "none"][..], &vault, &mint, &audience].concat()).code(0);
    };
    let logout = || job.run(&["logout", "--vault-addr", &sandbox.vault_url()]).code(0).says("revoked and confirmed");

    assert!(!crane(push).0, "without a login");
    login("read");
    let (pushed, why) = crane(push);
    assert!(!pushed, "a lease that may read only: {why}");
    logout();
    login("write");
    let (pushed, why) = crane(push);
    assert!(pushed, "{why}");
    let (pulled, why) = crane(&["pull", IMAGE, job.home().join("image.tar").to_str().unwrap()]);
    assert!(pulled, "{why}");
    logout();
    let (pulled, why) = crane(&["manifest", IMAGE]);
    assert!(!pulled && why.contains("UNAUTHORIZED"), "{why}");
    let answered = sandbox.requests(Service::Registry);
    assert!(answered.iter().any(|request| request.method == "PUT" && request.status == Some(201)));
    assert_eq!(sandbox.unexpected(), [""; 0]);
}

fn push(meanwhile: Meanwhile) -> Outcome {
    let (sandbox, _registry) = hub_with_a_registry();
    let job = Job::new(&sandbox, AUDIENCE);
    let layer = job.work().join("layer.tar");
    fs::write(&layer, [0; 1024]).unwrap();
    let words = ["append", "--new_layer", layer.to_str().unwrap(), "--new_tag", IMAGE];
    let pusher = Pusher { client: "none", program: &PEER.program(), uploads_by: "PATCH" };
    long_push(&job, &sandbox, meanwhile, &pusher, &words)
}

#[test]
fn a_push_outlasts_its_bearer() {
    push(Meanwhile::Nothing).code(0);
}

#[test]
fn a_push_outlasts_a_renewal_and_its_bearer() {
    push(Meanwhile::Renewed).is(&Right {
        moment: "the login is renewed while crane pushes",
        code: 0,
        says: &[],
        does_not_say: &["nauthorized"],
    });
}
