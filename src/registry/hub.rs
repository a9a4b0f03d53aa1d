//! Docker Hub as a client meets it at a pull: the token server, and the registry's answer about a manifest.
//!
//! Follows the distribution project's token specification. The credential goes to the token server alone, and the
//! bearer that comes back to the registry alone. A manifest is asked for by `HEAD`, which Docker Hub does not count;
//! nothing is fetched and nothing is uploaded.

use hublease_protocol::claims::UnverifiedClaims;
use hublease_protocol::scope::Action;
use hublease_protocol::secret::Secret;
use serde_json::Value;

use crate::effect::Effects;
use crate::effect::http::{Destination, Header, Method, PullLimit, Repeat, Request, Response};
use crate::error::{Error, Problem};
use crate::image::Image;
use crate::registry::token::token_request;
use crate::request::{Server, may_be_shown, remark};

/// Every form of a manifest, so that an image that is there is not taken for one that is missing.
const MANIFESTS: &str = "application/vnd.oci.image.index.v1+json, \
    application/vnd.docker.distribution.manifest.list.v2+json, application/vnd.oci.image.manifest.v1+json, \
    application/vnd.docker.distribution.manifest.v2+json";

/// Docker Hub, asked with one login or with none.
pub(crate) struct Hub<'a> {
    effects: &'a Effects,
    login: Option<&'a HubLogin>,
}

/// A login as it is sent.
pub(crate) struct HubLogin {
    /// As whom; printable.
    pub(crate) username: String,
    /// User name and secret in the form of HTTP Basic.
    pub(crate) basic: Secret,
    /// The secret alone, which no remote text may repeat.
    pub(crate) secret: Secret,
}

/// What the token server says.
pub(crate) enum TokenAnswer {
    /// A bearer, and what it may do if that can be read.
    Granted { bearer: Secret, actions: Option<Vec<Action>> },
    /// It gives none, and its words, if they may be shown.
    Refused(Option<String>),
}

/// What the registry says about a manifest.
pub(crate) enum Manifest {
    /// It is there; what the answer says about pulls.
    Found(PullLimit),
    /// The repository has no such tag or digest.
    Missing,
    /// The bearer may not read it.
    Denied,
    /// The pull limit is reached.
    LimitReached,
}

impl<'a> Hub<'a> {
    pub(crate) fn new(effects: &'a Effects, login: Option<&'a HubLogin>) -> Self {
        Self { effects, login }
    }

    /// Asks for a token as `docker login` does: without a scope, so only the login itself can be refused.
    pub(crate) async fn sign_in(&self) -> Result<TokenAnswer, Error> {
        self.token(None).await
    }

    /// Asks for a token that may do these things with a repository.
    pub(crate) async fn token_for(&self, repository: &str, actions: &[Action]) -> Result<TokenAnswer, Error> {
        let words: Vec<_> = actions.iter().map(|action| action.as_str()).collect();
        self.token(Some((repository, &format!("repository:{repository}:{}", words.join(","))))).await
    }

    async fn token(&self, wanted: Option<(&str, &str)>) -> Result<TokenAnswer, Error> {
        let request = token_request(self.login.map(|login| &login.basic), wanted.map(|(_, scope)| scope));
        let server = Server::new(self.effects, "auth.docker.io");
        let response = server.send(request).await?;
        match response.status {
            200 => {
                let bearer =
                    bearer(&response).ok_or_else(|| server.not_understood(&response).because("it holds no token"))?;
                self.effects.mask(&bearer).await?;
                let actions = granted(&bearer, wanted.map_or("", |(repository, _)| repository));
                Ok(TokenAnswer::Granted { bearer, actions })
            }
            401 | 403 if is_refusal(&response) => Ok(TokenAnswer::Refused(self.words(&response))),
            _ => Err(server.not_understood(&response)),
        }
    }

