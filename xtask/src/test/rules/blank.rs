//! Rust source with comments and literals blanked out, every line and column where it was.
//!
//! Follows the lexical rules of the Rust reference as far as they matter for finding words and braces: nested block
//! comments, raw strings with their hashes, and lifetimes, which begin like a character.

/// What to blank besides comments.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// Strings stay: attributes have words in them.
    Strings,
    /// Nothing stays but code.
    Code,
}

/// The blanked text, of the same length in characters.
pub(super) fn blank(text: &str, keep: Keep) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut blanked = String::with_capacity(text.len());
    let mut at = 0;
    while at < characters.len() {
        let rest = &characters[at..];
        let (length, is_comment) = match comment(rest) {
            Some(length) => (length, true),
            None => (literal(rest, at.checked_sub(1).map(|before| characters[before])).unwrap_or(0), false),
        };
        let stays = length == 0 || (!is_comment && keep == Keep::Strings);
        let length = length.max(1);
        for &character in &rest[..length.min(rest.len())] {
            blanked.push(if stays || character == '\n' { character } else { ' ' });
        }
        at += length;
    }
    blanked
}

/// Length of the comment that begins here.
fn comment(text: &[char]) -> Option<usize> {
    match text {
        ['/', '/', ..] => Some(text.iter().position(|character| *character == '\n').unwrap_or(text.len())),
        ['/', '*', ..] => {
            let (mut depth, mut at) = (0_usize, 0);
            while at < text.len() {
                match &text[at..] {
                    ['/', '*', ..] => (depth, at) = (depth + 1, at + 2),
                    ['*', '/', ..] => (depth, at) = (depth - 1, at + 2),
                    _ => at += 1,
                }
                if depth == 0 {
                    return Some(at);
                }
            }
            Some(text.len())
        }
        _ => None,
    }
}

/// Length of the string or character that begins here; `before` is the character in front of it.
fn literal(text: &[char], before: Option<char>) -> Option<usize> {
    let in_a_word = before.is_some_and(|character| character.is_alphanumeric() || character == '_');
    let prefix = if in_a_word { 0 } else { text.iter().take_while(|character| "brc".contains(**character)).count() };
    let body = &text[prefix..];
    if prefix > 0 && text[..prefix].contains(&'r') {
        let hashes = body.iter().take_while(|character| **character == '#').count();
        if body.get(hashes) == Some(&'"') {
            return Some(prefix + raw_string(&body[hashes..], hashes) + hashes);
        }
        return None;
    }
    match body {
        ['"', ..] => Some(prefix + quoted(body, '"')),
        ['\'', '\\', ..] => Some(prefix + quoted(body, '\'')),
        ['\'', _, '\'', ..] => Some(prefix + 3),
        _ => None,
    }
}

/// Length of `"..."##` with that many hashes at its end.
fn raw_string(text: &[char], hashes: usize) -> usize {
    let end = |at: usize| text[at] == '"' && text[at + 1..].iter().take_while(|c| **c == '#').count() >= hashes;
    (1..text.len()).find(|at| end(*at)).map_or(text.len(), |at| at + 1 + hashes)
}

/// Length of a literal with escapes, both marks included.
fn quoted(text: &[char], mark: char) -> usize {
    let mut at = 1;
    while at < text.len() && text[at] != mark {
        at += if text[at] == '\\' { 2 } else { 1 };
    }
    (at + 1).min(text.len())
}

#[cfg(test)]
mod tests {
    use super::{Keep, blank};

    #[test]
    fn comments_and_literals_go_and_code_stays() {
        for (text, code) in [
            ("a // b\nc", "a     \nc"),
            ("a /* b /* c */ d */ e", "a                   e"),
            (r#"f("{", '{', b'{', '\'')"#, "f(   ,    ,     ,     )"),
            ("r#\"a\"b\"# + x", "         + x"),
            ("fn f<'a>(x: &'a str) {}", "fn f<'a>(x: &'a str) {}"),
            ("br\"\\\" {", "      {"),
            ("for_each(\"a\\\"b\")", "for_each(      )"),
            ("\"// no comment\" {", "                {"),
        ] {
            assert_eq!(blank(text, Keep::Code), code);
        }
        assert_eq!(blank("#[serde(with = \"x\")] // y", Keep::Strings), "#[serde(with = \"x\")]     ");
    }

    #[test]
    fn what_does_not_end_does_not_break_it() {
        for text in ["\"", "r#\"", "/*", "'\\", "b'", "r"] {
            assert_eq!(blank(text, Keep::Code).chars().count(), text.chars().count(), "{text}");
        }
    }
}
