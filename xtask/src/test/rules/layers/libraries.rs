//! The tables of what client and broker share.

use super::Row;

pub(super) const HUB: &[Row] = &[
    (
        "client",
        &[
            "session",
            "spoken",
            "governor",
            "purse",
            "password",
            "account_error",
            "token",
            "error",
            "outbound",
            "clock",
            "limits",
        ],
    ),
    ("session", &["governor", "purse", "password", "error", "outbound", "clock", "limits"]),
    ("spoken", &["outbound"]),
    ("governor", &["error", "outbound", "limits"]),
    ("purse", &[]),
    ("password", &["account_error"]),
    ("account_error", &[]),
    ("token", &["limits"]),
    ("error", &["limits"]),
    ("outbound", &["limits"]),
    ("clock", &[]),
    ("limits", &[]),
];

pub(super) const PROTOCOL: &[Row] = &[
    ("vault_path", &["endpoint"]),
    ("oauth", &["percent"]),
    ("ci", &[]),
    ("claims", &["printable", "secret"]),
    ("endpoint", &[]),
    ("id", &["hex"]),
    ("hex", &[]),
    ("nearest", &[]),
    ("no_proxy", &[]),
    ("percent", &[]),
    ("scope", &[]),
    ("printable", &[]),
    ("secret", &[]),
    ("strict_json", &[]),
    ("time", &[]),
];
