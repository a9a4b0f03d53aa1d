//! The one decision that the journal takes: may this intent be entered? Counted from the rows, inside the transaction.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::row::{COLUMNS, code, insert, lease, time};
use super::writer::WriteContext;
use crate::journal::{EnterDenied, Entry, Lease, State};
use crate::limits::{LEEWAY_SECONDS, MAX_LEASES};

/// See [`crate::journal::Journal::enter`].
pub(super) fn enter(
    books: &mut WriteContext<'_>,
    entry: &Entry,
    now: u64,
) -> rusqlite::Result<Result<Option<Lease>, EnterDenied>> {
    let connection = books.connection;
    if is_replayed(connection, entry)? {
        return Ok(Err(EnterDenied::Replayed));
    }
    let first = first_of_request(connection, entry)?;
    if first.as_ref().is_some_and(|first| first.state == State::Intent && now < first.due_at) {
        return Ok(Err(EnterDenied::InProgress));
    }
    let first_id = first.as_ref().map_or("", |first| first.id.as_str());
    if held(connection, entry, first_id, now)? >= entry.max_live_leases {
        return Ok(Err(EnterDenied::LiveLeases));
    }
    if given(connection, entry, now)? >= entry.max_mints {
        return Ok(Err(EnterDenied::Mints));
    }
    if *books.open >= MAX_LEASES {
        return Ok(Err(EnterDenied::Journal));
    }
    insert(connection, entry)?;
    *books.open += 1;
    Ok(Ok(first))
}

/// A token that counts once may come again with its own request only.
fn is_replayed(connection: &Connection, entry: &Entry) -> rusqlite::Result<bool> {
    let Some(id) = &entry.single_use_id else { return Ok(false) };
    let used: Option<(String, Option<String>)> = connection
        .prepare_cached("SELECT job, request_id FROM lease WHERE single_use_id = ? ORDER BY number DESC LIMIT 1")?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(used.is_some_and(|(job, request_id)| {
        job != entry.lease.holder.job || request_id.is_none() || request_id != entry.request_id
    }))
}

/// The lease that a repeated request takes the place of.
fn first_of_request(connection: &Connection, entry: &Entry) -> rusqlite::Result<Option<Lease>> {
    let Some(request_id) = &entry.request_id else { return Ok(None) };
    let sql = format!(
        "SELECT {COLUMNS} FROM lease WHERE job = ? AND request_id = ? AND state <> 3 ORDER BY number DESC LIMIT 1"
    );
    connection.prepare_cached(&sql)?.query_row([&entry.lease.holder.job, request_id], lease).optional()
}

/// How many leases the job holds, besides the one that is replaced.
fn held(connection: &Connection, entry: &Entry, first: &str, now: u64) -> rusqlite::Result<usize> {
    connection
        .prepare_cached("SELECT count(*) FROM lease WHERE job = ? AND state <> ? AND expires_at > ? AND id <> ?")?
        .query_row(params![entry.lease.holder.job, code(State::Revoked), time(now), first], |row| row.get(0))
}

/// How many leases the job was given. Its count lives until its last lease and its last token have ended, so that a job
/// that goes on with fresh tokens is still one job.
fn given(connection: &Connection, entry: &Entry, now: u64) -> rusqlite::Result<usize> {
    let (count, ends): (usize, Option<i64>) = connection
        .prepare_cached("SELECT count(*), max(max(expires_at, identity_expires_at + ?)) FROM lease WHERE job = ?")?
        .query_row(params![time(LEEWAY_SECONDS), entry.lease.holder.job], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(if ends.is_some_and(|ends| time(now) < ends) { count } else { 0 })
}
