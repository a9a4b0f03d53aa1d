//! The known word that is probably meant by one that is not known. Only known words are ever shown: what was typed may be a
//! secret in the wrong place.

use crate::cli::{FLAGS, OURS};
use crate::environment::Environment;
use crate::error::{Error, Problem};

/// The longest word that is compared, in bytes: no name of ours comes near it.
const LONGEST: usize = 64;

/// How many letters of a word may be wrong: one in so many, so that short words are not taken for each other.
const LETTERS_PER_SLIP: usize = 3;

/// How many slips make a name of ours out of a variable's: with three, `HUBLEASE_BROKER_BIN` would be one.
const MOST_SLIPS: usize = 2;

/// The nearest of the known words, if it is near enough: a few slips away, or the word with a part left out
/// (`role` for `vault-role`).
pub fn nearest<'k>(word: &str, known: impl Iterator<Item = &'k str> + Clone) -> Option<&'k str> {
    let word = folded(word);
    let is_part = |known: &&str| {
        let (first, last) = (known.split_once('-'), known.rsplit_once('-'));
        first.is_some_and(|(start, _)| start == word) || last.is_some_and(|(_, end)| end == word)
    };
    let by_part = known.clone().find(is_part);
    within(&word, known, word.len() / LETTERS_PER_SLIP).or(by_part)
}

/// Refuses a variable that is a slip away from one of ours: a wish that would be ignored. Other names may be anybody's. What
/// undoes does not ask: it is not kept from its work by a wish that nobody reads.
///
/// # Errors
/// The variable, and the one that is probably meant.
pub fn refuse_misspelled(environment: &Environment) -> Result<(), Error> {
    let known = || FLAGS.iter().flat_map(|flag| flag.variables).filter_map(|name| name.strip_prefix(OURS));
    for (name, _) in environment.iter() {
        let Some(rest) = name.strip_prefix(OURS).filter(|rest| known().all(|known| known != *rest)) else { continue };
        let names = FLAGS.iter().filter(|flag| !flag.variables.is_empty()).map(|flag| flag.name);
        if let Some(near) = within(rest, names, MOST_SLIPS) {
            let near = near.to_ascii_uppercase().replace('-', "_");
            return Err(Error::new(Problem::UnknownVariable, &format!("`{name}`"))
                .because(&format!("did you mean `{OURS}{near}`?")));
        }
    }
    Ok(())
}

/// The nearest of the known words that is at most so many slips away.
fn within<'k>(word: &str, known: impl Iterator<Item = &'k str>, most: usize) -> Option<&'k str> {
    let word = folded(word);
    if word.len() > LONGEST {
        return None;
    }
    let found = known.map(|known| (slips(word.as_bytes(), known.as_bytes()), known)).min_by_key(|(slips, _)| *slips);
    found.filter(|(slips, _)| *slips <= most).map(|(_, known)| known)
}

/// As our names are written.
fn folded(word: &str) -> String {
    word.to_ascii_lowercase().replace('_', "-")
}

/// How many letters were left out, added, exchanged for another or with their neighbour (optimal string alignment).
fn slips(word: &[u8], known: &[u8]) -> usize {
    let mut rows: Vec<Vec<usize>> = vec![(0..=known.len()).collect()];
    for (row, letter) in (1..).zip(word) {
        let mut next = vec![row];
        for (column, other) in (1..).zip(known) {
            let before = &rows[row - 1];
            let exchanged = before[column - 1] + usize::from(letter != other);
            let mut least = exchanged.min(before[column] + 1).min(next[column - 1] + 1);
            let is_swapped = row > 1 && column > 1 && word[row - 2] == *other && known[column - 2] == *letter;
            if is_swapped {
                least = least.min(rows[row - 2][column - 2] + 1);
            }
            next.push(least);
        }
        rows.push(next);
    }
    rows.last().and_then(|row| row.last()).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::nearest;
    use crate::cli::{Command, FLAGS};

    #[test]
    fn a_slip_is_recognised_and_another_word_is_not() {
        for (word, expected) in [
            ("broker-ulr", Some("broker-url")),
            ("brokerurl", Some("broker-url")),
            ("BROKER_URL", Some("broker-url")),
            ("vualt-path", Some("vault-path")),
            ("vault-address", Some("vault-addr")),
            ("isolate", Some("isolated")),
            ("strict-revok", Some("strict-revoke")),
            ("role", Some("vault-role")),
            ("url", Some("broker-url")),
            ("expires", Some("expires-in")),
            ("hunter2", None),
            ("password", None),
            ("x", None),
            ("", None),
            ("dckr_pat_0123456789abcdefghijklmnopq", None),
            ("correct-horse-battery-staple", None),
        ] {
            assert_eq!(nearest(word, FLAGS.iter().map(|flag| flag.name)), expected, "{word}");
        }
        let commands = || Command::ALL.iter().map(|command| command.name());
        for (word, expected) in [
            ("lgoin", Some("login")),
            ("log-out", Some("logout")),
            ("exce", Some("exec")),
            ("who-am-i", Some("whoami")),
            ("push", None),
            ("docker", None),
        ] {
            assert_eq!(nearest(word, commands()), expected, "{word}");
        }
    }
}
