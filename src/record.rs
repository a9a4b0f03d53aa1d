//! The record: what `logout` needs to undo a `login`.
//!
//! It is written the moment something revocable exists, before that is used, and erased when nothing is left to
//! undo. It holds handles, and the earlier docker entry that must come back; the credential itself only where a third
//! party's endpoint has no handle. What it says about addresses is compared and never followed.

mod writer;

use hublease_protocol::hex;
use hublease_protocol::id::Id;
use hublease_protocol::secret::Secret;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

pub use self::writer::RecordWriter;
use crate::effect::docker::{Client, Registry};
use crate::effect::{Effects, record};
use crate::error::{Error, Problem};
use crate::lease::LeaseRecord;

/// The version of the format. Another version's record is refused and left alone.
const VERSION: u32 = 1;

/// Which command made a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// One for each job and directory: a repeated login finds the older lease there.
    Login,
    /// One for each run.
    Exec,
    /// One for each run; docker is not involved.
    Token,
}

/// To whom a record belongs. Its hash is the record's name, and the record repeats it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Owner {
    /// The job key; none outside CI.
    pub job: Option<String>,
    /// The registries, by their short names.
    pub registries: Vec<String>,
    /// The user's canonical docker directory, before any isolation.
    pub directory: String,
    /// Which command.
    pub kind: Kind,
}

/// An entry that was there before the login.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Earlier {
    /// The registry's short name.
    pub registry: String,
    /// The entry as JSON.
    #[serde(with = "hublease_protocol::secret::on_the_wire")]
    pub entry: Secret,
    /// The mark of the lease whose login it was: another job's, as of then. It comes back only while that job has not
    /// logged out; the entry after it is what was there before that job.
    pub lease: Option<String>,
}

/// A login's hold on a private directory, which it may have in common with others of its job.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    /// The directory's random id.
    pub directory: String,
    /// The id of the record that the login had when it was made.
    pub holder: String,
}

/// A login in a file of the user's own, where `logout` finds it whatever variables name by then.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SharedLogin {
    /// The auth file's absolute path.
    pub file: String,
    /// The id of the record that the login had when it was made.
    pub holder: String,
}

/// What `logout` needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    version: u32,
    /// Random; also the name of the private directory that this login made, if it did.
    pub id: String,
    /// To whom it belongs.
    pub owner: Owner,
    /// The container client, by its name on the command line.
    pub client: String,
    /// The holds of this login, and of those that it replaced, on private directories.
    pub private: Vec<Hold>,
    /// This login, and those that it replaced, in files of the user's own.
    pub shared: Vec<SharedLogin>,
    /// What was there before, to be put back: for each registry the first that may still be there.
    pub earlier: Vec<Earlier>,
    /// The leases, the newest last.
    pub leases: Vec<LeaseRecord>,
}

impl Record {
    /// An empty record.
    pub fn new(id: String, owner: Owner, client: &str) -> Self {
        Self {
            version: VERSION,
            id,
            owner,
            client: client.to_owned(),
            private: Vec::new(),
            shared: Vec::new(),
            earlier: Vec::new(),
            leases: Vec::new(),
        }
    }

    /// The file name: SHA-256 of the owner, and of the id where each run has its own record.
    pub fn name(&self) -> String {
        name(&self.owner, &self.id)
    }

    /// From when on nothing of it lives by any clock, in seconds since 1970; none if somebody has to say so.
    pub(crate) fn end(&self) -> Option<u64> {
        let ends = self.leases.iter().map(LeaseRecord::end);
        ends.collect::<Option<Vec<_>>>()?.into_iter().max()
    }

    /// The private directory of this login.
    pub(crate) fn own_private(&self) -> Option<&Hold> {
        self.private.iter().find(|hold| hold.holder == self.id)
    }

    /// Whether the login with this mark is one of its leases'.
    pub(crate) fn made(&self, mark: &str) -> bool {
        self.leases.iter().any(|lease| lease.mark.as_deref() == Some(mark))
    }

