//! Which source of identity applies here. An empty variable falls through to the next source.

use hublease_protocol::endpoint;
use hublease_protocol::secret::Secret;

use super::value::variable;
use crate::cli::Typed;
use crate::environment::Environment;
use crate::error::{Error, Problem};
use crate::identity::{Ci, Identity};

/// Finds the source, the named ones first.
///
/// # Errors
/// Usage errors only. A source that is there but broken, or none at all, becomes [`Identity::Missing`], so that a
/// dry run can still show the plan.
pub(super) fn detect(typed: &Typed, environment: &Environment) -> Result<Identity, Error> {
    if let Some(simulated) = typed.one("as") {
        return Ok(Identity::Simulated(if simulated == "github" { Ci::Github } else { Ci::Circleci }));
    }
    match (typed.one("identity-token-env"), typed.one("identity-token-file")) {
        (Some(_), Some(_)) => {
            return Err(Error::new(Problem::Conflict, "`--identity-token-env` and `--identity-token-file`"));
        }
        (Some(name), None) => {
            let name = variable(typed, "identity-token-env", name)?;
            return Ok(environment.value(name).map_or_else(
                || Identity::missing(Error::new(Problem::IdentityVariable, name)),
                |token| Identity::Variable { name: name.to_owned(), token: Secret::new(token.trim()) },
            ));
        }
        (None, Some(path)) => return Ok(Identity::File { path: path.to_owned() }),
        (None, None) => {}
    }
    Ok(github(environment)
        .or_else(|| circleci(environment))
        .unwrap_or_else(|| Identity::missing(Error::new(Problem::NoIdentity, ""))))
}

/// GitHub sets both variables only with `id-token: write`; Forgejo has the same contract.
fn github(environment: &Environment) -> Option<Identity> {
    let request =
        (environment.value("ACTIONS_ID_TOKEN_REQUEST_URL"), environment.value("ACTIONS_ID_TOKEN_REQUEST_TOKEN"));
    match request {
        (Some(url), Some(bearer)) => Some(match endpoint::split(url) {
            Ok((origin, path_and_query)) => {
                Identity::Github { origin, path_and_query: path_and_query.to_owned(), bearer: Secret::new(bearer) }
            }
            Err(error) => Identity::missing(
                Error::new(Problem::GithubAnswer, "").because(&format!("ACTIONS_ID_TOKEN_REQUEST_URL: {error}")),
            ),
        }),
        _ if environment.is_true("GITHUB_ACTIONS") => {
            Some(Identity::missing(Error::new(Problem::GithubPermission, "")))
        }
        _ => None,
    }
}

/// The second generation's `sub` names branch and origin, so it is preferred. Without a token the program of the
/// job may still give one.
fn circleci(environment: &Environment) -> Option<Identity> {
    let token = environment.value("CIRCLE_OIDC_TOKEN_V2").or_else(|| environment.value("CIRCLE_OIDC_TOKEN"));
    let is_here = token.is_some() || environment.is_true("CIRCLECI");
    is_here.then(|| Identity::Circleci { token: token.map(Secret::new) })
}
