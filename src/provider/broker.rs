//! A token service that speaks RFC 8693: our broker, or any other.
//!
//! An address without a path is asked for its metadata first (RFC 8414); its `issuer` must be that address and its
//! endpoints must be there too. An address with a path is the token endpoint itself, and its revocation endpoint is
//! the same path with `revoke` in place of the last `token`.
//!
//! A random `request_id` makes a repetition safe at our broker: a repeat revokes the first lease and mints anew. Only a repetition
//! shows the verifier whose hash the first request had, so that nobody else who has seen that one can repeat it.

use hublease_protocol::endpoint::Endpoint;
use hublease_protocol::oauth::{
    CONTENT_TYPE_FORM, ExchangeParts, ExchangeRequest, ExchangeResponse, HINT_REVOCATION_HANDLE, METADATA_PATH,
    Metadata, Revocation, RevocationResponse, TOKEN_TYPE_ID_TOKEN, revocation_form,
};
use hublease_protocol::scope::Scope;
use hublease_protocol::secret::Secret;
use serde::de::IgnoredAny;

use crate::effect::Effects;
use crate::effect::http::{Destination, Header, Method, Repeat, Request, Response};
use crate::error::{Error, Problem};
use crate::fingerprint;
use crate::lease::{Handle, Lease, LeaseRecord, RevocationOutcome};
use crate::provider::{Exchange, check_registry, credential, identify, refusal};
use crate::record::RecordWriter;
use crate::request::{RequestError, Server, unread};

/// What the exchange needs.
#[derive(Clone, Debug)]
pub struct Broker {
    /// As typed.
    pub endpoint: Endpoint,
    /// Asked for; none leaves it to the one matching rule.
    pub scope: Option<Scope>,
    /// A group of rules.
    pub connection_id: Option<String>,
    /// Seconds; none leaves it to the rule.
    pub expires_in: Option<u64>,
}

/// Where to exchange and where to revoke, as paths at the broker's origin.
#[derive(Debug, PartialEq)]
pub(super) struct Paths {
    token: String,
    pub(super) revocation: Option<String>,
    /// Where a job revokes by its identity; only metadata names it.
    pub(super) lease_revocation: Option<String>,
}

/// metadata -> identity token -> exchange -> record -> lease.
pub(super) async fn exchange(
    effects: &Effects,
    broker: &Broker,
    plan: &Exchange,
    writer: &mut RecordWriter,
) -> Result<Lease, Error> {
    let server = Server::new(effects, broker.endpoint.origin.to_string());
    let paths = paths(&server, &broker.endpoint).await.map_err(|lost| refusal::told(lost, &[]))?;
    let token = identify(effects, &plan.identity, plan.audience.as_deref()).await?;
    let login = RequestName { id: effects.random(16).await?, verifier: Secret::new(effects.random(32).await?) };
    let issued_at = effects.now().await?;
    let again = form(broker, &token, &login, Some(&login.verifier));
    let response = server.send_and_again(request(broker, &paths, &token, &login), again).await;
    let response = response.map_err(|lost| refusal::told(lost, &[&token]))?;
    let parts = parse(&server, &response, &token)?;
    let secret = Secret::new(parts.access_token);
    effects.mask(&secret).await?;
    let own = parts.revocation_handle.map(Secret::new);
    if let Some(handle) = &own {
        effects.mask(handle).await?;
    }
    let mut note = LeaseRecord {
        provider: "broker".to_owned(),
        origin: broker.endpoint.origin.to_string(),
        username: String::new(),
        mark: None,
        issued_at,
        expires_at: parts.issued.expires_in.map(|life| issued_at.saturating_add(life)),
        handle: handle(own.clone(), &secret, &paths),
    };
    // Written down before the answer is looked at any closer: what is unusable is revoked too.
    writer.hold(effects, &note).await?;
    check_registry(server.name(), parts.issued.registry.as_deref())?;
    let held: Vec<&Secret> = [&token].into_iter().chain(&own).collect();
    let credential = credential(server.name(), plan, parts.issued.username.as_deref(), secret, &held)?;
    note.describe(&credential);
    writer.hold(effects, &note).await?;
    Ok(Lease { credential, note })
}

/// The endpoints of a token service.
pub(super) async fn paths(server: &Server<'_>, endpoint: &Endpoint) -> Result<Paths, RequestError> {
    if !endpoint.path.is_empty() {
        let revocation = endpoint.path.strip_suffix("/token").map(|start| format!("{start}/revoke"));
        return Ok(Paths { token: endpoint.path.clone(), revocation, lease_revocation: None });
    }
    let request = Request {
        to: Destination::Provider,
        method: Method::Get,
        path_and_query: METADATA_PATH.to_owned(),
        headers: vec![(Header::Accept, Secret::new("application/json"))],
        body: Secret::default(),
        repeat: Repeat::Safe,
    };
    let response = server.send(request).await?;
    metadata(server, &response, endpoint).map_err(RequestError::settled)
}

