//! What Vault says when it refuses, and whether it is Vault that says so.
//!
//! Every error of Vault and OpenBao is JSON with a list of texts, `errors`, which may be empty. What comes without it, whatever its
//! status, is not theirs: something on the way has answered, and what the server did is not known. A text becomes an entry of
//! our list only where its whole meaning is known, by the words of the JWT method (hashicorp/cap and its forks) and of the
//! core; every other one is told as it is.

use hublease_protocol::secret::Secret;
use serde_json::Value;

use crate::effect::http::Response;
use crate::error::{Error, Problem};
use crate::request::{RequestError, Server, remark, unread};

/// What the texts of a login mean: all the pieces are in it. The first row that fits counts.
const LOGIN: &[(&[&str], Problem)] = &[
    (&["namespace not found"], Problem::RefusedNamespace),
    (&["role ", " could not be found"], Problem::RefusedRole),
    (&["missing role"], Problem::RefusedRole),
    (&["role with oidc role_type is not allowed"], Problem::RefusedRole),
    (&["invalid audience (aud) claim"], Problem::RefusedAudience),
    (&["audience claim found in JWT but no audiences bound"], Problem::RefusedAudience),
    (&["audience claim does not match"], Problem::RefusedAudience),
    (&["aud claim does not match any bound audience"], Problem::RefusedAudience),
    (&["token is expired"], Problem::RefusedExpired),
    (&["token not yet valid"], Problem::RefusedExpired),
    (&["token issued in the future"], Problem::RefusedExpired),
    (&["invalid expiration time (exp) claim"], Problem::RefusedExpired),
    (&["invalid not before (nbf) claim"], Problem::RefusedExpired),
    (&["invalid issued at (iat) claim"], Problem::RefusedExpired),
    (&["fetching keys"], Problem::NoKeys),
    (&["get keys failed"], Problem::NoKeys),
    (&["error configuring token validator"], Problem::NoKeys),
    (&["malformed jwt"], Problem::Refused),
    (&["invalid issuer (iss) claim"], Problem::RefusedIssuer),
    (&["failed to verify id token signature"], Problem::RefusedIssuer),
    (&["failed to verify signature"], Problem::RefusedIssuer),
    (&["no known key successfully validated the token signature"], Problem::RefusedIssuer),
    (&["error validating claims"], Problem::RefusedRule),
    (&["claim ", " not found in token"], Problem::RefusedRule),
    (&["invalid subject (sub) claim"], Problem::RefusedRule),
    (&["sub claim does not match bound subject"], Problem::RefusedRule),
];

/// The same for the path. Its "permission denied" is one text with several causes, and none of them lets the job.
const PATH: &[(&[&str], Problem)] = &[
    (&["namespace not found"], Problem::RefusedNamespace),
    (&["token had one use left"], Problem::RefusedUses),
    (&[DENIED], Problem::RefusedPath),
];

/// How the core refuses whatever it does not explain.
const DENIED: &str = "permission denied";

/// How a list of errors begins, before its colon.
const LIST: &str = "1 error occurred";

/// Whether Vault has answered: its errors have a list, and its other answers the number of the request.
pub(super) fn is_vaults(response: &Response) -> bool {
    let answer = answer(response);
    answer.get("errors").is_some_and(Value::is_array) || answer.get("request_id").is_some_and(Value::is_string)
}

/// Whether Vault says that it did as it was asked, with warnings perhaps.
pub(super) fn is_success(response: &Response) -> bool {
    let answer = answer(response);
    answer.get("request_id").is_some_and(Value::is_string) && texts(&answer, "errors").is_empty()
}

/// The messages of an answer, joined; empty if there is none. Vault's core wraps its own in a list of lines (Go's multierror),
/// of which the items are left. An answer without errors may have warnings, which say as much.
pub(super) fn messages(response: &Response) -> String {
    let answer = answer(response);
    let errors = texts(&answer, "errors");
    let texts = if errors.is_empty() { texts(&answer, "warnings") } else { errors };
    texts.iter().flat_map(|text| items(text)).collect::<Vec<_>>().join("; ")
}

/// Whether a 403 is a policy's: those come in the form of a list, while a token that is not taken is refused in plain words.
pub(super) fn is_of_policy(response: &Response) -> bool {
    texts(&answer(response), "errors").iter().any(|error| error.starts_with(LIST) && error.contains(DENIED))
}

