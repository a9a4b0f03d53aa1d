//! The journal in one SQLite file, written ahead (WAL) and synchronized at every commit.
//!
//! A crash of the broker or of its machine loses nothing that a method has written. The file belongs on a local disk, because
//! SQLite's locks are not kept on network file systems. One broker serves with a file at one time (a lock beside it says so);
//! the operator's commands may read and write it meanwhile. It holds no secret, and tells who was given what: mode 0600.

mod enter;
mod error;
mod file;
mod row;
mod schema;
mod writer;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, OptionalExtension as _, params, params_from_iter};

use self::enter::enter;
use self::file::{create, lock};
use self::row::{COLUMNS, condition, insert, lease, marks, seconds, state, time, trust, trust_code};
use self::writer::{WriteContext, Writer};
use super::{EnterOutcome, Journal, JournalError, Lease, LeaseState, NewLease, OpenError, Selection, Trust};
use crate::limits::{JOURNAL_CACHE_KIB, JOURNAL_WAIT, UNCLEAR_SECONDS};

/// See the module.
pub struct Sqlite {
    writer: Writer,
    reader: Mutex<Connection>,
    /// Held for as long as a broker serves.
    _lock: Option<File>,
}

impl Sqlite {
    /// Opens the journal for a broker that serves, and makes it if there is none. What an earlier broker had announced and not
    /// finished is looked for at Docker Hub when that has certainly finished with it.
    ///
    /// # Errors
    /// When the file is not ours, is in use, or cannot be opened.
    pub fn serve(path: &Path, now: u64) -> Result<Self, OpenError> {
        create(path)?;
        // By its one name, so that a link to it is no second journal.
        let path = fs::canonicalize(path)?;
        let lock = lock(&path)?;
        let journal = Self::connect(&path, Some(lock))?;
        let after = time(now.saturating_add(UNCLEAR_SECONDS));
        let recover = move |context: &mut WriteContext<'_>| {
            context.connection.execute("UPDATE lease SET state = 2, due_at = ? WHERE state = 0", [after])
        };
        journal.writer.write(recover).map_err(|error| OpenError::Unusable(error.0.to_owned()))?;
        Ok(journal)
    }

    /// Opens a journal that exists, beside the broker that may serve with it: for the operator's commands.
    ///
    /// # Errors
    /// When there is no such file, it is not ours, or it cannot be opened.
    pub fn beside(path: &Path) -> Result<Self, OpenError> {
        drop(File::open(path)?);
        file::check(path)?;
        Self::connect(path, None)
    }

    fn connect(path: &Path, lock: Option<File>) -> Result<Self, OpenError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut connection = Connection::open_with_flags(path, flags)?;
        connection.busy_timeout(JOURNAL_WAIT)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "cache_size", -JOURNAL_CACHE_KIB)?;
        // Its other place for what does not fit is a folder that may be read-only.
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        // Only who serves may change it: a broker of an older program may be serving now.
        match lock {
            Some(_) => schema::migrate(&mut connection)?,
            None => schema::check(&connection)?,
        }
        let reader =
            Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
        reader.busy_timeout(JOURNAL_WAIT)?;
        reader.pragma_update(None, "cache_size", -JOURNAL_CACHE_KIB)?;
        reader.pragma_update(None, "temp_store", "MEMORY")?;
        Ok(Self { writer: Writer::start(connection)?, reader: Mutex::new(reader), _lock: lock })
    }

    fn read<T>(&self, read: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, JournalError> {
        let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(read(&reader)?)
    }

    /// One change of one lease; true when it was in a state that allows it.
    fn change(&self, sql: &'static str, lease: &str, value: i64) -> Result<bool, JournalError> {
        let lease = lease.to_owned();
        self.writer.write(move |context| {
            context.connection.prepare_cached(sql)?.execute(params![lease, value]).map(|changed| changed == 1)
        })
    }
}

/// More than the writer has different statements.
const STATEMENTS: usize = 32;

impl Journal for Sqlite {
    fn enter(&self, wanted: NewLease, now: u64) -> Result<EnterOutcome, JournalError> {
        self.writer.write(move |context| enter(context, &wanted, now))
    }

