//! Who keeps the record during a story: every change is on disk before the story goes on.

use hublease_protocol::secret::Secret;

use super::{Kind, Owner, Record, RecordStore, unusable};
use crate::effect::Effects;
use crate::effect::record::{Access, MAXIMUM_RECORD, Over, Trouble};
use crate::error::{Error, Problem};
use crate::lease::LeaseRecord;

/// How often a write is tried anew when others write too; each try takes along what they wrote.
const MOST_ROUNDS: usize = 16;

/// What one more lease may take of a record, in bytes: a batch token of Vault's has several KiB, everything else under one.
const ROOM: usize = 12 * 1024;

/// The record of the running story.
#[derive(Debug)]
pub struct RecordWriter {
    /// What is on disk, or about to be.
    pub record: Record,
    /// The older login of the same job that this one replaces.
    pub older: Option<Record>,
    /// The other records: jobs that share the directory may have made the login that is there.
    pub others: Vec<Record>,
    /// How many leases of `record` came before the one in the making.
    settled: usize,
    /// Leases that another login of this job wrote under the same name meanwhile. They are kept, not revoked.
    meanwhile: Vec<LeaseRecord>,
    /// What lies on disk, as far as this login knows.
    known: Option<Secret>,
}

impl RecordWriter {
    /// Makes sure that a record can be kept, and finds the older one of the same job.
    ///
    /// # Errors
    /// The directory cannot be used, or a file that is not ours lies where the record belongs.
    pub async fn open(effects: &Effects, owner: Owner, client: &str) -> Result<Self, Error> {
        effects.record(Access::Prepare).await?.map_err(|trouble| unusable(&trouble))?;
        let record = Record::new(effects.random(16).await?, owner, client);
        if record.owner.kind != Kind::Login {
            return Ok(Self {
                record,
                older: None,
                others: Vec::new(),
                settled: 0,
                meanwhile: Vec::new(),
                known: None,
            });
        }
        let name = record.name();
        let shelf = RecordStore::read(effects, Some(name.clone())).await?;
        if let Some((file, why)) = shelf.foreign.iter().find(|(file, _)| *file == name) {
            return Err(Error::new(Problem::RecordForeign, "").because(&format!("{file}: {why}")));
        }
        let (mut same, others): (Vec<_>, Vec<_>) = shelf.records.into_iter().partition(|older| older.name() == name);
        let mut writer = Self { record, older: same.pop(), others, settled: 0, meanwhile: Vec::new(), known: None };
        if let Some(older) = &writer.older {
            // The new record replaces the file, so it carries everything that still has to be undone.
            writer.record.leases.clone_from(&older.leases);
            writer.record.earlier.clone_from(&older.earlier);
            writer.record.private.clone_from(&older.private);
            writer.record.shared.clone_from(&older.shared);
            writer.settled = older.leases.len();
            writer.known = Some(older.body());
        }
        Ok(writer)
    }

    /// Writes down the lease in the making: again and again as more of it is known.
    pub async fn hold(&mut self, effects: &Effects, note: &LeaseRecord) -> Result<(), Error> {
        self.record.leases.truncate(self.settled);
        self.record.leases.push(note.clone());
        self.save(effects).await
    }

    /// Writes the record over what is known to lie there. Two logins of one job at once write the same file, and the
    /// last would hide the other's lease: what lies there and is not known is taken along.
    async fn save(&mut self, effects: &Effects) -> Result<(), Error> {
        for _ in 0..MOST_ROUNDS {
            let body = self.body()?;
            let over =
                if self.record.owner.kind == Kind::Login { Over::Known(self.known.clone()) } else { Over::Anything };
            let access = Access::Write { name: self.record.name(), body: body.clone(), over };
            let there = effects.record(access).await?.map_err(|trouble| unusable(&trouble))?.pop();
            let Some(stored) = there else {
                self.known = Some(body);
                return Ok(());
            };
            let raw = stored.body.map_err(|why| unusable(&Trouble(why)))?;
            let other = Record::read(&stored.name, &raw).map_err(|why| unusable(&Trouble(why)))?;
            self.take_along(other);
            self.known = Some(raw);
        }
        self.write(effects).await
    }

