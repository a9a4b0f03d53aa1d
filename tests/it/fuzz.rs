//! The fuzz targets on their corpora and on seeded changes, without any tool; `tests/fuzz` has them for libFuzzer too.

use std::collections::BTreeSet;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use crate::fuzzed::{seeds, targets};

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fuzz").join(name)
}

/// Numbers of changes are such that each takes a part of a second without optimization.
fn run(name: &str, changes: u64) {
    let (_, target) = targets::TARGETS.into_iter().find(|(known, _)| *known == name).unwrap();
    seeds::run(&folder("corpus").join(name), target, changes);
}

#[test]
fn no_answer_breaks_the_story_or_makes_it_show_a_secret() {
    run("answers", 300);
}

#[test]
fn claims_are_read_from_tokens_only_and_shown_harmlessly() {
    run("claims", 500);
}

#[test]
fn a_login_that_comes_and_goes_in_docker_s_file_leaves_the_rest() {
    run("docker_config", 1000);
}

#[test]
fn an_accepted_address_is_its_own_spelling() {
    run("endpoint", 1500);
}

#[test]
fn an_accepted_image_is_its_own_spelling_at_docker_hub() {
    run("image", 1500);
}

#[test]
fn inputs_begin_a_story_or_are_refused_without_their_secrets() {
    run("inputs", 200);
}

#[test]
fn an_outcome_of_another_form_ends_the_session() {
    run("outcome", 800);
}

#[test]
fn what_is_shown_is_one_harmless_line() {
    run("printable", 1500);
}

#[test]
fn an_accepted_record_belongs_to_its_name() {
    run("record", 500);
}

#[test]
fn an_accepted_scope_is_its_own_spelling_and_no_wider() {
    run("scope", 2000);
}

#[test]
fn messages_are_objects_and_come_back_as_written() {
    run("wire", 800);
}

#[test]
fn every_target_has_a_corpus_and_a_program() {
    let names = |folder: PathBuf| -> BTreeSet<String> {
        let entries = fs::read_dir(folder).unwrap();
        entries.map(|entry| entry.unwrap().path().file_stem().unwrap().to_str().unwrap().to_owned()).collect()
    };
    let of_the_broker = ["ask", "config", "rules"];
    let known = targets::TARGETS.iter().map(|(name, _)| *name).chain(of_the_broker);
    let known: BTreeSet<String> = known.map(str::to_owned).collect();
    assert_eq!(names(folder("corpus")), known);
    assert_eq!(names(folder("fuzz_targets")), known);
}

#[test]
fn an_input_that_does_not_hold_is_named_in_hexadecimal() {
    fn wants_no_asterisk(input: &[u8]) {
        assert!(!input.contains(&b'*'));
    }
    let failure = catch_unwind(|| seeds::run(&folder("corpus").join("scope"), wants_no_asterisk, 5000)).unwrap_err();
    let message = failure.downcast_ref::<String>().unwrap();
    assert!(message.starts_with("scope, ") && message.contains("does not hold for "), "{message}");
    assert!(message.rsplit(' ').next().unwrap().contains("2a"), "{message}");
}
