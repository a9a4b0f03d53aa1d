//! Changes of the text of a JSON object, each at its place: all other bytes stay. What comes in is indented as docker
//! indents, with tabs.

use hublease_protocol::secret::Secret;

use crate::docker::config_file::Malformed;
use crate::docker::config_file::json::{Member, Span, members};

/// `text` with these parts at this place. What comes of them is made at once: a text that grows leaves copies behind.
pub(super) fn replaced(text: &str, place: Span, parts: &[&str]) -> Secret {
    Secret::new([&[&text[..place.start]], parts, &[&text[place.end..]]].concat().concat())
}

/// `text` with one more member at the end of the object at this place, which lies `depth` objects deep.
///
/// # Errors
/// It is no object.
pub(super) fn inserted(
    text: &str,
    object: Span,
    depth: usize,
    name: &str,
    value: &[&str],
) -> Result<Secret, Malformed> {
    let line = format!("\n{}\"{name}\": ", "\t".repeat(depth + 1));
    Ok(match members(text, object.clone())?.last() {
        Some(last) => replaced(text, last.value.end..last.value.end, &[&[",", &*line], value].concat()),
        None => replaced(text, object, &[&["{", &*line], value, &["\n", &*"\t".repeat(depth), "}"]].concat()),
    })
}

/// `text` without the member of this number of the object at this place.
pub(super) fn removed(text: &str, object: Span, members: &[Member], number: usize) -> Secret {
    let member = &members[number];
    match (number.checked_sub(1), members.get(number + 1)) {
        (None, None) => replaced(text, object, &["{}"]),
        // With the comma before it, or the one after it.
        (Some(before), _) => replaced(text, members[before].value.end..member.value.end, &[]),
        (None, Some(next)) => replaced(text, member.whole.start..next.whole.start, &[]),
    }
}
