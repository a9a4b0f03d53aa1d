//! What of a foreign text may be shown.
//!
//! Only after `printable`, and only if it repeats no piece of a secret that we know of: a server that echoes its input must
//! not put it into our log.

use hublease_protocol::secret::Secret;

use super::repeats::repeats;

/// How the credentials begin that a server may know and we do not, in lower case: Docker Hub's tokens and Vault's.
const CREDENTIALS: [&str; 4] = ["dckr_", "hvs.", "hvb.", "hvr."];

/// How a JWT begins (`{"` in base64), and how many characters must follow: a shorter word can be a name.
const JWT: (&str, usize) = ("eyJ", 6);

/// The least length of what follows the `s.` or `b.` of an older Vault's or of OpenBao's token.
const SHORT_TOKEN: usize = 20;

/// The longest text that is looked at. What a server has to say for people is shorter.
const LONGEST: usize = 4096;

/// Whether the text is short enough, holds nothing that looks like a credential, and repeats no part of these secrets.
pub(crate) fn may_be_shown(text: &str, secrets: &[&Secret]) -> bool {
    text.len() <= LONGEST && !names_credential(text) && !repeats(text, secrets)
}

/// A remote sentence, if it may be shown.
pub(crate) fn remark(sentence: &str, sent: &[&Secret]) -> Option<String> {
    if sentence.is_empty() {
        return None;
    }
    Some(if may_be_shown(sentence, sent) {
        format!("it says: {sentence}")
    } else {
        "(its message is withheld, because it is very long, repeats a part of what was sent, or holds a credential)"
            .to_owned()
    })
}

fn names_credential(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    CREDENTIALS.iter().any(|start| lower.contains(start)) || names_jwt(text) || names_short_token(text)
}

/// Whether a word of the text is a JWT or the beginning of one.
fn names_jwt(text: &str) -> bool {
    let (start, rest) = JWT;
    words(text).any(|word| word.strip_prefix(start).is_some_and(|word| word.len() >= rest))
}

/// Whether a word of the text is a token of the form `s.…` or `b.…`, which ordinary words may begin with, too.
fn names_short_token(text: &str) -> bool {
    let rest = |word: &str| word.strip_prefix("s.").or_else(|| word.strip_prefix("b.")).map(str::len);
    words(text).filter_map(rest).any(|length| length >= SHORT_TOKEN)
}

/// Runs of the characters that tokens are made of.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| !(character.is_ascii_alphanumeric() || "._-".contains(character)))
}

#[cfg(test)]
mod tests {
    use hublease_protocol::secret::Secret;

    use super::remark;

    #[test]
    fn a_sentence_that_repeats_what_was_sent_is_withheld() {
        let sent = Secret::new("header.payload.signature");
        for ordinary in ["no rule", "role s.a b.c", "user heyJude_9 is unknown", "the eyJ prefix", "see hvac docs"] {
            assert_eq!(remark(ordinary, &[&sent]), Some(format!("it says: {ordinary}")));
        }
        assert_eq!(remark("", &[&sent]), None);
        for echo in [
            "bad token header.payload.signature",
            "xx payload.s xx",
            "bad token aGVhZGVyLnBheWxvYWQuc2lnbmF0dXJl",
            "cannot delete dckr_pat_x",
            "cannot delete DCKR_PAT_X",
            "(eyJhbGciOi",
            "no s.0123456789abcdefghijklmn",
        ] {
            assert!(remark(echo, &[&sent]).is_some_and(|shown| shown.contains("withheld")), "{echo}");
        }
        assert!(remark(&"x".repeat(5000), &[]).is_some_and(|shown| shown.contains("withheld")));
    }
}
