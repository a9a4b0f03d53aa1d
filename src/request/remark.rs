//! What of a remote sentence may be shown.
//!
//! Only after `printable`, and only if it repeats no piece of a secret that we sent: a server that echoes its input must not
//! put it into our log.

use hublease_protocol::secret::Secret;

/// A run of this many bytes of a secret in a remote sentence counts as a repetition.
const ECHO: usize = 8;

/// How the credentials begin that a server may know and we do not: Docker Hub's tokens, JWTs, and Vault's tokens.
const CREDENTIALS: [&str; 5] = ["dckr_", "eyJ", "hvs.", "hvb.", "hvr."];

/// The least length of what follows the `s.` or `b.` of an older Vault's or of OpenBao's token.
const SHORT_TOKEN: usize = 20;

/// Whether a word of the sentence is a token of the form `s.…` or `b.…`, which ordinary words may begin with, too.
fn names_short_token(sentence: &str) -> bool {
    let words = sentence.split(|character: char| !(character.is_ascii_alphanumeric() || "._-".contains(character)));
    let rest = |word: &str| word.strip_prefix("s.").or_else(|| word.strip_prefix("b.")).map(str::len);
    words.filter_map(rest).any(|length| length >= SHORT_TOKEN)
}

/// A remote sentence, if it may be shown.
pub(crate) fn remark(sentence: &str, sent: &[&Secret]) -> Option<String> {
    if sentence.is_empty() {
        return None;
    }
    let echoes = |secret: &&Secret| {
        secret
            .expose()
            .as_bytes()
            .windows(ECHO)
            .any(|piece| sentence.as_bytes().windows(ECHO).any(|other| other == piece))
    };
    let is_long = sentence.len() > 4096;
    let looks_secret = CREDENTIALS.iter().any(|start| sentence.contains(start)) || names_short_token(sentence);
    Some(if is_long || looks_secret || sent.iter().any(echoes) {
        "(its message is withheld, because it is very long, repeats a part of what was sent, or holds a credential)"
            .to_owned()
    } else {
        format!("it says: {sentence}")
    })
}

#[cfg(test)]
mod tests {
    use hublease_protocol::secret::Secret;

    use super::remark;

    #[test]
    fn a_sentence_that_repeats_what_was_sent_is_withheld() {
        let sent = Secret::new("header.payload.signature");
        assert_eq!(remark("no rule", &[&sent]), Some("it says: no rule".to_owned()));
        assert_eq!(remark("", &[&sent]), None);
        assert_eq!(remark("role s.a b.c", &[&sent]), Some("it says: role s.a b.c".to_owned()));
        for echo in [
            "bad token header.payload.signature",
            "xx payload. xx",
            "cannot delete dckr_pat_x",
            "(eyJhbGciOi",
            "no s.0123456789abcdefghijklmn",
        ] {
            assert!(remark(echo, &[&sent]).is_some_and(|shown| shown.contains("withheld")), "{echo}");
        }
    }
}
