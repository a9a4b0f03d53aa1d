//! Docker's `config.json` and podman's auth file: what they say about logins, and how a login is changed in them.
//!
//! The one reader of these files, for every host: text in, text out. A change edits what it is about and keeps every
//! other byte. `tests/fixtures/docker-config.json` is the table of cases. The rules are docker's own: `credHelpers` by
//! exact key, then `credsStore`, then, in a file that knows no login at all, whatever helper docker detects, then the
//! file. podman reads `credHelpers` only. What is there twice or `null` counts as in Go: objects of one field are one, of two
//! values the later one is read, and `null` empties an object, is an empty value in one, and nothing anywhere else.

mod edit;
mod entry;
mod fields;
mod json;

use hublease_protocol::secret::Secret;

pub use self::entry::Entry;
use self::fields::{FILE, FieldKind, PODMAN_FILE, all, field};
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
    /// Takes the text of the file, by the reader of this client. To docker nothing and `null` are an empty object, and what
    /// follows the first value is not there.
    ///
    /// # Errors
    /// It is no JSON object, or holds a value of another type than the client reads.
    pub(super) fn parse(client: Client, text: &Secret) -> Result<Self, Malformed> {
        let file = Self { text: text.clone() };
        let is_podman = client == Client::Podman;
        if !is_podman && file.json().trim_matches(WHITE_SPACE).is_empty() {
            return Ok(Self::default());
        }
        let whole = if is_podman { json::value(file.json()) } else { json::first_value(file.json()) }?;
        if file.literal(&whole) == "null" {
            return Ok(Self::default());
        }
        FieldKind::Struct(if is_podman { PODMAN_FILE } else { FILE }).check(file.json(), whole)?;
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
        // `null` is an empty name.
        let named =
            self.value_in("credHelpers", key).map(|value| json::string(self.literal(&value)).unwrap_or_default());
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

    /// The key of an entry over which the client cannot log in. docker gives the file up at one that it cannot read: its next
    /// login drops the entries that it has not come to. podman looks at its own entry only, and refuses.
    pub(super) fn unreadable(&self, client: Client, registries: &[Registry]) -> Option<String> {
        let is_read =
            |name: &str| client != Client::Podman || registries.iter().any(|registry| registry.key(client) == name);
        let members = self.members_of("auths");
        members
            .into_iter()
            .find(|member| is_read(&member.name) && self.is_unreadable(client, member))
            .map(|member| member.name)
    }

    fn is_unreadable(&self, client: Client, member: &Member) -> bool {
        Entry::read(self.literal(&member.value)).is_some_and(|entry| match client {
            Client::Docker | Client::None => entry.is_unreadable(),
            Client::Podman => entry.is_in_podmans_way(),
        })
    }

    /// Whether the client's own logout would take logins under other keys away: docker's does under each that it has ever used.
    pub(super) fn has_others(&self, client: Client, key: &str) -> bool {
        let host = key.trim_start_matches("https://").split('/').next().unwrap_or_default();
        let is_other = |name: &str| {
            let bare = ["https://", "http://"].iter().find_map(|scheme| name.strip_prefix(scheme)).unwrap_or(name);
            name != key && bare == host
        };
        client == Client::Docker && self.members_of("auths").iter().any(|member| is_other(&member.name))
    }

    /// Whether `null` stands where the logins belong: docker 20.10 dies of it when it has to store one.
    pub(super) fn is_without_logins(&self) -> bool {
        let is_named = || self.whole().is_ok_and(|(_, members)| all(&members, "auths").next().is_some());
        self.objects("auths").is_ok_and(|objects| objects.is_empty()) && is_named()
    }

    /// Writes a login into the file.
    pub(super) fn store_login(&mut self, key: &str, username: &str, secret: &Secret) -> Result<(), Malformed> {
        self.set("auths", key, &entry::of_login(username, secret))
    }

    /// Removes the entry.
    pub(super) fn erase(&mut self, key: &str) -> Result<(), Malformed> {
        self.remove_from("auths", |member, _| member.name == key)
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
        let ours =
            |member: &Member| Registry::of_key(&member.name).is_some_and(|registry| registries.contains(&registry));
        self.remove_from("credHelpers", |member, _| ours(member))?;
        // One that docker cannot read would take others with it.
        self.remove_from("auths", |member, file| ours(member) || file.is_unreadable(client, member))?;
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
        self.remove_from("credHelpers", |member, _| member.name == key)?;
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
        let whole = json::first_value(self.json())?;
        Ok((whole.clone(), members(self.json(), whole)?))
    }

    /// The objects of this field and their members, which Go reads as one: those after the last `null`.
    fn objects(&self, name: &str) -> Result<Vec<(Span, Vec<Member>)>, Malformed> {
        let (_, members_of_all) = self.whole()?;
        let mut objects = Vec::new();
        for member in all(&members_of_all, name) {
            if self.is_null(member) {
                objects.clear();
            } else {
                objects.push((member.value.clone(), members(self.json(), member.value.clone())?));
            }
        }
        Ok(objects)
    }

    /// The members of this field, in order; of several of one name the last counts.
    fn members_of(&self, name: &str) -> Vec<Member> {
        // A file that was parsed has nothing else there.
        self.objects(name).unwrap_or_default().into_iter().flat_map(|(_, members)| members).collect()
    }

    fn value_in(&self, name: &str, key: &str) -> Option<Span> {
        self.members_of(name).into_iter().rfind(|member| member.name == key).map(|member| member.value)
    }

    fn store(&self) -> Option<String> {
        let (_, members) = self.whole().ok()?;
        let store = field(self.json(), &members, "credsStore")?;
        json::string(self.literal(&store.value)).filter(|name| !name.is_empty())
    }

    /// Writes a member of the object of this field, the last one if there are several, indented as it lies there.
    fn set(&mut self, name: &str, key: &str, value: &Secret) -> Result<(), Malformed> {
        let (whole, members) = self.whole()?;
        let (text, value) = (self.json(), value.expose());
        let alone = ["{\n\t\t\"", key, "\": ", value, "\n\t}"];
        self.text = match (self.objects(name)?.pop(), all(&members, name).next_back()) {
            (Some((object, members)), _) => match members.iter().rfind(|member| member.name == key) {
                Some(member) => edit::replaced(text, member.value.clone(), &[value]),
                None => edit::inserted(text, object, 1, key, &[value])?,
            },
            // In the place of `null`, unless that keeps what is before it from being read.
            (None, Some(null)) if all(&members, name).count() == 1 => edit::replaced(text, null.value.clone(), &alone),
            (None, _) => edit::inserted(text, whole, 0, name, &alone)?,
        };
        Ok(())
    }

    /// Removes members of the object of this field; a registry has a handful of names, so that there are few.
    fn remove_from(&mut self, name: &str, goes: impl Fn(&Member, &Self) -> bool) -> Result<(), Malformed> {
        let first = |file: &Self| -> Result<Option<Secret>, Malformed> {
            Ok(file.objects(name)?.into_iter().find_map(|(object, members)| {
                let number = members.iter().position(|member| goes(member, file))?;
                Some(edit::removed(file.json(), object, &members, number))
            }))
        };
        while let Some(text) = first(self)? {
            self.text = text;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
