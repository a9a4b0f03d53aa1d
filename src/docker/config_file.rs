//! Docker's `config.json` and podman's auth file: what they say about logins, and how a login is changed in them.
//!
//! The one reader of these files, for every host: text in, text out. A change edits what it is about and keeps every
//! other byte. `tests/fixtures/docker-config.json` is the table of cases. The rules are docker's own: `credHelpers` by
//! exact key, then `credsStore`, then, in a file that knows no login at all, whatever helper docker detects, then the
//! file. podman reads `credHelpers` only. `null` counts as absent, as in Go.

mod edit;
mod entry;
mod fields;
mod json;

use hublease_protocol::secret::Secret;

pub use self::entry::Entry;
use self::fields::{FILE, FieldKind, field};
use self::json::{Member, Span, WHITE_SPACE, members};
use crate::effect::docker::{Client, Registry};

/// Nothing that docker can read, or that could be written back without losing something; the file stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// The file: one JSON object in which docker understands what it knows.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ConfigFile {
    text: Secret,
}

/// Who keeps the login to one registry, and what the file says about it.
#[derive(Debug, PartialEq)]
pub(super) struct KeptLogin {
    /// The helper's name, and whether the file names it; none for the file itself.
    pub(super) helper: Option<(String, bool)>,
    /// The entry of the file.
    pub(super) entry: Option<Entry>,
}

impl Default for ConfigFile {
    /// The empty object.
    fn default() -> Self {
        Self { text: Secret::new("{}") }
    }
}

impl ConfigFile {
    /// Takes the text of the file; an empty one is an empty object, as for docker.
    ///
    /// # Errors
    /// It is no JSON object, names something twice, or holds a value of another type than docker reads.
    pub(super) fn parse(text: &Secret) -> Result<Self, Malformed> {
        let file = Self { text: text.clone() };
        if file.json().trim_matches(WHITE_SPACE).is_empty() {
            return Ok(Self::default());
        }
        let whole = json::value(file.json())?;
        // `null` in the place of an object, and of a login or helper in it, is a login to nobody. Docker reads it as
        // empty, and nothing of ours has written it.
        if file.literal(&whole) == "null" {
            return Err(Malformed);
        }
        FieldKind::Struct(FILE).check(file.json(), whole)?;
        for name in ["auths", "credHelpers"] {
            if file.object(name)?.is_some_and(|(_, members)| members.iter().any(|member| file.is_null(member))) {
                return Err(Malformed);
            }
        }
        Ok(file)
    }

    /// The text to write.
    pub(super) fn text(&self) -> &Secret {
        &self.text
    }

    /// Whether docker would look for a helper by itself: nothing here is about logins.
    pub(super) fn detects(&self) -> bool {
        let is_empty = |name| self.members_of(name).is_empty();
        is_empty("auths") && is_empty("credHelpers") && self.store().is_none()
    }

    /// Who keeps the login; `detected` is the helper that docker would find by itself.
    pub(super) fn look(&self, client: Client, registry: Registry, detected: Option<&str>) -> KeptLogin {
        let key = registry.key(client);
        let named = self.value_in("credHelpers", key).and_then(|value| json::string(self.literal(&value)));
        let configured = match (client, named) {
            // An empty name takes this registry out of `credsStore`.
            (_, Some(name)) => Some(name).filter(|name| !name.is_empty()),
            (Client::Podman, None) => None,
            (Client::Docker | Client::None, None) => self.store(),
        };
        // Whoever writes the file itself makes it one that knows a login.
        let detected = detected.filter(|_| client == Client::Docker && self.detects());
        let helper = configured.map(|name| (name, true)).or_else(|| detected.map(|name| (name.to_owned(), false)));
        let entry = self.value_in("auths", key).and_then(|value| Entry::read(self.literal(&value)));
        KeptLogin { helper, entry }
    }

    /// Writes a login into the file.
    pub(super) fn store_login(&mut self, key: &str, username: &str, secret: &Secret) -> Result<(), Malformed> {
        self.set("auths", key, &entry::of_login(username, secret))
    }

    /// Removes the entry.
    pub(super) fn erase(&mut self, key: &str) -> Result<(), Malformed> {
        self.remove_from("auths", |name| name == key)
    }

    /// Adds an empty entry unless there is one, so that docker detects no helper.
    pub(super) fn seed(&mut self, key: &str) -> Result<(), Malformed> {
        match self.value_in("auths", key) {
            Some(_) => Ok(()),
            None => self.set("auths", key, &Secret::new("{}")),
        }
    }

