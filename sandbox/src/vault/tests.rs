//! The bench that every test stands on: a clock to move, a Docker Hub that remembers, and JWTs that are plain JSON.

mod access;
mod claims;
mod login;
mod mint;
mod queue;
mod revoke;
mod server;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use super::{EXAMPLE_PASSWORD, Example, LiveItem, Minter, Role, TokenRequest, TokenType, Vault, World};

const START: u64 = 1_700_000_000;
const ORG: &str = "00000000-0000-4000-8000-000000000001";
const AUDIENCE: &str = "https://vault.example";
const GITHUB: &str = "https://token.actions.githubusercontent.com";

struct Bench {
    vault: Vault,
    hub: Arc<RecordingHub>,
    clock: Arc<AtomicU64>,
}

/// Docker Hub behind the plugin.
#[derive(Default)]
struct RecordingHub {
    /// Label and scope by uuid.
    tokens: Mutex<BTreeMap<String, (String, String)>>,
    made: AtomicU64,
    /// Answered instead of revoking, as often as it is there.
    revoke_faults: Mutex<Vec<String>>,
    /// Says that a revocation has begun, then waits until it may go on; used up by one.
    revoke_gate: Mutex<Option<(Sender<()>, Receiver<()>)>>,
}

impl RecordingHub {
    fn tokens(&self) -> Vec<(String, String)> {
        self.tokens.lock().unwrap().values().cloned().collect()
    }

    fn count(&self) -> usize {
        self.tokens().len()
    }
}

impl Minter for RecordingHub {
    fn mint(&self, username: &str, password: &str, label: &str, scope: &str) -> Result<(String, String), String> {
        if (username, password) != ("acmebot", EXAMPLE_PASSWORD) {
            return Err("authentication failed: 401".to_owned());
        }
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let uuid = format!("uuid-{number}");
        let entry = (label.to_owned(), scope.to_owned());
        self.tokens.lock().unwrap().insert(uuid.clone(), entry);
        Ok((format!("dckr_pat_{number}"), uuid))
    }

    fn revoke(&self, _username: &str, _password: &str, uuid: &str) -> Result<(), String> {
        if let Some((begun, go_on)) = self.revoke_gate.lock().unwrap().take() {
            begun.send(()).unwrap();
            go_on.recv().unwrap();
        }
        if let Some(fault) = self.revoke_faults.lock().unwrap().pop() {
            return Err(fault);
        }
        match self.tokens.lock().unwrap().remove(uuid) {
            Some(_) => Ok(()),
            None => Err("failed to delete auth token 404".to_owned()),
        }
    }
}

/// Status, body (null if empty) and `Location`.
#[derive(Debug, PartialEq)]
struct Answer {
    status: u16,
    body: Value,
    location: Option<String>,
}

impl Answer {
    fn error(&self) -> (u16, &str) {
        (self.status, self.body["errors"][0].as_str().unwrap_or_default())
    }

    fn text(&self, pointer: &str) -> String {
        self.body.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
    }
}

impl Bench {
    fn empty() -> Self {
        let clock = Arc::new(AtomicU64::new(START));
        let hub = Arc::new(RecordingHub::default());
        let time = Arc::clone(&clock);
        let world = World {
            now: Arc::new(move || time.load(Ordering::Relaxed)),
            verify: Arc::new(|jwt| {
                serde_json::from_str(jwt)
                    .map_err(|_error| "no known key successfully validated the token signature".to_owned())
            }),
            minter: Arc::clone(&hub) as Arc<dyn Minter>,
        };
        Self { vault: Vault::new(world), hub, clock }
    }

    /// The example, with a plugin that somebody has mended.
    fn new() -> Self {
        let bench = Self::as_published();
        bench.vault.mend_docker_hub();
        bench
    }

    /// The example.
    fn as_published() -> Self {
        let bench = Self::empty();
        bench.vault.seed_example(&Example {
            circleci_issuer: format!("https://oidc.circleci.com/org/{ORG}"),
            github_issuer: GITHUB.to_owned(),
            audiences: vec![AUDIENCE.to_owned(), ORG.to_owned()],
        });
        bench
    }

    fn pass(&self, seconds: u64) {
        self.clock.fetch_add(seconds, Ordering::Relaxed);
    }

    fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &Value) -> Answer {
        let mut request = http::Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let bytes = if body.is_null() { Vec::new() } else { body.to_string().into_bytes() };
        self.send_raw(&request.body(bytes).unwrap())
    }

    fn send_raw(&self, request: &http::Request<Vec<u8>>) -> Answer {
        let response = self.vault.handle(request);
        let location = response.headers().get("location");
        Answer {
            status: response.status().as_u16(),
            location: location.map(|location| location.to_str().unwrap().to_owned()),
            body: serde_json::from_slice(response.body()).unwrap_or(Value::Null),
        }
    }

    fn call(&self, token: &str, method: &str, path: &str, body: &Value) -> Answer {
        self.send(method, &format!("/v1/{path}"), &[("X-Vault-Token", token)], body)
    }

    fn login(&self, mount: &str, body: &Value) -> Answer {
        self.send("POST", &format!("/v1/auth/{mount}/login"), &[], body)
    }

    /// A token with these policies.
    fn token(&self, policies: &[&str]) -> String {
        self.vault.create_token(TokenRequest {
            policies: policies.iter().map(|&policy| policy.to_owned()).collect(),
            ttl: 600,
            ..TokenRequest::default()
        })
    }

    fn batch_token(&self, policies: &[&str], ttl: u64) -> String {
        self.vault.create_token(TokenRequest {
            policies: policies.iter().map(|&policy| policy.to_owned()).collect(),
            ttl,
            token_type: TokenType::Batch,
            ..TokenRequest::default()
        })
    }

    /// Mints and answers the lease id.
    fn mint(&self, token: &str) -> String {
        let answer = self.call(token, "POST", "dockerhub/token/acmebot/read", &json!({ "label": "job" }));
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.text("/lease_id")
    }

    fn revoke(&self, token: &str, lease_id: &str, sync: bool) -> Answer {
        let body = json!({ "lease_id": lease_id, "sync": sync });
        self.call(token, "PUT", "sys/leases/revoke", &body)
    }

    fn live(&self, kind: &str) -> Vec<String> {
        let of_kind = |item: LiveItem| (item.kind == kind).then_some(item.id);
        self.vault.live().into_iter().filter_map(of_kind).collect()
    }
}

fn circleci_claims() -> Value {
    json!({
        "iss": format!("https://oidc.circleci.com/org/{ORG}"),
        "sub": format!("org/{ORG}/project/p/user/u"),
        "aud": ORG,
        "iat": START - 30,
        "exp": START + 3_570,
        "oidc.circleci.com/project-id": "p",
        "oidc.circleci.com/vcs-ref": "refs/heads/release/1",
        "oidc.circleci.com/ssh-rerun": false,
        "oidc.circleci.com/context-ids": ["c1", "c2"],
    })
}

/// A role that accepts them.
fn circleci_role() -> Role {
    Role {
        bound_audiences: vec![ORG.to_owned()],
        user_claim: "oidc.circleci.com/project-id".to_owned(),
        token_policies: vec!["Dockerhub".to_owned()],
        token_ttl: 600,
        ..Role::default()
    }
}

/// The claims above, with members replaced or (null) removed.
fn claims_with(changes: &Value) -> Value {
    let mut claims = circleci_claims();
    for (name, value) in changes.as_object().unwrap() {
        if value.is_null() {
            claims.as_object_mut().unwrap().remove(name);
        } else {
            claims[name] = value.clone();
        }
    }
    claims
}
