//! The one decision that the journal takes: may this intent be entered? Counted from the rows, inside the transaction.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::row::{COLUMNS, LEASE_COLUMNS, code, insert, lease, seconds, time};
use super::writer::WriteContext;
use crate::journal::{EnterDenied, EnterOutcome, Lease, LeaseState, NewLease};
use crate::limits::{LEEWAY_SECONDS, MAX_LEASES, MAX_LEASES_PER_RULE, REPEAT_SECONDS};

/// See [`crate::journal::Journal::enter`].
pub(super) fn enter(context: &mut WriteContext<'_>, wanted: &NewLease, now: u64) -> rusqlite::Result<EnterOutcome> {
    let connection = context.connection;
    if is_replayed(connection, wanted)? {
        return Ok(EnterOutcome::Denied(EnterDenied::Replayed));
    }
    let first = match first_of_request(connection, wanted)? {
        Some(first) if !first.is_repeated_by(wanted, now) => return Ok(EnterOutcome::Denied(EnterDenied::Spent)),
        Some(first) if first.lease.state == LeaseState::Intent && now < first.lease.due_at => {
            return Ok(EnterOutcome::Denied(EnterDenied::InProgress));
        }
        first => first,
    };
    let first_id = first.as_ref().map_or("", |first| first.lease.id.as_str());
    if held(connection, wanted, first_id, now)? >= wanted.max_live_leases {
        return Ok(EnterOutcome::Denied(EnterDenied::LiveLeases));
    }
    if given(connection, wanted, now)? >= wanted.max_mints {
        return Ok(EnterOutcome::Denied(EnterDenied::Mints));
    }
    // Counted only when a rule can have so many.
    if *context.open >= MAX_LEASES_PER_RULE && of_rule(connection, &wanted.lease.rule)? >= MAX_LEASES_PER_RULE {
        return Ok(EnterOutcome::Denied(EnterDenied::RuleShare));
    }
    if *context.open >= MAX_LEASES {
        return Ok(EnterOutcome::Denied(EnterDenied::Journal));
    }
    insert(connection, wanted)?;
    *context.open += 1;
    let Some(first) = first else { return Ok(EnterOutcome::First) };
    first.replace(connection, wanted)?;
    Ok(EnterOutcome::Replaces(Box::new(first.lease)))
}

/// A token that counts once may come again with its own request only.
fn is_replayed(connection: &Connection, wanted: &NewLease) -> rusqlite::Result<bool> {
    let Some(id) = &wanted.single_use_id else { return Ok(false) };
    let used: Option<(String, Option<String>)> = connection
        .prepare_cached("SELECT job, request_id FROM lease WHERE single_use_id = ? ORDER BY number DESC LIMIT 1")?
        .query_row([id], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    Ok(used.is_some_and(|(job, request_id)| {
        let same = wanted.request.as_ref().map(|request| &request.id);
        job != wanted.lease.holder.job || request_id.is_none() || request_id.as_ref() != same
    }))
}

/// The newest lease of a request, with what a repetition of it must be like.
struct FirstLease {
    lease: Lease,
    /// Of a journal of an older program it is not known.
    wish_sha256: Option<String>,
    challenge: Option<String>,
    /// When the first lease of the request was announced.
    begun_at: u64,
    /// Whether somebody has ended it, whatever its state was.
    is_ended: bool,
    /// Whether a later try has taken its place.
    is_replaced: bool,
}

impl FirstLease {
    /// Whether this is the same client that asks again, in time, for the same: because an answer was lost, not to be given more.
    fn is_repeated_by(&self, wanted: &NewLease, now: u64) -> bool {
        let Some(request) = &wanted.request else { return false };
        let is_same_wish = self.wish_sha256.as_ref().is_none_or(|wish| *wish == request.wish_sha256);
        let is_proved = self.challenge.is_none() || self.challenge == request.shown;
        // What nobody has heard of the first try may have been made or not, and is looked for; what was heard of and given back is
        // over.
        let was_heard = self.lease.hub_id.is_some() && !self.is_replaced;
        let is_open = match self.lease.state {
            LeaseState::Intent | LeaseState::Live => true,
            LeaseState::Revoking | LeaseState::Revoked => !was_heard,
        };
        is_same_wish && is_proved && is_open && !self.is_ended && now < self.begun_at.saturating_add(REPEAT_SECONDS)
    }

    /// Writes down that another has its place, which is one more try of the same login.
    fn replace(&self, connection: &Connection, by: &NewLease) -> rusqlite::Result<()> {
        connection.prepare_cached("UPDATE lease SET is_replaced = 1 WHERE id = ?")?.execute([&self.lease.id])?;
        connection
            .prepare_cached("UPDATE lease SET begun_at = ?2, challenge = coalesce(?3, challenge) WHERE id = ?1")?
            .execute(params![by.lease.id, time(self.begun_at), self.challenge])
            .map(drop)
    }
}

fn first_of_request(connection: &Connection, wanted: &NewLease) -> rusqlite::Result<Option<FirstLease>> {
    let Some(request) = &wanted.request else { return Ok(None) };
    let sql = format!(
        "SELECT {COLUMNS}, wish_sha256, challenge, coalesce(begun_at, created_at), is_ended, is_replaced FROM lease
         WHERE job = ? AND request_id = ? ORDER BY number DESC LIMIT 1"
    );
    let read = |row: &Row<'_>| {
        Ok(FirstLease {
            lease: lease(row)?,
            wish_sha256: row.get(LEASE_COLUMNS)?,
            challenge: row.get(LEASE_COLUMNS + 1)?,
            begun_at: seconds(row.get(LEASE_COLUMNS + 2)?),
            is_ended: row.get(LEASE_COLUMNS + 3)?,
            is_replaced: row.get(LEASE_COLUMNS + 4)?,
        })
    };
    connection.prepare_cached(&sql)?.query_row([&wanted.lease.holder.job, &request.id], read).optional()
}

/// How many leases of a rule are not over.
fn of_rule(connection: &Connection, rule: &str) -> rusqlite::Result<usize> {
    connection
        .prepare_cached("SELECT count(*) FROM lease WHERE state < 3 AND rule || '' = ?")?
        .query_row([rule], |row| row.get(0))
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
