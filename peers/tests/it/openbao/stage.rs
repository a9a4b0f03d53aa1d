//! A job's login and logout at the real server, and what is alive there afterwards.

use serde_json::json;

use super::twins::{AUDIENCE, MOUNT, Twins};
use crate::support::client::{Job, Outcome};

/// The path of a lease that outlives the story.
pub const LEASE: &str = "database/creds/app";
/// The path of a lease whose end the story waits for.
pub const SHORT_LEASE: &str = "database/creds/short";

/// A job at these servers.
pub fn job(twins: &Twins) -> Job<'_> {
    Job::new(&twins.sandbox, AUDIENCE)
}

/// `hublease COMMAND` by a role, for a path.
pub fn ask(command: &str, job: &Job<'_>, address: &str, role: &str, path: &str, more: &[&str]) -> Outcome {
    let is_elsewhere = more.contains(&"--vault-auth-path");
    let mount: &[&str] = if is_elsewhere { &[] } else { &["--vault-auth-path", MOUNT] };
    let usual = [command, "--vault-addr", address, "--vault-role", role, "--vault-path", path];
    job.run(&[&usual[..], &["--audience", AUDIENCE, "--audience-elsewhere"], mount, more].concat())
}

/// `hublease login`, which writes docker's file itself.
pub fn login(job: &Job<'_>, address: &str, role: &str, path: &str) -> Outcome {
    ask("login", job, address, role, path, &["--client", "none"])
}

/// `hublease logout --strict-revoke`.
pub fn logout(job: &Job<'_>, address: &str) -> Outcome {
    job.run(&["logout", "--vault-addr", address, "--strict-revoke"])
}

impl Twins {
    /// Whether the real server still knows a client token.
    pub fn lives(&self, token: &str) -> bool {
        let ask = self.bao.ask("POST", "auth/token/lookup").json(&json!({ "token": token }));
        match self.bao.as_root(&ask).status {
            200 => true,
            403 => false,
            other => panic!("status {other}"),
        }
    }

    /// How many leases of the database the real server holds.
    pub fn leases(&self) -> usize {
        self.leases_of(LEASE) + self.leases_of(SHORT_LEASE)
    }

    /// How many leases of a path the real server holds.
    pub fn leases_of(&self, path: &str) -> usize {
        let ask = self.bao.ask("LIST", &format!("sys/leases/lookup/{path}"));
        self.bao.as_root(&ask).json()["data"]["keys"].as_array().map_or(0, Vec::len)
    }

    /// Waits until a job's lease has had its time.
    pub fn outlive(&self, job: &Job<'_>) {
        let end = job.lease_ends_at().unwrap();
        hublease_peers::until("the lease's time is over", || self.sandbox.now() > end);
    }
}
