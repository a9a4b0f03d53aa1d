//! What a rule compares a claim with: a text, a number or a truth value, exactly; or a text with `*` in it.
//!
//! `*` stands for one or more characters other than `/`, `:` and `@`, so that it cannot cross from a repository into its
//! owner, from a branch into a tag, or from a workflow into a reference. It cannot stand first, and there is no other
//! metacharacter: a pattern that looks as if it meant one is refused.

use std::fmt;

use serde_json::Value;

use crate::limits::{MAX_PATTERN_BYTES, MAX_STARS};

/// What `*` never stands for.
const SEPARATORS: [char; 3] = ['/', ':', '@'];

/// One value that a claim may have. A value of one type never matches a claim of another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// Exactly this text.
    Text(String),
    /// Exactly this number.
    Number(i64),
    /// Exactly this truth value.
    Flag(bool),
    /// A text of this form.
    Glob(Glob),
}

impl Pattern {
    /// Whether a claim has this value.
    #[must_use]
    pub fn matches(&self, value: &Value) -> bool {
        match (self, value) {
            (Self::Text(wanted), Value::String(text)) => wanted == text,
            (Self::Number(wanted), Value::Number(number)) => number.as_i64() == Some(*wanted),
            (Self::Flag(wanted), Value::Bool(flag)) => wanted == flag,
            (Self::Glob(glob), Value::String(text)) => glob.matches(text),
            _ => false,
        }
    }

    /// Whether every text that it takes begins so.
    #[must_use]
    pub fn begins_with(&self, start: &str) -> bool {
        match self {
            Self::Text(text) => text.starts_with(start),
            Self::Glob(glob) => glob.prefix().starts_with(start),
            Self::Number(_) | Self::Flag(_) => false,
        }
    }

    /// Whether there may be a value that both take; of two patterns with `*` it is taken for granted where their ends fit.
    #[must_use]
    pub fn may_meet(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(text), Self::Glob(glob)) | (Self::Glob(glob), Self::Text(text)) => glob.matches(text),
            (Self::Glob(one), Self::Glob(other)) => one.may_meet(other),
            (one, other) => one == other,
        }
    }

    /// The text that must be there, when it is spelled out.
    #[must_use]
    pub fn literal(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

/// As the configuration spells it.
impl fmt::Display for Pattern {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(formatter, "\"{text}\""),
            Self::Number(number) => write!(formatter, "{number}"),
            Self::Flag(flag) => write!(formatter, "{flag}"),
            Self::Glob(glob) => write!(formatter, "glob \"{glob}\""),
        }
    }
}

/// A text with `*` in it, taken apart at each `*`: always two parts or more, the first not empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Glob {
    parts: Vec<String>,
}

impl Glob {
    /// Reads a pattern.
    ///
    /// # Errors
    /// With a sentence for the operator.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.len() > MAX_PATTERN_BYTES {
            return Err("a `glob` has at most 512 characters");
        }
        if text.contains(['?', '[', ']', '{', '}', '\\', '^', '$', '|']) {
            return Err("a `glob` knows only `*`; there are no classes, alternatives or escapes");
        }
        let parts: Vec<String> = text.split('*').map(str::to_owned).collect();
        match parts.len() - 1 {
            0 => return Err("a `glob` without `*` is a plain text: write it as one"),
            1..=MAX_STARS => {}
            _ => return Err("a `glob` holds at most 4 `*`"),
        }
        if parts[0].is_empty() {
            return Err("a `glob` cannot start with `*`");
        }
        if parts[1..parts.len() - 1].iter().any(String::is_empty) {
            return Err("a `glob` holds no `**`; one `*` never crosses `/`");
        }
        Ok(Self { parts })
    }

    /// Whether the whole text has this form.
    ///
    /// Takes the earliest place for each part, which is enough: what a later place would leave to the `*` before it, the
    /// `*` behind an earlier place takes as well. So the work is bounded by the length of the text times that of a part.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        let [first, middle @ .., last] = self.parts.as_slice() else {
            return false;
        };
        let Some(mut rest) = text.strip_prefix(first.as_str()) else {
            return false;
        };
        for part in middle {
            let Some(remainder) = after_star(rest, part) else {
                return false;
            };
            rest = remainder;
        }
        rest.strip_suffix(last.as_str()).is_some_and(|gap| !gap.is_empty() && !gap.contains(SEPARATORS))
    }

    /// Whether what stands before the first and behind the last `*` of both can be of one text.
    fn may_meet(&self, other: &Self) -> bool {
        let (starts, ends) = ((self.prefix(), other.prefix()), (self.suffix(), other.suffix()));
        (starts.0.starts_with(starts.1) || starts.1.starts_with(starts.0))
            && (ends.0.ends_with(ends.1) || ends.1.ends_with(ends.0))
    }

    fn suffix(&self) -> &str {
        self.parts.last().map_or("", String::as_str)
    }

    /// The text before the first `*`.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.parts[0]
    }
}

