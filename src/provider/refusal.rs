//! What a refusal means: foreign error words become entries of our own list.
//!
//! A remote sentence is shown only after `printable`, and only if it repeats no piece of a secret that we sent: a
//! server that echoes its input must not put it into our log.

use hublease_protocol::oauth::{Code, ErrorResponse};
use hublease_protocol::secret::Secret;

use crate::effect::http::Response;
use crate::error::{Error, Problem};
use crate::provider::peer::Peer;

/// A run of this many bytes of a secret in a remote sentence counts as a repetition.
const ECHO: usize = 8;

/// How the credentials begin that a server may know and we do not: Docker Hub's tokens, JWTs, and Vault's tokens.
const CREDENTIALS: [&str; 5] = ["dckr_", "eyJ", "hvs.", "hvb.", "hvr."];

/// Reads an OAuth error answer (RFC 6749 section 5.2) of a broker or of Docker Identity.
pub(super) fn oauth(peer: &Peer<'_>, response: &Response, sent: &[&Secret]) -> Error {
    let status = response.status;
    let Ok(answer) = ErrorResponse::decode(response.body.expose().as_bytes()) else {
        let problem = if matches!(status, 400 | 401 | 403) { Problem::Refused } else { Problem::Answer };
        return peer.problem(problem).because(&format!("status {status}, without an error message that can be read"));
    };
    let sentence = answer.sentence().unwrap_or_default();
    let problem = match answer.code() {
        Some(code) => by_code(code),
        None => by_sentence(answer.error.as_deref().unwrap_or_default(), sentence),
    };
    let word = answer.error.as_deref().filter(|word| is_word(word)).unwrap_or("no error word");
    let error = peer.problem(problem).because(&format!("status {status}, {word}"));
    match remark(sentence, sent) {
        Some(remark) => error.because(&remark),
        None => error,
    }
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
    let looks_secret = CREDENTIALS.iter().any(|start| sentence.contains(start));
    Some(if is_long || looks_secret || sent.iter().any(echoes) {
        "(its message is withheld, because it is very long, repeats a part of what was sent, or holds a credential)"
            .to_owned()
    } else {
        format!("it says: {sentence}")
    })
}

fn by_code(code: Code) -> Problem {
    match code {
        Code::AudienceMismatch => Problem::RefusedAudience,
        Code::IssuerUnknown => Problem::RefusedIssuer,
        Code::TokenExpired | Code::TokenNotYetValid => Problem::RefusedExpired,
        Code::TokenReplayed => Problem::RefusedReplay,
        Code::NoRuleMatches | Code::EventNotAllowed => Problem::RefusedRule,
        Code::ConnectionUnknown => Problem::RefusedConnection,
        Code::ScopeInvalid | Code::ScopeRequired | Code::ScopeNotGranted | Code::LifeNotGranted => {
            Problem::RefusedScope
        }
        Code::WorkflowNotGranted => Problem::RefusedWorkflow,
        Code::RateLimited => Problem::Busy,
        _ => Problem::Refused,
    }
}

/// Docker Identity's documented texts; a third party's may happen to be alike.
fn by_sentence(word: &str, sentence: &str) -> Problem {
    let has = |text: &str| sentence.contains(text);
    if has("audience mismatch") {
        Problem::RefusedAudience
    } else if has("issuer mismatch") {
        Problem::RefusedIssuer
    } else if has("has expired") {
        Problem::RefusedExpired
    } else if has("connection_id") {
        Problem::RefusedConnection
    } else if word == "invalid_scope" {
        Problem::RefusedScope
    } else if word == "access_denied" || has("access denied") {
        Problem::RefusedRule
    } else {
        Problem::Refused
    }
}

fn is_word(word: &str) -> bool {
    word.len() <= 64 && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
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
