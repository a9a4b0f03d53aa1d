//! What a rule wants of one claim: any of some values, or all of them.
//!
//! Some claims name one thing: the project, the event, and what a pattern may stand for (references, environments, workflow paths).
//! Of those a list is never taken. Of any other claim a list is taken by its elements, as CircleCI's `context-ids` are one.

use std::fmt;

use serde_json::Value;

use crate::rules::Pattern;

/// See the module. The patterns are never none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// The value is one of these, and no list.
    One(Vec<Pattern>),
    /// The value, or an element of the list that it is, is one of these.
    Any(Vec<Pattern>),
    /// For each of these there is an element of the list, or it is the value.
    All(Vec<Pattern>),
}

impl Wanted {
    /// Whether a claim is there and has what is wanted.
    #[must_use]
    pub fn takes(&self, found: Option<&Value>) -> bool {
        let Some(value) = found else { return false };
        match self {
            Self::One(patterns) => patterns.iter().any(|pattern| pattern.matches(value)),
            Self::Any(patterns) => patterns.iter().any(|pattern| is_in(pattern, value)),
            Self::All(patterns) => patterns.iter().all(|pattern| is_in(pattern, value)),
        }
    }

    /// What is compared with.
    #[must_use]
    pub fn patterns(&self) -> &[Pattern] {
        match self {
            Self::One(patterns) | Self::Any(patterns) | Self::All(patterns) => patterns,
        }
    }

    /// Whether no value is taken by both: then no job is.
    #[must_use]
    pub fn excludes(&self, other: &Self) -> bool {
        let may_be_a_list = matches!((self, other), (Self::Any(_) | Self::All(_), Self::Any(_) | Self::All(_)));
        let meet = |one: &Pattern| {
            // A list may hold both of two texts, and is never a truth value.
            let is_in_a_list = may_be_a_list && !matches!(one, Pattern::Flag(_));
            other
                .patterns()
                .iter()
                .any(|another| one.may_meet(another) || is_in_a_list && !matches!(another, Pattern::Flag(_)))
        };
        !self.patterns().iter().any(meet)
    }
}

/// A truth value says something of the job as a whole, so in a list it is none.
fn is_in(pattern: &Pattern, value: &Value) -> bool {
    match (pattern, value) {
        (Pattern::Flag(_), Value::Array(_)) => false,
        (pattern, Value::Array(list)) => list.iter().any(|element| pattern.matches(element)),
        (pattern, single) => pattern.matches(single),
    }
}

/// As a reader of `check` sees it.
impl fmt::Display for Wanted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = if matches!(self, Self::All(_)) { " and " } else { " or " };
        let patterns: Vec<_> = self.patterns().iter().map(Pattern::to_string).collect();
        formatter.write_str(&patterns.join(word))
    }
}
