//! The way to a provider: proxies, certificates, redirects, and the programs that are started on the way.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Command;

use hublease_sandbox::{Action, Fault, Service};

use crate::support::hostile::harmless;
use crate::support::job::{Job, Provider, Shape};
use crate::support::machine::executable;
use crate::support::{World, binary};

/// An exchange at `https://vault.example.com`, through the sandbox's proxy.
fn at_vault(world: &World) -> Job<'_> {
    let job = world.job("token").args(&["--vault-addr=https://vault.example.com", "--vault-role=dockerhub"]);
    let token = world.sandbox.issuer().circleci().audience("https://vault.example.com").sign();
    job.args(&["--vault-path=secret/data/ci/dockerhub", "--identity-token-env=MY_TOKEN"]).env("MY_TOKEN", token)
}

/// A file with the certificate of an authority that has nothing to do with anything.
pub fn unrelated(world: &World) -> String {
    let path = world.path("unrelated.pem");
    fs::write(&path, rcgen::generate_simple_self_signed(["unrelated.example.com".to_owned()]).unwrap().cert.pem())
        .unwrap();
    path.display().to_string()
}

#[test]
fn the_proxy_of_the_environment_is_used_in_either_spelling() {
    let world = World::new();
    let proxy = world.sandbox.proxy_url();
    at_vault(&world).run().code(0);
    at_vault(&world).without("HTTPS_PROXY").env("https_proxy", &proxy).run().code(0);
    at_vault(&world).env("HTTPS_PROXY", "").env("https_proxy", proxy.trim_start_matches("http://")).run().code(0);
    // A loopback address is never asked for at a proxy, and plain http never leaves the machine.
    let dead = "http://127.0.0.1:9";
    let job =
        world.job("token").shape(Shape::Circleci, Provider::Vault).env("HTTPS_PROXY", dead).env("HTTP_PROXY", dead);
    job.run().code(0);
    assert_eq!(world.sandbox.unexpected(), Vec::<String>::new());
}

/// Values of `NO_PROXY` by which `https://0.0.0.0:9` is asked without the proxy, and one by which it is not.
pub const EXEMPT: [&str; 4] = ["0.0.0.0", "example.com, 0.0.0.0:9", "*", "0.0.0.0/8"];
pub const NOT_EXEMPT: &str = "0.0.0.0:10,1.0.0.0";

/// 0.0.0.0 is this machine, but not a loopback address: with the proxy it is the proxy that is asked, and refuses.
#[test]
fn no_proxy_is_honoured() {
    let world = World::new();
    let token = world.sandbox.issuer().circleci().audience("https://0.0.0.0:9").sign();
    let job = || {
        let job =
            world.job("token").args(&["--broker-url=https://0.0.0.0:9/oauth/token", "--identity-token-env=MY_TOKEN"]);
        job.env("MY_TOKEN", &token)
    };
    // Each of them tries four times, so they do it side by side.
    let running: Vec<_> = EXEMPT.iter().map(|list| job().env("NO_PROXY", *list).spawn()).collect();
    running.into_iter().for_each(|run| drop(run.wait().code(5).says("cannot be reached")));
    assert_eq!(world.sandbox.unexpected(), Vec::<String>::new());
    job().env("NO_PROXY", NOT_EXEMPT).run().code(5).says("the proxy refuses the way to https://0.0.0.0:9");
    assert!(world.sandbox.unexpected().iter().all(|what| what.contains("0.0.0.0:9")));
    assert!(!world.sandbox.unexpected().is_empty());
}

/// The sandbox's proxy as one that wants a password, which is not to be seen anywhere.
pub fn proxy_with_password(world: &World) -> String {
    world.add_secret("the password of the proxy", "hunter2-hunter2-hunter2");
    world.sandbox.proxy_url().replace("http://", "http://user:hunter2-hunter2-hunter2@")
}

/// Proxies with that password by which nothing can be reached; nothing answers at the first.
pub const UNUSABLE_PROXIES: [&str; 5] = [
    "http://user:hunter2-hunter2-hunter2@127.0.0.1:9",
    "socks5://user:hunter2-hunter2-hunter2@127.0.0.1:9",
    "https://user:hunter2-hunter2-hunter2@127.0.0.1:9",
    "http://user:hunter2-hunter2-hunter2@",
    "hunter2-hunter2-hunter2://",
];

#[test]
fn a_proxy_s_password_is_never_shown() {
    let world = World::new();
    let with_password = proxy_with_password(&world);
    at_vault(&world).arg("-v").env("HTTPS_PROXY", &with_password).run().code(0);
    let running: Vec<_> =
        UNUSABLE_PROXIES.iter().map(|proxy| at_vault(&world).arg("-v").env("HTTPS_PROXY", *proxy).spawn()).collect();
    for run in running {
        let outcome =
            run.wait().code(5).says("the proxy on the way to https://vault.example.com cannot be").says("HTTPS_PROXY");
        assert_eq!(outcome.requests.len(), 0);
    }
}

