//! What a refusal means: foreign error words become entries of our own list.

use hublease_protocol::oauth::{Code, DecodeError, ErrorResponse};
use hublease_protocol::secret::Secret;

use crate::effect::http::Response;
use crate::error::{Error, Problem};
use crate::request::{RequestError, Server, may_be_shown, remark};

/// Reads an OAuth error answer (RFC 6749 section 5.2) of a broker or of Docker Identity. Without the members of one nobody knows
/// who has refused, whatever the status says.
pub(super) fn oauth(server: &Server<'_>, response: &Response, sent: &[&Secret]) -> Error {
    let Some(answer) = spoken(response) else {
        return server.not_understood(response);
    };
    let status = response.status;
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

/// What a 200 is without what was asked for: some servers refuse with it, and others are no token service.
pub(super) fn unusable(server: &Server<'_>, response: &Response, error: &DecodeError, sent: &[&Secret]) -> Error {
    if response.status == 200 && spoken(response).is_some() {
        return oauth(server, response, sent);
    }
    server.not_understood(response).because(&error.to_string())
}

/// The error that an answer holds, if it has a member of one.
pub(super) fn spoken(response: &Response) -> Option<ErrorResponse> {
    let answer = ErrorResponse::decode(response.body.expose().as_bytes()).ok()?;
    (answer.error.is_some() || answer.sentence().is_some()).then_some(answer)
}

/// A lost request with the server's own reason, if it came with one: a quota that is full, keys that cannot be fetched.
pub(super) fn told(lost: RequestError, sent: &[&Secret]) -> Error {
    let Some(answer) = lost.response.as_ref().and_then(|response| spoken(response)) else { return lost.error };
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
