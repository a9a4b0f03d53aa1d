//! Licences: which of a choice is taken, and by which words a text of one is known.
//!
//! Of a choice the first in [`KNOWN`] is taken. Apache 2.0 stands there first, because one text of it serves all crates.

use self::Licence::{Apache2, Apache2WithLlvm, Bsd3, Isc, Mit, Zlib};

/// A licence that was read, and whose terms a text with its notice meets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Licence {
    Apache2,
    Mit,
    Isc,
    Bsd3,
    Zlib,
    Apache2WithLlvm,
}

/// Licences by their SPDX names, and words that each text of one has, with single spaces.
const KNOWN: [(Licence, &str, &str); 6] = [
    (Apache2, "Apache-2.0", "Apache License Version 2.0, January 2004"),
    (Mit, "MIT", "Permission is hereby granted, free of charge, to any person obtaining a copy"),
    (Isc, "ISC", "Permission to use, copy, modify, and/or distribute this software for any purpose"),
    (Bsd3, "BSD-3-Clause", "Redistribution and use in source and binary forms, with or without modification"),
    (Zlib, "Zlib", "Altered source versions must be plainly marked as such"),
    (Apache2WithLlvm, "Apache-2.0 WITH LLVM-exception", "LLVM Exceptions to the Apache 2.0 License"),
];

impl Licence {
    /// Its SPDX name.
    pub(super) fn name(self) -> &'static str {
        KNOWN.iter().find(|(licence, ..)| *licence == self).map_or("", |(_, name, _)| name)
    }
}

/// The licences that a text holds.
pub(super) fn held(text: &str) -> Vec<Licence> {
    let text = one_line(text);
    KNOWN.iter().filter(|(.., words)| text.contains(words)).map(|(licence, ..)| *licence).collect()
}

/// With single spaces, as texts differ in how they break their lines; some are a comment of Rust.
pub(super) fn one_line(text: &str) -> String {
    text.split_whitespace().filter(|word| *word != "//").collect::<Vec<_>>().join(" ")
}

/// What is to be met of an SPDX expression: the one of each choice that is taken.
///
/// # Errors
/// A sentence: it has no choice of known licences, or is none of the forms that crates use.
pub(super) fn taken(expression: &str) -> Result<Vec<Licence>, String> {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let mut rest = words.as_slice();
    let taken = either(&mut rest).filter(|_| rest.is_empty());
    taken.flatten().ok_or_else(|| format!("`{expression}`: no licence whose terms are known to be met"))
}

/// `A OR B …`. None outside if it cannot be read, none inside if no choice is known.
fn either(rest: &mut &[&str]) -> Option<Option<Vec<Licence>>> {
    let mut best = all(rest)?;
    while let Some(after) = rest.strip_prefix(&["OR"]) {
        *rest = after;
        let other = all(rest)?;
        best = match (best, other) {
            (Some(one), Some(other)) => Some(if rank(&other) < rank(&one) { other } else { one }),
            (one, other) => one.or(other),
        };
    }
    Some(best)
}

/// `A AND B …`, which binds closer.
fn all(rest: &mut &[&str]) -> Option<Option<Vec<Licence>>> {
    let mut together = single(rest)?;
    while let Some(after) = rest.strip_prefix(&["AND"]) {
        *rest = after;
        together = single(rest)?.zip(together).map(|(other, one)| [one, other].concat());
    }
    Some(together)
}

fn single(rest: &mut &[&str]) -> Option<Option<Vec<Licence>>> {
    if let Some(after) = rest.strip_prefix(&["("]) {
        *rest = after;
        let inner = either(rest)?;
        *rest = rest.strip_prefix(&[")"])?;
        return Some(inner);
    }
    let (name, after) = match rest {
        [name, "WITH", exception, after @ ..] => (format!("{name} WITH {exception}"), after),
        [name, after @ ..] => ((*name).to_owned(), after),
        [] => return None,
    };
    *rest = after;
    Some(KNOWN.iter().find(|(_, known, _)| *known == name).map(|(licence, ..)| vec![*licence]))
}

/// Fewer texts are better, then those that stand first.
fn rank(licences: &[Licence]) -> (usize, Option<Licence>) {
    (licences.len(), licences.iter().max().copied())
}

#[cfg(test)]
mod tests {
    use super::Licence::{Apache2, Bsd3, Isc, Mit};
    use super::{held, taken};

    #[test]
    fn one_of_each_choice_is_taken() {
        for (expression, licences) in [
            ("MIT", [Mit].as_slice()),
            ("MIT OR Apache-2.0", &[Apache2]),
            ("MIT/Apache-2.0", &[Apache2]),
            ("Unlicense OR MIT", &[Mit]),
            ("Apache-2.0 AND ISC", &[Apache2, Isc]),
            ("(MIT OR Apache-2.0) AND BSD-3-Clause", &[Apache2, Bsd3]),
            ("Apache-2.0 WITH LLVM-exception OR Apache-2.0 OR MIT", &[Apache2]),
            ("MIT OR Apache-2.0 AND ISC", &[Mit]),
        ] {
            assert_eq!(taken(expression).unwrap(), licences, "{expression}");
        }
    }

    #[test]
    fn what_nobody_has_read_is_refused() {
        for expression in ["GPL-3.0", "MIT AND GPL-3.0", "", "MIT OR", "(MIT", "MIT ISC", "MIT)", "MIT WITH x"] {
            assert!(taken(expression).is_err(), "{expression}");
        }
    }

    #[test]
    fn a_text_is_known_however_its_lines_are_broken() {
        let mit = "Permission is hereby\n  granted, free of charge, to any\nperson obtaining a copy";
        assert_eq!(held(mit), [Mit]);
        assert_eq!(
            held("// Permission to use, copy, modify, and/or\n// distribute this software for any\n// purpose"),
            [Isc]
        );
        assert_eq!(held("MIT OR Apache-2.0"), []);
    }
}
