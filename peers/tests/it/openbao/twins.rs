//! The stand-in and the real server, set up alike, with the same issuers.

use hublease_peers::openbao::OpenBao;
use hublease_peers::postgresql::PostgreSql;
use hublease_sandbox::vault::Capability::{Read, Update};
use hublease_sandbox::vault::{DynamicEngine, EXAMPLE_PASSWORD, Flavour, JwtMount, KeyValueVersion, Role};
use hublease_sandbox::{ACCOUNT, Sandbox};
use serde_json::{Map, Value, json};

use super::plugin;
use super::roles::{POLICIES, STRICT, as_hcl, as_json, roles};

/// What the roles bind; the tokens of the rows name it.
pub const AUDIENCE: &str = "https://vault.example.com";
/// Where the roles are, and where CircleCI's issuer is trusted.
pub const MOUNT: &str = "jwt-circleci";
/// A namespace with a mount, a role and a secret of the same names.
pub const NAMESPACE: &str = "team";
/// Life of the leases in seconds.
const LEASE_SECONDS: u64 = 1200;
/// Life of those whose end a story waits for.
const SHORT_LEASE_SECONDS: u64 = 3;

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

impl Twins {
    pub fn start() -> Self {
        let sandbox = Sandbox::start().unwrap();
        let environment = [sandbox.environment(), plugin::environment(&sandbox).into()].concat();
        let (bao, postgres) = std::thread::scope(|scope| {
            let postgres = scope.spawn(|| PostgreSql::start("of the administrator"));
            (OpenBao::start(environment), postgres.join().unwrap())
        });
        let twins = Self { sandbox, bao, postgres };
        twins.sandbox.vault().set_flavour(Flavour::OpenBao);
        twins.trust_the_issuer("");
        twins.write_policies();
        twins.mount_engines();
        for (name, role) in roles() {
            twins.write_role(name, &role);
        }
        twins.make_namespace();
        twins
    }

    /// `namespace` is empty or ends in a slash. The stand-in's own is the example's.
    fn trust_the_issuer(&self, namespace: &str) {
        let issuer = self.sandbox.issuer().identity().circleci_issuer();
        self.bao.write(&format!("{namespace}sys/auth/{MOUNT}"), &json!({ "type": "jwt" }));
        let config = json!({ "oidc_discovery_url": issuer, "bound_issuer": issuer, "default_role": "dockerhub" });
        self.bao.write(&format!("{namespace}auth/{MOUNT}/config"), &config);
    }

    fn make_namespace(&self) {
        let (vault, bao, prefix) = (self.sandbox.vault(), &self.bao, format!("{NAMESPACE}/"));
        bao.write(&format!("sys/namespaces/{NAMESPACE}"), &json!({}));
        bao.write(&format!("{prefix}sys/namespaces/ci"), &json!({}));
        vault.add_namespace(NAMESPACE);
        vault.add_namespace(&format!("{prefix}ci"));
        self.trust_the_issuer(&prefix);
        let issuer = Some(self.sandbox.issuer().identity().circleci_issuer());
        let config = JwtMount {
            discovery_issuer: issuer.clone(),
            bound_issuer: issuer,
            default_role: Some("dockerhub".to_owned()),
            ..JwtMount::default()
        };
        vault.enable_jwt(&format!("{prefix}auth/{MOUNT}"), config);
        let (_, role) = roles().into_iter().find(|(name, _)| *name == "dockerhub").unwrap();
        assert!(vault.write_role(&format!("{prefix}auth/{MOUNT}"), "dockerhub", role.clone()));
        bao.write(&format!("{prefix}auth/{MOUNT}/role/dockerhub"), &as_json(&role));
        let (name, rules) = POLICIES[0];
        vault.write_policy(NAMESPACE, name, rules);
        bao.write(&format!("{prefix}sys/policies/acl/{name}"), &json!({ "policy": as_hcl(rules) }));
        let secret = json!({ "username": "acmebot", "token": "of the team" });
        vault.enable_key_value(&format!("{prefix}kv1"), KeyValueVersion::One);
        assert!(vault.put_key_value(&format!("{prefix}kv1"), "ci/dockerhub", secret.as_object().unwrap().clone()));
        bao.write(&format!("{prefix}sys/mounts/kv1"), &json!({ "type": "kv" }));
        bao.write(&format!("{prefix}kv1/ci/dockerhub"), &secret);
    }

    fn write_policies(&self) {
        for (name, rules) in POLICIES {
            self.sandbox.vault().write_policy("", name, rules);
            self.bao.write(&format!("sys/policies/acl/{name}"), &json!({ "policy": as_hcl(rules) }));
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
