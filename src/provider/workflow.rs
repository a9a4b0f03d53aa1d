//! The revocation of what a whole workflow was given, by the identity of one of its jobs.
//!
//! Our broker's own endpoint, which its metadata names (`lease_revocation_endpoint`): `{"workflow":true}` as JSON, with
//! the identity token as bearer (RFC 6750). What is revoked is what was leased before that token was made. Nothing is
//! used up, neither the token nor a lease that is over, so the request may be repeated.

use hublease_protocol::endpoint::Endpoint;
use hublease_protocol::oauth::{LeasesRequest, LeasesResponse};
use hublease_protocol::secret::Secret;

use crate::effect::Effects;
use crate::effect::http::{Destination, Header, Method, Repeat, Request};
use crate::error::{Error, Problem};
use crate::identity::Identity;
use crate::provider::{broker, identify, refusal};
use crate::request::Server;

/// Whose leases are revoked, and where.
#[derive(Debug)]
pub struct WorkflowRevocation {
    /// The broker; without a path, because only metadata names the endpoint.
    pub broker: Endpoint,
    /// Who we are.
    pub identity: Identity,
    /// The audience to ask an identity token for.
    pub audience: String,
}

/// metadata -> identity token -> revocation.
///
/// # Errors
/// Stage identity: nobody was asked. Stages refused and unavailable: nothing is known to be revoked.
pub(crate) async fn revoke(effects: &Effects, plan: &WorkflowRevocation) -> Result<LeasesResponse, Error> {
    plan.identity.ready()?;
    let server = Server::new(effects, plan.broker.origin.to_string());
    let paths = broker::paths(&server, &plan.broker).await?;
    let path = paths.lease_revocation.ok_or_else(|| server.problem(Problem::NoWorkflow))?;
    let token = identify(effects, &plan.identity, Some(&plan.audience)).await?;
    let response = server.send(request(path, &token)).await.map_err(|lost| refusal::told(lost, &[&token]))?;
    if response.status != 200 {
        return Err(refusal::oauth(&server, &response, &[&token]));
    }
    LeasesResponse::decode(response.body.expose().as_bytes())
        .map_err(|error| refusal::unusable(&server, &response, &error, &[&token]))
}

fn request(path_and_query: String, token: &Secret) -> Request {
    let wish = LeasesRequest { workflow: true, ..LeasesRequest::default() };
    Request {
        to: Destination::Provider,
        method: Method::Post,
        path_and_query,
        headers: vec![
            (Header::Authorization, Secret::new(format!("Bearer {}", token.expose()))),
            (Header::ContentType, Secret::new("application/json")),
            (Header::Accept, Secret::new("application/json")),
        ],
        body: Secret::new(serde_json::to_string(&wish).unwrap_or_default()),
        repeat: Repeat::Safe,
    }
}
