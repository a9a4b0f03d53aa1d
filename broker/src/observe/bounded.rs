//! Foreign text in a line of ours.

/// The longest foreign text in a line, in characters.
const MAX_TEXT: usize = 200;

/// A foreign text, cut to what a line may hold.
#[must_use]
pub(crate) fn bounded(text: &str) -> String {
    text.chars().take(MAX_TEXT).collect()
}
