//! The files of an orb's source, as texts by their paths below its root.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crate::files::every_file;

/// The largest script is some 6 kB; CircleCI takes orbs of up to 3 MB.
const LARGEST: usize = 100_000;

/// Everything below `orb/src`, in the order of the paths, so that the result does not depend on the machine.
pub(super) struct OrbSource {
    pub(super) files: BTreeMap<String, String>,
}

impl OrbSource {
    /// # Errors
    /// A sentence: a file cannot be read, is no text, or is too large.
    pub(super) fn read(root: &Path) -> Result<Self, String> {
        let mut files = BTreeMap::new();
        for path in every_file(root)? {
            let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            if text.len() > LARGEST {
                return Err(format!("{}: larger than {LARGEST} bytes", path.display()));
            }
            let name = path.strip_prefix(root).unwrap_or(&path);
            files.insert(name.display().to_string(), text);
        }
        Ok(Self { files })
    }

    /// An orb for a test.
    #[cfg(test)]
    pub(super) fn of(files: &[(&str, &str)]) -> Self {
        Self { files: files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect() }
    }
}
