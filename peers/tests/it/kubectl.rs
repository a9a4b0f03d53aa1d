//! kubectl without a cluster: the secret by which a cluster pulls, and what hublease makes of its bytes.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hublease_peers::kubectl::kubectl;
use hublease_sandbox::Sandbox;
use serde_json::Value;

use crate::support::client::Job;
use crate::support::lease::{AUDIENCE, login, logout};

/// Where docker keeps the login to Docker Hub, and where `kubectl create secret docker-registry` writes it by itself.
const DOCKER_HUB: &str = "https://index.docker.io/v1/";

/// The file of logins in the secret that `kubectl create secret docker-registry` would make.
fn file_of_logins(job: &Job<'_>, words: &[&str]) -> String {
    let create = ["create", "secret", "docker-registry", "pulls", "--dry-run=client", "--output", "json"];
    let output = kubectl(&job.home(), &[&create, words].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let secret: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(secret["type"], "kubernetes.io/dockerconfigjson");
    let bytes = STANDARD.decode(secret["data"][".dockerconfigjson"].as_str().unwrap()).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// A login is put in and taken out; what was there is put back, and another registry's is not touched.
fn is_kept(words: &[&str], key: &str) {
    let sandbox = Sandbox::start().unwrap();
    sandbox.vault().mend_docker_hub();
    let job = Job::new(&sandbox, AUDIENCE);
    let before = file_of_logins(&job, words);
    let entry = |text: &str, key: &str| serde_json::from_str::<Value>(text).unwrap()["auths"][key].clone();
    assert_eq!(entry(&before, key)["username"], "alice", "{before}");
    let file = job.home().join(".docker/config.json");
    fs::create_dir(file.parent().unwrap()).unwrap();
    fs::write(&file, &before).unwrap();
    // As docker writes it: what others can read is left alone.
    fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();

    let outcome = login(&job, &sandbox, "read", "none");
    let during = fs::read_to_string(&file).unwrap();
    assert_ne!(entry(&during, DOCKER_HUB)["auth"], entry(&before, DOCKER_HUB)["auth"], "{outcome:?}");
    if key != DOCKER_HUB {
        assert_eq!(entry(&during, key), entry(&before, key));
    }
    logout(&job, &sandbox);
    let after = fs::read_to_string(&file).unwrap();
    assert_eq!(entry(&after, key), entry(&before, key));
    assert_eq!(entry(&after, DOCKER_HUB), entry(&before, DOCKER_HUB));
    assert_eq!(sandbox.unexpected(), [""; 0]);
}

#[test]
fn a_secret_for_docker_hub_is_put_back_by_logout() {
    is_kept(&["--docker-username", "alice", "--docker-password", "of alice: \"ü\""], DOCKER_HUB);
}

#[test]
fn a_secret_for_another_registry_is_left_alone() {
    let words = ["--docker-server", "registry.example.com", "--docker-username", "alice", "--docker-password", "x"];
    is_kept(&[&words[..], &["--docker-email", "alice@example.com"]].concat(), "registry.example.com");
}

/// What a login wrote is what a cluster can be given.
#[test]
fn a_secret_from_a_file_of_logins_is_that_file() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.vault().mend_docker_hub();
    let job = Job::new(&sandbox, AUDIENCE);
    login(&job, &sandbox, "read", "none");
    let file = job.home().join(".docker/config.json");
    let words = ["--from-file", &format!(".dockerconfigjson={}", file.display())];
    assert_eq!(file_of_logins(&job, &words), fs::read_to_string(&file).unwrap());
    logout(&job, &sandbox);
}
