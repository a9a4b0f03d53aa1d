//! The one decision that the journal takes: may this intent be entered? Counted from the rows, inside the transaction.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::row::{COLUMNS, code, insert, lease, time};
use super::writer::WriteContext;
use crate::journal::{EnterDenied, EnterOutcome, Lease, LeaseState, NewLease};
use crate::limits::{LEEWAY_SECONDS, MAX_LEASES};

/// See [`crate::journal::Journal::enter`].
pub(super) fn enter(context: &mut WriteContext<'_>, wanted: &NewLease, now: u64) -> rusqlite::Result<EnterOutcome> {
    let connection = context.connection;
    if is_replayed(connection, wanted)? {
        return Ok(EnterOutcome::Denied(EnterDenied::Replayed));
    }
    let first = first_of_request(connection, wanted)?;
    if first.as_ref().is_some_and(|first| first.state == LeaseState::Intent && now < first.due_at) {
        return Ok(EnterOutcome::Denied(EnterDenied::InProgress));
    }
    let first_id = first.as_ref().map_or("", |first| first.id.as_str());
    if held(connection, wanted, first_id, now)? >= wanted.max_live_leases {
        return Ok(EnterOutcome::Denied(EnterDenied::LiveLeases));
    }
    if given(connection, wanted, now)? >= wanted.max_mints {
        return Ok(EnterOutcome::Denied(EnterDenied::Mints));
    }
    if *context.open >= MAX_LEASES {
        return Ok(EnterOutcome::Denied(EnterDenied::Journal));
    }
    insert(connection, wanted)?;
    *context.open += 1;
    Ok(first.map_or(EnterOutcome::First, |first| EnterOutcome::Replaces(Box::new(first))))
}

/// A token that counts once may come again with its own request only.
fn is_replayed(connection: &Connection, wanted: &NewLease) -> rusqlite::Result<bool> {
    let Some(id) = &wanted.single_use_id else { return Ok(false) };
    let used: Option<(String, Option<String>)> = connection
        .prepare_cached("SELECT job, request_id FROM lease WHERE single_use_id = ? ORDER BY number DESC LIMIT 1")?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(used.is_some_and(|(job, request_id)| {
        job != wanted.lease.holder.job || request_id.is_none() || request_id != wanted.request_id
    }))
}

/// The lease that a repeated request takes the place of.
fn first_of_request(connection: &Connection, wanted: &NewLease) -> rusqlite::Result<Option<Lease>> {
    let Some(request_id) = &wanted.request_id else { return Ok(None) };
    let sql = format!(
        "SELECT {COLUMNS} FROM lease WHERE job = ? AND request_id = ? AND state <> 3 ORDER BY number DESC LIMIT 1"
    );
    connection.prepare_cached(&sql)?.query_row([&wanted.lease.holder.job, request_id], lease).optional()
}

/// How many leases the job holds, besides the one that is replaced.
fn held(connection: &Connection, wanted: &NewLease, first: &str, now: u64) -> rusqlite::Result<usize> {
    connection
        .prepare_cached("SELECT count(*) FROM lease WHERE job = ? AND state <> ? AND expires_at > ? AND id <> ?")?
        .query_row(params![wanted.lease.holder.job, code(LeaseState::Revoked), time(now), first], |row| row.get(0))
}

/// How many leases the job was given. Its count lives until its last lease and its last token have ended, so that a job
/// that goes on with fresh tokens is still one job.
fn given(connection: &Connection, wanted: &NewLease, now: u64) -> rusqlite::Result<usize> {
    let (count, ends): (usize, Option<i64>) = connection
        .prepare_cached("SELECT count(*), max(max(expires_at, identity_expires_at + ?)) FROM lease WHERE job = ?")?
        .query_row(params![time(LEEWAY_SECONDS), wanted.lease.holder.job], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(if ends.is_some_and(|ends| time(now) < ends) { count } else { 0 })
}
