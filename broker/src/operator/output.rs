//! What a command prints on standard output: lines for people, or one JSON document for scripts.
//!
//! Claims and names come from elsewhere. In text they are made printable by whoever writes the line; in JSON every character
//! beyond ASCII is escaped, so that the document is exact and still cannot reorder or hide anything on a terminal.

use std::io::Write as _;

use clap::{Arg, ArgMatches};
use serde::Serialize;

use crate::observe::ascii_json::in_ascii;
use crate::operator::CommandError;

/// How the answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Output {
    /// Lines.
    Text,
    /// One document.
    Json,
}

/// `--output text|json`, the same for every command that prints an answer.
pub(super) fn argument() -> Arg {
    Arg::new("output")
        .long("output")
        .value_name("FORM")
        .value_parser(["text", "json"])
        .default_value("text")
        .help("Lines for people, or one JSON document")
}

impl Output {
    pub(super) fn of(matches: &ArgMatches) -> Self {
        match matches.get_one::<String>("output").map(String::as_str) {
            Some("json") => Self::Json,
            _ => Self::Text,
        }
    }
}

/// Prints one document.
pub(super) fn print_json(document: &impl Serialize) -> Result<(), CommandError> {
    let text = serde_json::to_string_pretty(document)
        .map_err(|_position_only| CommandError::of(1, "the answer cannot be written as JSON"))?;
    print(&(in_ascii(&text) + "\n"))
}

/// Prints lines; each brings its own end.
pub(super) fn print(text: &str) -> Result<(), CommandError> {
    let mut out = std::io::stdout().lock();
    let written = out.write_all(text.as_bytes()).and_then(|()| out.flush());
    written.map_err(|error| CommandError::of(1, format!("standard output cannot be written: {error}")))
}
