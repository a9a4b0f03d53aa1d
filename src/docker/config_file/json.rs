//! JSON as Go's `encoding/json` reads it, with the place of everything in the text.
//!
//! What is changed in a file is changed at such a place, and all the rest stays byte for byte: order, white space, numbers
//! and escapes.

use std::ops::Range;

use crate::docker::config_file::Malformed;

/// How deep arrays and objects may nest, as in Go's scanner. They are kept in a list, so that depth costs no stack.
const DEEPEST: usize = 10_000;

/// The white space of JSON.
pub(super) const WHITE_SPACE: [char; 4] = [' ', '\t', '\r', '\n'];

/// A place in the text.
pub(super) type Span = Range<usize>;

/// One member of an object.
#[derive(Debug)]
pub(super) struct Member {
    /// Its name, as Go decodes it.
    pub(super) name: String,
    /// From the opening quote of the name to the end of the value.
    pub(super) whole: Span,
    /// The value.
    pub(super) value: Span,
}

/// Where the one value of the text is.
///
/// # Errors
/// It is not JSON, nests deeper than Go reads, or something follows.
pub(super) fn value(text: &str) -> Result<Span, Malformed> {
    let value = first_value(text)?;
    if text[value.end..].trim_matches(WHITE_SPACE).is_empty() { Ok(value) } else { Err(Malformed) }
}

/// Where the first value of the text is, whatever follows: all that Go's decoder reads of a stream.
///
/// # Errors
/// It is not JSON, or nests deeper than Go reads.
pub(super) fn first_value(text: &str) -> Result<Span, Malformed> {
    let mut scanner = Scanner { text: text.as_bytes(), at: 0 };
    scanner.space();
    scanner.value()
}

/// The members of the object at this place, in order; of a text that [`value`] has read.
///
/// # Errors
/// It is no object.
pub(super) fn members(text: &str, object: Span) -> Result<Vec<Member>, Malformed> {
    let mut scanner = Scanner { text: &text.as_bytes()[..object.end], at: object.start };
    let mut members = Vec::new();
    scanner.expect(b'{')?;
    scanner.space();
    while !scanner.take(b'}') {
        let start = scanner.at;
        let name = scanner.name()?;
        scanner.space();
        let value = scanner.value()?;
        members.push(Member { name, whole: start..value.end, value });
        scanner.space();
        if scanner.take(b',') {
            scanner.space();
        }
    }
    Ok(members)
}

/// Where the items of the array at this place are; of a text that [`value`] has read.
///
/// # Errors
/// It is no array.
pub(super) fn items(text: &str, array: Span) -> Result<Vec<Span>, Malformed> {
    let mut scanner = Scanner { text: &text.as_bytes()[..array.end], at: array.start };
    let mut items = Vec::new();
    scanner.expect(b'[')?;
    scanner.space();
    while !scanner.take(b']') {
        items.push(scanner.value()?);
        scanner.space();
        if scanner.take(b',') {
            scanner.space();
        }
    }
    Ok(items)
}

/// The string that this literal stands for, as Go decodes it: half of a surrogate pair is U+FFFD. None if it is no string.
pub(super) fn string(literal: &str) -> Option<String> {
    let quoted = literal.strip_prefix('"')?.strip_suffix('"')?;
    let mut text = String::with_capacity(quoted.len());
    let mut rest = quoted;
    while let Some(at) = rest.find('\\') {
        text.push_str(&rest[..at]);
        let (character, length) = escaped(&rest[at..])?;
        text.push(character);
        rest = &rest[at + length..];
    }
    text.push_str(rest);
    Some(text)
}

/// The character of the escape that `text` begins with, and how long that is.
fn escaped(text: &str) -> Option<(char, usize)> {
    let simple = |character| Some((character, 2));
    match text.as_bytes().get(1)? {
        b'b' => simple('\u{8}'),
        b'f' => simple('\u{c}'),
        b'n' => simple('\n'),
        b'r' => simple('\r'),
        b't' => simple('\t'),
        b'u' => {
            let first = unit(text)?;
            let second = text.get(6..).and_then(unit);
            let pair = second.and_then(|second| char::decode_utf16([first, second]).next()?.ok());
            match (char::from_u32(u32::from(first)), pair) {
                (Some(character), _) => Some((character, 6)),
                (None, Some(character)) => Some((character, 12)),
                (None, None) => Some((char::REPLACEMENT_CHARACTER, 6)),
            }
        }
        quoted => simple(char::from(*quoted)),
    }
}

