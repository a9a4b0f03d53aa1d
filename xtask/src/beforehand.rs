//! What has to be on the machine before a command is called. It is looked for first, so that what is missing is one sentence and
//! not the failure of a late step.
//!
//! A C compiler is not looked for: without one cargo cannot link this program either, and says so itself.

use crate::workspace::program;

/// A program, and what it is for.
type Need = (&'static str, &'static str);

/// What `cargo xtask test` cannot install itself.
pub(crate) const TEST: &[Need] =
    &[("git", "to list the files of the checkout"), ("rustup", "to install compilers and targets of Rust")];

/// Finds the programs.
///
/// # Errors
/// One sentence that names what is missing.
pub(crate) fn check(command: &str, needs: &[Need]) -> Result<(), String> {
    missing(command, needs, |name| program(name).is_some()).map_or(Ok(()), Err)
}

fn missing(command: &str, needs: &[Need], is_there: impl Fn(&str) -> bool) -> Option<String> {
    let missing = needs.iter().filter(|(name, _)| !is_there(name));
    let missing: Vec<_> = missing.map(|(name, purpose)| format!("{name} ({purpose})")).collect();
    let list = missing.join(" and ");
    (!list.is_empty()).then(|| format!("`cargo xtask {command}` needs {list} on PATH; README.md lists what it needs"))
}

#[cfg(test)]
mod tests {
    use super::{TEST, missing};

    #[test]
    fn what_is_missing_is_one_sentence() {
        let said = |there: &[&str]| missing("test", TEST, |name| there.contains(&name));
        assert_eq!(said(&["git", "rustup"]), None);
        assert_eq!(
            said(&["rustup"]).unwrap(),
            "`cargo xtask test` needs git (to list the files of the checkout) on PATH; README.md lists what it needs"
        );
        assert!(said(&[]).unwrap().contains("of the checkout) and rustup (to install"));
    }
}
