//! What each effect does to the content of docker's `config.json` (or podman's auth file), as pure functions.
//!
//! `tests/fixtures/docker-config.json` is the table of cases; the JavaScript host runs the same one. The rules are
//! docker's own: `credHelpers` by exact key, then `credsStore`, then, in a file that knows no login at all, whatever
//! helper docker detects, then the file. podman reads `credHelpers` only. `null` counts as absent, as in Go.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hublease_protocol::secret::Secret;
use serde_json::{Map, Value, json};

use crate::effect::docker::{Client, Entry, Registry};

/// Something else than an object where docker expects one; the file stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::native) struct Malformed;

/// The content of the file, with docker's types checked where we touch it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::native) struct Config {
    auths: Option<Map<String, Value>>,
    rest: Map<String, Value>,
}

/// Who keeps the login to one registry, and what the file says about it.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::native) struct Kept {
    /// The helper's name, and whether the file names it; none for the file itself.
    pub(in crate::native) helper: Option<(String, bool)>,
    /// The entry of the file.
    pub(in crate::native) entry: Option<Entry>,
}

impl Config {
    /// Takes the content of the file; an absent file is the empty object.
    pub(in crate::native) fn new(content: Value) -> Result<Self, Malformed> {
        let Value::Object(mut rest) = content else { return Err(Malformed) };
        let mut take = |name: &str| rest.remove(name).filter(|value| !value.is_null());
        let (auths, helpers, store) = (take("auths"), take("credHelpers"), take("credsStore"));
        let auths = match auths {
            None => None,
            Some(Value::Object(auths)) if auths.values().all(Value::is_object) => Some(auths),
            Some(_) => return Err(Malformed),
        };
        let is_helpers =
            |value: &Value| value.as_object().is_some_and(|helpers| helpers.values().all(Value::is_string));
        if !helpers.as_ref().is_none_or(is_helpers) || !store.as_ref().is_none_or(Value::is_string) {
            return Err(Malformed);
        }
        rest.extend(helpers.map(|helpers| ("credHelpers".to_owned(), helpers)));
        rest.extend(store.map(|store| ("credsStore".to_owned(), store)));
        Ok(Self { auths, rest })
    }

    /// The content to write.
    pub(in crate::native) fn content(self) -> Value {
        let mut content = self.rest;
        content.extend(self.auths.map(|auths| ("auths".to_owned(), Value::Object(auths))));
        Value::Object(content)
    }

    /// Whether docker would look for a helper by itself: nothing here is about logins.
    pub(in crate::native) fn detects(&self) -> bool {
        let helpers = self.rest.get("credHelpers").and_then(Value::as_object);
        let is_empty = |object: Option<&Map<String, Value>>| object.is_none_or(Map::is_empty);
        is_empty(self.auths.as_ref()) && is_empty(helpers) && self.store().is_none()
    }

    /// Who keeps the login; `detected` is the helper that docker would find by itself.
    pub(in crate::native) fn look(&self, client: Client, registry: Registry, detected: Option<&str>) -> Kept {
        let key = registry.key(client);
        let named = self.rest.get("credHelpers").and_then(|helpers| helpers.get(key)).and_then(Value::as_str);
        let configured = named.filter(|name| !name.is_empty());
        let helper = match client {
            Client::Podman => configured.map(|name| (name, true)),
            Client::Docker | Client::None => {
                configured.or_else(|| self.store()).map(|name| (name, true)).or_else(|| {
                    // Whoever writes the file itself makes it one that knows a login.
                    detected.filter(|_| client == Client::Docker && self.detects()).map(|name| (name, false))
                })
            }
        };
        let helper = helper.map(|(name, configured)| (name.to_owned(), configured));
        Kept { helper, entry: self.auths.as_ref().and_then(|auths| auths.get(key)).and_then(entry) }
    }

    /// Writes a login into the file.
    pub(in crate::native) fn store_login(&mut self, key: &str, username: &str, secret: &Secret) {
        let pair = Secret::new(format!("{username}:{}", secret.expose()));
        self.auths_mut().insert(key.to_owned(), json!({ "auth": STANDARD.encode(pair.expose()) }));
    }

    /// Removes the entry.
    pub(in crate::native) fn erase(&mut self, key: &str) {
        if let Some(auths) = &mut self.auths {
            auths.remove(key);
        }
    }

    /// Adds an empty entry unless there is one, so that docker detects no helper.
    pub(in crate::native) fn seed(&mut self, key: &str) {
        self.auths_mut().entry(key).or_insert_with(|| json!({}));
    }

    /// Puts an earlier entry back.
    pub(in crate::native) fn restore(&mut self, key: &str, entry: &Secret) -> Result<(), Malformed> {
        let entry: Map<String, Value> = serde_json::from_str(entry.expose()).or(Err(Malformed))?;
        self.auths_mut().insert(key.to_owned(), Value::Object(entry));
        Ok(())
    }

    /// Keeps what a private directory takes along: settings and other registries' helpers, other logins only if
    /// asked for, and an empty entry for each of `registries`.
    pub(in crate::native) fn isolate(&mut self, registries: &[Registry], copy_auths: bool) {
        let ours = |key: &str| Registry::parse(key).is_some_and(|registry| registries.contains(&registry));
        self.rest.remove("credsStore");
        if let Some(Value::Object(helpers)) = self.rest.get_mut("credHelpers") {
            helpers.retain(|key, _| !ours(key));
        }
        let auths = self.auths_mut();
        auths.retain(|key, _| copy_auths && !ours(key));
        for registry in registries {
            auths.insert(registry.key(Client::Docker).to_owned(), json!({}));
        }
    }

    fn auths_mut(&mut self) -> &mut Map<String, Value> {
        self.auths.get_or_insert_default()
    }

    fn store(&self) -> Option<&str> {
        self.rest.get("credsStore").and_then(Value::as_str).filter(|name| !name.is_empty())
    }
}

/// An entry with something in it; the empty one is a marker and no login.
fn entry(value: &Value) -> Option<Entry> {
    let filled = |name: &str| value.get(name).and_then(Value::as_str).filter(|text| !text.is_empty());
    if ["auth", "username", "password", "identitytoken", "registrytoken"].iter().all(|name| filled(name).is_none()) {
        return None;
    }
    let decoded = filled("auth").and_then(|auth| STANDARD.decode(auth).ok()).map(zeroize::Zeroizing::new);
    let from_auth = decoded.as_deref().and_then(|pair| {
        let name = pair.split(|byte| *byte == b':').next()?;
        std::str::from_utf8(name).ok().filter(|name| !name.is_empty()).map(str::to_owned)
    });
    let username = from_auth.or_else(|| filled("username").map(str::to_owned));
    Some(Entry { username, raw: Some(Secret::new(value.to_string())) })
}

#[cfg(test)]
mod tests;
