//! What a client asks for: the form of a token exchange, read and bounded, not yet judged.
//!
//! Follows RFC 8693 section 2.1 and Docker Identity's two extra fields. A wish that the broker cannot honour is refused here
//! instead of being ignored; fields that no specification names are ignored.

use hublease_protocol::oauth::{self, Code, Form};
use hublease_protocol::scope::Scope;
use hublease_protocol::secret::Secret;

use crate::client_address::Client;
use crate::limits::MAX_ID_BYTES;
use crate::refusal::Refusal;

/// Docker Hub, as a client may spell it in `audience` or `resource`.
const TARGETS: [&str; 3] = ["docker.io", "registry.docker.io", "https://index.docker.io/v1/"];

/// A well-formed request.
pub struct ParsedExchange {
    /// The identity token.
    pub identity_token: Secret,
    /// What is wanted, if the client says.
    pub wish: RequestedGrant,
    /// The name of this logical login, for safe repetition.
    pub request: Option<LoginRequest>,
}

/// What one logical login is called, and what proves that a repetition is of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginRequest {
    /// The same for every try.
    pub id: String,
    /// SHA-256 in hexadecimal of what a repetition shows; nothing from a client that proves nothing.
    pub challenge: Option<String>,
    /// What was hashed. Of a repetition only.
    pub verifier: Option<String>,
}

/// What a job wants to have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestedGrant {
    /// The group of rules to look at.
    pub connection_id: Option<String>,
    /// The scope, with what Docker Hub adds to it by itself.
    pub scope: Option<Scope>,
    /// The life in seconds.
    pub expires_in: Option<u64>,
    /// The shortest life that is of use, in seconds: what is under it is refused instead of shortened.
    pub least_life: Option<u64>,
    /// Where the request comes from; nothing when it is only asked what would be decided.
    pub from: Option<Client>,
}

impl ParsedExchange {
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
        let (expires_in, least_life) = (life(&mut form, "expires_in")?, life(&mut form, "min_expires_in")?);
        if expires_in.zip(least_life).is_some_and(|(asked, least)| least > asked) {
            return refuse(Code::MalformedRequest, "`min_expires_in` is over `expires_in`");
        }
        Ok(Self {
            identity_token: Secret::new(token),
            wish: RequestedGrant {
                connection_id: identifier(&mut form, "connection_id")?,
                scope: scope(&mut form)?,
                expires_in,
                least_life,
                from: None,
            },
            request: login_request(&mut form)?,
        })
    }
}

fn login_request(form: &mut Form) -> Result<Option<LoginRequest>, Refusal> {
    let id = identifier(form, "request_id")?;
    let (challenge, verifier) = (identifier(form, "request_challenge")?, identifier(form, "request_verifier")?);
    Ok(id.map(|id| LoginRequest { id, challenge, verifier }))
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

fn life(form: &mut Form, name: &str) -> Result<Option<u64>, Refusal> {
    let Some(text) = form.take(name) else {
        return Ok(None);
    };
    match text.parse() {
        Ok(seconds) if text.bytes().all(|byte| byte.is_ascii_digit()) => Ok(Some(seconds)),
        _ => refuse(Code::MalformedRequest, format!("`{name}` is not a number of seconds")),
    }
}

fn identifier(form: &mut Form, name: &str) -> Result<Option<String>, Refusal> {
    let Some(text) = form.take(name) else {
        return Ok(None);
    };
    let is_plain =
        text.len() <= MAX_ID_BYTES && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if is_plain {
        Ok(Some(text))
    } else {
        refuse(Code::MalformedRequest, format!("`{name}` is more than 128 letters, digits, `-`, `_` and `.`"))
    }
}

fn refuse<T>(code: Code, sentence: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal::new(code, sentence))
}

#[cfg(test)]
mod tests;