#[test]
fn a_private_authority_is_trusted_when_it_is_named_and_not_before() {
    let world = World::new();
    let (own, unrelated) = (world.sandbox.ca_file().display().to_string(), unrelated(&world));
    let job = || at_vault(&world).env("SSL_CERT_FILE", &unrelated);
    for job in [job(), job().arg(format!("--ca-cert={unrelated}")), job().env("VAULT_CACERT", &unrelated)] {
        let outcome = job.run().code(5).says("the certificate of https://vault.example.com is not trusted");
        assert_eq!(outcome.says("hint: add the authority with `--ca-cert`").requests.len(), 0);
    }
    job().arg(format!("--ca-cert={own}")).run().code(0);
    job().env("HUBLEASE_CA_CERT", &own).run().code(0);
    job().env("VAULT_CACERT", &own).run().code(0);
    // Both count: what is named is trusted in addition to the system's.
    at_vault(&world).arg(format!("--ca-cert={unrelated}")).run().code(0);
}

/// Vault's own variable says nothing about anybody else.
#[test]
fn vault_s_authority_is_not_trusted_for_docker() {
    let world = World::new();
    let (own, unrelated) = (world.sandbox.ca_file().display().to_string(), unrelated(&world));
    let token = world.sandbox.issuer().github().audience("https://identity.docker.com").sign();
    let job = || {
        let job = world.job("token").shape(Shape::Circleci, Provider::Docker).args(&["--identity-token-env=MY_TOKEN"]);
        job.env("MY_TOKEN", &token).env("SSL_CERT_FILE", &unrelated)
    };
    job().env("VAULT_CACERT", &own).env("VAULT_ADDR", "https://vault.example.com").run().code(5).says("not trusted");
    job().arg(format!("--ca-cert={own}")).run().code(0);
}

/// Who is asked where, and may answer with a redirect.
pub const REDIRECTED: [(Provider, Service, &str); 3] = [
    (Provider::Vault, Service::Vault, "/v1/"),
    (Provider::Docker, Service::DockerIdentity, "/oauth/token"),
    (Provider::Broker, Service::Forwarded, "/"),
];

/// Status and address of a redirect, and what is said of it; what it carries is never shown.
pub const REDIRECTS: [(u16, &str, &str); 10] = [
    (307, "https://evil.example.com/v1/x?token=INJECTED", "status 307 to https://evil.example.com"),
    (302, "https://hub.docker.com/INJECTED", "status 302 to https://hub.docker.com"),
    (308, "http://evil.example.com/INJECTED", "unusable address"),
    (307, "https://user:INJECTED@evil.example.com/", "unusable address"),
    (301, "//evil.example.com/INJECTED", "unusable address"),
    (303, "/INJECTED", "unusable address"),
    (300, "/INJECTED", "unusable address"),
    (307, "javascript:INJECTED", "unusable address"),
    (307, "https://evil.example.com\u{9b}31mINJECTED/", ""),
    (307, "", ""),
];

#[test]
fn a_redirect_is_followed_nowhere_and_named() {
    let world = World::new();
    for (provider, service, path) in REDIRECTED {
        for (status, location, says) in REDIRECTS {
            let redirect = Action::Redirect(status, location.to_owned());
            world.sandbox.fault(Fault::on(service, path).always().then(redirect));
            let outcome = harmless(world.job("token").usual(provider).arg("-v").run()).code(5);
            outcome.says("redirects elsewhere").says(says).does_not_say("INJECTED");
            world.sandbox.clear_faults();
        }
    }
    assert_eq!(world.sandbox.unexpected(), Vec::<String>::new());
}

/// One stream for both outputs, as a CI log has it: nothing that could show a value comes before its mask.
#[test]
fn in_a_github_job_every_value_is_masked_before_anything_could_show_it() {
    for (provider, command) in [
        (Provider::Vault, "token"),
        (Provider::Docker, "token"),
        (Provider::Broker, "token"),
        (Provider::Static, "token"),
        (Provider::Vault, "login"),
        (Provider::Broker, "login"),
        (Provider::Docker, "login"),
    ] {
        let world = World::new();
        let before: Vec<String> = world.sandbox.secrets().into_iter().map(|secret| secret.value).collect();
        let job = world.job(command).shape(Shape::Github, provider).arg("-v");
        let job = if command == "token" { job.arg("--format=secret") } else { job };
        let log = world.path("log");
        let file = File::create(&log).unwrap();
        let status = Command::new(binary("HUBLEASE_BIN"))
            .args(job.words())
            .env_clear()
            .envs(job.variables())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .status()
            .unwrap();
        let text = fs::read_to_string(log).unwrap();
        assert!(status.success(), "{text}");
        let lines: Vec<&str> = text.lines().collect();
        let mut shown = 0;
        for secret in world.sandbox.secrets() {
            let is_kept =
                secret.kind == "password" || secret.kind.starts_with("hub ") || secret.kind.starts_with("registry ");
            let mask = lines.iter().position(|line| *line == format!("::add-mask::{}", secret.value));
            let plain = lines.iter().position(|line| line.contains(&secret.value) && !line.starts_with("::add-mask::"));
            if !is_kept && !before.contains(&secret.value) && provider != Provider::Broker {
                assert!(mask.is_some(), "{} has no mask\n{text}", secret.name);
            }
            if let Some(plain) = plain {
                assert!(mask.is_some_and(|mask| mask < plain), "{} is shown before its mask\n{text}", secret.name);
                shown += 1;
            }
        }
        assert_eq!(shown, usize::from(command == "token"), "{provider:?} {text}");
    }
}

