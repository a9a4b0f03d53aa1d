//! What the tests share: TEST-ONLY keys, signed tokens, a clock that is set, and an outside world that answers from a script.
//!
//! Used by the unit tests and, by its path, by the tests in `tests/it`.

#[expect(dead_code, reason = "the hub's own tests use the rest of it")]
#[path = "../../hub/src/testing.rs"]
mod hub;

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
pub(crate) use hub::{FakeHub, NOT_FOUND, NOW, Script, Trouble};
use hublease_broker::broker::Broker;
use hublease_broker::clock::Clock;
use hublease_broker::config::Config;
use hublease_broker::identity::issuer::{Algorithm, Issuer, IssuerKind};
use hublease_broker::journal::sqlite::Sqlite;
use hublease_broker::leases::sweep::{Removed, Sweeper};
use hublease_broker::observe::audit::Audit;
use hublease_hub::HUB;
use hublease_hub::outbound::{Call, Outbound, OutboundError, Reply};
use hublease_protocol::ci::{Ci, IdentityUse};
use ring::rand::SystemRandom;
use ring::signature::{RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents};
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) const ISSUER_URL: &str = "https://oidc.circleci.com/org/0f0e";
pub(crate) const BROKER_URL: &str = "https://broker.example";
pub(crate) const GITHUB_JWKS: &str = "https://token.actions.githubusercontent.com/.well-known/jwks";

/// A TEST-ONLY key; it stands in the repository and protects nothing.
pub(crate) struct TestKey(RsaKeyPair);

pub(crate) fn key_a() -> TestKey {
    test_key(include_str!("../tests/data/test-only-rsa-a.b64"))
}

pub(crate) fn key_b() -> TestKey {
    test_key(include_str!("../tests/data/test-only-rsa-b.b64"))
}

fn test_key(text: &str) -> TestKey {
    let der = STANDARD.decode(text.split_whitespace().collect::<String>()).unwrap();
    TestKey(RsaKeyPair::from_pkcs8(&der).unwrap())
}

impl TestKey {
    fn public(&self) -> RsaPublicKeyComponents<Vec<u8>> {
        RsaPublicKeyComponents::from(self.0.public())
    }

    pub(crate) fn sign_raw(&self, message: &[u8]) -> Vec<u8> {
        let mut signature = vec![0; self.0.public().modulus_len()];
        self.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).unwrap();
        signature
    }

    /// A token with whatever header and payload.
    pub(crate) fn token(&self, header: &Value, payload: &Value) -> String {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", encode(header), encode(payload));
        let signature = URL_SAFE_NO_PAD.encode(self.sign_raw(signed.as_bytes()));
        format!("{signed}.{signature}")
    }
}

pub(crate) fn jwks(keys: &[(&str, &TestKey)]) -> String {
    let entry = |(kid, key): &(&str, &TestKey)| {
        let public = key.public();
        let [n, e] = [public.n, public.e].map(|number| URL_SAFE_NO_PAD.encode(number));
        json!({"kty": "RSA", "use": "sig", "alg": "RS256", "kid": kid, "n": n, "e": e})
    };
    json!({"keys": keys.iter().map(entry).collect::<Vec<_>>()}).to_string()
}

/// The CircleCI issuer of the tests.
pub(crate) fn circleci() -> Issuer {
    Issuer {
        name: "circleci".to_owned(),
        url: ISSUER_URL.to_owned(),
        kind: IssuerKind::Known(Ci::Circleci),
        algorithm: Algorithm::Rs256,
        jwks_uri: None,
        identity_use: IdentityUse::Reusable,
        max_live_leases: 3,
        max_mints: 10,
        default_audience: None,
    }
}

/// What a CircleCI job's token says at [`NOW`].
pub(crate) fn circleci_claims() -> Value {
    json!({
        "iss": ISSUER_URL, "sub": "org/0f0e/project/p1/user/u1", "aud": BROKER_URL, "iat": NOW - 10, "exp": NOW + 3590,
        "oidc.circleci.com/project-id": "p1", "oidc.circleci.com/job-id": "j1",
        "oidc.circleci.com/vcs-origin": "github.com/acme/app", "oidc.circleci.com/vcs-ref": "refs/heads/main",
        "oidc.circleci.com/ssh-rerun": false, "oidc.circleci.com/context-ids": ["c1"],
    })
}

pub(crate) fn header() -> Value {
    json!({"alg": "RS256", "typ": "JWT", "kid": "a"})
}

/// The claims with some changed; `null` takes a claim away.
pub(crate) fn changed(mut claims: Value, changes: &Value) -> Value {
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value.clone(),
        }
    }
    claims
}

/// A clock that is set.
pub(crate) struct TestClock(AtomicU64);

impl TestClock {
    pub(crate) fn at(now: u64) -> Self {
        Self(AtomicU64::new(now))
    }

    pub(crate) fn set(&self, now: u64) {
        self.0.store(now, Ordering::SeqCst);
    }
}

impl Clock for TestClock {
    fn now(&self) -> u64 {
        self.0.load(Ordering::SeqCst)
    }
}

/// Docker Hub, and beside it the issuers. CircleCI signs with key `a`, GitHub with key `b`, both under the `kid` `a`, to tempt a
/// broker that mixes them up.
#[derive(Default)]
pub(crate) struct Outside(FakeHub);

