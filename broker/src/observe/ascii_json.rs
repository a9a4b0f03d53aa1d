//! JSON that a terminal shows as it is: foreign text in it can neither reorder nor hide anything.

/// The same JSON in ASCII without controls. What lies beyond stands in texts only, where `\u` says the same.
#[must_use]
pub(crate) fn in_ascii(json: &str) -> String {
    let mut ascii = String::new();
    for letter in json.chars() {
        if letter.is_ascii() && letter != '\u{7f}' {
            ascii.push(letter);
            continue;
        }
        for unit in letter.encode_utf16(&mut [0; 2]) {
            ascii.push_str(&format!("\\u{unit:04x}"));
        }
    }
    ascii
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::in_ascii;

    #[test]
    fn json_stays_exact_and_shows_nothing_but_ascii() {
        let value = json!({"a\u{202e}b": ["\u{9b}2J", "\u{7f}", "é", "𝄞", "\u{0}\n", "\"\\"]});
        let text = in_ascii(&serde_json::to_string_pretty(&value).unwrap());
        assert!(text.bytes().all(|byte| byte == b'\n' || (b' '..=b'~').contains(&byte)), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }
}
