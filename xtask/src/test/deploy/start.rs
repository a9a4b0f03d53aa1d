//! A start of the broker by itself: it listens although it cannot reach Docker Hub, because that passes.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;
use std::{fs, thread};

/// How long it may take to listen: it tries its account at a proxy that refuses at once.
const START: Duration = Duration::from_secs(30);
/// Discards what is sent to it by convention (RFC 863), and is closed nearly everywhere.
const NOBODY: &str = "http://127.0.0.1:9";

/// Ended when dropped.
struct Broker(Child);

impl Drop for Broker {
    fn drop(&mut self) {
        // It ends now or has ended already.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Starts it, waits until it listens, and asks whether it lives.
pub(in crate::test) fn listens(program: &Path, log: &Path) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| format!("a directory for the journal: {error}"))?;
    let configuration = folder.path().join("broker.toml");
    let write = |path: &Path, text: &str| fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()));
    write(&configuration, &toml(folder.path()))?;
    let mut command = Command::new(program);
    command.args(["serve", "--config"]).arg(&configuration);
    command.env_clear().env("HTTPS_PROXY", NOBODY).env("DOCKERHUB_PASSWORD", "not asked for");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let child = command.spawn().map_err(|error| format!("the broker cannot start: {error}"))?;
    let mut broker = Broker(child);
    let stderr = broker.0.stderr.take().ok_or("the broker has no standard error")?;
    let (sender, lines) = mpsc::channel();
    // Reads on to the end, so that the broker never waits for a reader.
    thread::spawn(move || {
        for line in BufReader::new(stderr).lines().map_while(Result::ok) {
            // Nobody listens any more once the address is known.
            drop(sender.send(line));
        }
    });
    let mut said = String::new();
    while let Ok(line) = lines.recv_timeout(START) {
        said += &format!("{line}\n");
        if let Some(address) = line.strip_prefix("listening on ") {
            write(log, &said)?;
            let answer = ureq::get(format!("http://{address}/healthz")).call();
            return answer.map(drop).map_err(|error| format!("/healthz of the broker: {error}"));
        }
    }
    write(log, &said)?;
    Err("the broker does not listen".to_owned())
}

/// All that a broker needs, and an account that nobody answers for.
fn toml(folder: &Path) -> String {
    let journal = folder.join("journal.db");
    format!(
        r#"listen = "127.0.0.1:0"
public_url = "auto"
instance = "start"
journal = {{ path = "{}" }}

[[account]]
name = "acme"
kind = "oat"
organization = "acme"
username = "acme-broker"
password_env = "DOCKERHUB_PASSWORD"

[[issuer]]
name = "circleci"
kind = "circleci"
url = "https://oidc.circleci.com/org/00000000-0000-0000-0000-000000000001"

[[rule]]
name = "app"
issuer = "circleci"
account = "acme"
repositories = ["acme/app"]
actions = ["pull"]
claims = {{ "oidc.circleci.com/project-id" = "00000000-0000-0000-0000-000000000002" }}
"#,
        journal.display()
    )
}
