//! What of a remote sentence may be shown.
//!
//! Only after `printable`, and only if it repeats no piece of a secret that we sent: a server that echoes its input must not
//! put it into our log.

use hublease_protocol::secret::Secret;

/// A run of this many bytes of a secret in a remote sentence counts as a repetition.
const ECHO: usize = 8;

/// How the credentials begin that a server may know and we do not: Docker Hub's tokens, JWTs, and Vault's tokens.
const CREDENTIALS: [&str; 5] = ["dckr_", "eyJ", "hvs.", "hvb.", "hvr."];

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
    let looks_secret = CREDENTIALS.iter().any(|start| sentence.contains(start));
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
        for echo in ["bad token header.payload.signature", "xx payload. xx", "cannot delete dckr_pat_x", "(eyJhbGciOi"]
        {
            assert!(remark(echo, &[&sent]).is_some_and(|shown| shown.contains("withheld")), "{echo}");
        }
    }
}
