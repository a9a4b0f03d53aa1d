//! A push that outlasts a renewal and its bearer: `hublease exec`, around one command that has read its login once.
//!
//! Conditions decide, not times: the registry answers the first bytes that are uploaded only when the bearer of that moment has ended
//! by everybody's clock and, under `--renew`, the login was renewed. Vault is behind with what it has to revoke, so that a credential
//! ends when somebody revokes it, and not before: `exec` would, if it took the older lease back while the command runs.

use std::path::Path;
use std::process::{Child, Stdio};

use hublease_peers::until;
use hublease_sandbox::vault::{Capability, DynamicEngine, EXAMPLE_PASSWORD, Queue};
use hublease_sandbox::{ACCOUNT, Hold, Sandbox, Service};

use super::client::{Job, Outcome};
use super::lease::AUDIENCE;

/// What happens to the login while the command runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meanwhile {
    /// One lease, which nobody ends.
    Nothing,
    /// Another lease takes the place of the first one.
    Renewed,
    /// The lease ends, and its credential with it.
    Ended,
}

/// Who pushes.
pub struct Pusher<'a> {
    /// For `--client`.
    pub client: &'a str,
    pub program: &'a Path,
    /// The method by which it uploads the bytes of a blob.
    pub uploads_by: &'a str,
}

/// How long a lease lives that is not renewed.
const LIFE: u64 = 5;
/// How long one lives that is. The renewal comes at 80 % of it, when the bearer ends as well, and the next one, which takes back
/// what is over, not before as much time again.
const RENEWED_LIFE: u64 = 25;
/// What a bearer has left when it is handed out, until the first upload has begun: enough to begin one, and ended within the minute
/// for which a request can be held.
const BEARER_LEFT: u64 = 20;
/// From then on.
const WHOLE_BEARER: u64 = 300;

/// Runs the push, and tells what came of it.
#[track_caller]
pub fn long_push(
    job: &Job<'_>,
    sandbox: &Sandbox,
    meanwhile: Meanwhile,
    pusher: &Pusher<'_>,
    words: &[&str],
) -> Outcome {
    sandbox.set_bearer_left(BEARER_LEFT);
    let upload = Hold::after(Service::Registry, "/v2/acme/app/blobs/uploads/").method(pusher.uploads_by);
    let first_upload = sandbox.latch(upload);
    let exec = start(job, sandbox, meanwhile, pusher, words);
    let reached = first_upload.reached();
    if reached.is_ok() {
        let bearer_ends = sandbox.now() + BEARER_LEFT;
        let wanted = if meanwhile == Meanwhile::Renewed { 2 } else { 1 };
        sandbox.set_bearer_left(WHOLE_BEARER);
        until("the renewal and the end of the bearer", || leases(sandbox) >= wanted && sandbox.now() > bearer_ends);
        if meanwhile == Meanwhile::Ended {
            assert_eq!(sandbox.vault().run_queue().revoked, 1);
        }
    }
    first_upload.release();
    let outcome = Outcome::of(&exec.wait_with_output().unwrap());
    assert!(reached.is_ok(), "the push never began to upload: {outcome:?}");
    outcome
}

/// Starts `hublease exec` around a command.
pub fn start(
    job: &Job<'_>,
    sandbox: &Sandbox,
    meanwhile: Meanwhile,
    Pusher { client, program, .. }: &Pusher<'_>,
    words: &[&str],
) -> Child {
    lend(sandbox, if meanwhile == Meanwhile::Renewed { RENEWED_LIFE } else { LIFE });
    let vault =
        ["--vault-addr", &sandbox.vault_url(), "--vault-auth-path", "jwt-circleci", "--vault-role", "dockerhub"];
    let lease =
        ["--vault-path", "short/write", "--vault-method", "read", "--audience", AUDIENCE, "--audience-elsewhere"];
    let command = ["--", program.to_str().unwrap()];
    let renew: &[&str] = if meanwhile == Meanwhile::Renewed { &["--renew"] } else { &[] };
    let words = [&["exec", "--client", client][..], renew, &vault, &lease, &command, words].concat();
    let program = std::env::var_os("HUBLEASE_BIN").unwrap();
    let mut exec = job.command(Path::new(&program), &words);
    exec.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

/// An engine of Vault's with leases of this life in seconds, which is behind with revoking those that are over.
fn lend(sandbox: &Sandbox, ttl: u64) {
    let vault = sandbox.vault();
    vault.set_queue(Queue::Manual);
    let engine = DynamicEngine {
        username: ACCOUNT.to_owned(),
        password: EXAMPLE_PASSWORD.to_owned(),
        scope: "repo:write".to_owned(),
        username_field: "username".to_owned(),
        secret_field: "token".to_owned(),
        extra: serde_json::Map::new(),
        ttl,
    };
    vault.enable_dynamic("short", engine);
    let rules: &[(&str, &[Capability])] =
        &[("short/*", &[Capability::Read]), ("sys/leases/revoke", &[Capability::Update])];
    vault.write_policy("", "dockerhub", rules);
}

fn leases(sandbox: &Sandbox) -> usize {
    let minted = sandbox.requests(Service::Vault).into_iter();
    minted.filter(|request| request.path == "/v1/short/write" && request.status == Some(200)).count()
}
