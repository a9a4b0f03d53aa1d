//! Leases as lines and as JSON.

use hublease_protocol::printable::printable;
use hublease_protocol::time::utc;
use serde_json::{Value, json};

use crate::journal::Lease;

/// Columns under their names, each as wide as its widest cell. The last is not padded.
pub(super) fn aligned(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count()).max();
    let widths: Vec<usize> = (0..columns).map(|column| width(column).unwrap_or_default()).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

/// The columns of a list.
pub(super) const HEADINGS: [&str; 8] = ["LEASE", "STATE", "RULE", "ACCOUNT", "PROJECT", "CREATED", "ENDS", "SCOPE"];

/// A lease under [`HEADINGS`]. What is over ended when it was closed.
pub(super) fn row(lease: &Lease) -> Vec<String> {
    vec![
        printable(&lease.id),
        lease.state.as_str().to_owned(),
        printable(&lease.rule),
        printable(&lease.account),
        optional(lease.holder.project.as_deref()),
        utc(lease.created_at),
        utc(lease.closed_at.unwrap_or(lease.expires_at)),
        printable(&lease.scope),
    ]
}

/// Every field of a lease, by its name. Foreign texts are printable, so they may be cut; the JSON form has them whole.
pub(super) fn fields(lease: &Lease) -> Vec<Vec<String>> {
    let holder = &lease.holder;
    let mut fields = vec![
        ("lease", printable(&lease.id)),
        ("state", lease.state.as_str().to_owned()),
        ("rule", printable(&lease.rule)),
        ("account", printable(&lease.account)),
        ("issuer", printable(&holder.issuer)),
        ("project", optional(holder.project.as_deref())),
        ("workflow", optional(holder.workflow.as_deref())),
        ("job", printable(&holder.job)),
        ("subject", optional(holder.subject.as_deref())),
        ("token_sha256", printable(&holder.token_sha256)),
        ("handle_sha256", optional(lease.handle_sha256.as_deref())),
        ("credential_sha256", optional(lease.credential_sha256.as_deref())),
        ("label", printable(&lease.label)),
        ("hub_id", optional(lease.hub_id.as_deref())),
        ("created_at", utc(lease.created_at)),
        ("expires_at", utc(lease.expires_at)),
        ("due_at", utc(lease.due_at)),
        ("closed_at", lease.closed_at.map_or_else(|| "-".to_owned(), utc)),
    ];
    fields.extend(lease.scope.split(' ').map(|repository| ("scope", printable(repository))));
    fields.into_iter().map(|(name, value)| vec![name.to_owned(), value]).collect()
}

/// Every field, exactly.
pub(super) fn exact(lease: &Lease) -> Value {
    let holder = &lease.holder;
    json!({
        "id": lease.id, "state": lease.state.as_str(), "rule": lease.rule, "account": lease.account, "scope": lease.scope,
        "issuer": holder.issuer, "project": holder.project, "workflow": holder.workflow, "job": holder.job,
        "subject": holder.subject, "token_sha256": holder.token_sha256, "handle_sha256": lease.handle_sha256,
        "credential_sha256": lease.credential_sha256,
        "label": lease.label, "hub_id": lease.hub_id, "created_at": utc(lease.created_at),
        "expires_at": utc(lease.expires_at), "due_at": utc(lease.due_at), "closed_at": lease.closed_at.map(utc),
    })
}

fn optional(text: Option<&str>) -> String {
    text.map_or_else(|| "-".to_owned(), printable)
}
