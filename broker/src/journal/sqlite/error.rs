//! SQLite's reasons in our words; its own text may hold a path or a value.

use rusqlite::ErrorCode;

use crate::journal::{JournalError, OpenError};

impl From<rusqlite::Error> for JournalError {
    fn from(error: rusqlite::Error) -> Self {
        Self(match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => "its disk is full",
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => "somebody else holds it for too long",
            Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => "it may not be written",
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => "its file is damaged",
            Some(ErrorCode::SystemIoFailure) => "its disk fails",
            _ => "SQLite refused a statement",
        })
    }
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Unusable(JournalError::from(error).0.to_owned())
    }
}
