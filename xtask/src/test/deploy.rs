//! What `deploy/` holds for whoever runs the broker: a container file, manifests of Kubernetes, a unit of systemd. Each is
//! held to what reads it in the end: the schemas, `hublease-broker check`, systemd, and podman.

mod image;
mod kubernetes;
pub(super) mod start;
mod unit;

use std::path::Path;

use super::{Context, Outcome, statically};
use crate::files::every_file;

/// What stands before a version in files of `deploy/`.
const BEFORE_A_VERSION: [&str; 2] = ["hublease-broker:", "hublease-broker-v"];

pub(super) fn check(context: &Context<'_>) -> Outcome {
    let broker = statically::broker_path(context);
    documents(&context.workspace.root)?;
    let manifests = kubernetes::check(context, &broker)?;
    let exposure = unit::check(context, &broker)?;
    let image = image::check(context, &broker)?;
    Ok(format!("{manifests}; unit: {exposure}; image: {image}"))
}

/// Every document that names a version of the broker names this one; the changelog tells of others.
fn documents(root: &Path) -> Result<(), String> {
    let mut found = 0;
    for path in every_file(root)?.iter().filter(|path| path.extension().is_some_and(|ending| ending == "md")) {
        let name = path.strip_prefix(root).unwrap_or(path).display().to_string();
        let text = kubernetes::read_file(path)?;
        if name == "CHANGELOG.md" {
            continue;
        }
        // In prose the program's name stands before other things, too.
        let named = named(&text).filter(|(_, rest)| rest.starts_with(|next: char| next.is_ascii_digit()));
        for (at, rest) in named {
            is_ours(&name, &text, at, rest)?;
            found += 1;
        }
    }
    if found == 0 { Err("no document names a version of the broker".to_owned()) } else { Ok(()) }
}

/// Where a version of the broker belongs: the place, and what stands there.
fn named(text: &str) -> impl Iterator<Item = (usize, &str)> {
    BEFORE_A_VERSION.iter().flat_map(move |before| {
        text.match_indices(before).map(|(at, found)| (at, text.get(at + found.len()..).unwrap_or_default()))
    })
}

fn is_ours(name: &str, text: &str, at: usize, version: &str) -> Result<(), String> {
    if version.starts_with(env!("CARGO_PKG_VERSION")) {
        return Ok(());
    }
    let line = text.get(..at).unwrap_or_default().lines().count();
    Err(format!("{name}:{line}: it must name version {}", env!("CARGO_PKG_VERSION")))
}

/// What is copied from a file must fetch and start the broker that the file came with.
fn same_version(name: &str, text: &str) -> Result<(), String> {
    let mut found = 0;
    for (at, version) in named(text) {
        is_ours(name, text, at, version)?;
        found += 1;
    }
    if found == 0 { Err(format!("{name} names no version of the broker")) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::same_version;

    #[test]
    fn a_file_names_this_version_everywhere() {
        let ours = concat!("x\n image: a/hublease-broker:", env!("CARGO_PKG_VERSION"), "\n");
        assert_eq!(same_version("f", ours), Ok(()));
        let also = format!("{ours}name=hublease-broker-v0.0.9-x\n");
        let wrong = concat!("f:3: it must name version ", env!("CARGO_PKG_VERSION"));
        assert_eq!(same_version("f", &also), Err(wrong.to_owned()));
        assert_eq!(same_version("f", "hublease-broker"), Err("f names no version of the broker".to_owned()));
    }
}
