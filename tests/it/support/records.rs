//! The records that logins of a world leave.

use std::fs;
use std::path::PathBuf;

use crate::support::World;

impl World {
    /// The record files that are there now.
    pub fn record_files(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.records()).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut files: Vec<_> = entries.filter(|path| path.is_file()).collect();
        files.sort();
        files
    }

    /// Changes the first lease of each record, as time or another version would have.
    pub fn edit_leases(&self, edit: impl Fn(&mut serde_json::Value)) {
        for file in self.record_files() {
            let mut record: serde_json::Value = serde_json::from_str(&fs::read_to_string(&file).unwrap()).unwrap();
            edit(&mut record["leases"][0]);
            fs::write(&file, record.to_string()).unwrap();
        }
    }
}
