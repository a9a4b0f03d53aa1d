//! Foreign text made safe to show.
//!
//! Claims, remote messages and what child processes print all pass through [`printable`]. Afterwards the text is
//! one line, cannot move the cursor or reorder what is read, cannot start a workflow command (`::add-mask::`,
//! `##[command]`), and is at most [`LIMIT`] characters long.

/// The longest text that is shown; a terminal line or two, and too short to carry a page of instructions.
pub const LIMIT: usize = 200;

/// Returns `text` with control and invisible characters escaped, `::` and `##[` broken by a space, cut at [`LIMIT`].
pub fn printable(text: &str) -> String {
    let mut shown = String::new();
    let mut length = 0;
    for piece in (Pieces { rest: text, before: String::new() }) {
        let added = piece.chars().count();
        if length + added > LIMIT {
            shown.push('…');
            break;
        }
        length += added;
        shown.push_str(&piece);
    }
    shown
}

/// The longest cause: servers wrap theirs, and the innermost, which says most, comes last.
pub const CAUSE_LIMIT: usize = 600;

/// The same for a cause on a line of its own: what is longer than [`CAUSE_LIMIT`] loses its beginning.
pub fn printable_cause(text: &str) -> String {
    let whole: Vec<String> = Pieces { rest: text, before: String::new() }.collect();
    let mut length = 0;
    let kept = whole.iter().rev().take_while(|piece| {
        length += piece.chars().count();
        length <= CAUSE_LIMIT
    });
    let shown = whole[whole.len() - kept.count()..].concat();
    // What stood before the cut must not join what follows it to a command.
    if shown.chars().count() < whole.iter().map(|piece| piece.chars().count()).sum() {
        format!("…{shown}")
    } else {
        shown
    }
}

/// The text in pieces that are harmless one after the other.
struct Pieces<'a> {
    rest: &'a str,
    /// The piece before.
    before: String,
}

impl Iterator for Pieces<'_> {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let character = self.rest.chars().next()?;
        let address = address(self.rest);
        let length = address.map_or(character.len_utf8(), str::len);
        let (now, rest) = self.rest.split_at(length);
        let mut piece = piece(&self.before, character);
        if address.is_some() {
            piece.push_str(&now[character.len_utf8()..]);
        }
        self.rest = rest;
        let kept = self.before.len().saturating_sub(1);
        // Two `#` come one after the other.
        self.before = format!("{}{piece}", self.before.get(kept..).unwrap_or_default());
        Some(piece)
    }
}

/// An IPv6 address in brackets at the beginning of the text. Its colons begin no command, since a bracket stands before them.
fn address(text: &str) -> Option<&str> {
    let inner = text.strip_prefix('[')?;
    let end = inner.find(|character: char| !character.is_ascii_hexdigit() && !":.".contains(character))?;
    let is_address = inner[end..].starts_with(']') && inner[..end].contains(':');
    is_address.then(|| &text[..end + 2])
}

/// What one character becomes after what was shown before it.
fn piece(before: &str, character: char) -> String {
    match character {
        hidden if is_hidden(hidden) => hidden.escape_unicode().to_string(),
        ':' if before.ends_with(':') => " :".to_owned(),
        '[' if before.ends_with("##") => " [".to_owned(),
        other => other.to_string(),
    }
}

/// Controls (C0, C1, line separators), and the characters that are invisible or change the reading direction.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

#[cfg(test)]
mod tests {
    use super::{CAUSE_LIMIT, LIMIT, printable, printable_cause};

    #[test]
    fn foreign_text_becomes_one_harmless_line() {
        for (text, shown) in [
            ("plain", "plain"),
            ("two\nlines\r", "two\\u{a}lines\\u{d}"),
            ("\u{1b}[31mred", "\\u{1b}[31mred"),
            ("a\u{202e}b", "a\\u{202e}b"),
            ("::add-mask::x", ": :add-mask: :x"),
            (":::", ": : :"),
            ("##[error]x", "## [error]x"),
            ("https://a/b", "https://a/b"),
            ("http://[::1]:8200 is gone", "http://[::1]:8200 is gone"),
            ("https://[2001:db8::1]", "https://[2001:db8::1]"),
            ("[::ffff:192.0.2.1]::", "[::ffff:192.0.2.1]: :"),
            ("[::]::x", "[::]: :x"),
            ("[::warning::x]", "[: :warning: :x]"),
            ("[::1", "[: :1"),
            ("[ab]::1", "[ab]: :1"),
            ("##[::1]", "## [::1]"),
            ("###[::1]", "### [::1]"),
            ("\u{9b}2J", "\\u{9b}2J"),
        ] {
            assert_eq!(printable(text), shown);
        }
    }

    #[test]
    fn long_text_is_cut_and_says_so() {
        let shown = printable(&"x".repeat(10_000));
        assert_eq!(shown.chars().count(), LIMIT + 1);
        assert!(shown.ends_with('…'));
    }

    #[test]
    fn a_cause_keeps_its_end() {
        assert_eq!(printable_cause("failed: 204"), "failed: 204");
        let shown = printable_cause(&format!("{} auth token 204", "x".repeat(10_000)));
        assert_eq!(shown.chars().count(), CAUSE_LIMIT + 1);
        assert!(shown.starts_with('…') && shown.ends_with("auth token 204"), "{shown}");
    }

    #[test]
    fn nothing_that_comes_out_can_start_a_workflow_command() {
        for text in [":\u{200b}:set-output", "#\n#[x]", "##\u{0}[x]", "::::::", "###[x]"] {
            for shown in [printable(text), printable_cause(text), printable_cause(&text.repeat(200))] {
                assert!(!shown.contains("::") && !shown.contains("##["), "{shown}");
            }
        }
    }
}
