//! Reading what others send, up to a cap, into memory that is zeroed.
//!
//! A `Vec` that grows leaves its earlier, smaller copies behind; here each of them is zeroed as well.

use std::io::{self, Read};

use hublease_protocol::secret::Secret;
use zeroize::Zeroizing;

/// The size of the first buffer; most answers and messages are smaller, so nothing has to grow.
const FIRST: usize = 16 * 1024;

/// What reading brought.
#[derive(Debug)]
pub(in crate::native) enum Capped {
    /// Everything there was.
    Whole(Zeroizing<Vec<u8>>),
    /// There was more than the cap.
    TooLarge,
}

/// Reads to the end, or until there are more than `cap` bytes.
pub(in crate::native) fn read(mut source: impl Read, cap: usize) -> io::Result<Capped> {
    let mut buffer = Zeroizing::new(vec![0; FIRST.min(cap + 1)]);
    let mut length = 0;
    loop {
        if length == buffer.len() {
            if length > cap {
                return Ok(Capped::TooLarge);
            }
            let mut larger = Zeroizing::new(vec![0; (length * 2).min(cap + 1)]);
            larger[..length].copy_from_slice(&buffer);
            buffer = larger;
        }
        match source.read(&mut buffer[length..]) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    if length > cap {
        return Ok(Capped::TooLarge);
    }
    buffer.truncate(length);
    Ok(Capped::Whole(buffer))
}

/// The bytes as a secret, without a copy; none if they are not UTF-8.
pub(in crate::native) fn text(mut bytes: Zeroizing<Vec<u8>>) -> Option<Secret> {
    match String::from_utf8(std::mem::take(&mut *bytes)) {
        Ok(text) => Some(Secret::new(text)),
        Err(error) => {
            drop(Zeroizing::new(error.into_bytes()));
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Capped, FIRST, read, text};

    #[test]
    fn up_to_the_cap_is_whole_and_one_more_is_too_large() {
        for cap in [0, 1, FIRST - 1, FIRST, FIRST + 1, 3 * FIRST] {
            let bytes = vec![b'x'; cap];
            assert!(matches!(read(bytes.as_slice(), cap).unwrap(), Capped::Whole(read) if *read == bytes), "{cap}");
            let bytes = vec![b'x'; cap + 1];
            assert!(matches!(read(bytes.as_slice(), cap).unwrap(), Capped::TooLarge), "{cap}");
        }
    }

    #[test]
    fn bytes_that_are_not_text_are_no_secret() {
        assert_eq!(text(vec![b'a'].into()).map(|secret| secret.expose().to_owned()), Some("a".to_owned()));
        assert_eq!(text(vec![0xff].into()), None);
    }
}
