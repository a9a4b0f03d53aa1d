//! Secrets in files, variables, and the Vault of the sandbox, which is reached by its address on loopback.

use std::net::TcpListener;
use std::path::Path;
use std::time::Instant;

use hublease_protocol::endpoint::Endpoint;
use hublease_sandbox::vault::{Capability, DynamicEngine};
use hublease_sandbox::{ACCOUNT, Action, Fault, PASSWORD, Sandbox, Service};
use serde_json::{Map, json};
use tempfile::TempDir;

use crate::secret_source::*;

/// A Vault that holds the password in KV of both versions, and the identity token with which it is read.
struct VaultBench {
    place: TempDir,
    sandbox: Sandbox,
}

impl VaultBench {
    fn new() -> Self {
        let world = Self { place: tempfile::tempdir().unwrap(), sandbox: Sandbox::start().unwrap() };
        world.put("first-password");
        let audience = "https://vault.example.com";
        world.write("token", &world.sandbox.issuer().circleci().audience(audience).sign());
        let engines = [("secret/data/ci/*", &[Capability::Read][..]), ("kv1/ci/*", &[Capability::Read])];
        world.sandbox.vault().write_policy("", "dockerhub", &engines);
        world
    }

    fn put(&self, password: &str) {
        for mount in ["secret", "kv1"] {
            let secret = Map::from_iter([("password".to_owned(), json!(password)), ("other".to_owned(), json!(""))]);
            assert!(self.sandbox.vault().put_key_value(mount, "ci/hub", secret));
        }
    }

    fn write(&self, name: &str, text: &str) {
        std::fs::write(self.place.path().join(name), text).unwrap();
    }

    fn source(&self) -> VaultSource {
        VaultSource {
            address: Endpoint::parse(&self.sandbox.vault_url()).unwrap(),
            namespace: None,
            auth_path: "jwt".to_owned(),
            role: Some("dockerhub".to_owned()),
            identity_token_file: self.place.path().join("token"),
            path: "secret/data/ci/hub".to_owned(),
            field: "password".to_owned(),
            ca_file: None,
        }
    }

    fn read(&self, source: VaultSource) -> Result<String, SecretError> {
        SecretSource::Vault(Box::new(source)).read().map(|secret| secret.expose().to_owned())
    }

    /// `METHOD path` of each request to Vault.
    fn asked(&self) -> Vec<String> {
        let requests = self.sandbox.requests(Service::Vault);
        requests.iter().map(|request| format!("{} {}", request.method, request.path)).collect()
    }
}

#[test]
fn a_secret_of_either_kv_is_read_anew_and_the_vault_token_ended() {
    let world = VaultBench::new();
    for (path, asked) in [("secret/data/ci/hub", "GET /v1/secret/data/ci/hub"), ("kv1/ci/hub", "GET /v1/kv1/ci/hub")] {
        world.put("first-password");
        let read = || world.read(VaultSource { path: path.to_owned(), ..world.source() });
        let before = world.asked().len();
        assert_eq!(read(), Ok("first-password".to_owned()));
        assert_eq!(world.asked()[before..], ["POST /v1/auth/jwt/login", asked, "POST /v1/auth/token/revoke-self"]);
        world.put("second-password");
        assert_eq!(read(), Ok("second-password".to_owned()));
    }
    assert!(world.sandbox.live().is_empty(), "no Vault token lives on: {:?}", world.sandbox.live());
}

#[test]
fn what_vault_does_not_give_is_told_without_its_words() {
    let world = VaultBench::new();
    world.write("no-token", "SENTINEL");
    let place = |name: &str| world.place.path().join(name);
    let refused = "Vault refuses to give it";
    for (source, phrase) in [
        (VaultSource { role: Some("absent".to_owned()), ..world.source() }, refused),
        (VaultSource { path: "secret/data/elsewhere".to_owned(), ..world.source() }, refused),
        (VaultSource { path: "secret/data/ci/absent".to_owned(), ..world.source() }, refused),
        (
            VaultSource { identity_token_file: place("absent"), ..world.source() },
            "there is no identity token for Vault",
        ),
        (
            VaultSource { identity_token_file: place("no-token"), ..world.source() },
            "there is no identity token for Vault",
        ),
        (VaultSource { ca_file: Some(place("absent")), ..world.source() }, "Vault's authority cannot be read"),
        (VaultSource { ca_file: Some(place("no-token")), ..world.source() }, "Vault's authority cannot be read"),
    ] {
        let unreadable = world.read(source).err().unwrap();
        assert_eq!((unreadable.phrase, unreadable.is_passing), (phrase, false), "{unreadable}");
        assert!(!unreadable.sentence.is_empty() && !unreadable.sentence.contains("SENTINEL"), "{unreadable}");
    }
    for field in ["absent", "other"] {
        let unreadable = world.read(VaultSource { field: field.to_owned(), ..world.source() }).err().unwrap();
        assert!(unreadable.sentence.contains(&format!("`{field}`")) && !unreadable.is_passing, "{unreadable}");
    }
    assert!(world.sandbox.live().is_empty(), "{:?}", world.sandbox.live());
}

