//! The record directory, as the story sees it: named files with a secret inside.

use hublease_protocol::secret::Secret;
use serde::{Deserialize, Serialize};

/// The largest record, in bytes. The Action's becomes a variable of its post step: Windows takes 32 767 characters, and Linux
/// starts no program with one over 128 KiB. Eight leases with Vault tokens and an earlier entry stay far below.
pub const MAXIMUM_RECORD: usize = 32_000;

/// The most records that are read, the newest. Of the others the names are told; more of them mean that something else went
/// wrong on this machine.
pub const MAXIMUM_RECORDS: usize = 1024;

/// One access.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Access {
    /// Makes sure that a record could be kept: the directory exists, is ours and takes a file.
    Prepare,
    /// The records in the directory, the newest first.
    Read {
        /// The name of one that is read however old it is.
        first: Option<String>,
    },
    /// Writes or replaces one record, whole or not at all.
    Write {
        /// 64 hexadecimal digits.
        name: String,
        /// The record as JSON.
        #[serde(with = "hublease_protocol::secret::on_the_wire")]
        body: Secret,
        /// What it may replace.
        over: Over,
    },
    /// Removes one record; success if it is not there.
    Erase {
        /// 64 hexadecimal digits.
        name: String,
    },
}

/// What a write may replace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Over {
    /// Whatever lies there.
    Anything,
    /// Nothing, or exactly this. If something else lies there, nothing is written and the answer holds it: another
    /// login of the same job was here meanwhile.
    Known(#[serde(with = "hublease_protocol::secret::on_the_wire")] Option<Secret>),
}

/// One record as it lies there.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stored {
    /// 64 hexadecimal digits.
    pub name: String,
    /// Its content, or why it was not read (too large, foreign owner, not text, too many newer ones), printable.
    #[serde(with = "hublease_protocol::secret::on_the_wire")]
    pub body: Result<Secret, String>,
}

/// Why the record directory cannot be used; printable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trouble(pub String);
