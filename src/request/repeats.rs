//! Whether a foreign text repeats a part of a secret. There is no other answer to this question in the client.
//!
//! The secret is looked for as it is, backwards, in base64 and in hexadecimal; the text as it came and with its escapes
//! undone. Case, blanks, line breaks and punctuation count for nothing, so neither do the two alphabets of base64. What a
//! text hides any better than that is not found: it takes a server that wants to, and such a one has other ways.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use hublease_protocol::hex;
use hublease_protocol::secret::Secret;
use zeroize::Zeroizing;

/// A run of this many bytes of a secret counts as a repetition: shorter ones are met in ordinary sentences. A secret that is
/// not longer is looked for as a whole.
const PIECE: usize = 8;

/// How many characters of base64 those bytes fill at least, wherever they stand in what was encoded.
const PIECE_OF_BASE64: usize = 10;

/// How many hexadecimal digits they are.
const PIECE_OF_HEX: usize = 2 * PIECE;

/// A secret of fewer bytes counts only where it is a word by itself: nearly every sentence has such letters in it.
const SHORTEST: usize = 4;

/// How often escapes are undone: a server may quote what a proxy before it had quoted.
const LAYERS: usize = 3;

/// Whether the text repeats a part of one of the secrets.
pub(crate) fn repeats(text: &str, secrets: &[&Secret]) -> bool {
    let texts = readings(text);
    secrets.iter().any(|secret| texts.iter().any(|text| is_repeated(text, secret.expose().as_bytes())))
}

/// The text as it came, and with its escapes undone layer by layer.
fn readings(text: &str) -> Vec<Vec<u8>> {
    let mut readings = vec![text.as_bytes().to_vec()];
    for _ in 0..LAYERS {
        let inner = readings.last().map(|text| unescaped(text)).unwrap_or_default();
        if readings.last() == Some(&inner) {
            break;
        }
        readings.push(inner);
    }
    readings
}

fn is_repeated(text: &[u8], secret: &[u8]) -> bool {
    if secret.len() < SHORTEST {
        let is_word_part = |byte: &u8| byte.is_ascii_alphanumeric() || !byte.is_ascii();
        let words = text.split(|byte| !is_word_part(byte));
        return !secret.is_empty() && words.into_iter().any(|word| word.eq_ignore_ascii_case(secret));
    }
    let (visible, squeezed) = (folded(text, is_visible), folded(text, is_letter_or_digit));
    let shown = folded(secret, is_visible);
    let letters = folded(secret, is_letter_or_digit);
    // A few letters between much punctuation are found in any text.
    let has_letters = letters.len() >= PIECE;
    share_piece(&visible, &shown, PIECE)
        || share_piece(&visible, &reversed(&shown), PIECE)
        || has_letters && share_piece(&squeezed, &letters, PIECE)
        || has_letters && share_piece(&squeezed, &reversed(&letters), PIECE)
        || share_piece(&squeezed, hex::lower(secret).as_bytes(), PIECE_OF_HEX)
        || (0..3).any(|before| share_piece(&squeezed, &in_base64(secret, before), PIECE_OF_BASE64))
}

/// Whether both hold the same run of so many bytes, or of all that the form has if it is shorter.
fn share_piece(text: &[u8], form: &[u8], length: usize) -> bool {
    let length = length.min(form.len());
    if length == 0 {
        return false;
    }
    let mut pieces: Vec<&[u8]> = text.windows(length).collect();
    pieces.sort_unstable();
    form.windows(length).any(|piece| pieces.binary_search(&piece).is_ok())
}

/// What counts of a text, in lower case.
fn folded(text: &[u8], counts: fn(u8) -> bool) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(text.iter().filter(|byte| counts(**byte)).map(u8::to_ascii_lowercase).collect())
}

fn is_visible(byte: u8) -> bool {
    byte.is_ascii_graphic() || !byte.is_ascii()
}

fn is_letter_or_digit(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

fn reversed(text: &[u8]) -> Zeroizing<Vec<u8>> {
    Zeroizing::new(text.iter().rev().copied().collect())
}

/// The secret in base64 behind so many other bytes, without the characters that it shares with its neighbours.
fn in_base64(secret: &[u8], before: usize) -> Zeroizing<Vec<u8>> {
    let mut bytes = Zeroizing::new(vec![0; before]);
    bytes.extend_from_slice(secret);
    let encoded = Zeroizing::new(STANDARD_NO_PAD.encode(&*bytes).into_bytes());
    let shared_before = [0, 2, 3].get(before).copied().unwrap_or_default();
    let shared_after = usize::from(!bytes.len().is_multiple_of(3));
    let own = encoded.get(shared_before..encoded.len() - shared_after).unwrap_or_default();
    folded(own, is_letter_or_digit)
}

/// Undoes one layer of percent-encoding (RFC 3986) and of the escapes of JSON, Go, Rust and shells.
fn unescaped(text: &[u8]) -> Vec<u8> {
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.first() {
        let (bytes, length) = escape(rest).unwrap_or((vec![*first], 1));
        plain.extend(bytes);
        rest = rest.get(length..).unwrap_or_default();
    }
    plain
}

/// The escape that a text begins with: what it stands for, and how long it is.
fn escape(text: &[u8]) -> Option<(Vec<u8>, usize)> {
    let number = |from: usize, to: usize| {
        let digits = std::str::from_utf8(text.get(from..to)?).ok()?;
        u32::from_str_radix(digits, 16).ok()
    };
    let byte = |from| Some((vec![u8::try_from(number(from, from + 2)?).ok()?], from + 2));
    let character = |number: Option<u32>, length| {
        let character = char::from_u32(number?)?;
        Some((character.to_string().into_bytes(), length))
    };
    match text {
        [b'%', ..] => byte(1),
        [b'\\', b'x', ..] => byte(2),
        [b'\\', b'u', b'{', digits @ ..] => {
            let end = 3 + digits.iter().take(7).position(|byte| *byte == b'}')?;
            character(number(3, end), end + 1)
        }
        [b'\\', b'u', ..] => character(number(2, 6), 6),
        [b'\\', b'n' | b'r' | b't' | b'b' | b'f', ..] => Some((vec![b' '], 2)),
        [b'\\', other, ..] => Some((vec![*other], 2)),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
