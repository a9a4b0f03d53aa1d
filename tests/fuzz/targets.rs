//! What holds for every input, as plain functions of bytes. Each panics when something does not hold.
//!
//! Two programs call them: the test binary `it`, on the committed corpus and seeded changes of it, and libFuzzer. They reach
//! the client through its public interface only. The broker's are in `broker/tests/fuzz`.

mod answers;
mod claims;
mod docker_config;
mod endpoint;
mod image;
mod module;
mod printable;
mod record;
mod scope;
mod wire;

pub use self::answers::answers;
pub use self::claims::claims;
pub use self::docker_config::docker_config;
pub use self::endpoint::endpoint;
pub use self::image::image;
pub use self::module::{inputs, outcome};
pub use self::printable::printable;
pub use self::record::record;
pub use self::scope::scope;
pub use self::wire::wire;

/// A function that any bytes may be given to.
pub type Target = fn(&[u8]);

/// Every target by the name of its corpus.
pub const TARGETS: [(&str, Target); 11] = [
    ("answers", answers),
    ("claims", claims),
    ("docker_config", docker_config),
    ("endpoint", endpoint),
    ("image", image),
    ("inputs", inputs),
    ("outcome", outcome),
    ("printable", printable),
    ("record", record),
    ("scope", scope),
    ("wire", wire),
];

/// A run of this many bytes of the input in a message counts as a repetition.
const REPETITION: usize = 12;

/// Whether a message repeats a piece of what must not be repeated. Runs of lower-case prose do not count: our own sentences
/// have them too, and an input can hold our sentences.
fn repeats(message: &str, text: &str) -> bool {
    let is_prose = |byte: &u8| byte.is_ascii_lowercase() || b" ,`.".contains(byte);
    let (message, text) = (message.as_bytes(), text.as_bytes());
    let mut pieces = message.windows(REPETITION).filter(|piece| !piece.iter().all(is_prose));
    pieces.any(|piece| text.windows(REPETITION).any(|other| other == piece))
}

/// What foreign text must not be able to do once it is shown: leave its line, hide, or command the CI system.
fn is_harmless(text: &str) -> bool {
    let moves = |character: char| {
        character.is_control()
            || matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
    };
    let commands = without_addresses(text);
    !text.contains(moves) && !commands.contains("::") && !text.contains("##[")
}

/// The text without IPv6 addresses in brackets, whose colons begin no command: a bracket stands before them.
fn without_addresses(text: &str) -> String {
    let mut rest = text;
    let mut kept = String::new();
    while let Some((before, after)) = rest.split_once('[') {
        kept.push_str(before);
        kept.push('[');
        let inner = after.split(']').next().unwrap_or_default();
        let is_address = inner.len() < after.len()
            && inner.contains(':')
            && inner.chars().all(|character| character.is_ascii_hexdigit() || ":.".contains(character));
        rest = if is_address { &after[inner.len()..] } else { after };
    }
    kept + rest
}
