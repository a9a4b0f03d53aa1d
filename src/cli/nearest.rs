//! A variable that is nearly one of ours, and what is near to our words.

pub use hublease_protocol::nearest::nearest;
use hublease_protocol::nearest::within;

use crate::cli::{FLAGS, OURS};
use crate::environment::Environment;
use crate::error::{Error, Problem};

/// How many slips make a name of ours out of a variable's: with three, `HUBLEASE_BROKER_BIN` would be one.
const MOST_SLIPS: usize = 2;

/// Refuses a variable that is a slip away from one of ours: a wish that would be ignored. Other names may be anybody's. What
/// undoes does not ask: it is not kept from its work by a wish that nobody reads.
///
/// # Errors
/// The variable, and the one that is probably meant.
pub fn refuse_misspelled(environment: &Environment) -> Result<(), Error> {
    let known = || FLAGS.iter().flat_map(|flag| flag.variables).filter_map(|name| name.strip_prefix(OURS));
    for (name, _) in environment.iter() {
        let Some(rest) = name.strip_prefix(OURS).filter(|rest| known().all(|known| known != *rest)) else { continue };
        let names = FLAGS.iter().filter(|flag| !flag.variables.is_empty()).map(|flag| flag.name);
        if let Some(near) = within(rest, names, MOST_SLIPS) {
            let near = near.to_ascii_uppercase().replace('-', "_");
            return Err(Error::new(Problem::UnknownVariable, &format!("`{name}`"))
                .because(&format!("did you mean `{OURS}{near}`?")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::nearest;
    use crate::cli::{Command, FLAGS};

    #[test]
    fn a_slip_is_recognised_and_another_word_is_not() {
        for (word, expected) in [
            ("broker-ulr", Some("broker-url")),
            ("brokerurl", Some("broker-url")),
            ("BROKER_URL", Some("broker-url")),
            ("vualt-path", Some("vault-path")),
            ("vault-address", Some("vault-addr")),
            ("isolate", Some("isolated")),
            ("strict-revok", Some("strict-revoke")),
            ("role", Some("vault-role")),
            ("url", Some("broker-url")),
            ("expires", Some("expires-in")),
            ("hunter2", None),
            ("password", None),
            ("x", None),
            ("", None),
            ("dckr_pat_0123456789abcdefghijklmnopq", None),
            ("correct-horse-battery-staple", None),
        ] {
            assert_eq!(nearest(word, FLAGS.iter().map(|flag| flag.name)), expected, "{word}");
        }
        let commands = || Command::ALL.iter().map(|command| command.name());
        for (word, expected) in [
            ("lgoin", Some("login")),
            ("log-out", Some("logout")),
            ("exce", Some("exec")),
            ("who-am-i", Some("whoami")),
            ("push", None),
            ("docker", None),
        ] {
            assert_eq!(nearest(word, commands()), expected, "{word}");
        }
    }
}
