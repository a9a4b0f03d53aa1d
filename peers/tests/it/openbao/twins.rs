//! The stand-in and the real server, set up alike, with the same issuers.

use std::net::{Ipv4Addr, Ipv6Addr};

use hublease_peers::openbao::OpenBao;
use hublease_peers::postgresql::PostgreSql;
use hublease_peers::{Answer, Ask};
use hublease_sandbox::vault::{
    Capability, DynamicEngine, EXAMPLE_PASSWORD, Flavour, KeyValueVersion, Role, RoleType, TokenRequest, TokenType,
};
use hublease_sandbox::{ACCOUNT, Sandbox};
use serde_json::{Map, Value, json};

/// What the roles bind; the tokens of the rows name it.
pub const AUDIENCE: &str = "https://vault.example.com";
/// Where the roles are, and where CircleCI's issuer is trusted.
pub const MOUNT: &str = "jwt-circleci";
/// Life of the leases in seconds.
const LEASE_SECONDS: u64 = 1200;
/// Life of those whose end a story waits for.
const SHORT_LEASE_SECONDS: u64 = 3;

use Capability::{Read, Update};

/// A policy by name, and what it lets.
type Policy = (&'static str, &'static [(&'static str, &'static [Capability])]);

const POLICIES: &[Policy] = &[
    (
        "dockerhub",
        &[
            ("database/creds/*", &[Read]),
            ("secret/data/ci/*", &[Read]),
            ("kv1/ci/*", &[Read]),
            ("sys/leases/revoke", &[Update]),
        ],
    ),
    ("dockerhub-mint-only", &[("database/creds/*", &[Read]), ("secret/data/ci/*", &[Read]), ("kv1/ci/*", &[Read])]),
];

/// Constraints that the stand-in's policies do not have.
const STRICT: &str = r#"
path "sys/leases/revoke" { capabilities = ["update"] allowed_parameters = { "lease_id" = ["database/creds/app/*"] "sync" = [] } }
path "database/creds/*" { capabilities = ["read"] }
path "kv1/ci/*" { capabilities = ["read"] min_wrapping_ttl = "10s" }
"#;

/// Both servers.
pub struct Twins {
    pub sandbox: Sandbox,
    pub bao: OpenBao,
    pub postgres: PostgreSql,
}

/// Which of them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Which {
    StandIn,
    Real,
}

/// One of them, as a row sees it.
pub struct Side<'t> {
    pub twins: &'t Twins,
    pub which: Which,
    /// Whether the real server is asked at `::1`, so that requests come from there.
    is_elsewhere: bool,
}

impl Twins {
    pub fn start() -> Self {
        let sandbox = Sandbox::start().unwrap();
        let (bao, postgres) = std::thread::scope(|scope| {
            let postgres = scope.spawn(|| PostgreSql::start("of the administrator"));
            (OpenBao::start(sandbox.environment()), postgres.join().unwrap())
        });
        let twins = Self { sandbox, bao, postgres };
        twins.sandbox.vault().set_flavour(Flavour::OpenBao);
        twins.trust_the_issuer();
        twins.write_policies();
        twins.mount_engines();
        for (name, role) in roles() {
            twins.write_role(name, &role);
        }
        twins
    }

