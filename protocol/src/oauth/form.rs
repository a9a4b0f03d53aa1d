//! `application/x-www-form-urlencoded`, written and read.
//!
//! Follows the WHATWG URL standard's serializer (space becomes `+`, everything but letters, digits and `*-._` is escaped).
//! Reading is stricter than a browser: a field that comes twice is refused (RFC 6749 section 3.2), so is a broken escape,
//! and an empty value counts as absent (same section). Forms hold secrets, so nothing here can be printed.

use std::collections::BTreeMap;
use std::fmt;
use std::fmt::Write as _;

use crate::percent;

/// The most fields that a form may have; the widest request that we know has nine.
pub const MAX_FIELDS: usize = 32;

/// Builds a request body, field by field.
#[derive(Default)]
pub struct FormWriter {
    text: String,
}

impl FormWriter {
    /// Adds one field.
    pub fn add(&mut self, name: &str, value: &str) {
        if !self.text.is_empty() {
            self.text.push('&');
        }
        escape(&mut self.text, name);
        self.text.push('=');
        escape(&mut self.text, value);
    }

    /// Adds one field if there is a value.
    pub fn add_some(&mut self, name: &str, value: Option<&str>) {
        if let Some(value) = value {
            self.add(name, value);
        }
    }

    /// The body.
    #[must_use]
    pub fn finish(self) -> String {
        self.text
    }
}

/// A form that was read. Fields that nobody takes are ignored.
pub struct Form {
    fields: BTreeMap<String, String>,
}

impl Form {
    /// Reads a request body. The caller has limited its size.
    ///
    /// # Errors
    /// When a field comes twice, there are more than [`MAX_FIELDS`], or an escape is broken.
    pub fn decode(body: &[u8]) -> Result<Self, FormError> {
        let mut fields = BTreeMap::new();
        for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            let name = unescape(&pair[..at])?;
            let value = unescape(pair.get(at + 1..).unwrap_or_default())?;
            if fields.insert(name, value).is_some() {
                return Err(FormError::Repeated);
            }
            if fields.len() > MAX_FIELDS {
                return Err(FormError::TooManyFields);
            }
        }
        Ok(Self { fields })
    }

    /// Takes a field out; an empty value counts as absent.
    pub fn take(&mut self, name: &str) -> Option<String> {
        self.fields.remove(name).filter(|value| !value.is_empty())
    }
}

/// Why a body is not a form. None of its text is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormError {
    /// A field comes twice.
    Repeated,
    /// More than [`MAX_FIELDS`] fields.
    TooManyFields,
    /// A `%` without two hexadecimal digits, or bytes that are no UTF-8.
    BrokenEscape,
}

impl fmt::Display for FormError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Repeated => "a field comes twice",
            Self::TooManyFields => "the form has too many fields",
            Self::BrokenEscape => "a field is not correctly escaped",
        })
    }
}

impl std::error::Error for FormError {}

fn escape(text: &mut String, value: &str) {
    for byte in value.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => {
                text.push(char::from(byte));
            }
            b' ' => text.push('+'),
            // Writing to a string cannot fail.
            _ => drop(write!(text, "%{byte:02X}")),
        }
    }
}

fn unescape(raw: &[u8]) -> Result<String, FormError> {
    let spaced = raw.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte });
    percent::decode(spaced).ok_or(FormError::BrokenEscape)
}