/// Whether a 403 is Vault's own, whatever it is for.
pub(super) fn is_denial(response: &Response) -> bool {
    response.status == 403 && texts(&answer(response), "errors").iter().any(|error| error.contains(DENIED))
}

fn answer(response: &Response) -> Value {
    serde_json::from_str(response.body.expose()).unwrap_or_default()
}

fn texts(answer: &Value, member: &str) -> Vec<String> {
    let texts = answer.get(member).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    texts.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

/// The items of a list, or the error itself.
fn items(error: &str) -> Vec<String> {
    let items: Vec<_> =
        error.lines().filter_map(|line| line.trim_start().strip_prefix("* ")).map(str::to_owned).collect();
    if error.contains("occurred:") && !items.is_empty() { items } else { vec![error.to_owned()] }
}

/// A lost request with Vault's own message, if it came with one.
pub(super) fn told(lost: RequestError, sent: &[&Secret]) -> Error {
    let remark = lost.response.as_ref().and_then(|response| remark(&messages(response), sent));
    match remark {
        Some(remark) => lost.error.because(&remark),
        None => lost.error,
    }
}

/// A mint that Vault itself says has failed: an engine's failure is a 500 with the reason. It would fail again. What a server says
/// of itself, as one that stands by, is none.
pub(super) fn of_mint(server: &Server<'_>, lost: &RequestError, sent: &[&Secret]) -> Option<Error> {
    let response = lost.response.as_ref().filter(|response| response.status == 500)?;
    if lost.error.problem() != Problem::Failing {
        return None;
    }
    let remark = remark(&messages(response), sent)?;
    Some(server.problem(Problem::MintFailed).because("status 500").because(&remark))
}

/// Vault's JWT method answers nearly every refusal with 400 and one sentence.
pub(super) fn of_login(server: &Server<'_>, response: &Response, sent: &Secret) -> Error {
    if let Some(error) = not_vaults(server, response) {
        return error;
    }
    let text = messages(response);
    let problem = known(LOGIN, &text).unwrap_or(match response.status {
        403 if text == DENIED => Problem::RefusedLogin,
        _ => Problem::Refused,
    });
    explained(server.problem(problem), response, &text, &[sent])
}

/// What was asked of the path, and not given.
pub(super) fn of_path(server: &Server<'_>, response: &Response, sent: &[&Secret]) -> Error {
    if let Some(error) = not_vaults(server, response) {
        return error;
    }
    let text = messages(response);
    let problem = known(PATH, &text).unwrap_or(match response.status {
        404 => Problem::RefusedMissing,
        _ => Problem::Refused,
    });
    let error = explained(server.problem(problem), response, &text, sent);
    match newest_version(response) {
        Some(what) => error.because(what),
        None => error,
    }
}

/// A 200 without the member that it is asked for, with what it says instead.
pub(super) fn without(server: &Server<'_>, response: &Response, member: &str, sent: &[&Secret]) -> Error {
    let error = server.not_understood(response).because(&format!("it has no `{member}`"));
    match remark(&messages(response), sent) {
        Some(remark) => error.because(&remark),
        None => error,
    }
}

/// What an answer says that is none of Vault's.
fn not_vaults(server: &Server<'_>, response: &Response) -> Option<Error> {
    if is_vaults(response) {
        return None;
    }
    // Go's answer to HTTP on a port for TLS.
    let speaks_tls = response.status == 400 && response.body.expose().contains("HTTP request to an HTTPS server");
    Some(if speaks_tls {
        server.problem(Problem::PlainHttp).because(&unread(response))
    } else {
        server.not_understood(response)
    })
}

fn known(table: &[(&[&str], Problem)], text: &str) -> Option<Problem> {
    table.iter().find(|(pieces, _)| pieces.iter().all(|piece| text.contains(piece))).map(|(_, problem)| *problem)
}

/// What a 404 of KV version 2 says about a version that is not there any more.
fn newest_version(response: &Response) -> Option<&'static str> {
    let answer = answer(response);
    let metadata = answer.get("data")?.get("metadata")?;
    if metadata.get("destroyed").and_then(Value::as_bool) == Some(true) {
        return Some("its newest version was destroyed");
    }
    let deleted = metadata.get("deletion_time").and_then(Value::as_str).is_some_and(|time| !time.is_empty());
    deleted.then_some("its newest version was deleted")
}

fn explained(error: Error, response: &Response, text: &str, sent: &[&Secret]) -> Error {
    let error = error.because(&format!("status {}", response.status));
    match remark(text, sent) {
        Some(remark) => error.because(&remark),
        None => error,
    }
}
