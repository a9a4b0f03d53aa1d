//! What a client asks for: the form of a token exchange, read and bounded, not yet judged.
//!
//! Follows RFC 8693 section 2.1 and Docker Identity's two extra fields. A wish that the broker cannot honour is refused here
//! instead of being ignored; fields that no specification names are ignored.

use hublease::oauth::{self, Code, Form};
use hublease::scope::Scope;

use crate::limits::MAX_ID_BYTES;
use crate::refusal::Refusal;
use crate::secret::Secret;

/// Docker Hub, as a client may spell it in `audience` or `resource`.
const TARGETS: [&str; 3] = ["docker.io", "registry.docker.io", "https://index.docker.io/v1/"];

/// A well-formed request.
pub struct Ask {
    /// The identity token.
    pub identity_token: Secret,
    /// What is wanted, if the client says.
    pub wish: Wish,
    /// The name of this logical login, for safe repetition.
    pub request_id: Option<String>,
}

/// What a job wants to have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wish {
    /// The group of rules to look at.
    pub connection_id: Option<String>,
    /// The scope, with what Docker Hub adds to it by itself.
    pub scope: Option<Scope>,
    /// The life in seconds.
    pub expires_in: Option<u64>,
}

impl Ask {
    /// Reads a request body.
    ///
    /// # Errors
    /// When the body is no such form, or asks for something that no rule could grant.
    pub fn read(body: &[u8]) -> Result<Self, Refusal> {
        let mut form = Form::decode(body).map_err(|error| Refusal::new(Code::MalformedRequest, error.to_string()))?;
        match form.take("grant_type") {
            None => return refuse(Code::MalformedRequest, "`grant_type` is missing"),
            Some(grant) if grant == oauth::GRANT_TYPE_TOKEN_EXCHANGE => {}
            Some(_) => {
                return refuse(Code::GrantTypeUnsupported, "the only grant type is the token exchange");
            }
        }
        check_types(&mut form)?;
        for name in ["audience", "resource"] {
            if form.take(name).is_some_and(|target| !TARGETS.contains(&target.as_str())) {
                return refuse(Code::TargetUnknown, format!("the only `{name}` is `docker.io`"));
            }
        }
        let Some(token) = form.take("subject_token") else {
            return refuse(Code::TokenMalformed, "`subject_token` is missing");
        };
        Ok(Self {
            identity_token: Secret::new(token),
            wish: Wish {
                connection_id: identifier(&mut form, "connection_id")?,
                scope: scope(&mut form)?,
                expires_in: life(&mut form)?,
            },
            request_id: identifier(&mut form, "request_id")?,
        })
    }
}

fn check_types(form: &mut Form) -> Result<(), Refusal> {
    match form.take("subject_token_type").as_deref() {
        Some(oauth::TOKEN_TYPE_ID_TOKEN | oauth::TOKEN_TYPE_JWT) => {}
        None => return refuse(Code::MalformedRequest, "`subject_token_type` is missing"),
        Some(_) => {
            return refuse(Code::TokenTypeUnsupported, "`subject_token_type` is neither `id_token` nor `jwt`");
        }
    }
    if form.take("requested_token_type").is_some_and(|wanted| wanted != oauth::TOKEN_TYPE_ACCESS_TOKEN) {
        return refuse(Code::TokenTypeUnsupported, "the only `requested_token_type` is `access_token`");
    }
    if form.take("actor_token").is_some() || form.take("actor_token_type").is_some() {
        return refuse(Code::TokenTypeUnsupported, "actor tokens are not taken");
    }
    Ok(())
}

fn scope(form: &mut Form) -> Result<Option<Scope>, Refusal> {
    let Some(text) = form.take("scope") else {
        return Ok(None);
    };
    match Scope::parse(&text) {
        Ok(scope) => Ok(Some(scope.with_implied())),
        Err(error) => refuse(Code::ScopeInvalid, error.to_string()),
    }
}

fn life(form: &mut Form) -> Result<Option<u64>, Refusal> {
    let Some(text) = form.take("expires_in") else {
        return Ok(None);
    };
    match text.parse() {
        Ok(seconds) if text.bytes().all(|byte| byte.is_ascii_digit()) => Ok(Some(seconds)),
        _ => refuse(Code::MalformedRequest, "`expires_in` is not a number of seconds"),
    }
}

