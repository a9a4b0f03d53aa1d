//! Where secrets leave their type: the uses are listed in committed files, so that a new one is seen in review.
//!
//! A line is `path: the source line`, without its number, so that moving code does not change the list.

use std::fs;
use std::path::Path;

use super::source::Source;

/// A word whose uses are listed, and the list.
const LISTS: [(&str, &str); 2] =
    [("on_the_wire", "xtask/expected/on_the_wire.txt"), (".expose()", "xtask/expected/expose.txt")];

/// Compares the lists with the code, or writes them anew.
pub(super) fn check(root: &Path, sources: &[Source], accept: bool) -> Result<Vec<String>, String> {
    let mut findings = Vec::new();
    for (word, file) in LISTS {
        let (uses, path) = (uses(word, sources), root.join(file));
        if accept {
            let text = uses.iter().map(|line| format!("{line}\n")).collect::<String>();
            fs::write(&path, text).map_err(|error| format!("{file}: {error}"))?;
            continue;
        }
        let expected = fs::read_to_string(&path).map_err(|error| format!("{file}: {error}"))?;
        findings.extend(differences(&uses, &expected, word, file));
    }
    Ok(findings)
}

/// Every use outside of tests in what is shipped.
fn uses(word: &str, sources: &[Source]) -> Vec<String> {
    let shipped = sources.iter().filter(|source| {
        ["src/", "broker/src/", "hub/src/", "protocol/src/", "action/module/src/"]
            .iter()
            .any(|room| source.name.starts_with(room))
    });
    let mut uses: Vec<String> = shipped
        .flat_map(|source| {
            let lines = source.attributes.lines().enumerate();
            let used = lines.filter(|(index, line)| line.contains(word) && !source.is_test(index + 1));
            used.map(|(_, line)| format!("{}: {}", source.name, line.trim())).collect::<Vec<_>>()
        })
        .collect();
    uses.sort();
    uses
}

fn differences(uses: &[String], expected: &str, word: &str, file: &str) -> Vec<String> {
    let mut expected: Vec<&str> = expected.lines().collect();
    let mut findings = Vec::new();
    for line in uses {
        match expected.iter().position(|other| other == line) {
            Some(index) => drop(expected.remove(index)),
            None => findings.push(format!("{file}: `{word}` is used in a new place (--accept lists it): {line}")),
        }
    }
    findings.extend(expected.iter().map(|line| format!("{file}: is not in the code any more (--accept): {line}")));
    findings
}

#[cfg(test)]
mod tests {
    use super::{differences, uses};
    use crate::test::rules::source::Source;

    #[test]
    fn shipped_uses_are_listed_and_tests_are_not() {
        let text = "fn a() {\n    b.expose();\n}\n#[cfg(test)]\nmod tests {\n    fn c() { d.expose(); }\n}\n";
        let sources = [Source::new("src/a.rs", text), Source::new("xtask/src/a.rs", text)];
        assert_eq!(uses(".expose()", &sources), ["src/a.rs: b.expose();"]);
    }

    #[test]
    fn a_new_use_a_vanished_use_and_a_second_like_use_are_found() {
        let uses = ["src/a.rs: x".to_owned(), "src/a.rs: x".to_owned()];
        assert_eq!(differences(&uses, "src/a.rs: x\nsrc/a.rs: x\n", "w", "f").len(), 0);
        assert_eq!(differences(&uses, "src/a.rs: x\n", "w", "f").len(), 1);
        assert_eq!(differences(&uses, "src/a.rs: x\nsrc/a.rs: x\nsrc/b.rs: y\n", "w", "f").len(), 1);
    }
}
