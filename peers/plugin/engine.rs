//! The engine: `config/<username>` holds an account, a write to `token/<username>/<scope>` mints at Docker Hub, and the server comes
//! back to revoke.

use std::fs;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use hublease_peers::{Answer, Ask};
use serde_json::{Map, Value, json};

use crate::wire::{
    Answered, Asked, Handled, LeaseOptions, Secret, Timestamp, UNRECOVERABLE, UNSUPPORTED_OPERATION, UNSUPPORTED_PATH,
};

/// The published engine's leases live so long, whatever is configured.
const LEASE_SECONDS: i64 = 300;
const NANOSECONDS: i64 = 1_000_000_000;
const ACCOUNTS: &str = "accounts.json";

/// Which statuses of Docker Hub are taken for a deletion that was done.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Deletion {
    /// 202, which Docker Hub does not send: when nothing else is said.
    AsPublished,
    /// 204 as well: `mended`.
    Mended,
    /// None, and each failure is one that the server does not try again: `hopeless`. The server comes to that by itself after ten
    /// minutes; this is for tests that want to see what it is like then.
    Hopeless,
}

/// What stands where.
pub struct Engine {
    hub: String,
    /// The file `accounts.json`, in place of the server's storage, and `deletes` with the word of a [`Deletion`].
    folder: PathBuf,
}

impl Engine {
    /// What the tests have put into the server's environment.
    pub fn from_environment() -> Result<Self, std::env::VarError> {
        let of = |name: &str| std::env::var(format!("DOCKERHUB_PLUGIN_{name}"));
        Ok(Self { hub: of("HUB")?, folder: of("FOLDER")?.into() })
    }

    /// It may change between two requests.
    fn deletion(&self) -> Deletion {
        match fs::read_to_string(self.folder.join("deletes")).as_deref() {
            Ok("mended") => Deletion::Mended,
            Ok("hopeless") => Deletion::Hopeless,
            _ => Deletion::AsPublished,
        }
    }

    pub fn handle(&self, asked: &Asked) -> Handled {
        let data: Value = serde_json::from_str(&asked.data).unwrap_or_default();
        let path: Vec<&str> = asked.path.trim_end_matches('/').split('/').collect();
        match (asked.operation.as_str(), path.as_slice()) {
            ("revoke", _) => self.revoke(asked.secret.as_ref()).unwrap_or_else(|why| self.not_deleted(&why)),
            ("create" | "update", ["config", username]) => self.configure(username, &data),
            ("create" | "update", ["token", username, scope]) => {
                self.mint(username, scope, &data).unwrap_or_else(|why| Handled::failed(&why))
            }
            ("read" | "create" | "update", ["config" | "token", ..]) | ("rollback", _) => {
                Handled::of_kind(UNSUPPORTED_OPERATION, "unsupported operation")
            }
            // The server asks unknown operations too, before each request.
            ("read" | "create" | "update" | "delete" | "list", _) => {
                Handled::of_kind(UNSUPPORTED_PATH, "unsupported path")
            }
            _ => Handled::of_kind(UNSUPPORTED_OPERATION, "unsupported operation"),
        }
    }

    fn configure(&self, username: &str, data: &Value) -> Handled {
        let mut accounts = self.accounts();
        accounts.insert(username.to_owned(), json!({ "password": data["password"], "scopes": data["Scope"] }));
        match fs::write(self.folder.join(ACCOUNTS), Value::Object(accounts).to_string()) {
            Ok(()) => Handled::nothing(),
            Err(error) => Handled::failed(&error.to_string()),
        }
    }

    fn mint(&self, username: &str, scope: &str, data: &Value) -> Result<Handled, String> {
        let account = self.account(username)?;
        let scopes = account["scopes"].as_str().unwrap_or_default();
        if !scopes.split(',').any(|allowed| allowed.trim() == scope) {
            return Err(format!("requested scope {scope:?} is not permitted for user {username:?}"));
        }
        let wish =
            json!({ "token_label": data["label"].as_str().unwrap_or_default(), "scopes": [format!("repo:{scope}")] });
        let answer = self.ask("POST", "/v2/access-tokens", username, &account, &wish)?;
        let made = answer.json();
        let (Some(token), Some(uuid)) = (made["token"].as_str(), made["uuid"].as_str()) else {
            return Err(format!("failed to create auth token: {}", answer.status));
        };
        let data = json!({ "token": token, "uuid": uuid, "username": username, "scope": scope });
        let secret = lease(&json!({ "username": username, "uuid": uuid }));
        Ok(Handled::with(Answered { secret: Some(secret), data: data.to_string() }))
    }

    fn revoke(&self, secret: Option<&Secret>) -> Result<Handled, String> {
        let kept = secret.map(|secret| secret.internal_data.as_str()).unwrap_or_default();
        let kept: Value = serde_json::from_str(kept).unwrap_or_default();
        let [username, uuid] = ["username", "uuid"].map(|name| kept[name].as_str().unwrap_or_default());
        let account = self.account(username)?;
        let answer = self.ask("DELETE", &format!("/v2/access-tokens/{uuid}"), username, &account, &Value::Null)?;
        match (answer.status, self.deletion()) {
            (202, _) | (204, Deletion::Mended) => Ok(Handled::nothing()),
            (status, _) => Err(format!("failed to delete auth token {status}")),
        }
    }

    fn not_deleted(&self, why: &str) -> Handled {
        match self.deletion() {
            Deletion::Hopeless => Handled::of_kind(UNRECOVERABLE, why),
            Deletion::AsPublished | Deletion::Mended => Handled::failed(why),
        }
    }

    /// Signs in, as the published engine does for each request, and asks.
    fn ask(&self, method: &str, path: &str, username: &str, account: &Value, body: &Value) -> Result<Answer, String> {
        let credential = json!({ "username": username, "password": account["password"] });
        let signed_in = Ask::new("POST", format!("{}/v2/users/login", self.hub)).json(&credential).send()?;
        let answer = signed_in.json();
        let bearer = answer["token"].as_str().ok_or_else(|| format!("authentication failed: {}", signed_in.status))?;
        let ask = Ask::new(method, self.hub.clone() + path).header("Authorization", &format!("Bearer {bearer}"));
        if body.is_null() { ask.send() } else { ask.json(body).send() }
    }

    fn account(&self, username: &str) -> Result<Value, String> {
        // The published engine's own spelling.
        let missing = || format!("unable to finde configuration for {username:?}");
        self.accounts().remove(username).ok_or_else(missing)
    }

    fn accounts(&self) -> Map<String, Value> {
        let kept = fs::read_to_string(self.folder.join(ACCOUNTS)).unwrap_or_default();
        serde_json::from_str(&kept).unwrap_or_default()
    }
}

/// A lease that begins now and brings this back.
fn lease(kept: &Value) -> Secret {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let life = LEASE_SECONDS * NANOSECONDS;
    let issue_time = Some(Timestamp { seconds: i64::try_from(now).unwrap_or_default() });
    let lease_options = Some(LeaseOptions { ttl: life, issue_time, max_ttl: life });
    Secret { lease_options, internal_data: kept.to_string() }
}
