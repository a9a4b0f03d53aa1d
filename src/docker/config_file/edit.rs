//! Changes of the text of a JSON object, each at its place: all other bytes stay. What comes in is indented as docker
//! indents, with tabs.

use hublease_protocol::secret::Secret;

use crate::docker::config_file::Malformed;
use crate::docker::config_file::json::{Member, Span, members};

/// `text` with these parts at this place. What comes of them is made at once: a text that grows leaves copies behind.
pub(super) fn replaced(text: &str, place: Span, parts: &[&str]) -> Secret {
    Secret::new([&[&text[..place.start]], parts, &[&text[place.end..]]].concat().concat())
}

/// `text` with one more member of the object at this place, which lies `depth` objects deep: at its end, or where Go would write
/// it if all are in Go's order.
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
    let indent = "\t".repeat(depth + 1);
    let (pair, members) = (format!("\"{name}\": "), members(text, object.clone())?);
    let is_sorted = depth > 0 && members.is_sorted_by(|one, next| one.name < next.name);
    let after = if is_sorted { members.partition_point(|member| *member.name < *name) } else { members.len() };
    Ok(match (after.checked_sub(1), members.first()) {
        (Some(before), _) => {
            let end = members[before].value.end;
            replaced(text, end..end, &[&[",\n", &*indent, &*pair], value].concat())
        }
        (None, Some(first)) => {
            let start = first.whole.start;
            replaced(text, start..start, &[&[&*pair], value, &[",\n", &*indent]].concat())
        }
        (None, None) => {
            let end = "\t".repeat(depth);
            replaced(text, object, &[&["{\n", &*indent, &*pair], value, &["\n", &*end, "}"]].concat())
        }
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
