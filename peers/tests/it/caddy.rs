//! The broker behind Caddy, as docs/operations.md has it.

use hublease_peers::caddy::before;

use crate::support::behind::story;

#[test]
fn clients_are_served_and_told_apart() {
    story(before);
}