fn metadata(server: &Server<'_>, response: &Response, endpoint: &Endpoint) -> Result<Paths, Error> {
    let unusable = |why: &str| server.problem(Problem::Answer).because(why);
    if response.status != 200 {
        return Err(unusable(&format!("its metadata ({METADATA_PATH}): {}", unread(response))));
    }
    let metadata = Metadata::decode(response.body.expose().as_bytes())
        .map_err(|error| server.not_understood(response).because(&format!("its metadata cannot be read: {error}")))?;
    if Endpoint::parse(&metadata.issuer).as_ref() != Ok(endpoint) {
        return Err(unusable("its metadata names another issuer"));
    }
    let path_of = |address: &str| match Endpoint::parse(address) {
        Ok(named) if named.origin == endpoint.origin => Ok(named.path),
        Ok(_) => Err(unusable("its metadata names an endpoint at another origin")),
        Err(_) => Err(unusable("its metadata names an unusable endpoint")),
    };
    Ok(Paths {
        token: path_of(&metadata.token_endpoint)?,
        revocation: metadata.revocation_endpoint.as_deref().map(path_of).transpose()?,
        lease_revocation: metadata.lease_revocation_endpoint.as_deref().map(path_of).transpose()?,
    })
}

/// What one logical login is called, and what proves that a repetition is of it.
struct RequestName {
    id: String,
    verifier: Secret,
}

fn form(broker: &Broker, token: &Secret, login: &RequestName, verifier: Option<&Secret>) -> Secret {
    let scope = broker.scope.as_ref().map(ToString::to_string);
    let challenge = fingerprint::of_text(login.verifier.expose());
    let form = ExchangeRequest {
        subject_token: token.expose(),
        subject_token_type: TOKEN_TYPE_ID_TOKEN,
        connection_id: broker.connection_id.as_deref(),
        expires_in: broker.expires_in,
        scope: scope.as_deref(),
        request_id: Some(&login.id),
        request_challenge: Some(&challenge),
        request_verifier: verifier.map(Secret::expose),
    };
    Secret::new(form.to_form())
}

fn request(broker: &Broker, paths: &Paths, token: &Secret, login: &RequestName) -> Request {
    Request {
        to: Destination::Provider,
        method: Method::Post,
        path_and_query: paths.token.clone(),
        headers: vec![
            (Header::ContentType, Secret::new(CONTENT_TYPE_FORM)),
            (Header::Accept, Secret::new("application/json")),
        ],
        body: form(broker, token, login, None),
        repeat: Repeat::WithRequestId,
    }
}

fn parse(server: &Server<'_>, response: &Response, token: &Secret) -> Result<ExchangeParts, Error> {
    if response.status != 200 {
        return Err(refusal::oauth(server, response, &[token]));
    }
    ExchangeResponse::decode(response.body.expose().as_bytes())
        .map(ExchangeResponse::into_parts)
        .map_err(|error| refusal::unusable(server, response, &error, &[token]))
}

fn handle(own: Option<Secret>, credential: &Secret, paths: &Paths) -> Handle {
    match (own, &paths.revocation) {
        (Some(token), _) => Handle::Token { token, own: true },
        (None, Some(_)) => Handle::Token { token: credential.clone(), own: false },
        (None, None) => Handle::None,
    }
}

/// RFC 7009. Our broker confirms in the body; from others a 200 says no more than that it was asked.
pub(super) async fn revoke_token(
    effects: &Effects,
    endpoint: &Endpoint,
    token: &Secret,
    own: bool,
) -> Result<RevocationOutcome, Error> {
    let server = Server::new(effects, endpoint.origin.to_string());
    let path = match paths(&server, endpoint).await {
        Ok(paths) => paths.revocation,
        Err(lost) => return Ok(RevocationOutcome::NotRevoked(refusal::told(lost, &[token]).in_a_line())),
    };
    let Some(path_and_query) = path else {
        return Ok(RevocationOutcome::NotRevoked("the token service has no revocation endpoint".to_owned()));
    };
    let request = Request {
        to: Destination::Provider,
        method: Method::Post,
        path_and_query,
        headers: vec![
            (Header::ContentType, Secret::new(CONTENT_TYPE_FORM)),
            (Header::Accept, Secret::new("application/json")),
        ],
        body: Secret::new(revocation_form(token.expose(), own.then_some(HINT_REVOCATION_HANDLE))),
        repeat: Repeat::Safe,
    };
    let response = match server.send(request).await {
        Ok(response) => response,
        Err(lost) => return Ok(RevocationOutcome::NotRevoked(refusal::told(lost, &[token]).in_a_line())),
    };
    Ok(match (response.status, RevocationResponse::decode(response.body.expose().as_bytes())) {
        (200, Ok(RevocationResponse { revocation: Revocation::Confirmed })) => RevocationOutcome::Confirmed,
        (200, Ok(RevocationResponse { revocation: Revocation::Unknown })) => RevocationOutcome::Requested(
            "the broker cannot tell: it has forgotten the lease, or had only lent the token",
        ),
        (200 | 204, _) if is_taken(&response) => RevocationOutcome::Requested(""),
        _ => RevocationOutcome::NotRevoked(refusal::oauth(&server, &response, &[token]).in_a_line()),
    })
}

/// Whether an answer is one that a token service gives: RFC 7009 leaves its body open, and none fills it with anything but
/// JSON. A page of a portal comes with 200, too.
fn is_taken(response: &Response) -> bool {
    let body = response.body.expose().trim();
    let is_object = body.starts_with('{') && serde_json::from_str::<IgnoredAny>(body).is_ok();
    body.is_empty() || is_object && refusal::spoken(response).is_none()
}
