//! A start of the broker by itself: it listens although it cannot reach Docker Hub, because that passes.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use crate::broker::Broker;

/// Discards what is sent to it by convention (RFC 863), and is closed nearly everywhere.
const NOBODY: &str = "http://127.0.0.1:9";

/// Starts it, waits until it listens, and asks whether it lives.
pub(in crate::test) fn listens(program: &Path, log: &Path) -> Result<(), String> {
    let folder = tempfile::tempdir().map_err(|error| format!("a directory for the journal: {error}"))?;
    let configuration = folder.path().join("broker.toml");
    let write = |path: &Path, text: &str| fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()));
    write(&configuration, &toml(folder.path()))?;
    let variables = [("HTTPS_PROXY", NOBODY), ("DOCKERHUB_PASSWORD", "not asked for")];
    let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let mut broker = Broker::start(program, &configuration, variables, Stdio::null())?;
    let mut said = String::new();
    let address = broker.listens(&mut said);
    write(log, &said)?;
    let answer = ureq::get(format!("http://{}/healthz", address?)).call();
    answer.map(drop).map_err(|error| format!("/healthz of the broker: {error}"))
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
