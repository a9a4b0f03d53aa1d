//! The grammar of docker's usernames, which stand in arguments.

/// The longest username, in bytes.
const LONGEST_USERNAME: usize = 255;

/// Docker's usernames stand in an argument and before a colon, so they cannot begin with a dash or hold a colon.
pub fn is_username(text: &str) -> bool {
    text.len() <= LONGEST_USERNAME
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'))
}