    fn take_along(&mut self, other: Record) {
        for lease in other.leases {
            let known =
                self.record.leases.iter_mut().enumerate().find(|(_, known)| known.handle.is_same(&lease.handle));
            match known {
                // Whoever made it knows more of it with each write.
                Some((at, known)) if at < self.settled && known.mark.is_none() => *known = lease.clone(),
                Some(_) => continue,
                None => {
                    self.record.leases.insert(self.settled, lease.clone());
                    self.settled += 1;
                }
            }
            self.meanwhile.retain(|known| !known.handle.is_same(&lease.handle));
            self.meanwhile.push(lease);
        }
        let unknown: Vec<_> = other.private.into_iter().filter(|hold| !self.record.private.contains(hold)).collect();
        self.record.private.extend(unknown);
        let unknown: Vec<_> = other.shared.into_iter().filter(|login| !self.record.shared.contains(login)).collect();
        self.record.shared.extend(unknown);
    }

    /// The next [`RecordWriter::hold`] is about another lease (`exec --renew`).
    pub fn settle(&mut self) {
        self.settled = self.record.leases.len();
    }

    /// Drops the lease in the making, which nobody can use any more.
    ///
    /// # Errors
    /// The record cannot be written.
    pub async fn forget_unsettled(&mut self, effects: &Effects) -> Result<(), Error> {
        self.record.leases.truncate(self.settled);
        self.save(effects).await
    }

    /// Takes out the leases of this story that came before the last one, for revocation.
    pub fn superseded(&self) -> Vec<LeaseRecord> {
        let before = self.record.leases.split_last().map(|(_, before)| before).unwrap_or_default();
        before.iter().filter(|lease| !self.meanwhile.contains(lease)).cloned().collect()
    }

    /// Keeps the last lease and those of `before` that still live.
    pub async fn retain(&mut self, effects: &Effects, before: Vec<LeaseRecord>) -> Result<(), Error> {
        if let Some(last) = self.record.leases.pop() {
            self.record.leases = before;
            self.record.leases.extend(self.meanwhile.iter().cloned());
            self.record.leases.push(last);
            self.settled = self.record.leases.len();
        }
        self.save(effects).await
    }

    /// Notes the mark of the login as it is kept, if it is another than was foreseen.
    ///
    /// # Errors
    /// The record cannot be written.
    pub async fn mark(&mut self, effects: &Effects, mark: Option<String>) -> Result<(), Error> {
        match self.record.leases.get_mut(self.settled) {
            Some(lease) if lease.mark != mark => lease.mark = mark,
            _ => return Ok(()),
        }
        self.save(effects).await
    }

    /// The lease in the making, if there is one.
    pub fn unsettled(&self) -> Option<&LeaseRecord> {
        self.record.leases.get(self.settled)
    }

    /// Whether the record takes one more lease: asked before there is one.
    pub fn has_room(&self) -> bool {
        self.record.body().len() + ROOM <= MAXIMUM_RECORD
    }

    /// Makes sure of it.
    ///
    /// # Errors
    /// What is left to be undone of earlier logins fills the record.
    pub fn check_room(&self) -> Result<(), Error> {
        if self.has_room() {
            return Ok(());
        }
        Err(Error::new(Problem::RecordFull, ""))
    }

    /// The record as it is written. Both hosts take what is not larger, so neither is asked with more.
    fn body(&self) -> Result<Secret, Error> {
        let body = self.record.body();
        if body.len() > MAXIMUM_RECORD {
            return Err(unusable(&Trouble(format!("a record has at most {MAXIMUM_RECORD} bytes"))));
        }
        Ok(body)
    }

    /// Writes the record whole.
    pub async fn write(&self, effects: &Effects) -> Result<(), Error> {
        let access = Access::Write { name: self.record.name(), body: self.body()?, over: Over::Anything };
        effects.record(access).await?.map(|_| ()).map_err(|trouble| unusable(&trouble))
    }

    /// Removes the record.
    pub async fn erase(&self, effects: &Effects) -> Result<(), Error> {
        effects
            .record(Access::Erase { name: self.record.name() })
            .await?
            .map(|_| ())
            .map_err(|trouble| unusable(&trouble))
    }
}

impl From<Record> for RecordWriter {
    /// For `logout`: nothing is in the making.
    fn from(record: Record) -> Self {
        let settled = record.leases.len();
        Self { record, older: None, others: Vec::new(), settled, meanwhile: Vec::new(), known: None }
    }
}
