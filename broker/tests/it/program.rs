//! The program itself, in an environment that holds nothing: its start, its one line, its end, and how it says no.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::stub::{client, text};
use crate::testing::CONFIG;
use crate::tls::{Secrets, connect};

/// The configuration file and the journal of one test.
pub(crate) struct Place {
    folder: TempDir,
}

impl Place {
    pub(crate) fn with(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let journal = folder.path().join("journal.db");
        let config = config.replace("/var/lib/hublease/journal.db", journal.to_str().unwrap());
        std::fs::write(folder.path().join("broker.toml"), config).unwrap();
        Self { folder }
    }

    pub(crate) fn config(&self) -> String {
        self.folder.path().join("broker.toml").to_str().unwrap().to_owned()
    }
}

/// The program with no way out: whatever it calls goes to a proxy that does not answer.
fn program(arguments: &[&str], password: &str) -> Child {
    command(arguments, password).spawn().unwrap()
}

pub(crate) fn command(arguments: &[&str], password: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hublease-broker"));
    command
        .args(arguments)
        .env_clear()
        .env("HUB_PASSWORD", password)
        .env("HTTPS_PROXY", "http://127.0.0.1:1")
        .env("SSL_CERT_FILE", concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/test-only-root.pem"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn refused(config: &str, password: &str) -> String {
    let place = Place::with(config);
    let path = place.config();
    let output = program(&["serve", "--config", &path], password).wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(output.stdout.is_empty());
    String::from_utf8(output.stderr).unwrap().replace(&path, "broker.toml")
}

#[test]
fn it_listens_serves_leaves_no_core_and_ends_on_sigterm() {
    let place = Place::with(CONFIG);
    // A proxy that takes every connection and answers none, under a name that does not count.
    let other_proxy = TcpListener::bind("127.0.0.1:0").unwrap();
    other_proxy.set_nonblocking(true).unwrap();
    let mut child = command(&["serve", "--config", &place.config()], "hunter2")
        .env("ALL_PROXY", format!("http://{}", other_proxy.local_addr().unwrap()))
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let core = || {
        let limits = std::fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        core.split_whitespace().skip(4).take(2).map(str::to_owned).collect::<Vec<_>>()
    };
    let hub_is_away = "could not be tried: Docker Hub is not available: the connection failed";
    for account in ["acme", "someone"] {
        assert_eq!(lines.next().unwrap(), format!("hublease-broker: warning: account `{account}` {hub_is_away}"));
    }
    assert!(other_proxy.accept().is_err(), "nobody came");
    let address = lines.next().unwrap().strip_prefix("listening on ").unwrap().to_owned();
    assert!(address.starts_with("127.0.0.1:"));
    let metadata = client().get(format!("http://{address}/.well-known/oauth-authorization-server")).call().unwrap();
    assert!(text(metadata).contains(&format!(r#""issuer":"http://{address}""#)), "`auto` is where it listens");

    assert_eq!(core(), ["0", "0"]);

    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert_eq!(lines.collect::<Vec<_>>(), ["hublease-broker: ending: finishing what is in flight"]);
    let mut audit = String::new();
    child.stdout.take().unwrap().read_to_string(&mut audit).unwrap();
    assert_eq!(audit, "");
}

#[test]
fn a_bad_configuration_is_refused_with_its_line() {
    let config = CONFIG.replace("max_life_seconds = 1800", "max_life_seconds = 5");
    let line = config.lines().position(|line| line.starts_with("max_life")).unwrap() + 1;
    let reason = "`max_life_seconds` lies between 60 and 21600";
    assert_eq!(refused(&config, "x"), format!("hublease-broker: broker.toml: line {line}: {reason}\n"));
    let message = refused(CONFIG, "dckr_pat_SENTINEL");
    assert!(message.contains("the password is a personal access token (`dckr_pat_`)") && !message.contains("SENTINEL"));
}

/// The test's configuration with its own certificate, and with metrics at an address of their own.
fn encrypted(secrets: &Secrets) -> String {
    let files = secrets.files();
    let tls = format!("tls = {{ certificate_file = {:?}, key_file = {:?} }}", files.certificate, files.key);
    CONFIG.replacen("instance =", &format!("metrics_listen = \"127.0.0.1:0\"\n{tls}\ninstance ="), 1)
}

#[test]
fn with_a_certificate_it_speaks_tls() {
    let secrets = Secrets::new();
    let place = Place::with(&encrypted(&secrets));
    let mut child = command(&["serve", "--config", &place.config()], "hunter2").spawn().unwrap();
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map(Result::unwrap);
    let metrics = lines.find_map(|line| line.strip_prefix("metrics on ").map(str::to_owned)).unwrap();
    let address = lines.next().unwrap().strip_prefix("listening on ").unwrap().to_owned();
    let mut stream = connect(&format!("https://{address}")).unwrap();
    let head = "GET /.well-known/oauth-authorization-server HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.contains(&format!(r#""issuer":"https://{address}""#)), "{answer}");
    assert_eq!(client().get(format!("http://{metrics}/metrics")).call().unwrap().status(), 200);
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_certificate_that_cannot_be_used_is_refused_at_the_start() {
    let secrets = Secrets::new();
    std::fs::set_permissions(secrets.key(), std::fs::Permissions::from_mode(0o644)).unwrap();
    let message = refused(&encrypted(&secrets), "hunter2");
    let reason = "is open to every user of this machine (mode 0644); `chmod o= FILE`";
    assert_eq!(message, format!("hublease-broker: broker.toml: `[tls]`: `{}` {reason}\n", secrets.key().display()));
}

#[test]
fn usage() {
    let output = program(&[], "x").wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let missing = program(&["serve", "--config", "/nonexistent/broker.toml"], "x").wait_with_output().unwrap();
    assert_eq!(missing.status.code(), Some(2));
    assert!(String::from_utf8(missing.stderr).unwrap().contains("cannot read `/nonexistent/broker.toml`"));
}
