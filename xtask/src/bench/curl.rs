//! The requests of a login, made again by one curl process each.
//!
//! They are taken from the sandbox's log of a real login. Two values cannot be used twice and are renewed: the `request_id` of an
//! exchange, and the Vault token, which every curl after the one that brought it sends.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use hublease_sandbox::Logged;
use serde_json::Value;

use crate::world::World;

/// Headers that curl writes itself, from the address and the body.
const CURLS_OWN: [&str; 4] = ["host", "content-length", "connection", "transfer-encoding"];
/// The form field that must differ each time.
const REQUEST_ID: &str = "request_id=";
/// The header that carries what an earlier answer brought.
const VAULT_TOKEN: &str = "x-vault-token";

/// What curl does instead of a login.
pub(super) struct Replay {
    requests: Vec<Logged>,
    curl: PathBuf,
    proxy: String,
    certificates: PathBuf,
    runs: u64,
}

impl Replay {
    /// The requests of one login.
    pub(super) fn of(log: &[Logged], curl: &Path, world: &World, certificates: &Path) -> Result<Self, String> {
        // What the broker asked of Docker Hub and of issuers meanwhile is not the client's.
        let own = |request: &&Logged| request.host.ends_with(".example.com");
        let requests: Vec<Logged> = log.iter().filter(own).cloned().collect();
        if requests.is_empty() {
            return Err("the login made no request".to_owned());
        }
        let (proxy, certificates) = (world.sandbox.proxy_url(), certificates.to_owned());
        Ok(Self { requests, curl: curl.to_owned(), proxy, certificates, runs: 0 })
    }

    pub(super) fn requests(&self) -> usize {
        self.requests.len()
    }

    /// Makes them all; the time is that of the processes alone.
    pub(super) fn run(&mut self) -> Result<Duration, String> {
        self.runs += 1;
        let (mut time, mut token) = (Duration::ZERO, None);
        for request in &self.requests {
            let (taken, answer) = self.one(request, token.as_deref())?;
            time += taken;
            token = answer["auth"]["client_token"].as_str().map(str::to_owned).or(token);
        }
        Ok(time)
    }

    fn one(&self, request: &Logged, token: Option<&str>) -> Result<(Duration, Value), String> {
        let mut command = Command::new(&self.curl);
        command.env_clear().args(["--silent", "--fail", "--proxy", &self.proxy, "--cacert"]).arg(&self.certificates);
        command.args(["--request", &request.method]);
        for (name, value) in request.headers.iter().filter(|(name, _)| !CURLS_OWN.contains(&name.as_str())) {
            let value = token.filter(|_| name == VAULT_TOKEN).unwrap_or(value);
            command.args(["--header", &format!("{name}: {value}")]);
        }
        let body = renewed(&request.text(), self.runs);
        if !body.is_empty() {
            command.args(["--data-binary", "@-"]);
        }
        let query = if request.query.is_empty() { String::new() } else { format!("?{}", request.query) };
        command.arg(format!("https://{}{}{query}", request.host, request.path));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());

        let begun = Instant::now();
        let mut child = command.spawn().map_err(|error| format!("curl cannot start: {error}"))?;
        if let Some(mut stdin) = child.stdin.take() {
            // A curl that ended early says so by its exit code.
            drop(stdin.write_all(body.as_bytes()));
        }
        let output = child.wait_with_output().map_err(|error| format!("curl: {error}"))?;
        let time = begun.elapsed();
        if !output.status.success() {
            return Err(format!("curl {} {}: {}", request.method, request.path, output.status));
        }
        Ok((time, serde_json::from_slice(&output.stdout).unwrap_or_default()))
    }
}

/// The body with another `request_id` of the same length.
fn renewed(body: &str, run: u64) -> String {
    let Some((before, rest)) = body.split_once(REQUEST_ID) else { return body.to_owned() };
    let length = rest.find('&').unwrap_or(rest.len());
    format!("{before}{REQUEST_ID}{run:0length$x}{}", &rest[length..])
}

#[cfg(test)]
mod tests {
    use super::renewed;

    #[test]
    fn the_request_id_is_renewed_and_nothing_else() {
        assert_eq!(renewed("a=1&request_id=ffffffff&b=2", 26), "a=1&request_id=0000001a&b=2");
        assert_eq!(renewed("request_id=ff", 1), "request_id=01");
        assert_eq!(renewed("a=1", 1), "a=1");
    }
}