fn identifier(form: &mut Form, name: &str) -> Result<Option<String>, Refusal> {
    let Some(text) = form.take(name) else {
        return Ok(None);
    };
    let is_plain =
        text.len() <= MAX_ID_BYTES && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    match is_plain {
        true => Ok(Some(text)),
        false => refuse(Code::MalformedRequest, format!("`{name}` is more than 128 letters, digits, `-`, `_` and `.`")),
    }
}

fn refuse<T>(code: Code, sentence: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::new(code, sentence))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BASE: &str = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange\
        &subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aid_token&subject_token=t";

    #[test]
    fn a_full_request_is_read() {
        let body = format!(
            "{BASE}&scope=repository%3Aacme%2Fapp%3Apush&expires_in=600&connection_id=0f-0e&request_id=r_1&audience=docker.io&x=y"
        );
        let ask = Ask::read(body.as_bytes()).ok().unwrap();
        assert_eq!(ask.identity_token.expose(), "t");
        assert_eq!(ask.wish.scope.unwrap().to_string(), "repository:acme/app:pull,push");
        assert_eq!((ask.wish.expires_in, ask.wish.connection_id.as_deref()), (Some(600), Some("0f-0e")));
        assert_eq!(ask.request_id.as_deref(), Some("r_1"));
        assert_eq!(Ask::read(BASE.as_bytes()).ok().unwrap().wish, Wish::default());
    }

    #[test]
    fn everything_else_is_refused_with_the_right_error() {
        let without = |name: &str| {
            BASE.split('&').filter(|pair| !pair.starts_with(&format!("{name}="))).collect::<Vec<_>>().join("&")
        };
        let with = |pair: &str| format!("{BASE}&{pair}");
        let table = [
            (String::new(), "invalid_request", "malformed_request"),
            (without("grant_type"), "invalid_request", "malformed_request"),
            (
                format!("{}&grant_type=password", without("grant_type")),
                "unsupported_grant_type",
                "grant_type_unsupported",
            ),
            (with("grant_type=password"), "invalid_request", "malformed_request"),
            (without("subject_token_type"), "invalid_request", "malformed_request"),
            (BASE.replace("id_token", "saml2"), "invalid_request", "token_type_unsupported"),
            (without("subject_token"), "invalid_request", "token_malformed"),
            (format!("{}&subject_token=", without("subject_token")), "invalid_request", "token_malformed"),
            (with("requested_token_type=x"), "invalid_request", "token_type_unsupported"),
            (with("actor_token=x"), "invalid_request", "token_type_unsupported"),
            (with("actor_token_type=x"), "invalid_request", "token_type_unsupported"),
            (with("audience=https%3A%2F%2Fghcr.io"), "invalid_target", "target_unknown"),
            (with("resource=x"), "invalid_target", "target_unknown"),
            (with("scope=repository%3Aacme%2F*%3Apull"), "invalid_scope", "scope_invalid"),
            (with("scope=openid"), "invalid_scope", "scope_invalid"),
            (with("expires_in=-1"), "invalid_request", "malformed_request"),
            (with("expires_in=%2B5"), "invalid_request", "malformed_request"),
            (with("expires_in=1e3"), "invalid_request", "malformed_request"),
            (with("expires_in=99999999999999999999"), "invalid_request", "malformed_request"),
            (with("request_id=a%20b"), "invalid_request", "malformed_request"),
            (with(&format!("request_id={}", "a".repeat(129))), "invalid_request", "malformed_request"),
            (with("connection_id=%22"), "invalid_request", "malformed_request"),
            (with("y=%zz"), "invalid_request", "malformed_request"),
        ];
        for (body, error, code) in table {
            let refusal = Ask::read(body.as_bytes()).err().unwrap();
            assert_eq!((refusal.code.error(), refusal.code.as_str(), refusal.status()), (error, code, 400), "{body}");
            assert!(
                refusal.to_string().bytes().all(|byte| (b' '..=b'~').contains(&byte) && byte != b'"' && byte != b'\\')
            );
        }
    }
}
