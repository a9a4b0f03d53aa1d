//! The form of a token exchange.

use hublease_broker::limits::MAX_ID_BYTES;
use hublease_broker::rules::request::ParsedExchange;
use hublease_protocol::oauth::{ExchangeRequest, TOKEN_TYPE_ID_TOKEN};
use hublease_protocol::scope::Scope;

use super::check_refusal;

/// A form that is accepted, written anew as our client writes it, asks for the same; of another no token is repeated.
pub fn ask(input: &[u8]) {
    let ask = match ParsedExchange::read(input) {
        Ok(ask) => ask,
        Err(refusal) => return check_refusal(&refusal),
    };
    assert!(!ask.identity_token.is_empty());
    for id in [&ask.wish.connection_id, &ask.request.as_ref().map(|request| request.id.clone())].into_iter().flatten() {
        assert!((1..=MAX_ID_BYTES).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic()), "{id}");
    }
    if let Some(scope) = &ask.wish.scope {
        assert_eq!(scope.with_implied(), *scope);
    }
    let scope = ask.wish.scope.as_ref().map(Scope::to_string);
    let login = ask.request.as_ref();
    let request = ExchangeRequest {
        subject_token: ask.identity_token.expose(),
        subject_token_type: TOKEN_TYPE_ID_TOKEN,
        connection_id: ask.wish.connection_id.as_deref(),
        expires_in: ask.wish.expires_in,
        scope: scope.as_deref(),
        request_id: login.map(|login| login.id.as_str()),
        request_challenge: login.and_then(|login| login.challenge.as_deref()),
        request_verifier: login.and_then(|login| login.verifier.as_deref()),
    };
    let Ok(again) = ParsedExchange::read(request.to_form().as_bytes()) else {
        panic!("refused when it is written anew")
    };
    assert_eq!(again.identity_token, ask.identity_token);
    assert_eq!(again.wish, ask.wish);
    assert_eq!(again.request, ask.request);
}