    pub fn side(&self, which: Which) -> Side<'_> {
        Side { twins: self, which, is_elsewhere: false }
    }

    fn trust_the_issuer(&self) {
        let issuer = self.sandbox.issuer().identity().circleci_issuer();
        self.bao.write(&format!("sys/auth/{MOUNT}"), &json!({ "type": "jwt" }));
        let config = json!({ "oidc_discovery_url": issuer, "bound_issuer": issuer, "default_role": "dockerhub" });
        self.bao.write(&format!("auth/{MOUNT}/config"), &config);
    }

    fn write_policies(&self) {
        for (name, rules) in POLICIES {
            self.sandbox.vault().write_policy("", name, rules);
            let text = rules.iter().map(|(path, capabilities)| {
                let words: Vec<_> = capabilities.iter().map(|word| format!("{word:?}").to_lowercase()).collect();
                format!("path {path:?} {{ capabilities = {words:?} }}\n")
            });
            self.bao.write(&format!("sys/policies/acl/{name}"), &json!({ "policy": text.collect::<String>() }));
        }
        self.bao.write("sys/policies/acl/strict", &json!({ "policy": STRICT }));
        let like_strict = [("sys/leases/revoke", &[Update][..]), ("database/creds/*", &[Read]), ("kv1/ci/*", &[Read])];
        self.sandbox.vault().write_policy("", "strict", &like_strict);
    }

    fn mount_engines(&self) {
        let (vault, bao) = (self.sandbox.vault(), &self.bao);
        // The example mounts both already; here they are empty.
        for (mount, version, number) in [("secret", KeyValueVersion::Two, "2"), ("kv1", KeyValueVersion::One, "1")] {
            vault.enable_key_value(mount, version);
            bao.write(&format!("sys/mounts/{mount}"), &json!({ "type": "kv", "options": { "version": number } }));
        }
        hublease_peers::until("version 2 is ready", || {
            let answer = bao.as_root(&bao.ask("GET", "secret/config"));
            answer.status == 200
        });
        self.put("ci/dockerhub", &json!({ "username": "acmebot", "token": "of the operator" }));
        let engine = DynamicEngine {
            username: ACCOUNT.to_owned(),
            password: EXAMPLE_PASSWORD.to_owned(),
            scope: "repo:read".to_owned(),
            username_field: "username".to_owned(),
            secret_field: "password".to_owned(),
            extra: Map::new(),
            ttl: LEASE_SECONDS,
        };
        vault.enable_dynamic("database", engine);
        mount_database(bao, &self.postgres);
    }

    /// Writes a secret to both versions of the key-value engine on both sides.
    pub fn put(&self, path: &str, data: &Value) {
        let fields = data.as_object().unwrap();
        for mount in ["secret", "kv1"] {
            assert!(self.sandbox.vault().put_key_value(mount, path, fields.clone()));
        }
        self.bao.write(&format!("secret/data/{path}"), &json!({ "data": data }));
        self.bao.write(&format!("kv1/{path}"), data);
    }

    pub fn write_role(&self, name: &str, role: &Role) {
        assert!(self.sandbox.vault().write_role(&format!("auth/{MOUNT}"), name, role.clone()));
        self.bao.write(&format!("auth/{MOUNT}/role/{name}"), &as_json(role));
    }
}

