//! What the documents say about the broker: its command lines, its configurations, its metrics and its limits.
//!
//! A `toml` block is a whole configuration or a part of one, which is read in the middle of [`AROUND`].

#[expect(dead_code, unreachable_pub, reason = "the client's tests use the rest of it")]
#[path = "../../../tests/it/docs/markdown.rs"]
mod markdown;
#[expect(unreachable_pub, reason = "the client's tests use it too")]
#[path = "../../../tests/it/docs/shell.rs"]
mod shell;

use std::collections::BTreeSet;

use hublease_broker::config::Config;
use hublease_broker::limits::{
    AUDIT_QUEUE, AUDIT_STRANGERS_PER_MINUTE, HUB_CALLS_PER_JOB, MAX_BODY_BYTES, MAX_CONFIG_BYTES, MAX_CONNECTIONS,
    MAX_CONNECTIONS_PER_ADDRESS, MAX_EXCHANGES, MAX_IN_FLIGHT, MAX_LEASES, MAX_LEASES_PER_RULE, MAX_LIFE_SECONDS,
    MAX_TOKEN_BYTES, MAX_TOKEN_LIFE_SECONDS, MIN_LIFE_SECONDS, READ_TIMEOUT, REPEAT_SECONDS, REQUEST_TIMEOUT,
};
use hublease_broker::operator::command;
use toml::{Table, Value};

use self::markdown::{Document, documents, root};
use self::shell::{logical_lines, simple_commands};

const PROGRAM: &str = "hublease-broker";
const OPERATIONS: &str = "docs/operations.md";
/// What stands around the table of limits.
const BEGIN: &str = "<!-- limits -->\n";
const END: &str = "<!-- end -->";
/// Names what is not a part of a block.
const AROUND: &str = r#"
listen = "127.0.0.1:8080"
public_url = "https://broker.example.com"
instance = "production"
journal = { path = "/var/lib/hublease/journal.db" }

[[issuer]]
name = "circleci"
kind = "circleci"
url = "https://oidc.circleci.com/org/1"

[[account]]
name = "hub"
kind = "oat"
organization = "acme"
username = "acme-broker"
password_env = "DOCKERHUB_PASSWORD"
"#;

#[test]
fn every_command_line_is_understood() {
    let mut seen = BTreeSet::new();
    for (place, arguments) in documents().iter().flat_map(command_lines) {
        let words = [PROGRAM.to_owned()].into_iter().chain(arguments.clone());
        match command().try_get_matches_from(words) {
            Ok(matches) => {
                let name = |matches: &clap::ArgMatches| matches.subcommand_name().map(str::to_owned);
                let inner = matches.subcommand().and_then(|(_, matches)| name(matches));
                seen.extend([name(&matches), inner].into_iter().flatten());
            }
            Err(error) => panic!("{place}: {}: {error}", arguments.join(" ")),
        }
    }
    // A reader of blocks that finds nothing would pass everything.
    let all = command();
    let names = all.get_subcommands().flat_map(|command| [command].into_iter().chain(command.get_subcommands()));
    assert_eq!(seen, names.map(|command| command.get_name().to_owned()).collect());
}

/// Place and arguments of each command line: the program is the first word, comes after `sudo`, or is the one of a container.
fn command_lines(document: &Document) -> Vec<(String, Vec<String>)> {
    let inside = format!("/{PROGRAM}");
    let names = [PROGRAM, &inside];
    let mut found = Vec::new();
    for block in document.blocks().iter().filter(|block| block.language == "sh") {
        let place = format!("{}:{}", document.name, block.line);
        for line in logical_lines(&block.lines) {
            for words in names.iter().flat_map(|name| simple_commands(&line, name, &place)) {
                let start = match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
                    [PROGRAM, ..] => Some(1),
                    ["sudo", PROGRAM, ..] => Some(2),
                    _ => words.iter().position(|word| *word == inside).map(|at| at + 1),
                };
                found.extend(start.map(|start| (place.clone(), words[start..].to_vec())));
            }
        }
    }
    found
}

