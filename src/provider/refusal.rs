//! What a refusal means: foreign error words become entries of our own list.

use hublease_protocol::oauth::{Code, ErrorResponse};
use hublease_protocol::secret::Secret;

use crate::effect::http::Response;
use crate::error::{Error, Problem};
use crate::request::{RequestError, Server, may_be_shown, remark};

/// Reads an OAuth error answer (RFC 6749 section 5.2) of a broker or of Docker Identity.
pub(super) fn oauth(server: &Server<'_>, response: &Response, sent: &[&Secret]) -> Error {
    let status = response.status;
    let Ok(answer) = ErrorResponse::decode(response.body.expose().as_bytes()) else {
        let problem = if matches!(status, 400 | 401 | 403) { Problem::Refused } else { Problem::Answer };
        return server.problem(problem).because(&format!("status {status}, without an error message that can be read"));
    };
    let sentence = answer.sentence().unwrap_or_default();
    let problem = match answer.code() {
        Some(code) => by_code(code),
        None => by_sentence(answer.error.as_deref().unwrap_or_default(), sentence),
    };
    let word =
        answer.error.as_deref().filter(|word| is_word(word) && may_be_shown(word, sent)).unwrap_or("no error word");
    let error = server.problem(problem).because(&format!("status {status}, {word}"));
    match remark(sentence, sent) {
        Some(remark) => error.because(&remark),
        None => error,
    }
}

/// A lost request with the server's own reason, if it came with one: a quota that is full, keys that cannot be fetched.
pub(super) fn told(lost: RequestError, sent: &[&Secret]) -> Error {
    let body = lost.response.as_ref().map(|response| response.body.expose().as_bytes());
    let Some(answer) = body.and_then(|body| ErrorResponse::decode(body).ok()) else { return lost.error };
    let word = answer.error.as_deref().filter(|word| is_word(word)).map(str::to_owned);
    match remark(answer.sentence().unwrap_or_default(), sent).or(word) {
        Some(reason) => lost.error.because(&reason),
        None => lost.error,
    }
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