    fn withdraw(&self, lease: &str) -> Result<(), JournalError> {
        let lease = lease.to_owned();
        self.writer.write(move |context| {
            let gone = context.connection.execute("DELETE FROM lease WHERE id = ? AND state = 0", [lease])?;
            *context.open = context.open.saturating_sub(gone);
            Ok(())
        })
    }

    fn unclear(&self, lease: &str, due_at: u64) -> Result<(), JournalError> {
        let sql = "UPDATE lease SET state = 2, due_at = ?2 WHERE id = ?1 AND state = 0";
        self.change(sql, lease, time(due_at)).map(drop)
    }

    fn live(&self, lease: &str, hub_id: &str, credential_sha256: &str) -> Result<bool, JournalError> {
        let values = [lease, hub_id, credential_sha256].map(str::to_owned);
        self.writer.write(move |context| {
            let sql = "UPDATE lease SET state = 1, due_at = expires_at, hub_id = ?2, credential_sha256 = ?3
                       WHERE id = ?1 AND state = 0";
            context.connection.prepare_cached(sql)?.execute(values).map(|changed| changed == 1)
        })
    }

    fn claim(&self, lease_id: &str, now: u64, until: u64) -> Result<Option<Lease>, JournalError> {
        let id = lease_id.to_owned();
        self.writer.write(move |context| {
            let sql = format!(
                "UPDATE lease SET state = 2, due_at = ?3 WHERE id = ?1 AND (state = 1 OR (state IN (0, 2) AND due_at <= ?2))
                 RETURNING {COLUMNS}"
            );
            let mut statement = context.connection.prepare_cached(&sql)?;
            statement.query_row(params![id, time(now), time(until)], lease).optional()
        })
    }

    fn revoked(&self, lease: &str, now: u64) -> Result<(), JournalError> {
        let lease = lease.to_owned();
        self.writer.write(move |context| {
            let sql = "UPDATE lease SET state = 3, closed_at = ?2 WHERE id = ?1 AND state = 2";
            let closed = context.connection.prepare_cached(sql)?.execute(params![lease, time(now)])?;
            *context.open = context.open.saturating_sub(closed);
            Ok(())
        })
    }

    fn failed(&self, lease: &str, due_at: u64) -> Result<(), JournalError> {
        self.change("UPDATE lease SET due_at = ?2 WHERE id = ?1 AND state = 2", lease, time(due_at)).map(drop)
    }

    fn condemn(&self, selection: &Selection, now: u64) -> Result<Vec<Lease>, JournalError> {
        let (condition, mut values) = condition(selection);
        values.insert(0, time(now).into());
        self.writer.write(move |context| {
            // An intent may be minted at this moment: it stays out of the sweeper's way until that is over.
            let sql = format!(
                "UPDATE lease SET state = 2, due_at = iif(state = 0, due_at, ?), is_ended = 1
                 WHERE state < 3 AND state IN (0, 1) AND {condition}
                 RETURNING {COLUMNS}"
            );
            context.connection.prepare(&sql)?.query_map(params_from_iter(values), lease)?.collect()
        })
    }

    fn adopt(&self, found: &Lease) -> Result<bool, JournalError> {
        let found = found.clone();
        self.writer.write(move |context| {
            let sql = "SELECT state FROM lease WHERE id = ?";
            let known: Option<i64> = context.connection.query_row(sql, [&found.id], |row| row.get(0)).optional()?;
            match known.map(state) {
                None => {
                    // No job asked for it, so it uses up nothing.
                    let (request, single_use_id, limits) = (None, None, 0);
                    let (max_live_leases, max_mints, identity_expires_at) = (limits, limits, 0);
                    let lease = found;
                    insert(
                        context.connection,
                        &NewLease { lease, request, single_use_id, identity_expires_at, max_live_leases, max_mints },
                    )?;
                }
                Some(LeaseState::Revoked) => {
                    let sql = "UPDATE lease SET state = 2, closed_at = NULL, hub_id = ?2, due_at = ?3, account = ?4
                               WHERE id = ?1";
                    context
                        .connection
                        .execute(sql, params![found.id, found.hub_id, time(found.due_at), found.account])?;
                }
                Some(_) => return Ok(false),
            }
            *context.open += 1;
            Ok(true)
        })
    }