#[test]
fn every_configuration_is_understood() {
    let mut whole = 0;
    let mut read = 0;
    for document in documents() {
        for block in document.blocks().into_iter().filter(|block| block.language == "toml") {
            let place = format!("{}:{}", document.name, block.line);
            let text = block.lines.join("\n");
            let part: Table = text.parse().unwrap_or_else(|error| panic!("{place}: {error}"));
            let is_whole = part.contains_key("public_url");
            let text = if is_whole { text } else { within(part) };
            Config::parse(&text).map(drop).unwrap_or_else(|error| panic!("{place}: {error}"));
            (whole, read) = (whole + usize::from(is_whole), read + 1);
        }
    }
    assert!(whole > 0 && read > whole, "{whole} whole configurations and {} parts were found", read - whole);
}

/// A part in the place where it belongs: it replaces what is single, and is added to what there may be several of.
fn within(part: Table) -> String {
    let mut around: Table = AROUND.parse().unwrap();
    for (key, value) in part {
        match (around.get_mut(&key), value) {
            (Some(Value::Array(there)), Value::Array(more)) => there.extend(more),
            (_, value) => drop(around.insert(key, value)),
        }
    }
    around.to_string()
}

#[test]
fn every_metric_of_the_documents_exists() {
    let source = include_str!("../../src/edge/metrics_page.rs");
    let page = Document::read(OPERATIONS);
    let is_part = |character: char| character.is_ascii_lowercase() || character == '_';
    let names: BTreeSet<&str> = page
        .text
        .split("hublease_broker_")
        .skip(1)
        .map(|rest| rest.split(|character| !is_part(character)).next().unwrap())
        .collect();
    assert!(!names.is_empty());
    for name in names {
        let registered = format!("\"{}\"", name.strip_suffix("_total").unwrap_or(name));
        assert!(source.contains(&registered), "{OPERATIONS}: there is no metric {name}");
    }
}

#[test]
fn the_table_of_limits_is_made_from_the_limits() {
    let page = Document::read(OPERATIONS);
    let (before, rest) = page.text.split_once(BEGIN).unwrap();
    let (there, after) = rest.split_once(END).unwrap();
    let wanted = format!("\n{}\n", limits());
    if std::env::var_os("HUBLEASE_BLESS").is_some() {
        let text = format!("{before}{BEGIN}{wanted}{END}{after}");
        std::fs::write(root().join(OPERATIONS), text).unwrap();
    } else {
        assert_eq!(there, wanted, "HUBLEASE_BLESS=1 makes the table anew");
    }
}

fn limits() -> String {
    let kib = |bytes: usize| format!("{} KiB", bytes / 1024);
    let rows = [
        ("connections; the one that waits longest for its client makes room for one more", MAX_CONNECTIONS.to_string()),
        ("connections of one client address", MAX_CONNECTIONS_PER_ADDRESS.to_string()),
        ("exchanges and revocations at one time", MAX_IN_FLIGHT.to_string()),
        ("exchanges among them", MAX_EXCHANGES.to_string()),
        ("body of a request", kib(MAX_BODY_BYTES)),
        ("time for the head of a request, and for its body", format!("{} s", READ_TIMEOUT.as_secs())),
        ("time for the answer", format!("{} s", REQUEST_TIMEOUT.as_secs())),
        ("identity token", kib(MAX_TOKEN_BYTES)),
        ("life that an identity token may claim", format!("{} h", MAX_TOKEN_LIFE_SECONDS / 3600)),
        ("life of a lease", format!("{MIN_LIFE_SECONDS} to {MAX_LIFE_SECONDS} s")),
        ("leases that are not over, in one journal", MAX_LEASES.to_string()),
        ("leases of one rule among them", MAX_LEASES_PER_RULE.to_string()),
        ("audit lines that wait for their reader", AUDIT_QUEUE.to_string()),
        ("audit lines a minute about one address that nobody vouches for", AUDIT_STRANGERS_PER_MINUTE.to_string()),
        ("calls to Docker Hub that one job may cause in a minute", HUB_CALLS_PER_JOB.to_string()),
        ("time in which an exchange may be asked for again", format!("{REPEAT_SECONDS} s")),
        ("configuration file", kib(usize::try_from(MAX_CONFIG_BYTES).unwrap())),
    ];
    let rows = rows.map(|(what, bound)| format!("| {what} | {bound} |\n"));
    format!("| what | bound |\n| --- | --- |\n{}", rows.concat())
}
