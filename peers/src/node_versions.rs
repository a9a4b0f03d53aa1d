//! Nodes that are not the one of GitHub's runner: whoever runs the Action elsewhere runs it by the `node` of that machine.

use std::env::consts::ARCH;
use std::path::PathBuf;

use crate::{Peer, Source};

/// The Nodes; the program is the list of their versions.
pub const PEER: Peer = Peer {
    name: "node-versions",
    version: "12 to 26",
    source: Source::Node { program: "versions.json" },
    with: &[],
    touches: &["action/", "peers/"],
    proves: "a Node that is too old says so, and each other one takes the Action through a proxy, main and post",
    quick: false,
};

/// Every version, and its program.
///
/// # Panics
/// When one of the list is not there.
#[must_use]
pub fn programs() -> Vec<(String, PathBuf)> {
    let list = PEER.program();
    let processor = if ARCH == "aarch64" { "arm64" } else { "x64" };
    let text = std::fs::read_to_string(&list).unwrap_or_else(|error| panic!("{}: {error}", list.display()));
    let versions: serde_json::Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}"));
    let versions = versions[processor].as_array().into_iter().flatten().filter_map(serde_json::Value::as_str);
    let program = |version: &str| {
        let path = list.with_file_name(format!("node_modules/node-{version}-{processor}/bin/node"));
        assert!(path.is_file(), "{} is not there", path.display());
        (version.to_owned(), path)
    };
    versions.map(program).collect()
}
