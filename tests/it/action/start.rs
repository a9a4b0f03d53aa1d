//! What both steps begin with: whether this Node can run the rest. `peers/tests/it/node_versions.rs` asks real ones.

use std::collections::BTreeMap;

use super::runner::{BODY, NAME, Step, WAY_BACK};
use crate::support::World;
use crate::support::job::Provider;

/// Has the test's own Node name another version.
fn as_node<'w>(step: Step<'w>, version: &str) -> Step<'w> {
    let named = format!("Object.defineProperty(process,'versions',{{value:{{node:'{version}'}}}})");
    step.env("NODE_OPTIONS", format!("--import=data:text/javascript,{named}"))
}

#[test]
fn a_node_that_is_too_old_is_named_and_asks_nobody() {
    let world = World::new();
    let nothing = BTreeMap::new();
    let record = BTreeMap::from([(NAME.to_owned(), "0".repeat(64)), (BODY.to_owned(), "{}".to_owned())]);
    let half = BTreeMap::from([(BODY.to_owned(), "{".to_owned())]);
    for version in ["12.22.12", "16.0.0", "20.20.2", "22.21.0", "23.11.1", "4.2.0"] {
        let step = || as_node(Step::new(&world, Provider::Vault), version);
        let sentence = format!("the Action needs Node 24 or newer, and this is Node {version}");
        let main = step().main().code(2).says(&format!("::error::{sentence}%0Ahint: GitHub's runner brings it"));
        assert!(main.requests.is_empty() && main.children.is_empty() && main.state.is_empty());
        step().start_post(&nothing).wait().code(0).says_only("nothing to undo here");
        for state in [&record, &half] {
            let left = format!("{sentence}%0A  because: what the login left is not undone");
            step().start_post(state).wait().code(0).says(&format!("::warning::{left}"));
            let mut strict = state.clone();
            strict.insert(WAY_BACK.to_owned(), "{\"strict\":true}".to_owned());
            step().start_post(&strict).wait().code(2).says(&format!("::error::{left}"));
        }
    }
}

#[test]
fn the_least_version_and_all_newer_ones_serve() {
    let world = World::new();
    for version in ["24.0.0", "24.4.1", "25.9.0", "26.12.1", "30.0.0-nightly", "100.1.0"] {
        as_node(Step::new(&world, Provider::Vault), version).input("dry-run", "true").main().code(0);
    }
}
