//! A lease of the sandbox's Vault on Docker Hub's account `acmebot`, and the clients that use it.

use std::path::{Path, PathBuf};

use hublease_peers::docker_registry::DockerRegistry;
use hublease_sandbox::Sandbox;

use super::client::{Job, Outcome};

/// Vault's own audience in the sandbox.
pub const AUDIENCE: &str = "https://vault.example.com";

/// A sandbox with a real registry behind Docker Hub's names, without Docker Hub's pull limit, and with a plugin at Vault that was
/// mended, since the stories end with a revocation that is confirmed. The registry is kept by the caller.
pub fn hub_with_a_registry() -> (Sandbox, DockerRegistry) {
    let sandbox = Sandbox::start().unwrap();
    sandbox.set_pull_limit(None);
    sandbox.vault().mend_docker_hub();
    let registry = DockerRegistry::start(sandbox.registry_certificate());
    sandbox.set_registry(registry.address());
    (sandbox, registry)
}

/// What says which lease is wanted: `read` or `write`.
pub fn lease_words(sandbox: &Sandbox, scope: &str) -> Vec<String> {
    let path = format!("dockerhub/token/acmebot/{scope}");
    let vault =
        ["--vault-addr", &sandbox.vault_url(), "--vault-auth-path", "jwt-circleci", "--vault-role", "dockerhub"];
    let mint = ["--vault-path", &path, "--vault-method", "write", "--vault-data", "label=a job"];
    let audience = ["--audience", AUDIENCE, "--audience-elsewhere"];
    [&vault[..], &mint, &audience].concat().into_iter().map(str::to_owned).collect()
}

/// `hublease login` with such a lease.
#[track_caller]
pub fn login(job: &Job<'_>, sandbox: &Sandbox, scope: &str, client: &str) -> Outcome {
    let lease = lease_words(sandbox, scope);
    let lease: Vec<&str> = lease.iter().map(String::as_str).collect();
    job.run(&[&["login", "--client", client][..], &lease].concat()).code(0)
}

/// `hublease logout`, which has to confirm.
#[track_caller]
pub fn logout(job: &Job<'_>, sandbox: &Sandbox) -> Outcome {
    job.run(&["logout", "--vault-addr", &sandbox.vault_url()]).code(0).says("revoked and confirmed")
}

/// A program of the machine.
pub fn on_path(name: &str) -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path).map(|folder| folder.join(name)).find(|path| path.is_file());
    found.unwrap_or_else(|| panic!("{name} is not on PATH"))
}

/// Runs a client of registries in the job.
pub fn play(job: &Job<'_>, program: &Path, words: &[&str]) -> Outcome {
    Outcome::of(&job.command(program, words).output().unwrap())
}

/// Whether a registry or its token service refused, as clients hand it on; each of them has words of its own around it.
pub fn is_refused(outcome: &Outcome) -> bool {
    let said = (outcome.stdout.clone() + &outcome.stderr).to_lowercase();
    outcome.code != 0 && (said.contains("unauthorized") || said.contains("denied"))
}

#[track_caller]
pub fn refused(outcome: &Outcome) {
    assert!(is_refused(outcome), "{outcome:?}");
}
