//! That a run left no trace: no request, no child, no file.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::World;

/// What is there before a run.
#[derive(Debug, PartialEq, Eq)]
pub struct Untouched {
    requests: usize,
    unexpected: usize,
    children: usize,
    files: BTreeMap<String, String>,
}

impl Untouched {
    /// Takes the state of the world, to be compared with a later one.
    pub fn of(world: &World) -> Self {
        let mut files = BTreeMap::new();
        for name in ["home", "tmp", "work", "spare"] {
            list(&world.path(name), &mut files);
        }
        Self {
            requests: world.sandbox.log().len(),
            unexpected: world.sandbox.unexpected().len(),
            children: world.children().len(),
            files,
        }
    }

    /// The files with what distinguishes them, for runs that may ask and not write.
    pub fn files(&self) -> &BTreeMap<String, String> {
        &self.files
    }

    /// Fails if anything has changed since.
    #[track_caller]
    pub fn still(&self, world: &World, what: &str) {
        assert_eq!(self, &Self::of(world), "{what}");
    }
}

/// Every entry below a directory with what distinguishes it: kind and mode, time of change, content or target.
fn list(directory: &Path, files: &mut BTreeMap<String, String>) {
    let data = fs::symlink_metadata(directory).unwrap();
    files.insert(directory.display().to_string(), format!("{:o} {}.{}", data.mode(), data.mtime(), data.mtime_nsec()));
    for entry in fs::read_dir(directory).unwrap().map(Result::unwrap) {
        let (path, kind) = (entry.path(), entry.file_type().unwrap());
        if kind.is_dir() {
            list(&path, files);
            continue;
        }
        let content = match () {
            () if kind.is_symlink() => fs::read_link(&path).unwrap().display().to_string(),
            () if kind.is_file() => String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned(),
            () => "neither file nor link".to_owned(),
        };
        let mode = fs::symlink_metadata(&path).unwrap().mode();
        files.insert(path.display().to_string(), format!("{mode:o} {content}"));
    }
}