    /// Asks whether a manifest is there.
    pub(crate) async fn manifest(&self, image: &Image, bearer: &Secret) -> Result<Manifest, Error> {
        let request = Request {
            to: Destination::Registry,
            method: Method::Head,
            path_and_query: format!("/v2/{}/manifests/{}", image.repository(), image.reference()),
            headers: vec![
                (Header::Accept, Secret::new(MANIFESTS)),
                (Header::Authorization, Secret::new(format!("Bearer {}", bearer.expose()))),
            ],
            body: Secret::default(),
            repeat: Repeat::Safe,
        };
        let server = Server::new(self.effects, "registry-1.docker.io");
        let response = match server.send(request).await {
            Ok(response) => response,
            // Docker Hub has one status for a used window and for too many requests; the first lasts for hours.
            Err(lost) if lost.response.as_ref().is_some_and(|response| response.status == 429) => {
                return Ok(Manifest::LimitReached);
            }
            Err(lost) => return Err(lost.error),
        };
        match response.status {
            200 => {
                let mut limit = response.pull_limit;
                limit.source.take_if(|source| !may_be_shown(source, &[self.sent(), vec![bearer]].concat()));
                Ok(Manifest::Found(limit))
            }
            404 => Ok(Manifest::Missing),
            401 | 403 => Ok(Manifest::Denied),
            status => Err(server.problem(Problem::Answer).because(&format!("status {status}"))),
        }
    }

    /// What the token server says beside its status, if it may be shown.
    fn words(&self, response: &Response) -> Option<String> {
        remark(&refusal(response)?, &self.sent())
    }

    /// The secrets of the login, which no remote text may repeat.
    fn sent(&self) -> Vec<&Secret> {
        self.login.iter().flat_map(|login| [&login.basic, &login.secret]).collect()
    }
}

/// The words with which a token server refuses: `details`, or the first message of a list of errors.
fn refusal(response: &Response) -> Option<String> {
    let body: Value = serde_json::from_str(response.body.expose()).ok()?;
    body.get("details").or_else(|| body.pointer("/errors/0/message"))?.as_str().map(str::to_owned)
}

/// Whether it is the token server that says "no": what answers in its place has the same status, and other words.
pub(super) fn is_refusal(response: &Response) -> bool {
    matches!(response.status, 401 | 403) && refusal(response).is_some()
}

/// The token of an answer; both names mean the same.
pub(super) fn bearer(response: &Response) -> Option<Secret> {
    let body: Value = serde_json::from_str(response.body.expose()).ok()?;
    let token = ["token", "access_token"].iter().find_map(|name| body.get(*name)?.as_str())?;
    // What is not plain could not be sent as a header.
    let is_plain = !token.is_empty() && token.bytes().all(|byte| byte.is_ascii_graphic());
    is_plain.then(|| Secret::new(token))
}

/// What the bearer says that it may do with the repository; none if it does not let itself be read.
fn granted(bearer: &Secret, repository: &str) -> Option<Vec<Action>> {
    let claims = UnverifiedClaims::of(bearer).ok()?;
    let of_repository = |entry: &&Value| entry["type"] == "repository" && entry["name"] == repository;
    let entries = claims.value("access").and_then(Value::as_array).into_iter().flatten().filter(of_repository);
    let words: Vec<_> = entries.filter_map(|entry| entry["actions"].as_array()).flatten().collect();
    let has = |action: &Action| words.iter().any(|word| *word == "*" || *word == action.as_str());
    Some(Action::ALL.into_iter().filter(has).collect())
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use hublease_protocol::scope::Action::{self, Delete, Pull, Push};
    use hublease_protocol::secret::Secret;

    use super::granted;

    #[test]
    fn what_a_bearer_may_do_is_read_for_this_repository_alone() {
        let app =
            |actions: &str| format!(r#"{{"access":[{{"type":"repository","name":"acme/app","actions":{actions}}}]}}"#);
        for (claims, expected) in [
            (app(r#"["pull"]"#), vec![Pull]),
            (app(r#"["push","pull"]"#), vec![Pull, Push]),
            (app(r#"["*"]"#), vec![Pull, Push, Delete]),
            (app("[]"), vec![]),
            (app(r#""pull""#), vec![]),
            (app("[1,null]"), vec![]),
            (app(r#"["pull"]"#).replace("acme/app", "acme/app2"), vec![]),
            (app(r#"["pull"]"#).replace("repository", "registry"), vec![]),
            (r#"{"access":null}"#.to_owned(), vec![]),
            ("{}".to_owned(), vec![]),
        ] {
            let bearer = Secret::new(format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(&claims)));
            assert_eq!(granted(&bearer, "acme/app"), Some::<Vec<Action>>(expected), "{claims}");
        }
        assert_eq!(granted(&Secret::new("opaque"), "acme/app"), None);
    }
}
