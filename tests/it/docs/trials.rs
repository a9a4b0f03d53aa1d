//! The page of trials: each piece of advice stands where the page says, the tests that tried it exist, and no hint is left out.

use std::collections::BTreeSet;
use std::fs;

use hublease::error::Problem;

use crate::docs::Document;
use crate::docs::markdown::root;

/// What stands in the place of tests where there are none, before the reason.
const NONE: &str = "none: ";

/// Advice, the file that gives it, and what is said of its trial.
struct Row {
    advice: String,
    given_in: String,
    tried_by: String,
}

fn rows(page: &str) -> Vec<Row> {
    let lines = page.lines().filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |")).skip(2);
    let row = |line: &str| {
        let [advice, given_in, tried_by] = line.split(" | ").collect::<Vec<_>>()[..] else { panic!("{line}") };
        Row {
            advice: advice.to_owned(),
            given_in: given_in.trim_matches('`').to_owned(),
            tried_by: tried_by.to_owned(),
        }
    };
    lines.map(row).collect()
}

/// The text of a file as it is read: neither lines nor continued literals count.
fn flat(text: &str) -> String {
    text.replace("\\\n", " ").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What is wrong with a row, if anything.
fn wrong(row: &Row, read: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let Row { advice, given_in, tried_by } = row;
    if !read(given_in).is_some_and(|text| flat(&text).contains(advice)) {
        return Some(format!("`{advice}` is not in {given_in}"));
    }
    if tried_by.strip_prefix(NONE).is_some_and(|reason| !reason.is_empty()) {
        return None;
    }
    let quoted: Vec<&str> = tried_by.split('`').skip(1).step_by(2).collect();
    let is_test = |pair: &[&str]| match pair {
        [file, name] => read(file).is_some_and(|text| flat(&text).contains(&format!("#[test] fn {name}("))),
        _ => false,
    };
    let missing = quoted.chunks(2).find(|pair| !is_test(pair)).map(|pair| pair.join(" "));
    if quoted.is_empty() {
        Some(format!("no trial of `{advice}`"))
    } else {
        missing.map(|pair| format!("no test: {pair}"))
    }
}

#[test]
fn every_hint_has_its_trial_and_every_trial_is_a_test() {
    let rows = rows(&Document::read("docs/trials.md").text);
    let read = |name: &str| fs::read_to_string(root().join(name)).ok();
    let findings: Vec<String> = rows.iter().filter_map(|row| wrong(row, &read)).collect();
    assert!(findings.is_empty(), "{findings:#?}");
    let listed: BTreeSet<&str> = rows.iter().map(|row| row.advice.as_str()).collect();
    // Those of a CI system are longer than one piece of advice.
    let is_listed = |hint: &str| listed.iter().any(|advice| hint.contains(advice));
    let hints = Problem::ALL.iter().map(|problem| problem.hint()).filter(|hint| !hint.is_empty());
    let unlisted: Vec<&str> = hints.filter(|hint| !is_listed(hint)).collect();
    assert!(unlisted.is_empty(), "docs/trials.md lacks: {unlisted:#?}");
}

#[test]
fn a_row_that_nothing_holds_is_found() {
    let file = |text: &'static str| move |name: &str| (name == "a.rs").then(|| text.to_owned());
    let read = file("\"do \\\n   this\"\n#[test]\nfn it_helps() {}\nfn helper() {}\n");
    for (line, found) in [
        ("| do this | `a.rs` | `a.rs` `it_helps` |", None),
        ("| do this | `a.rs` | none: only others can |", None),
        ("| do that | `a.rs` | `a.rs` `it_helps` |", Some("`do that` is not in a.rs")),
        ("| do this | `b.rs` | `a.rs` `it_helps` |", Some("`do this` is not in b.rs")),
        ("| do this | `a.rs` | `a.rs` `helper` |", Some("no test: a.rs helper")),
        ("| do this | `a.rs` | `a.rs` `it_helps`, `a.rs` |", Some("no test: a.rs")),
        ("| do this | `a.rs` | none:  |", Some("no trial of `do this`")),
        ("| do this | `a.rs` | surely |", Some("no trial of `do this`")),
    ] {
        let page = format!("| advice | given in | tried by |\n| --- | --- | --- |\n{line}\n");
        let [row] = &rows(&page)[..] else { panic!("{line}") };
        assert_eq!(wrong(row, &read).as_deref(), found, "{line}");
    }
}
