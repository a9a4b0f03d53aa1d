//! Percent-encoding (RFC 3986 section 2.1), read.

/// Replaces each `%XX`; none for a `%` without two hexadecimal digits, and for bytes that are no UTF-8. Every other byte
/// stands for itself, a `+` too: only forms read it as a space.
pub fn decode(bytes: impl IntoIterator<Item = u8>) -> Option<String> {
    let mut bytes = bytes.into_iter();
    let mut decoded = Vec::with_capacity(bytes.size_hint().0);
    while let Some(byte) = bytes.next() {
        let is_escape = byte == b'%';
        decoded.push(if is_escape { hexadecimal(bytes.next()?)? * 16 + hexadecimal(bytes.next()?)? } else { byte });
    }
    // The error of `from_utf8` would carry the bytes along.
    String::from_utf8(decoded).ok()
}

fn hexadecimal(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn an_escape_is_replaced_and_a_broken_one_refused() {
        for (text, decoded) in [
            ("", Some("")),
            ("a/b+c", Some("a/b+c")),
            ("%61%2f%2F%C3%A9", Some("a//é")),
            ("%25%36%31", Some("%61")),
            ("%", None),
            ("%4", None),
            ("%4g", None),
            ("%+1", None),
            ("%ff", None),
        ] {
            assert_eq!(decode(text.bytes()).as_deref(), decoded, "{text}");
        }
    }
}
