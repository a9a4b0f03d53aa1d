//! One source file, in the three forms in which rules look at it.

use super::blank::{Keep, blank};

/// A Rust file.
pub(super) struct Source {
    /// Path below the root, with `/`.
    pub(super) name: String,
    /// The `//!` lines at its top.
    pub(super) header: String,
    /// Comments and literals blanked.
    pub(super) code: String,
    /// Comments blanked, strings kept.
    pub(super) attributes: String,
    /// For each line, whether it belongs to tests.
    tests: Vec<bool>,
}

impl Source {
    pub(super) fn new(name: &str, text: &str) -> Self {
        let header = text.lines().take_while(|line| line.starts_with("//!")).collect::<Vec<_>>().join("\n");
        let code = blank(text, Keep::Code);
        let file_of_tests = name.starts_with("tests/") || name.contains("/tests/") || name.ends_with("/tests.rs");
        let mut tests = vec![file_of_tests; text.lines().count()];
        for (at, _) in code.match_indices("#[cfg(test)]") {
            let first = line_of(&code, at);
            let last = line_of(&code, end_of_item(&code, at));
            tests[first - 1..last.min(text.lines().count())].fill(true);
        }
        Self { name: name.to_owned(), header, attributes: blank(text, Keep::Strings), code, tests }
    }

    /// Whether line `number`, counted from 1, belongs to tests.
    pub(super) fn is_test(&self, number: usize) -> bool {
        self.tests.get(number - 1).copied().unwrap_or(false)
    }

    pub(super) fn lines(&self) -> usize {
        self.tests.len()
    }
}

/// The line of a byte position, counted from 1.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    text.as_bytes()[..at.min(text.len())].iter().filter(|byte| **byte == b'\n').count() + 1
}

/// Where the item that begins at `at` ends: at its closing brace, or at a `;` before any brace.
pub(super) fn end_of_item(code: &str, at: usize) -> usize {
    let (mut braces, mut others) = (0_usize, 0_usize);
    for (offset, byte) in code.bytes().enumerate().skip(at) {
        match byte {
            b'(' | b'[' => others += 1,
            b')' | b']' => others = others.saturating_sub(1),
            b'{' => braces += 1,
            b'}' => braces = braces.saturating_sub(1),
            _ => {}
        }
        if (byte == b'}' && braces == 0) || (byte == b';' && braces == 0 && others == 0) {
            return offset;
        }
    }
    code.len()
}

#[cfg(test)]
mod tests {
    use super::Source;

    #[test]
    fn tests_are_known_by_their_attribute_and_their_place() {
        let source = Source::new("src/a.rs", "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() {}\n}\nfn c() {}\n");
        let tests: Vec<_> = (1..=6).filter(|line| source.is_test(*line)).collect();
        assert_eq!(tests, [2, 3, 4, 5]);
        assert!(Source::new("tests/it/a.rs", "fn a() {}\n").is_test(1));
        assert!(Source::new("src/a/tests.rs", "fn a() {}\n").is_test(1));
        let declared = Source::new("src/a.rs", "#[cfg(test)]\nmod tests;\nfn c() {}\n");
        assert!(declared.is_test(2) && !declared.is_test(3));
    }

    #[test]
    fn the_header_is_what_stands_on_top() {
        assert_eq!(Source::new("src/a.rs", "//! one\n//! two\n\n//! not\n").header, "//! one\n//! two");
    }
}
