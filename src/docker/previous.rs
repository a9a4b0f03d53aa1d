//! The login that was there before ours: kept in the record, to be put back.

use crate::docker::config_file::Entry;
use crate::docker::look::RegistryLook;
use crate::effect::Effects;
use crate::error::Error;
use crate::record::{Earlier, Record, RecordWriter};

/// Keeps an earlier entry of the auth file, unless it is the older login's of this very job, or a login of ours that has ended
/// (by the marks `ended`).
pub(super) async fn remember(
    effects: &Effects,
    registry: &RegistryLook,
    ended: &[String],
    writer: &mut RecordWriter,
) -> Result<(), Error> {
    let Some(entry) = registry.entry.as_ref().filter(|_| !is_ours(registry, writer.older.as_ref())) else {
        return Ok(());
    };
    let Some(raw) = entry.raw.clone() else {
        return Ok(());
    };
    let mark = entry.mark();
    if mark.as_ref().is_some_and(|mark| ended.contains(mark)) {
        return Ok(());
    }
    mask(effects, entry).await?;
    let name = registry.registry.name();
    let lender = mark.as_ref().and_then(|mark| writer.others.iter().find(|other| other.made(mark)));
    // Of the logins below it those of jobs that have logged out will not be needed any more.
    let is_held = |mark: &String| writer.others.iter().any(|other| other.made(mark));
    let before = lender.into_iter().flat_map(|lender| lender.earlier.iter());
    let before = before.filter(|earlier| earlier.registry == name && earlier.lease.as_ref().is_none_or(is_held));
    let mut chain = vec![Earlier { registry: name.to_owned(), entry: raw, lease: lender.and(mark) }];
    chain.extend(before.cloned());
    writer.record.earlier.retain(|earlier| earlier.registry != name);
    writer.record.earlier.extend(chain);
    Ok(())
}

/// It is about to be part of the record, which the Action keeps where a debug log shows it.
async fn mask(effects: &Effects, entry: &Entry) -> Result<(), Error> {
    for secret in entry.raw.iter().chain(&entry.secrets()) {
        effects.mask(secret).await?;
    }
    Ok(())
}

/// Whether the entry was made by the older login of this job.
pub(super) fn is_ours(registry: &RegistryLook, older: Option<&Record>) -> bool {
    let Some((entry, older)) = registry.entry.as_ref().zip(older.filter(|older| !older.shared.is_empty())) else {
        return false;
    };
    match entry.mark() {
        Some(mark) => older.made(&mark),
        None => older.leases.iter().any(|lease| Some(&lease.username) == entry.username.as_ref()),
    }
}
