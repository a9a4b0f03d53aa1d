//! Each template is a configuration, whose only faults are the places that are yours to fill in.

use crate::config::Config;
use crate::operator::check::warnings::PLACEHOLDER;
use crate::operator::init::{HEAD, SUFFIX, systems};

#[test]
fn every_template_is_understood_as_it_is() {
    assert_eq!(HEAD.matches(SUFFIX).count(), 1, "what the random digits replace");
    for (name, own) in systems() {
        let text = format!("{HEAD}{own}");
        let config = Config::parse(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!((config.issuers.len(), config.accounts.len(), config.rules.len()), (1, 1, 1), "{name}");
        assert!(text.lines().all(|line| line.chars().count() <= 130), "{name}");
        assert!(text.contains(PLACEHOLDER), "{name}");
    }
}
