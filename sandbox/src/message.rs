//! What every handler needs around `http` messages: building answers, reading forms, queries and credentials.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderName, HeaderValue, Request, Response, StatusCode, header};
use hublease_protocol::percent;
use serde_json::Value;

/// A JSON answer.
pub(crate) fn json(status: u16, body: &Value) -> Response<Vec<u8>> {
    bytes(status, "application/json", body.to_string().into_bytes())
}

/// An answer with any body.
pub(crate) fn bytes(status: u16, content_type: &'static str, body: Vec<u8>) -> Response<Vec<u8>> {
    let mut response = empty(status);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    *response.body_mut() = body;
    response
}

/// An answer without a body.
pub(crate) fn empty(status: u16) -> Response<Vec<u8>> {
    let mut response = Response::new(Vec::new());
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response
}

/// Sets a header; a name or value that HTTP does not allow is dropped, because only sandbox code calls this.
pub(crate) fn set(response: &mut Response<Vec<u8>>, name: &str, value: &str) {
    if let (Ok(name), Ok(value)) = (HeaderName::from_bytes(name.as_bytes()), HeaderValue::from_str(value)) {
        response.headers_mut().insert(name, value);
    }
}

/// The body as JSON, `Null` when it is not.
pub(crate) fn body_json(request: &Request<Vec<u8>>) -> Value {
    serde_json::from_slice(request.body()).unwrap_or(Value::Null)
}

/// The token after `Bearer ` in `Authorization`.
pub(crate) fn bearer(request: &Request<Vec<u8>>) -> Option<&str> {
    scheme(request, "bearer")
}

/// User name and secret of `Authorization: Basic`; `None` without one, and for one that cannot be read.
pub(crate) fn basic(request: &Request<Vec<u8>>) -> Option<(String, String)> {
    let decoded = STANDARD.decode(scheme(request, "basic")?).ok()?;
    let text = String::from_utf8(decoded).ok()?;
    let (user, secret) = text.split_once(':')?;
    Some((user.to_owned(), secret.to_owned()))
}

fn scheme<'r>(request: &'r Request<Vec<u8>>, wanted: &str) -> Option<&'r str> {
    let (scheme, rest) = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case(wanted).then_some(rest.trim())
}

/// Decodes `application/x-www-form-urlencoded` text (bodies and queries), in order, repeats kept.
pub(crate) fn form(text: &str) -> Vec<(String, String)> {
    let pairs = text.split('&').filter(|pair| !pair.is_empty());
    pairs
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (unescape(name), unescape(value))
        })
        .collect()
}

/// The decoded query of a request.
pub(crate) fn query(request: &Request<Vec<u8>>) -> Vec<(String, String)> {
    form(request.uri().query().unwrap_or_default())
}

/// The first value of a form field.
pub(crate) fn field<'f>(form: &'f [(String, String)], name: &str) -> Option<&'f str> {
    form.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
}

/// `%XX` and `+` replaced. Text with a broken escape stays as it is: what a service says to it is its own affair.
fn unescape(text: &str) -> String {
    percent::decode(text.bytes().map(|byte| if byte == b'+' { b' ' } else { byte })).unwrap_or_else(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::form;

    #[test]
    fn a_form_is_decoded_in_order_and_keeps_repeats() {
        let decoded = form("scope=repository%3Aacme%2Fapp%3Apull&scope=a+b&broken=%4&%C3%A9=1&flag");
        let expected =
            [("scope", "repository:acme/app:pull"), ("scope", "a b"), ("broken", "%4"), ("é", "1"), ("flag", "")];
        let expected: Vec<_> = expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        assert_eq!(decoded, expected);
    }
}
