//! Who is started, with what, and what is believed of what it says.

use hublease_sandbox::{Fault, Service};

use crate::client::docker_traps::{
    HUB, docker, log_in_by_hand, logged_in_as, login, logout, logs_out, text, token_requests, world,
};

#[test]
fn docker_is_called_by_its_path_with_the_secret_on_standard_input_only() {
    let world = world();
    let before = world.sandbox.live();
    login(&world).run().code(0);
    logs_out(&world, &before);
    assert_eq!(
        world.children(),
        [
            "[docker] [--version]",
            "[docker] [login] [--username] [acmebot] [--password-stdin] [docker.io]",
            "[docker] [logout] [https://index.docker.io/v1/]",
        ]
    );
    let mut names = world.child_variables();
    names.sort();
    names.dedup();
    names.retain(|name| !matches!(name.as_str(), "OLDPWD" | "PWD"));
    assert_eq!(
        names,
        ["DOCKER_CONFIG", "DOCKER_HOST", "HOME", "HTTPS_PROXY", "PATH", "SSL_CERT_DIR", "SSL_CERT_FILE", "TMPDIR"]
    );
}

#[test]
fn docker_logout_docker_io_leaves_the_login_and_ours_does_not() {
    let world = world();
    log_in_by_hand(&world, "acmebot");
    let output = docker(&world, &["logout", "docker.io"], "");
    assert!(output.status.success());
    assert_eq!(text(&output.stdout), "Removing login credentials for docker.io\n");
    assert_eq!(logged_in_as(&world).as_deref(), Some("acmebot"), "docker has repaired its logout");
    assert!(docker(&world, &["logout", HUB], "").status.success());
    assert_eq!(logged_in_as(&world), None);

    let before = world.sandbox.live();
    login(&world).args(&["--registry", "docker.io"]).run().code(0);
    assert_eq!(logged_in_as(&world).as_deref(), Some("acmebot"));
    logs_out(&world, &before);
    assert_eq!(logged_in_as(&world), None);
}

#[test]
fn what_docker_prints_on_standard_error_beside_a_success_is_no_failure() {
    let world = world();
    let token = world.sandbox.hub().personal_token("acmebot", "by hand", &["repo:write"], None).0;
    let output = docker(&world, &["login", "--username", "acmebot", "--password-stdin"], &token);
    assert!(output.status.success());
    assert!(text(&output.stderr).contains("stored unencrypted"), "{}", text(&output.stderr));
    assert!(docker(&world, &["logout"], "").status.success());

    let before = world.sandbox.live();
    login(&world).run().code(0).does_not_say("unencrypted");
    logs_out(&world, &before);
}

#[test]
fn a_credential_that_the_registry_refuses_is_not_tried_again_and_dies() {
    let world = world();
    let before = world.sandbox.live();
    // The real account's credential under another name is a wrong one.
    let outcome = login(&world).args(&["--username", "somebodyelse"]).run().code(6);
    assert_eq!(token_requests(&outcome), 1);
    outcome
        .says("error: docker.io did not accept the credential\n")
        .says("unauthorized: incorrect username or password")
        .says("hint: check that the username is the account or organization that the credential belongs to\n")
        .says("the credential of somebodyelse: revoked and confirmed\n");
    assert_eq!(logged_in_as(&world), None);
    crate::client::docker_traps::leaves_nothing(&world, &before);
}

#[test]
fn without_a_client_the_file_is_written_by_ourselves() {
    let world = world();
    world.write_config(r#"{"auths":{"ghcr.io":{"auth":"Z2hjcjpvdGhlcg=="}},"HttpHeaders":{"X":"y"}}"#);
    std::fs::remove_file(world.path("bin/docker")).unwrap();
    let before = world.sandbox.live();
    let outcome = login(&world).args(&["--client", "none"]).run().code(0);
    let registry = [Service::Registry, Service::RegistryAuth];
    assert!(outcome.requests.iter().all(|request| !registry.contains(&request.service)));
    let (name, secret) = crate::client::docker_traps::entry_of(&world.read_config()).unwrap();
    assert_eq!(name, "acmebot");
    // What was written is what docker would have written: docker can use it, and remove it.
    let inspected = docker(&world, &["manifest", "inspect", "acme/app:latest"], "");
    assert!(inspected.status.success(), "{}", text(&inspected.stderr));
    assert!(secret.starts_with("dckr_pat_"));
    logs_out(&world, &before);
    assert_eq!(
        world.read_config(),
        serde_json::json!({"auths": {"ghcr.io": {"auth": "Z2hjcjpvdGhlcg=="}}, "HttpHeaders": {"X": "y"}})
    );
    assert_eq!(world.children(), [""; 0]);
}

#[test]
fn two_registries_are_two_logins_and_one_lease() {
    let world = world();
    let before = world.sandbox.live();
    login(&world).args(&["--registry", "docker.io", "--registry", "dhi.io"]).run().code(0).says("docker.io and dhi.io");
    let auths = &world.read_config()["auths"];
    assert!(auths[HUB]["auth"].is_string() && auths["dhi.io"] == auths[HUB], "both hold the one credential");
    logs_out(&world, &before);
    assert_eq!(world.read_config()["auths"], serde_json::json!({}));
    let hosts: Vec<_> = world.sandbox.requests(Service::Registry).iter().map(|request| request.host.clone()).collect();
    assert_eq!(hosts, ["registry-1.docker.io", "registry-1.docker.io", "dhi.io", "dhi.io"]);
}

#[test]
fn a_second_registry_that_refuses_takes_the_first_login_back() {
    let world = world();
    let before = world.sandbox.live();
    let refusal =
        hublease_sandbox::Action::json(401, &serde_json::json!({"details": "incorrect username or password"}));
    world.sandbox.fault(Fault::on(Service::RegistryAuth, "/token").skip(1).then(refusal));
    let run = login(&world).args(&["--registry", "docker.io", "--registry", "dhi.io"]).run().code(6);
    run.says("error: dhi.io did not accept the credential\n")
        .says("the credential of acmebot: revoked and confirmed\n");
    assert_eq!(world.read_config()["auths"], serde_json::json!({}));
    crate::client::docker_traps::leaves_nothing(&world, &before);
    logout(&world).run().code(0).says("nothing to undo here");
}
