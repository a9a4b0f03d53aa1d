//! A journal as a broker leaves it after weeks: written straight into its table, because its door is not for a hundred
//! thousand at once.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use hublease_broker::journal::sqlite::Sqlite;
use rusqlite::{Connection, params};

use super::{ACCOUNTS, Fallible};

/// What it holds.
pub(super) struct Filling {
    pub(super) live: usize,
    pub(super) closed: usize,
    /// Whether the live ones have ended.
    pub(super) expired: bool,
}

/// Makes the journal.
pub(super) fn fill(path: &Path, filling: &Filling) -> Fallible<()> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    drop(Sqlite::serve(path, now)?);
    let mut connection = Connection::open(path)?;
    let transaction = connection.transaction()?;
    {
        let mut insert = transaction.prepare(
            "INSERT INTO lease (id, handle_sha256, state, issuer, project, workflow, job, subject, token_sha256, rule, account,
             scope, label, hub_id, created_at, expires_at, due_at, closed_at, identity_expires_at)
             VALUES (?1, ?2, ?3, 'ci', ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?15, ?16, ?15)",
        )?;
        for number in 0..filling.live + filling.closed {
            let is_live = number < filling.live;
            let id = format!("{number:032x}");
            let age = if is_live { 60 } else { 3600 + number as u64 };
            let end = if is_live && !filling.expired { now + 3600 } else { now - 30 };
            let account = format!("a{}", number % ACCOUNTS);
            let job = format!("[\"https://oidc.example.com/org/o\",\"p{}\",\"old-{number}\"]", number % ACCOUNTS);
            insert.execute(params![
                id,
                format!("{number:064x}"),
                if is_live { 1 } else { 3 },
                format!("p{}", number % ACCOUNTS),
                job,
                job,
                format!("org/o/project/p/user/{number}"),
                format!("{number:064x}"),
                format!("r{}", number % ACCOUNTS),
                account,
                "repository:org/app:pull,push",
                format!("hublease/load/{id}"),
                format!("old-{number}"),
                now - age,
                end,
                (!is_live).then_some(now - age + 30),
            ])?;
        }
    }
    transaction.commit()?;
    Ok(())
}