/// The code unit of `\uXXXX`.
fn unit(text: &str) -> Option<u16> {
    u16::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok()
}

struct Scanner<'t> {
    text: &'t [u8],
    at: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let is_there = self.peek() == Some(byte);
        self.at += usize::from(is_there);
        is_there
    }

    fn expect(&mut self, byte: u8) -> Result<(), Malformed> {
        if self.take(byte) { Ok(()) } else { Err(Malformed) }
    }

    fn space(&mut self) {
        while self.peek().is_some_and(|byte| WHITE_SPACE.contains(&char::from(byte))) {
            self.at += 1;
        }
    }

    /// A whole value. What is open is a list: whether each is an object.
    fn value(&mut self) -> Result<Span, Malformed> {
        let start = self.at;
        let mut open: Vec<bool> = Vec::new();
        loop {
            self.space();
            match self.peek().ok_or(Malformed)? {
                bracket @ (b'{' | b'[') if open.len() < DEEPEST => {
                    self.at += 1;
                    open.push(bracket == b'{');
                    self.space();
                    if !self.closes(&open) {
                        self.begin_item(&open)?;
                        continue;
                    }
                    open.pop();
                }
                b'"' => self.literal_string()?,
                b'-' | b'0'..=b'9' => self.number()?,
                _ => self.word()?,
            }
            loop {
                if open.is_empty() {
                    return Ok(start..self.at);
                }
                self.space();
                if self.take(b',') {
                    self.space();
                    self.begin_item(&open)?;
                    break;
                }
                if !self.closes(&open) {
                    return Err(Malformed);
                }
                open.pop();
            }
        }
    }

    /// The bracket that closes what was opened last.
    fn closes(&mut self, open: &[bool]) -> bool {
        match open.last() {
            Some(true) => self.take(b'}'),
            Some(false) => self.take(b']'),
            None => false,
        }
    }

    /// What comes before the value of an item: in an object a name.
    fn begin_item(&mut self, open: &[bool]) -> Result<(), Malformed> {
        if open.last() == Some(&true) {
            self.literal_string()?;
            self.space();
            self.expect(b':')?;
        }
        Ok(())
    }

    /// A name, with its colon.
    fn name(&mut self) -> Result<String, Malformed> {
        let start = self.at;
        self.literal_string()?;
        let literal = std::str::from_utf8(&self.text[start..self.at]).ok();
        let name = literal.and_then(string).ok_or(Malformed)?;
        self.space();
        self.expect(b':')?;
        Ok(name)
    }

    fn literal_string(&mut self) -> Result<(), Malformed> {
        self.expect(b'"')?;
        loop {
            let byte = self.peek().ok_or(Malformed)?;
            self.at += 1;
            match byte {
                b'"' => return Ok(()),
                b'\\' => self.escape()?,
                0..0x20 => return Err(Malformed),
                _ => {}
            }
        }
    }

    fn escape(&mut self) -> Result<(), Malformed> {
        let byte = self.peek().ok_or(Malformed)?;
        self.at += 1;
        match byte {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Ok(()),
            b'u' => {
                let digits = self.text.get(self.at..self.at + 4).ok_or(Malformed)?;
                self.at += 4;
                if digits.iter().all(u8::is_ascii_hexdigit) { Ok(()) } else { Err(Malformed) }
            }
            _ => Err(Malformed),
        }
    }

    fn number(&mut self) -> Result<(), Malformed> {
        self.take(b'-');
        if !self.take(b'0') {
            self.digits()?;
        }
        if self.take(b'.') {
            self.digits()?;
        }
        if self.take(b'e') || self.take(b'E') {
            if !self.take(b'+') {
                self.take(b'-');
            }
            self.digits()?;
        }
        Ok(())
    }

    fn digits(&mut self) -> Result<(), Malformed> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(Malformed) }
    }

    fn word(&mut self) -> Result<(), Malformed> {
        let rest = &self.text[self.at..];
        let word = ["null", "true", "false"].into_iter().find(|word| rest.starts_with(word.as_bytes()));
        self.at += word.ok_or(Malformed)?.len();
        Ok(())
    }
}
