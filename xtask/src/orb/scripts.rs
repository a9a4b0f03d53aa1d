//! Functions that two scripts have in common: the same to the letter.
//!
//! They stand in each script, because neither generation of CircleCI's packer resolves an include inside of what it
//! includes, and the orb of the pipeline is packed by theirs. A file that a step leaves for the next would be one more
//! thing that a job could change, and `eval` of a variable is what these scripts never do.

use std::collections::BTreeMap;

use super::source::OrbSource;

/// Each function that another script has in another form.
pub(super) fn check(source: &OrbSource) -> Vec<String> {
    let mut known: BTreeMap<&str, (&str, &str)> = BTreeMap::new();
    let mut findings = Vec::new();
    for (path, text) in source.files.iter().filter(|(path, _)| path.ends_with(".sh")) {
        for (name, whole) in functions(text) {
            let (first, form) = *known.entry(name).or_insert((path, whole));
            if form != whole {
                findings.push(format!("{path}: the function `{name}` is not that of {first}"));
            }
        }
    }
    findings
}

/// Name and whole text of each `name() {` at the beginning of a line, to the `}` at the beginning of one; with the comment
/// above it.
fn functions(text: &str) -> impl Iterator<Item = (&str, &str)> {
    text.match_indices("() {\n").filter_map(|(at, _)| {
        let begin = text[..at].rfind('\n').map_or(0, |end| end + 1);
        let name = &text[begin..at];
        let is_name = !name.is_empty() && name.chars().all(|letter| letter.is_ascii_lowercase() || letter == '_');
        let end = at + text[at..].find("\n}\n")?;
        is_name.then(|| (name, &text[comment_above(text, begin)..end]))
    })
}

/// Where the comment begins that ends right before `at`; `at` itself without one.
fn comment_above(text: &str, at: usize) -> usize {
    let above = text[..at].split_inclusive('\n').rev().take_while(|line| line.starts_with('#'));
    at - above.map(str::len).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::orb::source::OrbSource;

    #[test]
    fn a_function_of_two_scripts_is_the_same_in_both() {
        const ONE: &str = "set -eu\n\n# Says it.\nfail() {\n    echo \"$1\"\n}\n\nown() {\n    true\n}\n";
        let found = |other: &str| check(&OrbSource::of(&[("scripts/a.sh", ONE), ("scripts/b.sh", other)]));
        assert_eq!(found("fail() { :; }\n# Says it.\nfail() {\n    echo \"$1\"\n}\nother() {\n    true\n}\n"), [""; 0]);
        for other in [
            "# Says it.\nfail() {\n    echo \"$2\"\n}\n",
            "# Says it.\nfail() {\n    echo \"$1\"\n    exit\n}\n",
            "# Says something.\nfail() {\n    echo \"$1\"\n}\n",
            "fail() {\n    echo \"$1\"\n}\n",
        ] {
            assert_eq!(found(other), ["scripts/b.sh: the function `fail` is not that of scripts/a.sh"], "{other}");
        }
    }
}
