//! No file over 300 lines and no function over 60 without a reason in the file's header.
//!
//! A reason names what it is for: `300 lines` for the file, the function's name in backticks and `60 lines` for a function.

use super::source::{Source, end_of_item, line_of};

/// Lines of a file, tests included: whoever opens it has to read them.
const LONGEST_FILE: usize = 300;
/// Lines of a function, from `fn` to its closing brace.
const LONGEST_FUNCTION: usize = 60;

pub(super) fn check(source: &Source) -> Vec<String> {
    let mut findings = Vec::new();
    if source.header.is_empty() {
        findings.push(format!("{}:1: does not open with `//!`", source.name));
    }
    if source.lines() > LONGEST_FILE && !source.header.contains(&format!("{LONGEST_FILE} lines")) {
        findings.push(format!(
            "{}:{}: over {LONGEST_FILE} lines, and no reason in the header",
            source.name,
            source.lines()
        ));
    }
    for (name, first, last) in functions(&source.code) {
        let length = last - first + 1;
        let has_reason = source.header.contains(&format!("`{name}`"))
            && source.header.contains(&format!("{LONGEST_FUNCTION} lines"));
        if length > LONGEST_FUNCTION && !has_reason {
            findings.push(format!("{}:{first}: `{name}` has {length} lines, and no reason in the header", source.name));
        }
    }
    findings
}

/// Name, first and last line of every function with a body.
fn functions(code: &str) -> Vec<(&str, usize, usize)> {
    let is_word = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    let mut found = Vec::new();
    for (at, _) in code.match_indices("fn ") {
        if at > 0 && is_word(code.as_bytes()[at - 1]) {
            continue;
        }
        let rest = code[at + 3..].trim_start();
        let name = &rest[..rest.bytes().position(|byte| !is_word(byte)).unwrap_or(rest.len())];
        let end = end_of_item(code, at);
        if !name.is_empty() && code.as_bytes().get(end) == Some(&b'}') {
            found.push((name, line_of(code, at), line_of(code, end)));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{check, functions};
    use crate::test::rules::source::Source;

    #[test]
    fn functions_are_measured_from_their_word_to_their_brace() {
        let code = "trait T {\n    fn declared(a: [u8; 3]);\n}\nfn outer() {\n    fn inner() {}\n    let x = |fnord: u8| {};\n}\n";
        assert_eq!(functions(code), [("outer", 4, 7), ("inner", 5, 5)]);
        assert_eq!(functions("type F = fn (u8) -> u8;"), []);
    }

    #[test]
    fn too_long_without_a_reason_is_found_and_with_one_it_is_not() {
        let body = |lines: usize| format!("fn long() {{\n{}}}\n", "    a();\n".repeat(lines - 2));
        let findings = |header: &str, text: &str| check(&Source::new("src/a.rs", &format!("{header}\n{text}"))).len();
        assert_eq!(findings("//! a", &body(60)), 0);
        assert_eq!(findings("//! a", &body(61)), 1);
        assert_eq!(findings("//! `long` has over 60 lines: one table.", &body(61)), 0);
        assert_eq!(findings("//! `other` has over 60 lines: one table.", &body(61)), 1);
        assert_eq!(findings("//! a", &"a();\n".repeat(299)), 0);
        assert_eq!(findings("//! a", &"a();\n".repeat(300)), 1);
        assert_eq!(findings("//! Over 300 lines: one table.", &"a();\n".repeat(300)), 0);
        assert_eq!(findings("", "fn a() {}"), 1);
    }
}
