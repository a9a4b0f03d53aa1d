//! The newest registry: the rows of the registry that Debian has, played to it.

use hublease_peers::distribution::start;

use crate::docker_registry::{content, is_answered_alike};

#[test]
fn the_registry_is_answered_alike() {
    is_answered_alike("registry 3", start);
}

#[test]
fn what_both_have_is_answered_alike() {
    content::is_answered_alike("content 3", start);
}
