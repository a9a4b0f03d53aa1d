//! The tables, and how an older journal becomes a newer one.
//!
//! One row per lease says everything: what is used up, what a job holds and what it was given are counted from the rows, so
//! no second table can disagree with them. `PRAGMA user_version` is the number of migrations that a file has seen.

use rusqlite::Connection;

use super::OpenError;

/// Marks the file as ours (`PRAGMA application_id`): the letters `hble`.
const APPLICATION_ID: i32 = 0x6862_6c65;

/// Each step is applied once, in a transaction of its own. Never change one that was released: add the next.
const MIGRATIONS: [&str; 2] = [
    "
    CREATE TABLE lease (
        number INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        handle_sha256 TEXT UNIQUE,
        state INTEGER NOT NULL CHECK (state BETWEEN 0 AND 3),
        issuer TEXT NOT NULL,
        project TEXT,
        workflow TEXT,
        job TEXT NOT NULL,
        subject TEXT,
        token_sha256 TEXT NOT NULL,
        rule TEXT NOT NULL,
        account TEXT NOT NULL,
        scope TEXT NOT NULL,
        label TEXT NOT NULL,
        hub_id TEXT,
        created_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL,
        due_at INTEGER NOT NULL,
        closed_at INTEGER,
        request_id TEXT,
        single_use_id TEXT,
        identity_expires_at INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX lease_job ON lease (job);
    CREATE INDEX lease_single_use_id ON lease (single_use_id) WHERE single_use_id IS NOT NULL;
    CREATE INDEX lease_due ON lease (due_at) WHERE state < 3;
    CREATE INDEX lease_open ON lease (account, state) WHERE state < 3;
    CREATE INDEX lease_workflow ON lease (workflow) WHERE state < 3 AND workflow IS NOT NULL;
    CREATE INDEX lease_closed ON lease (closed_at) WHERE state = 3;
    CREATE INDEX lease_created ON lease (created_at);
    CREATE TABLE account (
        name TEXT PRIMARY KEY NOT NULL,
        trust INTEGER NOT NULL CHECK (trust BETWEEN 0 AND 2)
    ) STRICT;
",
    // What a repetition must be like, the credential that a scanner finds, and the name of the journal itself. The index on an
    // expression serves the one query that counts a rule's leases, and tempts no other away from its own.
    "
    ALTER TABLE lease ADD COLUMN wish_sha256 TEXT;
    ALTER TABLE lease ADD COLUMN challenge TEXT;
    ALTER TABLE lease ADD COLUMN begun_at INTEGER;
    ALTER TABLE lease ADD COLUMN is_ended INTEGER NOT NULL DEFAULT 0 CHECK (is_ended BETWEEN 0 AND 1);
    ALTER TABLE lease ADD COLUMN is_replaced INTEGER NOT NULL DEFAULT 0 CHECK (is_replaced BETWEEN 0 AND 1);
    ALTER TABLE lease ADD COLUMN credential_sha256 TEXT;
    CREATE INDEX lease_credential ON lease (credential_sha256) WHERE credential_sha256 IS NOT NULL;
    CREATE INDEX lease_rule ON lease (rule || '') WHERE state < 3;
    CREATE TABLE journal (id TEXT NOT NULL) STRICT;
",
];

/// Brings the file to this program's version.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), OpenError> {
    for (number, step) in MIGRATIONS.iter().enumerate().skip(seen(connection)?) {
        let transaction = connection.transaction()?;
        transaction.execute_batch(step)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
        transaction.pragma_update(None, "user_version", number + 1)?;
        transaction.commit()?;
    }
    Ok(())
}

/// Whether the file is of this program's version.
pub(super) fn check(connection: &Connection) -> Result<(), OpenError> {
    if seen(connection)? == MIGRATIONS.len() { Ok(()) } else { Err(OpenError::Older) }
}

/// How many migrations the file has seen.
fn seen(connection: &Connection) -> Result<usize, OpenError> {
    let seen: usize = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let mark: i32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: usize = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match (mark, seen, tables) {
        (0, 0, 0) => Ok(0),
        (APPLICATION_ID, seen, _) if seen > MIGRATIONS.len() => Err(OpenError::Newer),
        (APPLICATION_ID, seen, _) => Ok(seen),
        _ => Err(OpenError::Foreign),
    }
}
