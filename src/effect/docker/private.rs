//! Private directories, as the story and a host speak of them.

use hublease_protocol::secret::Secret;
use serde::{Deserialize, Serialize};

/// What a private directory has in common with the user's own. The story decides, and a host does it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sharing {
    /// Whether whatever lies in the user's directory is reached by links.
    pub linked: bool,
    /// Beginnings of the names that are not: they are the login's own, and go with it.
    pub apart: Vec<String>,
    /// Beginnings of the names, among those, that are of one login: they go whenever a login comes or goes.
    pub seeds: Vec<String>,
    /// Directories that the user's gets before, if they are missing: else a tool would make them in the private one.
    pub made: Vec<String>,
}

/// A login's hold on a directory.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HoldNote {
    /// Whose.
    pub holder: String,
    /// What it noted.
    #[serde(with = "hublease_protocol::secret::on_the_wire")]
    pub note: Secret,
}

/// A private directory that was made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Made {
    /// Its absolute path.
    pub path: String,
    /// Why nothing of the user's directory is linked; printable.
    pub unlinked: Option<String>,
}

/// What came of removing a private directory.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Removed {
    /// Names of what tools made in it, and what lies in the user's directory now.
    pub moved: Vec<String>,
    /// Names of what could not be handed over; the directory stays because of them.
    pub left: Vec<String>,
    /// The directory's absolute path; empty if it was not there.
    pub path: String,
}
