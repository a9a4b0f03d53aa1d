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
    for character in text.chars() {
        let piece = piece(&shown, character);
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
    use super::{LIMIT, printable};

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
    fn nothing_that_comes_out_can_start_a_workflow_command() {
        for text in [":\u{200b}:set-output", "#\n#[x]", "##\u{0}[x]", "::::::", "###[x]"] {
            let shown = printable(text);
            assert!(!shown.contains("::") && !shown.contains("##["), "{shown}");
        }
    }
}
