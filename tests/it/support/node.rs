//! Node 24, which runs the Action and what belongs to it.

use std::io::Write;
use std::path::PathBuf;

use super::binary;

/// Names the programs that are known to be missing, with commas between; `cargo xtask test` sets it.
const KNOWN: &str = "HUBLEASE_TESTS_WITHOUT";

/// The program. Without it the test fails, unless it was asked to do without: then there is none.
pub fn node(what: &str) -> Option<PathBuf> {
    let known = std::env::var(KNOWN).unwrap_or_default();
    if std::env::var_os("HUBLEASE_NODE").is_none() && known.split(',').any(|known| known == "node") {
        // Past the test harness, which keeps what a passing test prints.
        let _ = writeln!(std::io::stderr(), "not run: {what} (Node 24 is not installed)");
        return None;
    }
    Some(binary("HUBLEASE_NODE"))
}
