//! The documents say what the program does: error texts, exit codes, tables, command lines and links are compared
//! with the code.
//!
//! What prose says cannot be checked. So what can be wrong without anybody noticing stands in a form that can: a
//! section for each error, a table made from the code, a fenced block for each command.

mod action;
mod commands;
mod markdown;
mod orb;
mod shell;
mod trials;

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use hublease::cli::{self, table};
use hublease::environment::Environment;
use hublease::error::{Problem, Stage};
use hublease::native::arguments::{ReadArguments, read};
use hublease::plan::{Machine, Plan};

pub use crate::docs::action::map;
use crate::docs::commands::CommandLine;
pub use crate::docs::markdown::Document;
use crate::docs::markdown::{documents, root};
use crate::support::binary;

#[test]
fn every_error_has_its_section_in_the_order_of_the_list() {
    let page = Document::read("docs/troubleshooting.md");
    let sections = page.sections(3);
    let titles: Vec<_> = sections.iter().map(|(title, _)| title.clone()).collect();
    let expected: Vec<_> = Problem::ALL.iter().map(|problem| problem.sentence().replace("{}", "…")).collect();
    assert_eq!(titles, expected);
    for (problem, (title, body)) in Problem::ALL.iter().zip(&sections) {
        let code = format!("Exit code {}. ", problem.stage().exit_code());
        assert!(body.iter().any(|line| line.starts_with(&code)), "{title}: {code}");
        let hints: Vec<_> = body.iter().filter_map(|line| line.strip_prefix("hint: ")).collect();
        let hint: Vec<_> = Some(problem.hint()).into_iter().filter(|hint| !hint.is_empty()).collect();
        assert_eq!(hints, hint, "{title}");
        assert!(body.iter().any(|line| line.starts_with("Fix: ")), "{title}: no fix");
    }
}

#[test]
fn the_paths_of_the_architecture_exist() {
    let pages = documents()
        .into_iter()
        .filter(|page| ["architecture", "decisions", "adding"].iter().any(|part| page.name.contains(part)));
    let mut paths = BTreeSet::new();
    for page in pages {
        let quoted = page.text.split('`').skip(1).step_by(2).map(str::to_owned);
        paths.extend(
            quoted.filter(|text| text.contains('/') && [".rs", ".mjs", ".toml"].iter().any(|end| text.ends_with(end))),
        );
    }
    assert!(paths.len() > 30, "{paths:?}");
    let missing: Vec<_> = paths.iter().filter(|path| !root().join(path).is_file()).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_page_of_providers_is_made_from_the_table() {
    if std::env::var_os("HUBLEASE_BLESS").is_some() {
        std::fs::write(root().join("docs/providers.md"), table()).unwrap();
    }
    let page = Document::read("docs/providers.md");
    assert_eq!(page.text, table(), "the first lines of docs/providers.md say how to make it anew");
}

#[test]
fn the_exit_codes_of_the_readme_are_those_of_the_code() {
    let readme = Document::read("README.md");
    let sections = readme.sections(2);
    let (_, body) = sections.iter().find(|(title, _)| title == "Exit codes").unwrap();
    let shown: Vec<u8> = body
        .iter()
        .filter_map(|line| line.strip_prefix("| ")?.split(" | ").next())
        .flat_map(|cell| cell.split(", "))
        .filter_map(|code| code.parse().ok())
        .collect();
    let signals = [1, 2, 15].map(Stage::Interrupted);
    let stages = Problem::ALL.iter().map(|problem| problem.stage()).chain(signals).chain([Stage::NotStarted]);
    let codes: BTreeSet<u8> = stages.map(Stage::exit_code).chain([0]).collect();
    assert_eq!(shown, Vec::from_iter(codes));
}

#[test]
fn every_command_line_makes_a_plan() {
    let mut seen = BTreeSet::new();
    for line in command_lines() {
        let environment = Environment::new(line.variables.clone());
        let words: Vec<_> = line.arguments.iter().map(Into::into).collect();
        let asked = read(&words, &environment);
        match asked {
            Ok(ReadArguments::Run(typed)) => {
                let plan = Plan::new(&typed, &environment, Machine { terminal: false });
                assert!(plan.is_ok(), "{line}: {:?}", plan.err());
                seen.insert(typed.command);
            }
            Ok(ReadArguments::Show(_)) => {}
            Err(error) => panic!("{line}: {error}"),
        }
    }
    // A reader of blocks that finds nothing would pass everything.
    assert_eq!(seen, cli::Command::ALL.iter().copied().collect());
}

#[test]
fn every_command_line_with_a_dry_run_is_accepted_by_the_program() {
    let program = binary("HUBLEASE_BIN");
    for line in command_lines().iter().filter_map(CommandLine::dry) {
        let mut command = Command::new(&program);
        command.args(&line.arguments).env_clear().envs(line.variables.clone()).current_dir("/");
        let output = command.output().unwrap();
        let message = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.code() == Some(0), "{line}: {:?}: {message}", output.status);
    }
}

#[test]
fn links_between_the_documents_lead_somewhere() {
    let documents = documents();
    let anchors: BTreeMap<_, _> =
        documents.iter().map(|document| (root().join(&document.name), document.anchors())).collect();
    for document in &documents {
        let here = root().join(&document.name);
        for link in document.links().into_iter().filter(|link| !link.contains("://")) {
            let (path, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let target = if path.is_empty() { here.clone() } else { markdown::beside(&here, path) };
            assert!(target.exists(), "{}: {link}: no such file", document.name);
            if !anchor.is_empty() {
                let known = anchors.get(&target).is_some_and(|anchors| anchors.contains(anchor));
                assert!(known, "{}: {link}: no such heading", document.name);
            }
        }
    }
}

fn command_lines() -> Vec<CommandLine> {
    documents().iter().flat_map(commands::found).collect()
}