    /// Reads what lies under `name`, and checks that it belongs there.
    fn read(name: &str, body: &Secret) -> Result<Self, String> {
        let record: Self = serde_json::from_str(body.expose()).map_err(|error| {
            format!("it is not a record of this version of hublease (line {}, column {})", error.line(), error.column())
        })?;
        let is_id = Id::parse(&record.id).is_some();
        let is_known = Client::parse(&record.client).is_some()
            && record.owner.registries.iter().all(|registry| Registry::parse(registry).is_some());
        let holders = record.private.iter().map(|hold| &hold.holder);
        let mut holders = holders.chain(record.shared.iter().map(|login| &login.holder));
        let is_held = holders.all(|holder| Id::parse(holder).is_some());
        let is_plain = record.leases.iter().all(|note| note.handle.is_plain());
        if record.version != VERSION || !is_id || !is_known || !is_held || !is_plain || record.name() != name {
            return Err("its content does not belong to its name, or it is of another version".to_owned());
        }
        Ok(record)
    }

    fn body(&self) -> Secret {
        Secret::new(serde_json::to_string(self).unwrap_or_default())
    }
}

fn name(owner: &Owner, id: &str) -> String {
    let id = if owner.kind == Kind::Login { "" } else { id };
    let text = serde_json::to_string(&(owner, id)).unwrap_or_default();
    hex::lower(&Sha256::digest(text))
}

/// What the record directory holds: what can be read, and a sentence for each file that is left alone.
#[derive(Debug, Default)]
pub struct RecordStore {
    /// The records.
    pub records: Vec<Record>,
    /// File names with the reason why they are left alone.
    pub foreign: Vec<(String, String)>,
}

impl RecordStore {
    /// Reads the directory; one that does not exist is empty. The record called `first` is read however old it is.
    pub async fn read(effects: &Effects, first: Option<String>) -> Result<Self, Error> {
        let stored = effects.record(record::Access::Read { first }).await?.map_err(|trouble| unusable(&trouble))?;
        let mut shelf = Self::default();
        for file in stored {
            match file.body.and_then(|body| Record::read(&file.name, &body)) {
                Ok(record) => shelf.records.push(record),
                Err(why) => shelf.foreign.push((file.name, why)),
            }
        }
        Ok(shelf)
    }
}

fn unusable(trouble: &record::Trouble) -> Error {
    Error::new(Problem::RecordUnusable, "").because(&trouble.0)
}

#[cfg(test)]
mod tests {
    use hublease_protocol::secret::Secret;

    use super::{Kind, Owner, Record};

    fn record(kind: Kind) -> Record {
        let owner = Owner {
            job: Some("circleci 1".into()),
            registries: vec!["docker.io".into()],
            directory: "/home/u/.docker".into(),
            kind,
        };
        Record::new("0123456789abcdef0123456789abcdef".into(), owner, "docker")
    }

    #[test]
    fn a_record_is_read_under_its_own_name_only() {
        let record = record(Kind::Login);
        assert_eq!(Record::read(&record.name(), &record.body()), Ok(record.clone()));
        assert!(Record::read(&"0".repeat(64), &record.body()).is_err());
    }

    #[test]
    fn other_versions_and_foreign_fields_are_refused() {
        let record = record(Kind::Login);
        let body = record.body();
        for (from, to) in [
            ("\"version\":1", "\"version\":2"),
            ("\"id\"", "\"new\":1,\"id\""),
            ("0123", "../x"),
            // One spelling: the private directory of that name is another one.
            ("abcdef", "ABCDEF"),
            ("circleci 1", "circleci 2"),
            ("\"docker\"", "\"rm -rf\""),
        ] {
            let changed = Secret::new(body.expose().replacen(from, to, 1));
            assert_ne!(changed, body);
            assert!(Record::read(&record.name(), &changed).is_err(), "{from}");
        }
    }

    #[test]
    fn each_run_of_exec_has_its_own_record_and_a_repeated_login_has_the_same() {
        let (mut login, mut exec) = (record(Kind::Login), record(Kind::Exec));
        let before = (login.name(), exec.name());
        login.id = "f".repeat(32);
        exec.id = "f".repeat(32);
        assert_eq!(login.name(), before.0);
        assert_ne!(exec.name(), before.1);
    }
}