/// Plants programs in the workspace, which note that they ran; gives the note's place, and a PATH that leads to them in
/// every way that a job's may by accident.
pub fn plant_programs(world: &World) -> (PathBuf, String) {
    let (work, planted, link) = (world.path("work"), world.path("planted"), world.path("spare/link"));
    let helpers = ["docker-credential-secretservice", "docker-credential-pass", "pass"];
    fs::create_dir_all(work.join("bin")).unwrap();
    for name in ["docker", "docker.exe", "circleci"].into_iter().chain(helpers) {
        for place in [work.join(name), work.join("bin").join(name)] {
            executable(&place, &format!("#!/bin/sh\necho \"$0\" >> '{}'\ncat >> '{0}'\nexit 1\n", planted.display()));
        }
    }
    symlink(work.join("bin"), &link).unwrap();
    (planted, format!(":.:bin:./bin:../work/bin:{0}:{0}/bin:{1}", work.display(), link.display()))
}

/// One variable of another system does not make a runner: on CircleCI the command would be the secret in clear.
#[test]
fn a_secret_is_masked_only_where_the_runner_understands_it() {
    let world = World::new();
    for marks in [
        &[][..],
        &["GITHUB_ACTIONS"],
        &["GITHUB_ACTIONS", "GITHUB_RUN_ID"],
        &["GITHUB_RUN_ID", "GITHUB_JOB"],
        &["GITHUB_ACTIONS", "GITHUB_JOB"],
        &["GITHUB_ACTIONS", "GITLAB_CI", "BUILDKITE", "TF_BUILD"],
    ] {
        let job = world.job("login").usual(Provider::Vault);
        let outcome = marks.iter().fold(job, |job, name| job.env(name, "true")).run().code(0);
        outcome.does_not_say("::add-mask::");
        let undo = world.job("logout").usual(Provider::Vault);
        marks.iter().fold(undo, |job, name| job.env(name, "true")).run().code(0).says("revoked and confirmed");
    }
    world.job("login").shape(Shape::Github, Provider::Vault).run().code(0).says("::add-mask::");
    world.job("logout").shape(Shape::Github, Provider::Vault).run().code(0);
}

#[test]
fn a_planted_program_is_never_run() {
    let world = World::new();
    let (planted, bad) = plant_programs(&world);
    let work = world.path("work");
    let job = |command: &str| world.job(command).usual(Provider::Vault).in_directory(work.clone());
    let good = world.path("bin").display().to_string();
    job("login").env("PATH", format!("{bad}:{good}")).run().code(0);
    assert!(world.has_login());
    job("logout").env("PATH", format!("{bad}:{good}:")).run().code(0).says("revoked and confirmed");
    // What was passed over is said, and a job is one by any mark that it has.
    let skipped = format!("{}/docker was skipped", work.display());
    for (ci, marks) in [
        ("true", &[][..]),
        ("", &[("CIRCLECI", ""), ("GITHUB_ACTIONS", "true")]),
        ("false", &[("CIRCLECI", ""), ("GITHUB_ACTIONS", "true")]),
        ("", &[]),
        ("", &[("CIRCLECI", ""), ("GITLAB_CI", "true")]),
        ("", &[("CIRCLECI", ""), ("JENKINS_URL", "https://jenkins.example.com/")]),
        ("", &[("CIRCLECI", ""), ("TF_BUILD", "True")]),
    ] {
        let job = job("login").env("PATH", &bad).env("CI", ci);
        let job = marks.iter().fold(job, |job, (name, value)| job.env(name, *value));
        job.run().code(6).says("no docker program on PATH").says(&skipped);
    }
    let fresh = job("token").env("PATH", &bad).env("CIRCLE_OIDC_TOKEN_V2", "").env("CIRCLE_OIDC_TOKEN", "");
    fresh.run().code(3).says("CircleCI gave this job no identity token").says("/circleci was skipped");
    assert!(!planted.exists(), "{}", fs::read_to_string(planted).unwrap());
}