impl std::ops::Deref for Outside {
    type Target = FakeHub;

    fn deref(&self) -> &FakeHub {
        &self.0
    }
}

impl Outbound for Outside {
    fn send(&self, call: &Call<'_>) -> Result<Reply, OutboundError> {
        let circleci_jwks = format!("{ISSUER_URL}/.well-known/jwks-pub.json");
        let body = match call.url.as_str() {
            url if url.starts_with(HUB) => return self.0.send(call),
            url if url == format!("{ISSUER_URL}/.well-known/openid-configuration") => {
                json!({"issuer": ISSUER_URL, "jwks_uri": circleci_jwks}).to_string()
            }
            url if url == circleci_jwks => jwks(&[("a", &key_a())]),
            GITHUB_JWKS => jwks(&[("a", &key_b())]),
            _ => return Err(OutboundError("no such host")),
        };
        Ok(Reply { status: 200, body: body.into_bytes(), ..Reply::default() })
    }
}

pub(crate) const CONFIG: &str = include_str!("../tests/data/broker.toml");

/// A configuration whose files are in a folder, for which `PLACE` stands. No test can set a variable for itself alone, so the
/// accounts' password is in a file there.
pub(crate) fn config_in(folder: &Path, config: &str) -> Config {
    write_secret(&folder.join("password"), "hunter2-password\n");
    let config = config.replace("password_env = \"HUB_PASSWORD\"", "password_file = \"PLACE/password\"");
    Config::parse(&config.replace("PLACE", folder.to_str().unwrap())).unwrap()
}

/// Writes a file for its owner only.
pub(crate) fn write_secret(path: &Path, text: &str) {
    std::fs::write(path, text).unwrap();
    std::fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
}

/// An audit log that can be read.
#[derive(Clone, Default)]
pub(crate) struct Lines(Arc<Mutex<Vec<u8>>>);

impl Lines {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }

    pub(crate) fn all(&self) -> Vec<Value> {
        self.text().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    }
}

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// A whole broker with a fake Docker Hub.
pub(crate) struct World {
    place: TempDir,
    sweeper: Mutex<Sweeper>,
    pub(crate) broker: Arc<Broker>,
    pub(crate) hub: Arc<Outside>,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) audit: AuditLog,
}

/// The audit log of a world, whose lines are there when they are looked at.
pub(crate) struct AuditLog {
    lines: Lines,
    broker: Arc<Broker>,
}

impl AuditLog {
    pub(crate) fn all(&self) -> Vec<Value> {
        self.broker.audit.settle();
        self.lines.all()
    }

    pub(crate) fn outcomes(&self) -> Vec<String> {
        self.all().iter().map(|line| format!("{} {}", line["event"], line["outcome"]).replace('"', "")).collect()
    }
}

impl World {
    /// `PLACE` in the configuration stands for the folder of this world's files.
    pub(crate) fn new(config: &str) -> Self {
        Self::beside(config, Arc::default())
    }

    /// With a Docker Hub that others may use too.
    pub(crate) fn beside(config: &str, hub: Arc<Outside>) -> Self {
        let lines = Lines::default();
        let audit = Audit::to(Box::new(lines.clone()));
        Self::of(config, hub, audit, lines)
    }

    /// With an audit log of its own.
    pub(crate) fn told_to(config: &str, audit: Audit) -> Self {
        Self::of(config, Arc::default(), audit, Lines::default())
    }

    fn of(config: &str, hub: Arc<Outside>, audit: Audit, lines: Lines) -> Self {
        let clock = Arc::new(TestClock::at(NOW));
        let place = tempfile::tempdir().unwrap();
        let broker = Arc::new(Broker::new(
            config_in(place.path(), config),
            BROKER_URL.to_owned(),
            Box::new(Sqlite::serve(&place.path().join("journal.db"), NOW).unwrap()),
            audit,
            Box::new(Arc::clone(&hub)),
            Box::new(Arc::clone(&clock)),
        ));
        let audit = AuditLog { lines, broker: Arc::clone(&broker) };
        Self { place, sweeper: Mutex::default(), broker, hub, clock, audit }
    }

    /// The journal's file.
    pub(crate) fn journal(&self) -> PathBuf {
        self.place.path().join("journal.db")
    }

    /// Writes a file beside the journal: `password` is where the accounts' passwords are.
    pub(crate) fn write(&self, name: &str, text: &str) {
        write_secret(&self.place.path().join(name), text);
    }

    /// Sweeps once.
    pub(crate) fn sweep(&self) -> Removed {
        self.sweeper.lock().unwrap().sweep(&self.broker)
    }
}

/// The form of an exchange with a CircleCI token, changed where `changes` says so, and more fields.
pub(crate) fn circleci_form(changes: &Value, more: &str) -> String {
    let token = key_a().token(&header(), &changed(circleci_claims(), changes));
    form_with(&token, more)
}

/// The form of an exchange of a token.
pub(crate) fn form_with(token: &str, more: &str) -> String {
    format!(
        "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token={token}\
         &subject_token_type=urn:ietf:params:oauth:token-type:id_token{more}"
    )
}
