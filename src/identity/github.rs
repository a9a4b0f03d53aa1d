//! GitHub Actions: `GET $ACTIONS_ID_TOKEN_REQUEST_URL&audience=…` with the request token as bearer, answered by
//! `{"value": "<JWT>"}`. Follows GitHub's OIDC reference; Forgejo has the same contract.

use hublease_protocol::endpoint::percent_encode;
use hublease_protocol::secret::Secret;
use serde::Deserialize;

use crate::effect::Effects;
use crate::effect::http::{Destination, Header, Method, Repeat, Request};
use crate::error::{Error, Problem};
use crate::request::{Server, unread};

#[derive(Deserialize)]
struct TokenResponse {
    #[serde(with = "hublease_protocol::secret::on_the_wire")]
    value: Secret,
}

/// Asks GitHub for a token; a fresh one each time.
pub(super) async fn request(
    effects: &Effects,
    path_and_query: &str,
    bearer: &Secret,
    audience: Option<&str>,
) -> Result<Secret, Error> {
    effects.mask(bearer).await?;
    let separator = if path_and_query.contains('?') { '&' } else { '?' };
    let path_and_query = match audience {
        Some(audience) => format!("{path_and_query}{separator}audience={}", percent_encode(audience)),
        None => path_and_query.to_owned(),
    };
    let request = Request {
        to: Destination::Identity,
        method: Method::Get,
        path_and_query,
        headers: vec![
            (Header::Authorization, Secret::new(format!("Bearer {}", bearer.expose()))),
            (Header::Accept, Secret::new("application/json")),
        ],
        body: Secret::default(),
        repeat: Repeat::Safe,
    };
    let failed = |cause: &str| Error::new(Problem::GithubAnswer, "").because(cause);
    let answer = Server::new(effects, "GitHub's identity endpoint")
        .send(request)
        .await
        .map_err(|lost| Error::new(Problem::GithubAnswer, "").caused_by(&lost.error))?;
    if answer.status != 200 {
        return Err(failed(&unread(&answer)));
    }
    match serde_json::from_str::<TokenResponse>(answer.body.expose()) {
        Ok(answer) => Ok(answer.value),
        Err(error) => {
            let place = format!("its answer has no token (line {}, column {})", error.line(), error.column());
            Err(failed(&unread(&answer)).because(&place))
        }
    }
}
