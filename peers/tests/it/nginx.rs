//! The broker behind nginx, as docs/operations.md has it.

use hublease_peers::nginx::before;

use crate::support::behind::story;

#[test]
fn clients_are_served_and_told_apart() {
    story(before);
}
