//! The known word that is probably meant by one that is not known, for every program. Only known words are ever shown: what was
//! typed may be a secret in the wrong place.

/// The longest word that is compared, in bytes: no name of ours comes near it.
const LONGEST: usize = 64;

/// How many letters of a word may be wrong: one in so many, so that short words are not taken for each other.
const LETTERS_PER_SLIP: usize = 3;

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

/// The nearest of the known words that is at most so many slips away.
pub fn within<'k>(word: &str, known: impl Iterator<Item = &'k str>, most: usize) -> Option<&'k str> {
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
