//! Docker Identity: an organization's OIDC connection, for GitHub Actions.
//!
//! Follows what docker/login-action sends (v4.5 and later): an RFC 8693 exchange with `connection_id` and
//! `expires_in`, audience `https://identity.docker.com`. Only `access_token` of the answer is documented. There is no
//! revocation endpoint: the credential dies by itself. 429 with `Retry-After` is the one fault that is repeated,
//! because a repetition after a lost answer would leave a second credential alive.

use hublease_protocol::oauth::{CONTENT_TYPE_FORM, ExchangeRequest, ExchangeResponse, TOKEN_PATH, TOKEN_TYPE_ID_TOKEN};
use hublease_protocol::secret::Secret;

use crate::effect::Effects;
use crate::effect::http::{Destination, Header, Method, Repeat, Request, Response};
use crate::error::Error;
use crate::lease::{Handle, Lease, LeaseRecord};
use crate::provider::{Exchange, credential, identify, refusal};
use crate::record::RecordWriter;
use crate::request::Server;

/// Origin and audience.
pub const AUDIENCE: &str = "https://identity.docker.com";

/// Least and most seconds that the endpoint grants.
pub const LIVES: (u64, u64) = (300, 21_600);

/// Docker's own default of 300 seconds is shorter than most builds.
pub const DEFAULT_LIFE: u64 = 900;

/// What the exchange needs.
#[derive(Clone, Debug)]
pub struct DockerIdentity {
    /// The UUID of the connection; not a secret.
    pub connection_id: String,
    /// Seconds.
    pub expires_in: u64,
}

/// identity token -> exchange -> lease.
pub(super) async fn exchange(
    effects: &Effects,
    docker: &DockerIdentity,
    plan: &Exchange,
    writer: &mut RecordWriter,
) -> Result<Lease, Error> {
    let server = Server::new(effects, "identity.docker.com");
    let token = identify(effects, &plan.identity, plan.audience.as_deref()).await?;
    let issued_at = effects.now().await?;
    let response = server.send(request(docker, &token)).await.map_err(|lost| refusal::told(lost, &[&token]))?;
    let (secret, life) = parse(&server, &response, &token)?;
    effects.mask(&secret).await?;
    let credential = credential(server.name(), plan, None, secret, &[&token])?;
    let mut note = LeaseRecord {
        provider: "docker".to_owned(),
        origin: AUDIENCE.to_owned(),
        username: String::new(),
        mark: None,
        issued_at,
        expires_at: Some(issued_at.saturating_add(life.unwrap_or(docker.expires_in))),
        handle: Handle::None,
    };
    note.describe(&credential);
    writer.hold(effects, &note).await?;
    Ok(Lease { credential, note })
}

fn request(docker: &DockerIdentity, token: &Secret) -> Request {
    let form = ExchangeRequest {
        subject_token: token.expose(),
        subject_token_type: TOKEN_TYPE_ID_TOKEN,
        connection_id: Some(&docker.connection_id),
        expires_in: Some(docker.expires_in),
        scope: None,
        request_id: None,
        request_challenge: None,
        request_verifier: None,
    };
    Request {
        to: Destination::Provider,
        method: Method::Post,
        path_and_query: TOKEN_PATH.to_owned(),
        headers: vec![
            (Header::ContentType, Secret::new(CONTENT_TYPE_FORM)),
            (Header::Accept, Secret::new("application/json")),
        ],
        body: Secret::new(form.to_form()),
        repeat: Repeat::Never,
    }
}

fn parse(server: &Server<'_>, response: &Response, token: &Secret) -> Result<(Secret, Option<u64>), Error> {
    if response.status != 200 {
        return Err(refusal::oauth(server, response, &[token]));
    }
    let parts = ExchangeResponse::decode(response.body.expose().as_bytes())
        .map_err(|error| refusal::unusable(server, response, &error, &[token]))?
        .into_parts();
    Ok((Secret::new(parts.access_token), parts.issued.expires_in))
}
