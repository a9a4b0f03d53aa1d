//! Lines for the operator's eyes, on standard error.

use std::io::Write as _;

/// Tells the operator, on standard error.
pub(crate) fn say(sentence: &str) {
    write_line(&format!("hublease-broker: {sentence}"));
}

pub(crate) fn write_line(text: &str) {
    // Nobody is left to tell when standard error is gone.
    drop(writeln!(std::io::stderr(), "{text}"));
}