    fn by_handle(&self, handle_sha256: &str) -> Result<Option<Lease>, JournalError> {
        self.read(|reader| {
            let sql = format!("SELECT {COLUMNS} FROM lease WHERE handle_sha256 = ?");
            reader.prepare_cached(&sql)?.query_row([handle_sha256], lease).optional()
        })
    }

    fn select(&self, selection: &Selection) -> Result<Vec<Lease>, JournalError> {
        let (condition, mut values) = condition(selection);
        // SQLite reads a negative limit as none.
        let limit = selection.limit.and_then(|limit| i64::try_from(limit).ok()).unwrap_or(-1);
        values.push(limit.into());
        self.read(|reader| {
            let sql = format!("SELECT {COLUMNS} FROM lease WHERE {condition} ORDER BY number DESC LIMIT ?");
            reader.prepare(&sql)?.query_map(params_from_iter(values), lease)?.collect()
        })
    }

    fn due(&self, now: u64, except: &BTreeSet<String>, limit: usize) -> Result<Vec<Lease>, JournalError> {
        let mut values = vec![Value::from(time(now))];
        values.extend(except.iter().cloned().map(Value::from));
        values.push(Value::from(i64::try_from(limit).unwrap_or(i64::MAX)));
        self.read(|reader| {
            let sql = format!(
                "SELECT {COLUMNS} FROM lease WHERE state < 3 AND due_at <= ? AND account NOT IN ({})
                 ORDER BY due_at LIMIT ?",
                marks(except.len())
            );
            reader.prepare_cached(&sql)?.query_map(params_from_iter(values), lease)?.collect()
        })
    }

    fn prune(&self, closed_before: u64, limit: usize) -> Result<usize, JournalError> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.writer.write(move |context| {
            let sql = "DELETE FROM lease WHERE number IN
                       (SELECT number FROM lease WHERE state = 3 AND closed_at < ? LIMIT ?)";
            context.connection.execute(sql, [time(closed_before), limit])
        })
    }

    fn trust(&self, account: &str) -> Result<Trust, JournalError> {
        let sql = "SELECT trust FROM account WHERE name = ?";
        let stored: Option<i64> = self.read(|reader| reader.query_row(sql, [account], |row| row.get(0)).optional())?;
        Ok(stored.map_or(Trust::New, trust))
    }

    fn learn(&self, account: &str, trust: Trust) -> Result<Trust, JournalError> {
        let account = account.to_owned();
        self.writer.write(move |context| {
            let sql = "INSERT INTO account (name, trust) VALUES (?1, ?2)
                       ON CONFLICT (name) DO UPDATE SET trust = iif(trust = 0, ?2, trust) RETURNING trust";
            let held = context.connection.query_row(sql, params![account, trust_code(trust)], |row| row.get(0))?;
            Ok(row::trust(held))
        })
    }

    fn set_trust(&self, account: &str, trust: Trust) -> Result<(), JournalError> {
        let account = account.to_owned();
        self.writer.write(move |context| {
            let sql = "INSERT INTO account (name, trust) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET trust = ?2";
            context.connection.execute(sql, params![account, trust_code(trust)]).map(drop)
        })
    }

    fn probe(&self) -> Result<(), JournalError> {
        // SQLite writes the number anew although it is the same; whose it is, a newer program's perhaps, is not asked.
        self.writer.write(|context| {
            let version: i64 = context.connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
            context.connection.pragma_update(None, "user_version", version)
        })
    }

    fn open(&self) -> Result<Vec<(String, LeaseState, u64)>, JournalError> {
        self.read(|reader| {
            let sql = "SELECT account, state, count(*) FROM lease WHERE state < 3 GROUP BY account, state";
            let read = |row: &rusqlite::Row<'_>| Ok((row.get(0)?, state(row.get(1)?), seconds(row.get(2)?)));
            reader.prepare_cached(sql)?.query_map([], read)?.collect()
        })
    }
}

#[cfg(test)]
pub(super) mod tests;
