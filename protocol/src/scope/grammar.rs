//! The grammar of one scope entry, and the sentences for what is outside it.
//!
//! Follows the distribution project's repository names: lower-case path components, joined by single `.`, `_`, `__` or dashes.
//! Narrower than that project: a first component that Docker would take for a host is refused.

use std::collections::BTreeSet;
use std::fmt;

use super::Action;

/// The longest repository name that a distribution registry takes, in bytes.
pub const MAX_NAME_BYTES: usize = 255;

/// How much of a refused piece an error may show, in characters.
const MAX_SHOWN: usize = 60;

/// Why a text is not a scope: a fixed sentence, and at most a short escaped piece of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScopeError {
    sentence: &'static str,
    piece: Option<String>,
}

impl ScopeError {
    pub(super) const fn new(sentence: &'static str) -> Self {
        Self { sentence, piece: None }
    }

    fn about(sentence: &'static str, piece: &str) -> Self {
        Self { sentence, piece: Some(shown(piece)) }
    }

    /// The fixed sentence alone, without any of the refused text.
    #[must_use]
    pub const fn sentence(&self) -> &'static str {
        self.sentence
    }
}

impl fmt::Display for ScopeError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.piece {
            Some(piece) => write!(formatter, "{}: `{piece}`", self.sentence),
            None => formatter.write_str(self.sentence),
        }
    }
}

impl std::error::Error for ScopeError {}

/// Checks one repository name, as it stands in a scope: lower case, no host, no wildcard.
///
/// # Errors
/// When the name is not one that Docker Hub could hold.
pub fn check_repository(name: &str) -> Result<(), ScopeError> {
    if name.is_empty() || name.len() > MAX_NAME_BYTES {
        return Err(ScopeError::about("a repository name has 1 to 255 characters", name));
    }
    if name.contains('*') {
        return Err(ScopeError::about("a scope names repositories one by one, without `*`", name));
    }
    if name.contains("..") {
        return Err(ScopeError::about("a repository name holds no `..`", name));
    }
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Err(ScopeError::about("a repository name is lower case", name));
    }
    let first = name.split('/').next().unwrap_or_default();
    if name.contains('/') && (first.contains('.') || first == "localhost") {
        return Err(ScopeError::about("a repository name starts with its namespace, not with a host", name));
    }
    if !name.split('/').all(is_path_component) {
        return Err(ScopeError::about("not a repository name", name));
    }
    Ok(())
}

/// Reads one `repository:NAME:ACTIONS`.
pub(super) fn parse_entry(entry: &str) -> Result<(String, BTreeSet<Action>), ScopeError> {
    let Some(rest) = entry.strip_prefix("repository:") else {
        return Err(ScopeError::about("a scope has the form `repository:NAME:pull,push`", entry));
    };
    let Some((name, words)) = rest.split_once(':') else {
        return Err(ScopeError::about("a scope has the form `repository:NAME:pull,push`", entry));
    };
    if words.contains(':') {
        return Err(ScopeError::about("a repository name holds no host, port, tag or second colon", entry));
    }
    check_repository(name)?;
    let mut actions = BTreeSet::new();
    for word in words.split(',') {
        let action =
            Action::parse(word).ok_or_else(|| ScopeError::about("an action is one of pull, push and delete", word))?;
        actions.insert(action);
    }
    Ok((name.to_owned(), actions))
}

/// Letters and digits, joined by `.`, `_`, `__` or any number of `-`, as the distribution grammar has it.
fn is_path_component(component: &str) -> bool {
    let is_word = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let mut rest = component.as_bytes();
    loop {
        let word = rest.iter().take_while(|byte| is_word(**byte)).count();
        if word == 0 {
            return false;
        }
        rest = &rest[word..];
        if rest.is_empty() {
            return true;
        }
        let joint = rest.iter().take_while(|byte| !is_word(**byte)).count();
        let joined = match &rest[..joint] {
            b"." | b"_" | b"__" => true,
            dashes => dashes.iter().all(|byte| *byte == b'-'),
        };
        if !joined {
            return false;
        }
        rest = &rest[joint..];
    }
}

fn shown(piece: &str) -> String {
    let mut text = String::new();
    for (index, letter) in piece.chars().enumerate() {
        if index == MAX_SHOWN {
            text.push_str("...");
            break;
        }
        match letter {
            '`' | '"' | '\\' => text.push('?'),
            ' '..='~' => text.push(letter),
            _ => text.extend(letter.escape_unicode().map(|part| if part == '\\' { '?' } else { part })),
        }
    }
    text
}
