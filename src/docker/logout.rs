//! The way back: docker is logged out, what was there before is put back, and the store is read again to make sure.
//!
//! Nothing here ends the story: what cannot be undone is said, and the leases are revoked all the same.

use std::collections::BTreeSet;

use crate::docker::change::{Change, change};
use crate::docker::config_file::Entry;
use crate::docker::look::{RegistryLook, look};
use crate::docker::{marks, private};
use crate::effect::Effects;
use crate::effect::docker::{Client, Directory, Ended, Registry, Run, Verb};
use crate::error::{Error, Stage};
use crate::record::{Earlier, Record, RecordStore};

/// What came of undoing the docker side.
#[derive(Clone, Copy, Debug)]
pub struct LoggedOut {
    /// Whether the machine is as it was.
    pub clean: bool,
    /// Whether other logins of the job are still in the private directory, so that later steps need it.
    pub held: bool,
}

/// Undoes the docker side of a record.
///
/// # Errors
/// Only what ends the whole story.
pub async fn log_out(effects: &Effects, record: &Record) -> Result<LoggedOut, Error> {
    let Some(client) = Client::parse(&record.client) else {
        return Err(Error::bug("a record with an unknown client"));
    };
    let (mut clean, mut held) = (true, BTreeSet::new());
    for hold in &record.private {
        let given_up = private::give_up(effects, client, hold, record).await?;
        clean &= given_up.clean;
        // A repeated login holds the same directory twice.
        if given_up.held {
            held.insert(&hold.directory)
        } else {
            held.remove(&hold.directory)
        };
    }
    let held = !held.is_empty();
    let files: BTreeSet<_> = record.shared.iter().map(|login| &login.file).collect();
    for file in files {
        let directory = Directory::Recorded(file.clone());
        for registry in record.owner.registries.iter().filter_map(|name| Registry::parse(name)) {
            clean &= Undoing { effects, record, client, directory: &directory, registry }.one().await?;
        }
    }
    if clean {
        marks::remove(effects, client, record).await?;
    }
    Ok(LoggedOut { clean, held })
}

/// One login to be undone.
struct Undoing<'a> {
    effects: &'a Effects,
    record: &'a Record,
    client: Client,
    directory: &'a Directory,
    registry: Registry,
}
impl Undoing<'_> {
    /// Takes our login away, and puts back what was there before. Says whether the file is as it was.
    async fn one(&self) -> Result<bool, Error> {
        let Self { effects, record, registry, .. } = self;
        let found = match self.entry().await? {
            Ok(found) => found,
            Err(why) => {
                effects.warn(format!("{registry}: docker is not logged out, because {why}")).await?;
                return Ok(false);
            }
        };
        let takes_others = found.as_ref().is_some_and(|found| found.takes_others);
        match found.and_then(|found| found.entry) {
            None => effects.detail(format!("{registry}: docker was logged out already")).await?,
            Some(entry) if is_earlier(&entry, record, *registry) => {
                effects.detail(format!("{registry}: the earlier login is still there")).await?;
                return Ok(true);
            }
            Some(entry) if !is_ours(&entry, record) => {
                effects.note(format!("{registry}: another login is there now, and is left alone")).await?;
                return Ok(true);
            }
            Some(_) => {
                if let Err(why) = self.remove_entry(takes_others).await? {
                    effects
                        .warn(format!("{registry}: the credential is still in docker's store, because {why}"))
                        .await?;
                    return Ok(false);
                }
            }
        }
        self.restore().await
    }

    /// The entry as it is now, or why it must not be touched.
    async fn entry(&self) -> Result<Result<Option<RegistryLook>, String>, Error> {
        match look(self.effects, self.client, self.directory.clone(), vec![self.registry]).await {
            Ok(look) => Ok(Ok(look.registries.into_iter().next())),
            Err(error) if error.problem().stage() == Stage::Docker => Ok(Err(error.in_a_line())),
            Err(error) => Err(error),
        }
    }

    /// By the client first, unless it takes other logins away with it; what it leaves behind is removed from the file by ourselves.
    async fn remove_entry(&self, takes_others: bool) -> Result<Result<(), String>, Error> {
        let Self { effects, client, registry, .. } = *self;
        if client != Client::None && !takes_others {
            let run = Run { client, verb: Verb::Logout { registry }, directory: self.directory.clone() };
            match effects.docker(run).await? {
                // The exit code says nothing (it is 0 even when the helper fails), so the store is read again.
                Ended::Exit { .. } | Ended::Slow | Ended::NotFound | Ended::Skipped(_) => {}
            }
            if self.entry().await?.is_ok_and(|found| found.is_none_or(|found| found.entry.is_none())) {
                return Ok(Ok(()));
            }
        }
        if let Err(trouble) = change(effects, client, self.directory, Change::Erase(registry)).await? {
            return Ok(Err(crate::docker::refused(&trouble).in_a_line()));
        }
        Ok(match self.entry().await?.map(|found| found.and_then(|found| found.entry)) {
            Ok(None) => Ok(()),
            Ok(Some(_)) => Err("the credential helper keeps it".to_owned()),
            Err(why) => Err(why),
        })
    }

    async fn restore(&self) -> Result<bool, Error> {
        let Self { effects, registry, .. } = *self;
        let Some(earlier) = earlier(effects, self.record, registry).await? else {
            return Ok(true);
        };
        let restore = Change::Restore { registry, entry: &earlier.entry };
        match change(effects, self.client, self.directory, restore).await? {
            Ok(()) => {
                effects.note(format!("{registry}: the earlier login is back")).await?;
                Ok(true)
            }
            Err(trouble) => {
                let why = crate::docker::refused(&trouble).in_a_line();
                effects.warn(format!("{registry}: the earlier login could not be put back: {why}")).await?;
                Ok(false)
            }
        }
    }
}

/// What was there before, without the logins of jobs that have logged out since.
async fn earlier<'r>(effects: &Effects, record: &'r Record, registry: Registry) -> Result<Option<&'r Earlier>, Error> {
    let mut known = record.earlier.iter().filter(|earlier| earlier.registry == registry.name()).peekable();
    if known.peek().is_none_or(|first| first.lease.is_none()) {
        return Ok(known.next());
    }
    let shelf = RecordStore::read(effects, None).await?.records;
    let is_held = |mark: &String| shelf.iter().any(|other| other.name() != record.name() && other.made(mark));
    Ok(known.find(|earlier| earlier.lease.as_ref().is_none_or(is_held)))
}

/// Whether it is what was there before, because docker never stored the new login.
fn is_earlier(entry: &Entry, record: &Record, registry: Registry) -> bool {
    let of_here = record.earlier.iter().find(|earlier| earlier.registry == registry.name());
    of_here.is_some_and(|earlier| earlier.lease.is_none() && Some(&earlier.entry) == entry.raw.as_ref())
}

/// An entry with a mark is known exactly. Without one, an entry without a readable username may be ours; one with
/// another name is not.
pub(super) fn is_ours(entry: &Entry, record: &Record) -> bool {
    if let Some(mark) = entry.mark() {
        return record.made(&mark);
    }
    entry.username.as_ref().is_none_or(|username| {
        record.leases.iter().any(|lease| lease.username == *username || lease.username.is_empty())
    })
}