impl fmt::Display for Glob {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.parts.join("*"))
    }
}

/// What follows the earliest `part` that has one or more plain characters before it, and nothing else.
fn after_star<'a>(text: &'a str, part: &str) -> Option<&'a str> {
    text.char_indices()
        .take_while(|(_, letter)| !SEPARATORS.contains(letter))
        .map(|(at, letter)| &text[at + letter.len_utf8()..])
        .find_map(|remainder| remainder.strip_prefix(part))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_star_is_one_or_more_plain_characters() {
        let table: &[(&str, &[&str], &[&str])] = &[
            (
                "refs/heads/release-*",
                &["refs/heads/release-1", "refs/heads/release-1.2", "refs/heads/release-\u{e9}"],
                &["refs/heads/release-", "refs/heads/release-1/x", "refs/heads/release", "xrefs/heads/release-1", ""],
            ),
            ("acme/*-base", &["acme/a-base", "acme/a-base-base"], &["acme/-base", "acme/a/b-base", "acme/a-base2"]),
            (
                "repo:acme/*:ref",
                &["repo:acme/app:ref"],
                &["repo:acme/app:x:ref", "repo:acme/a@1:ref", "repo:acme/:ref"],
            ),
            ("a*b*c", &["axbxc", "axbxbxc", "abbbc"], &["abc", "axb", "axbc", "a/bxc", "axb\u{3a}c"]),
            ("v*.*.*", &["v1.2.3", "v1.2.3.4"], &["v1.2", "v1..3", "1.2.3", "v1.2/3.4"]),
            ("acme/a*a", &["acme/aba", "acme/aaa"], &["acme/aa", "acme/a"]),
        ];
        for (pattern, matching, others) in table {
            let glob = Glob::parse(pattern).unwrap();
            assert_eq!(glob.to_string(), *pattern);
            for text in *matching {
                assert!(glob.matches(text), "{pattern} {text}");
            }
            for text in *others {
                assert!(!glob.matches(text), "{pattern} {text}");
            }
        }
    }

    #[test]
    fn doubtful_patterns_are_refused() {
        for text in
            ["*", "*a", "plain", "", "a**", "a**b", "a*b*c*d*e*", "a?*", "a[b]*", "{a,b}*", "a\\*", "a*$", "a|b*"]
        {
            assert!(Glob::parse(text).is_err(), "{text}");
        }
        assert!(Glob::parse(&format!("{}*", "a".repeat(MAX_PATTERN_BYTES))).is_err());
    }

    #[test]
    fn the_worst_match_stays_cheap() {
        let glob = Glob::parse("a*a*a*a*b").unwrap();
        assert!(!glob.matches(&"a".repeat(16 * 1024)));
    }

    #[test]
    fn types_are_never_mixed() {
        let text = Pattern::Text("1".to_owned());
        assert!(text.matches(&json!("1")));
        for value in [json!(1), json!(true), json!(["1"]), json!(null), json!({"1": 1}), json!("1 ")] {
            assert!(!text.matches(&value), "{value}");
        }
        assert!(Pattern::Flag(false).matches(&json!(false)));
        for value in [json!("false"), json!(0), json!(null), json!(true)] {
            assert!(!Pattern::Flag(false).matches(&value), "{value}");
        }
        assert!(Pattern::Number(7).matches(&json!(7)) && !Pattern::Number(7).matches(&json!("7")));
        assert!(!Pattern::Number(7).matches(&json!(7.5)) && !Pattern::Number(7).matches(&json!(7.0)));
        assert!(!Pattern::Glob(Glob::parse("a*").unwrap()).matches(&json!(["ab"])));
    }
}