#[test]
fn a_vault_that_is_away_or_fails_is_a_passing_trouble() {
    let world = VaultBench::new();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let address = Endpoint::parse(&format!("http://{nobody}")).unwrap();
    let away = world.read(VaultSource { address, ..world.source() }).err().unwrap();
    assert_eq!((away.phrase, away.is_passing), ("Vault is not available", true));
    assert_eq!(away.sentence, format!("http://{nobody} is not available: the connection failed"));

    world.sandbox.fault(Fault::on(Service::Vault, "/v1/secret").then(Action::status(500)).always());
    let failing = world.read(world.source()).err().unwrap();
    assert_eq!((failing.phrase, failing.is_passing), ("Vault is not available", true), "{failing}");
    world.sandbox.clear_faults();
    assert!(world.sandbox.live().is_empty(), "the Vault token is ended all the same");
    assert_eq!(world.read(world.source()), Ok("first-password".to_owned()));
}

#[test]
fn when_the_time_is_up_nothing_more_is_asked() {
    let world = VaultBench::new();
    let late = world.source().read_until(Instant::now()).err().unwrap();
    assert_eq!((late.phrase, late.is_passing, world.asked().len()), ("Vault is not available", true, 0));
}

#[test]
fn a_secret_that_would_end_with_the_vault_token_is_no_password() {
    let world = VaultBench::new();
    let engine = DynamicEngine {
        username: ACCOUNT.to_owned(),
        password: PASSWORD.to_owned(),
        scope: "repo:read".to_owned(),
        username_field: "user".to_owned(),
        secret_field: "password".to_owned(),
        extra: Map::new(),
        ttl: 600,
    };
    world.sandbox.vault().enable_dynamic("dynamic", engine);
    world.sandbox.vault().write_policy(
        "",
        "dockerhub",
        &[("dynamic/*", &[Capability::Read]), ("sys/leases/revoke", &[Capability::Update])],
    );
    let unreadable = world.read(VaultSource { path: "dynamic/hub".to_owned(), ..world.source() }).err().unwrap();
    assert_eq!((unreadable.phrase, unreadable.is_passing), ("Vault gave it as a lease", false));
    assert!(world.sandbox.live().is_empty(), "what was made for the attempt is revoked: {:?}", world.sandbox.live());
}

#[test]
fn a_file_is_read_without_its_line_end_and_bounded() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("secret");
    let read = |path: &Path| SecretSource::File(path.to_owned()).read().map(|secret| secret.expose().to_owned());
    let longest = usize::try_from(MAX_SECRET_BYTES).unwrap();
    for (content, expected) in [
        ("hunter2", Some("hunter2".to_owned())),
        ("hunter2\r\n", Some("hunter2".to_owned())),
        (" hunter 2 \n\n", Some(" hunter 2 ".to_owned())),
        ("\n", None),
        (&"x".repeat(longest), Some("x".repeat(longest))),
        (&"x".repeat(longest + 1), None),
    ] {
        std::fs::write(&file, content).unwrap();
        std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        assert_eq!(read(&file).ok(), expected);
    }
    std::fs::write(&file, [0xff, 0xfe]).unwrap();
    assert!(read(&file).is_err(), "what is no text is no password");
    assert!(read(place.path()).is_err());
}

#[test]
fn a_variable_that_is_not_set_is_told_by_its_name() {
    let unreadable = SecretSource::Variable("HUBLEASE_NO_SUCH_VARIABLE".to_owned()).read().err().unwrap();
    assert_eq!(unreadable.sentence, "the variable `HUBLEASE_NO_SUCH_VARIABLE` is not set, or is not text");
}
