//! A real CONNECT proxy between the client and everybody whom it asks.

mod tunnels;

use hublease_peers::Front;
use hublease_peers::squid::through;
use hublease_sandbox::Sandbox;

use crate::support::client::Job;
use crate::support::known::Right;
use crate::support::lease::{AUDIENCE, lease_words};

fn behind_squid<'s>(sandbox: &'s Sandbox, refused: &[&str]) -> (Front, Job<'s>) {
    let vault = sandbox.vault_url();
    sandbox.forward("vault.example.com", vault.trim_start_matches("http://").parse().unwrap());
    let parent = sandbox.proxy_url();
    let squid = through(parent.trim_start_matches("http://").parse().unwrap(), refused);
    let mut job = Job::new(sandbox, AUDIENCE);
    job.set("HTTPS_PROXY", &format!("http://127.0.0.1:{}", squid.port()));
    (squid, job)
}

/// Vault by its name, so that it is asked through the proxy.
fn login_words(sandbox: &Sandbox) -> Vec<String> {
    let words = lease_words(sandbox, "write");
    let words = words.into_iter().map(|word| if word == sandbox.vault_url() { AUDIENCE.to_owned() } else { word });
    ["login", "--client", "none"].into_iter().map(str::to_owned).chain(words).collect()
}

#[test]
fn a_login_and_its_logout_go_through_and_the_proxy_sees_hosts_alone() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.vault().mend_docker_hub();
    let (squid, job) = behind_squid(&sandbox, &[]);
    let words = login_words(&sandbox);
    job.run(&words.iter().map(String::as_str).collect::<Vec<_>>()).code(0).says("by vault");
    job.run(&["check", "acme/app:latest"]).code(0);
    job.run(&["logout", "--vault-addr", AUDIENCE]).code(0).says("revoked and confirmed");
    let log = squid.file("access.log");
    assert!(log.contains("CONNECT vault.example.com:443") && log.contains("CONNECT auth.docker.io:443"), "{log}");
    let asked = log.lines().filter(|line| line.contains("CONNECT"));
    assert!(asked.clone().all(|line| line.contains("TCP_TUNNEL/200")) && asked.count() > 0, "{log}");
    assert_eq!(sandbox.unexpected(), [""; 0]);
}

#[test]
fn a_host_that_the_proxy_refuses_is_told_so() {
    let sandbox = Sandbox::start().unwrap();
    let (squid, job) = behind_squid(&sandbox, &["vault.example.com"]);
    let words = login_words(&sandbox);
    let outcome = job.run(&words.iter().map(String::as_str).collect::<Vec<_>>()).says("HTTPS_PROXY");
    outcome.is(&Right {
        moment: "the proxy refuses the host: login",
        code: 5,
        says: &["the proxy", "403"],
        does_not_say: &["tries"],
    });
    assert!(squid.file("access.log").contains("TCP_DENIED/403"), "{}", squid.file("access.log"));
    assert_eq!(job.records().len(), 0, "nothing was asked, so nothing is to undo");
}

#[test]
fn a_proxy_that_is_gone_is_told_so() {
    let sandbox = Sandbox::start().unwrap();
    let (squid, job) = behind_squid(&sandbox, &[]);
    drop(squid);
    let words = login_words(&sandbox);
    let outcome = job.run(&words.iter().map(String::as_str).collect::<Vec<_>>()).says("HTTPS_PROXY");
    outcome.is(&Right {
        moment: "the proxy is gone: login",
        code: 5,
        says: &["the proxy", "cannot be reached"],
        does_not_say: &[],
    });
}