/// The `database` engine, whose roles `app` and `short` lease roles of the database.
fn mount_database(bao: &OpenBao, postgres: &PostgreSql) {
    let (username, password) = postgres.administrator();
    bao.write("sys/mounts/database", &json!({ "type": "database" }));
    let config = json!({
        "plugin_name": "postgresql-database-plugin",
        "allowed_roles": "*",
        "connection_url": postgres.url_template(),
        "username": username,
        "password": password,
    });
    bao.write("database/config/postgres", &config);
    for (name, seconds) in [("app", LEASE_SECONDS), ("short", SHORT_LEASE_SECONDS)] {
        let role = json!({
            "db_name": "postgres",
            "creation_statements": [r#"CREATE ROLE "{{name}}" WITH LOGIN PASSWORD '{{password}}' VALID UNTIL '{{expiration}}'"#],
            "default_ttl": seconds,
            "max_ttl": seconds,
        });
        bao.write(&format!("database/roles/{name}"), &role);
    }
}

/// The roles of the rows.
fn roles() -> Vec<(&'static str, Role)> {
    let usual = || Role {
        bound_audiences: vec![AUDIENCE.to_owned()],
        user_claim: "oidc.circleci.com/project-id".to_owned(),
        token_policies: vec!["dockerhub".to_owned()],
        token_ttl: 600,
        ..Role::default()
    };
    let bound = |name: &str, value: Value| Map::from_iter([(name.to_owned(), value)]);
    vec![
        ("dockerhub", usual()),
        ("dockerhub-mint-only", Role { token_policies: vec!["dockerhub-mint-only".to_owned()], ..usual() }),
        ("strict", Role { token_policies: vec!["strict".to_owned()], ..usual() }),
        ("without-policies", Role { token_policies: Vec::new(), ..usual() }),
        // OpenBao writes no role that binds nothing.
        (
            "without-audience",
            Role {
                bound_audiences: Vec::new(),
                bound_claims: bound("oidc.circleci.com/ssh-rerun", json!(false)),
                ..usual()
            },
        ),
        ("another-subject", Role { bound_subject: Some("somebody".to_owned()), ..usual() }),
        ("another-project", Role { bound_claims: bound("oidc.circleci.com/project-id", json!("other")), ..usual() }),
        ("missing-claim", Role { bound_claims: bound("not-there", json!("x")), ..usual() }),
        ("ssh-only", Role { bound_claims: bound("oidc.circleci.com/ssh-rerun", json!(true)), ..usual() }),
        ("no-ssh", Role { bound_claims: bound("oidc.circleci.com/ssh-rerun", json!(false)), ..usual() }),
        ("another-user-claim", Role { user_claim: "not-there".to_owned(), ..usual() }),
        ("list-user-claim", Role { user_claim: "oidc.circleci.com/context-ids".to_owned(), ..usual() }),
        ("batch", Role { token_type: TokenType::Batch, ..usual() }),
        (
            "batch-mint-only",
            Role { token_type: TokenType::Batch, token_policies: vec!["dockerhub-mint-only".to_owned()], ..usual() },
        ),
        (
            "no-default",
            Role { token_no_default_policy: true, token_policies: vec!["dockerhub-mint-only".to_owned()], ..usual() },
        ),
        ("no-revoke-self", Role { token_no_default_policy: true, ..usual() }),
        ("one-use", Role { token_num_uses: 1, ..usual() }),
        ("two-uses", Role { token_num_uses: 2, ..usual() }),
        ("three-uses", Role { token_num_uses: 3, ..usual() }),
        ("from-elsewhere", Role { token_bound_cidrs: vec!["10.0.0.0/8".to_owned()], ..usual() }),
        ("from-here", Role { token_bound_cidrs: vec!["127.0.0.1".to_owned()], ..usual() }),
        ("somebody", Role { user_claim: "oidc.circleci.com/job-id".to_owned(), ..usual() }),
        ("no-skew", Role { clock_skew_leeway: -1, ..usual() }),
    ]
}

/// A role as an operator writes it.
fn as_json(role: &Role) -> Value {
    json!({
        "role_type": if role.role_type == RoleType::Oidc { "oidc" } else { "jwt" },
        "bound_audiences": role.bound_audiences,
        "bound_subject": role.bound_subject.clone().unwrap_or_default(),
        "bound_claims": role.bound_claims,
        "user_claim": role.user_claim,
        "clock_skew_leeway": role.clock_skew_leeway,
        "token_policies": role.token_policies,
        "token_no_default_policy": role.token_no_default_policy,
        "token_ttl": role.token_ttl,
        "token_num_uses": role.token_num_uses,
        "token_bound_cidrs": role.token_bound_cidrs,
        "token_type": if role.token_type == TokenType::Batch { "batch" } else { "service" },
    })
}

impl Side<'_> {
    pub fn is_real(&self) -> bool {
        self.which == Which::Real
    }

    /// A request as hublease sends it, with a token or without (an empty one).
    pub fn request(&self, method: &str, path: &str, token: &str) -> Ask {
        let url = match (self.which, self.is_elsewhere) {
            (Which::StandIn, _) => self.twins.sandbox.vault_url(),
            (Which::Real, false) => self.twins.bao.url(),
            (Which::Real, true) => self.twins.bao.other_url(),
        };
        let ask = Ask::new(method, format!("{url}/v1/{path}")).header("X-Vault-Request", "true");
        if token.is_empty() { ask } else { ask.header("X-Vault-Token", token) }
    }

    pub fn read(&self, path: &str, token: &str) -> Answer {
        self.request("GET", path, token).send().unwrap()
    }

    pub fn write(&self, path: &str, token: &str, body: &Value) -> Answer {
        self.request("POST", path, token).json(body).send().unwrap()
    }

    /// A CircleCI token for these servers, with claims changed or (null) removed.
    pub fn identity_token(&self, changes: &Value) -> String {
        let mut token = self.twins.sandbox.issuer().circleci().audience(AUDIENCE);
        for (name, value) in changes.as_object().unwrap() {
            token = if value.is_null() { token.remove(name) } else { token.claim(name, value.clone()) };
        }
        token.sign()
    }

    pub fn login_with(&self, role: &str, identity_token: &str) -> Answer {
        self.write(&format!("auth/{MOUNT}/login"), "", &json!({ "role": role, "jwt": identity_token }))
    }

    pub fn login(&self, role: &str) -> Answer {
        self.login_with(role, &self.identity_token(&json!({})))
    }

    /// A client token by that role.
    #[track_caller]
    pub fn token(&self, role: &str) -> String {
        let answer = self.login(role);
        let token = answer.json()["auth"]["client_token"].as_str().unwrap_or_default().to_owned();
        assert!(!token.is_empty(), "{role}: {}", answer.text);
        token
    }

    /// A lease of the database, by its id.
    #[track_caller]
    pub fn lease(&self, token: &str) -> String {
        let answer = self.read("database/creds/app", token);
        let lease = answer.json()["lease_id"].as_str().unwrap_or_default().to_owned();
        assert!(!lease.is_empty(), "{}", answer.text);
        lease
    }

    pub fn revoke(&self, token: &str, lease_id: &str) -> Answer {
        self.write("sys/leases/revoke", token, &json!({ "lease_id": lease_id, "sync": true }))
    }

    /// Who the token belongs to.
    pub fn entity_of(&self, token: &str) -> String {
        let answer = self.read("auth/token/lookup-self", token);
        answer.json()["data"]["entity_id"].as_str().unwrap().to_owned()
    }

    /// An operator disables an entity, as in an incident, or enables it again.
    pub fn set_disabled(&self, entity: &str, is_disabled: bool) {
        let vault = self.twins.sandbox.vault();
        match (self.which, is_disabled) {
            (Which::Real, _) => {
                self.twins.bao.write(&format!("identity/entity/id/{entity}"), &json!({ "disabled": is_disabled }));
            }
            (Which::StandIn, true) => vault.disable_entity(entity),
            (Which::StandIn, false) => vault.enable_entity(entity),
        }
    }

    /// The same request from another address of this machine.
    pub fn elsewhere(&self, ask: impl FnOnce(&Self) -> Answer) -> Answer {
        if self.is_real() {
            return ask(&Self { is_elsewhere: true, ..*self });
        }
        let vault = self.twins.sandbox.vault();
        vault.come_from(Ipv6Addr::LOCALHOST.into());
        let answer = ask(self);
        vault.come_from(Ipv4Addr::LOCALHOST.into());
        answer
    }

    pub fn now(&self) -> u64 {
        self.twins.sandbox.now()
    }
}

/// A token that may do anything.
pub fn operator(side: &Side<'_>) -> String {
    if side.is_real() {
        return side.twins.bao.root().to_owned();
    }
    let request = TokenRequest { policies: vec!["root".to_owned()], ..TokenRequest::default() };
    side.twins.sandbox.vault().create_token(request)
}
