//! Which crates are linked in, and what cargo knows of each.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use serde_json::Value;

use crate::workspace::Workspace;

/// A crate by name and version.
type Key = (String, String);

/// A crate that is linked in.
#[derive(Clone)]
pub(super) struct Crate {
    pub(super) name: String,
    pub(super) version: String,
    /// The licence as the crate states it, an SPDX expression.
    pub(super) licence: String,
    /// Where its source is published; empty if it does not say.
    pub(super) repository: String,
    /// Where its source lies here.
    pub(super) folder: PathBuf,
}

/// Every foreign crate of the lock file.
///
/// # Errors
/// A sentence: cargo cannot tell.
pub(super) fn packages(workspace: &Workspace) -> Result<BTreeMap<Key, Crate>, String> {
    // Their sources, for all platforms.
    workspace.cargo(&["fetch", "--quiet", "--locked"]).text()?;
    let text = workspace.cargo(&["metadata", "--locked", "--offline", "--format-version", "1"]).text()?;
    let metadata: Value = serde_json::from_str(&text).map_err(|error| format!("cargo metadata: {error}"))?;
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let foreign = packages.iter().filter(|package| !package["source"].is_null());
    foreign.map(|package| Ok(((word(package, "name"), word(package, "version")), described(package)?))).collect()
}

fn described(package: &Value) -> Result<Crate, String> {
    let manifest = PathBuf::from(word(package, "manifest_path"));
    let folder = manifest.parent().ok_or("cargo metadata names no manifest")?.to_owned();
    Ok(Crate {
        name: word(package, "name"),
        version: word(package, "version"),
        licence: word(package, "license"),
        repository: word(package, "repository"),
        folder,
    })
}

fn word(package: &Value, key: &str) -> String {
    package[key].as_str().unwrap_or_default().to_owned()
}

/// The foreign crates in a program, on any of its platforms: neither what only builds it nor what only writes code for it.
///
/// # Errors
/// A sentence: cargo cannot tell, or names a crate that is unknown.
pub(super) fn linked(
    workspace: &Workspace,
    package: &str,
    targets: &[&str],
    packages: &BTreeMap<Key, Crate>,
) -> Result<Vec<Crate>, String> {
    let mut keys = BTreeSet::new();
    for target in targets {
        let call = workspace.cargo(&["tree", "--locked", "--offline", "--package", package, "--target", target]);
        let call = call.arguments(["--edges", "normal,no-proc-macro", "--prefix", "none", "--format", "{p}"]);
        keys.extend(call.text()?.lines().filter_map(key));
    }
    let found =
        keys.iter().map(|key| packages.get(key).cloned().ok_or_else(|| format!("no crate {} {}", key.0, key.1)));
    let found: Vec<Crate> = found.collect::<Result<_, _>>()?;
    if found.is_empty() { Err(format!("nothing is linked into {package}")) } else { Ok(found) }
}

/// Name and version of a line such as `serde v1.0.229`; none for a crate of ours, whose line has a path.
fn key(line: &str) -> Option<Key> {
    let mut words = line.split(' ');
    let (name, version) = (words.next()?, words.next()?.strip_prefix('v')?);
    let is_ours = words.any(|word| word.starts_with("(/"));
    (!is_ours).then(|| (name.to_owned(), version.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::key;

    #[test]
    fn a_line_of_the_tree_is_a_crate_or_ours() {
        let known = |name: &str, version: &str| Some((name.to_owned(), version.to_owned()));
        assert_eq!(key("serde v1.0.229"), known("serde", "1.0.229"));
        assert_eq!(key("toml v1.2.1+spec-1.1.0 (*)"), known("toml", "1.2.1+spec-1.1.0"));
        assert_eq!(key("hublease v0.1.0 (/srv/hublease)"), None);
        assert_eq!(key(""), None);
    }
}
