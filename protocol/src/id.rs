//! The id of a login: what its record and its private directory are known by.

use std::fmt;

use crate::hex;

/// 32 lower-case hexadecimal digits, so it is no path and has one spelling. `action/private.mjs` holds it to the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Id(String);

impl Id {
    /// The id of these bytes, which the caller has drawn at random.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(hex::lower(&bytes))
    }

    /// Reads one; none if the text is anything else, with a capital digit too.
    pub fn parse(text: &str) -> Option<Self> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        (text.len() == 32 && text.bytes().all(is_digit)).then(|| Self(text.to_owned()))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Id;

    #[test]
    fn an_id_is_read_as_it_was_written() {
        let id = Id::from_bytes([0x0a, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 0xff]);
        assert_eq!(id.to_string(), "0a0102030405060708090a0b0c0d0eff");
        assert_eq!(Id::parse(&id.to_string()), Some(id));
    }

    #[test]
    fn anything_but_32_lower_case_hexadecimal_digits_is_no_id() {
        let digits = |digit: &str| format!("{}{digit}", "0".repeat(31));
        assert!(Id::parse(&digits("f")).is_some());
        for text in [String::new(), "0".repeat(31), "0".repeat(33), digits("F"), digits("g"), digits("/"), digits(".")]
        {
            assert_eq!(Id::parse(&text), None, "{text}");
        }
    }
}
