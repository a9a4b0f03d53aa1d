//! The texts of podman's `registries.conf` and its drop-ins; what is in them is the story's business.

use std::path::{Path, PathBuf};
use std::{fs, io};

use crate::effect::docker::{LARGEST_FILE, Trouble};
use crate::native::docker::file::unusable;
use crate::native::docker::places::Places;
use crate::native::process::capped::{self, Capped};

/// Reads them, in the order in which podman does: the file, then what ends in `.conf`, by name.
///
/// # Errors
/// One of them cannot be read, or is larger than 1 MiB.
pub(in crate::native) fn read(places: &Places) -> Result<Vec<String>, Trouble> {
    let (file, folders) = places.registries_conf();
    let mut paths = vec![file];
    for folder in folders {
        let mut names = drop_ins(&folder).map_err(|error| failed(&folder, &error))?;
        names.sort();
        paths.append(&mut names);
    }
    paths.iter().filter_map(|path| text(path).transpose()).collect()
}

fn drop_ins(folder: &Path) -> io::Result<Vec<PathBuf>> {
    match fs::read_dir(folder) {
        Ok(entries) => {
            let paths = entries.map(|entry| entry.map(|entry| entry.path()));
            paths
                .filter(|path| !path.as_ref().is_ok_and(|path| path.extension().is_none_or(|end| end != "conf")))
                .collect()
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// The text; none if there is no such file. What is not UTF-8 is no TOML, and podman refuses it by itself.
fn text(path: &Path) -> Result<Option<String>, Trouble> {
    let file = match fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed(path, &error)),
    };
    match capped::read(file, LARGEST_FILE).map_err(|error| failed(path, &error))? {
        Capped::Whole(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).into_owned())),
        Capped::TooLarge => Err(unusable(&format!("{}: it is larger than 1 MiB", path.display()))),
    }
}

fn failed(path: &Path, error: &io::Error) -> Trouble {
    unusable(&format!("{}: {error}", path.display()))
}
