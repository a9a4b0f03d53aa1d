//! The request to Docker's token server, by the distribution project's token specification.

use hublease_protocol::endpoint::percent_encode;
use hublease_protocol::secret::Secret;

use crate::effect::http::{Destination, Header, Method, Repeat, Request};

/// What is asked of Docker's token server, with a login in the form of HTTP Basic or with none; without a scope as
/// `docker login` asks, so that only the login itself can be refused.
pub(crate) fn token_request(basic: Option<&Secret>, scope: Option<&str>) -> Request {
    let scope = scope.map(|scope| format!("&scope={}", percent_encode(scope))).unwrap_or_default();
    let basic = basic.map(|basic| Secret::new(format!("Basic {}", basic.expose())));
    Request {
        to: Destination::RegistryAuth,
        method: Method::Get,
        path_and_query: format!("/token?service=registry.docker.io&client_id=hublease{scope}"),
        headers: basic.map(|basic| (Header::Authorization, basic)).into_iter().collect(),
        body: Secret::default(),
        repeat: Repeat::Safe,
    }
}
