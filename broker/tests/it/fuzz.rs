//! The broker's fuzz targets on their corpora and on seeded changes, without any tool; `tests/fuzz` has them for libFuzzer.

use std::path::Path;

use hublease_broker::config::Config;

use crate::clients::seeds;
use crate::ours::fuzz as targets;

/// Numbers of changes are such that each takes a part of a second without optimization.
fn run(name: &str, changes: u64) {
    let (_, target) = targets::TARGETS.into_iter().find(|(known, _)| *known == name).unwrap();
    seeds::run(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz/corpus").join(name), target, changes);
}

#[test]
fn an_accepted_form_asks_for_the_same_when_it_is_written_anew() {
    run("ask", 2000);
}

#[test]
fn an_accepted_configuration_has_no_rule_that_means_more_than_it_says() {
    run("config", 500);
}

#[test]
fn a_grant_was_asked_for_and_one_rule_grants_all_of_it() {
    run("rules", 500);
}

/// An input that is refused at its first line says nothing about what lies behind; when a key of the configuration becomes
/// mandatory, this tells that the corpus has to be given it.
#[test]
fn the_corpus_gets_as_far_as_it_is_meant_to() {
    let accepted = |corpus: &str| {
        let files = std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/fuzz/corpus").join(corpus));
        let mut accepted: Vec<_> = files
            .unwrap()
            .map(Result::unwrap)
            .filter(|file| {
                let text = std::fs::read_to_string(file.path()).unwrap();
                let config = text.split("\n---\n").next().unwrap();
                Config::parse(config).is_ok()
            })
            .map(|file| file.file_name().into_string().unwrap())
            .collect();
        accepted.sort();
        accepted
    };
    assert_eq!(accepted("config"), ["example.toml", "other.toml", "tests.toml"]);
    let decided = ["circleci", "github", "implied", "near", "other", "risky", "several", "spelled-out", "too-long"];
    assert_eq!(accepted("rules"), decided);
}
