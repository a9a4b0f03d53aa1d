//! A lease as a row, and a selection as a condition.

use rusqlite::types::Value;
use rusqlite::{Connection, Row, named_params};

use crate::journal::{Holder, Lease, LeaseState, NewLease, Selection, Trust};

/// The columns of a lease, in the order that [`lease`] reads them.
pub(super) const COLUMNS: &str = "id, handle_sha256, state, issuer, project, workflow, job, subject, token_sha256, rule, \
     account, scope, label, hub_id, created_at, expires_at, due_at, closed_at, credential_sha256";

/// How many they are.
pub(super) const LEASE_COLUMNS: usize = 19;

/// Reads a row of [`COLUMNS`].
pub(super) fn lease(row: &Row<'_>) -> rusqlite::Result<Lease> {
    Ok(Lease {
        id: row.get(0)?,
        handle_sha256: row.get(1)?,
        state: state(row.get(2)?),
        holder: Holder {
            issuer: row.get(3)?,
            project: row.get(4)?,
            workflow: row.get(5)?,
            job: row.get(6)?,
            subject: row.get(7)?,
            token_sha256: row.get(8)?,
        },
        rule: row.get(9)?,
        account: row.get(10)?,
        scope: row.get(11)?,
        label: row.get(12)?,
        hub_id: row.get(13)?,
        created_at: seconds(row.get(14)?),
        expires_at: seconds(row.get(15)?),
        due_at: seconds(row.get(16)?),
        closed_at: row.get::<_, Option<i64>>(17)?.map(seconds),
        credential_sha256: row.get(18)?,
    })
}

/// Adds a row.
pub(super) fn insert(connection: &Connection, entry: &NewLease) -> rusqlite::Result<()> {
    let (lease, holder) = (&entry.lease, &entry.lease.holder);
    let request = entry.request.as_ref();
    connection
        .prepare_cached(
            "INSERT INTO lease (id, handle_sha256, state, issuer, project, workflow, job, subject, token_sha256, rule, account,
             scope, label, hub_id, created_at, expires_at, due_at, closed_at, request_id, wish_sha256, challenge, begun_at, single_use_id,
             identity_expires_at)
             VALUES (:id, :handle, :state, :issuer, :project, :workflow, :job, :subject, :token, :rule, :account,
             :scope, :label, :hub, :created, :expires, :due, :closed, :request, :wish, :challenge, :created, :single, :identity)",
        )?
        .execute(named_params! {
            ":id": lease.id, ":handle": lease.handle_sha256, ":state": code(lease.state), ":issuer": holder.issuer,
            ":project": holder.project, ":workflow": holder.workflow, ":job": holder.job, ":subject": holder.subject,
            ":token": holder.token_sha256, ":rule": lease.rule, ":account": lease.account, ":scope": lease.scope,
            ":label": lease.label, ":hub": lease.hub_id, ":created": time(lease.created_at),
            ":expires": time(lease.expires_at), ":due": time(lease.due_at), ":closed": lease.closed_at.map(time),
            ":request": request.map(|request| &request.id), ":wish": request.map(|request| &request.wish_sha256),
            ":challenge": request.and_then(|request| request.challenge.as_ref()), ":single": entry.single_use_id, ":identity": time(entry.identity_expires_at),
        })
        .map(drop)
}

/// A condition with its values, for a `WHERE`.
pub(super) fn condition(selection: &Selection) -> (String, Vec<Value>) {
    let mut terms = vec!["1".to_owned()];
    let mut values = Vec::new();
    let texts = [
        ("id", &selection.id),
        ("account", &selection.account),
        ("project", &selection.project),
        ("job", &selection.job),
        ("workflow", &selection.workflow),
        ("token_sha256", &selection.token_sha256),
        ("hub_id", &selection.hub_id),
        ("credential_sha256", &selection.credential_sha256),
    ];
    for (column, text) in texts {
        if let Some(text) = text {
            terms.push(format!("{column} = ?"));
            values.push(Value::from(text.clone()));
        }
    }
    if !selection.states.is_empty() {
        // Said apart from the list: only so does SQLite know that its indexes of open leases hold what is meant.
        if !selection.states.contains(&LeaseState::Revoked) {
            terms.push("state < 3".to_owned());
        }
        terms.push(format!("state IN ({})", marks(selection.states.len())));
        values.extend(selection.states.iter().map(|state| Value::from(code(*state))));
    }
    if let Some(rules) = &selection.rules {
        terms.push(format!("rule IN ({})", marks(rules.len())));
        values.extend(rules.iter().cloned().map(Value::from));
    }
    if let Some(before) = selection.created_before {
        terms.push("created_at < ?".to_owned());
        values.push(Value::from(time(before)));
    }
    if let Some(at) = selection.at {
        terms.push("created_at <= ? AND expires_at > ? AND (closed_at IS NULL OR closed_at > ?)".to_owned());
        values.extend([time(at); 3].map(Value::from));
    }
    (terms.join(" AND "), values)
}

/// So many places for values.
pub(super) fn marks(count: usize) -> String {
    vec!["?"; count].join(", ")
}

/// A state as it is stored; [`super::schema`] and its indexes know the numbers too.
pub(super) const fn code(state: LeaseState) -> i64 {
    match state {
        LeaseState::Intent => 0,
        LeaseState::Live => 1,
        LeaseState::Revoking => 2,
        LeaseState::Revoked => 3,
    }
}

/// The schema lets no other number in.
pub(super) const fn state(code: i64) -> LeaseState {
    match code {
        0 => LeaseState::Intent,
        1 => LeaseState::Live,
        2 => LeaseState::Revoking,
        _ => LeaseState::Revoked,
    }
}

/// What is known about an account, as it is stored.
pub(super) const fn trust_code(trust: Trust) -> i64 {
    match trust {
        Trust::New => 0,
        Trust::ReportOnly => 1,
        Trust::Known => 2,
    }
}

/// The schema lets no other number in.
pub(super) const fn trust(code: i64) -> Trust {
    match code {
        0 => Trust::New,
        1 => Trust::ReportOnly,
        _ => Trust::Known,
    }
}

/// Seconds since 1970 as they are stored. What does not fit lies beyond any clock.
pub(super) fn time(seconds: u64) -> i64 {
    i64::try_from(seconds).unwrap_or(i64::MAX)
}

/// Back again; nothing negative is ever stored.
pub(super) fn seconds(stored: i64) -> u64 {
    u64::try_from(stored).unwrap_or_default()
}
