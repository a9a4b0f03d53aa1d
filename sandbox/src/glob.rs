//! The one glob of this world: `*` is any text, also none, also across `/` and `:`; there is no other metacharacter.

/// Whether the whole of `text` matches `pattern`.
pub(crate) fn matches(pattern: &str, text: &str) -> bool {
    let Some((first, rest)) = pattern.split_once('*') else {
        return pattern == text;
    };
    let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
    let Some(mut text) = text.strip_prefix(first).and_then(|text| text.strip_suffix(last)) else {
        return false;
    };
    for part in middle.split('*') {
        let Some(at) = text.find(part) else {
            return false;
        };
        text = &text[at + part.len()..];
    }
    true
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn stars_match_any_text() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "a/b:c", true),
            ("refs/heads/*", "refs/heads/release/1", true),
            ("refs/heads/*", "refs/tags/1", false),
            ("repo:acme/*:ref:*", "repo:acme/app:ref:refs/heads/main", true),
            ("repo:acme/app:*", "repo:acme/app:ref:refs/heads/main", true),
            ("repo:acme/app:*", "repo:acme/app2:ref:refs/heads/main", false),
            ("repo:*:ref:*/main", "repo:acme/app:ref:refs/heads/main", true),
            ("a*b*c", "a1b2c", true),
            ("a*b*c", "acb", false),
            ("a*b*c", "abcab", false),
            ("ab*ba", "aba", false),
            ("*a*a*", "a", false),
            ("**", "x", true),
            ("m?in", "main", false),
            ("exact", "exact!", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} on {text}");
        }
    }
}
