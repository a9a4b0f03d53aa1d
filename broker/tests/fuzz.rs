//! What holds for every input of the broker, as plain functions of bytes. Each panics when something does not hold.
//!
//! Two programs call them: the test binary `it`, on the corpus in `tests/fuzz` and seeded changes of it, and libFuzzer.

mod ask;
mod config;
mod rules;
mod signer;

use hublease_broker::refusal::Refusal;

pub use self::ask::ask;
pub use self::config::config;
pub use self::rules::rules;

/// A function that any bytes may be given to.
pub type Target = fn(&[u8]);

/// Every target by the name of its corpus.
pub const TARGETS: [(&str, Target); 3] = [("ask", ask), ("config", config), ("rules", rules)];

/// Longer than anything that one of our sentences should have to say.
const LONGEST_SENTENCE: usize = 2000;

/// A refusal goes into an `error_description`: printable ASCII without `"` and `\` (RFC 6749 appendix A.8).
fn check_refusal(refusal: &Refusal) {
    let sentence = &refusal.sentence;
    assert!(sentence.bytes().all(|byte| (b' '..=b'~').contains(&byte) && !b"\"\\".contains(&byte)), "{sentence:?}");
    assert!(!sentence.is_empty() && sentence.len() <= LONGEST_SENTENCE, "{sentence}");
}
