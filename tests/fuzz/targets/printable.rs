//! Foreign text on its way to the terminal or the log.

use hublease::error::{Error, Problem};
use hublease_protocol::printable::{LIMIT, printable as shown};

use super::is_harmless;

/// One line without commands, of bounded length, and the second pass changes nothing.
pub fn printable(input: &[u8]) {
    let text = &*String::from_utf8_lossy(input);
    let once = shown(text);
    assert!(is_harmless(&once), "{once:?}");
    assert!(once.chars().count() <= LIMIT + 1);
    assert_eq!(shown(&once), once);
    let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b' ');
    if is_plain(text) && text.len() <= LIMIT {
        assert_eq!(once, text);
    }
    let error = Error::new(Problem::Answer, text).because(text);
    assert!(is_harmless(&error.sentence()) && error.causes().iter().all(|cause| is_harmless(cause)), "{error}");
}