    /// Puts an earlier entry back, which [`Entry::raw`] gave.
    pub(super) fn restore(&mut self, key: &str, entry: &Secret) -> Result<(), Malformed> {
        self.set("auths", key, &entry::as_docker_writes(entry)?)
    }

    /// Keeps what a private directory takes along: all but the logins to `registries`, under whatever spelling, and who
    /// keeps them. An empty entry for each keeps docker from detecting a helper, and an empty helper takes it out of
    /// `credsStore`, which stays for the others.
    pub(super) fn isolate(&mut self, client: Client, registries: &[Registry]) -> Result<(), Malformed> {
        let ours = |key: &str| Registry::of_key(key).is_some_and(|registry| registries.contains(&registry));
        self.remove_from("credHelpers", ours)?;
        self.remove_from("auths", ours)?;
        for key in registries.iter().map(|registry| registry.key(client)) {
            if client != Client::Podman {
                self.set("auths", key, &Secret::new("{}"))?;
            }
            self.keep_in_file(client, key)?;
        }
        Ok(())
    }

    /// Keeps the login under this key in the file, whoever keeps the others.
    pub(super) fn keep_in_file(&mut self, client: Client, key: &str) -> Result<(), Malformed> {
        self.remove_from("credHelpers", |name| name == key)?;
        // podman reads no `credsStore`, and takes an empty helper for one.
        if client != Client::Podman && self.store().is_some() {
            self.set("credHelpers", key, &Secret::new("\"\""))?;
        }
        Ok(())
    }

    fn json(&self) -> &str {
        self.text.expose()
    }

    fn literal(&self, place: &Span) -> &str {
        &self.json()[place.clone()]
    }

    fn is_null(&self, member: &Member) -> bool {
        self.literal(&member.value) == "null"
    }

    /// The whole object and its members.
    fn whole(&self) -> Result<(Span, Vec<Member>), Malformed> {
        let text = self.json();
        // Nothing but white space is around it, or it would not have been taken.
        let end = text.trim_end_matches(WHITE_SPACE).len();
        let whole = end - text[..end].trim_start_matches(WHITE_SPACE).len()..end;
        Ok((whole.clone(), members(text, whole)?))
    }

    /// The object of this field and its members; none if it is absent or `null`.
    fn object(&self, name: &str) -> Result<Option<(Span, Vec<Member>)>, Malformed> {
        let (_, all) = self.whole()?;
        match field(&all, name)?.filter(|member| !self.is_null(member)) {
            Some(member) => Ok(Some((member.value.clone(), members(self.json(), member.value.clone())?))),
            None => Ok(None),
        }
    }

    fn members_of(&self, name: &str) -> Vec<Member> {
        // A file that was parsed has nothing else there.
        self.object(name).ok().flatten().map(|(_, members)| members).unwrap_or_default()
    }

    fn value_in(&self, name: &str, key: &str) -> Option<Span> {
        self.members_of(name).into_iter().find(|member| member.name == key).map(|member| member.value)
    }

    fn store(&self) -> Option<String> {
        let (_, all) = self.whole().ok()?;
        let store = field(&all, "credsStore").ok()??;
        json::string(self.literal(&store.value)).filter(|name| !name.is_empty())
    }

    /// Writes a member of the object of this field, indented as it lies there.
    fn set(&mut self, name: &str, key: &str, value: &Secret) -> Result<(), Malformed> {
        let (whole, all) = self.whole()?;
        let (text, value) = (self.json(), value.expose());
        let alone = ["{\n\t\t\"", key, "\": ", value, "\n\t}"];
        self.text = match (field(&all, name)?, self.object(name)?) {
            (_, Some((object, members))) => match members.iter().find(|member| member.name == key) {
                Some(member) => edit::replaced(text, member.value.clone(), &[value]),
                None => edit::inserted(text, object, 1, key, &[value])?,
            },
            (Some(null), None) => edit::replaced(text, null.value.clone(), &alone),
            (None, None) => edit::inserted(text, whole, 0, name, &alone)?,
        };
        Ok(())
    }

    /// Removes members of the object of this field; a registry has a handful of names, so that there are few.
    fn remove_from(&mut self, name: &str, goes: impl Fn(&str) -> bool) -> Result<(), Malformed> {
        while let Some((object, members)) = self.object(name)?
            && let Some(number) = members.iter().position(|member| goes(&member.name))
        {
            self.text = edit::removed(self.json(), object, &members, number);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
