//! Which source of identity applies here. An empty variable falls through to the next source.

use hublease_protocol::ci::{Ci, TokenSource};
use hublease_protocol::endpoint;
use hublease_protocol::secret::Secret;

use super::value::variable;
use crate::cli::Arguments;
use crate::environment::Environment;
use crate::error::{Error, Problem};
use crate::identity::Identity;

/// Finds the source, the named ones first.
///
/// # Errors
/// Usage errors only. A source that is there but broken, or none at all, becomes [`Identity::Missing`], so that a
/// dry run can still show the plan.
pub(super) fn detect(arguments: &Arguments, environment: &Environment) -> Result<Identity, Error> {
    if let Some(ci) = arguments.one("as").and_then(Ci::named) {
        return Ok(Identity::Simulated(ci));
    }
    match (arguments.one("identity-token-env"), arguments.one("identity-token-file")) {
        (Some(_), Some(_)) => {
            return Err(Error::new(Problem::Conflict, "`--identity-token-env` and `--identity-token-file`"));
        }
        (Some(name), None) => {
            let name = variable(arguments, "identity-token-env", name)?;
            return Ok(environment.value(name).map_or_else(
                || Identity::missing(Error::new(Problem::IdentityVariable, name)),
                |token| Identity::Variable { name: name.to_owned(), token: Secret::new(token.trim()) },
            ));
        }
        (None, Some(path)) => return Ok(Identity::File { path: path.to_owned() }),
        (None, None) => {}
    }
    Ok(Ci::ALL
        .into_iter()
        .find_map(|ci| of_job(ci, environment))
        .unwrap_or_else(|| Identity::missing(Error::new(Problem::NoIdentity, ""))))
}

/// The source in a job of this system; none if this is no such job.
fn of_job(ci: Ci, environment: &Environment) -> Option<Identity> {
    let is_job = || environment.is_job(ci);
    let first = |names: &[&'static str]| names.iter().find_map(|name| Some((*name, environment.value(name)?)));
    match ci.job().source {
        TokenSource::Endpoint { url, bearer } => match (environment.value(url), environment.value(bearer)) {
            (Some(address), Some(bearer)) => Some(endpoint(url, address, bearer)),
            _ => is_job().then(|| Identity::missing(Error::new(Problem::GithubPermission, ""))),
        },
        TokenSource::VariablesOrProgram(names) => {
            // Without a token the program of the job may still give one.
            let token = first(names).map(|(_, token)| Secret::new(token));
            (token.is_some() || is_job()).then_some(Identity::Circleci { token })
        }
        TokenSource::Variables(names) => match first(names) {
            Some((name, token)) => Some(Identity::Variable { name: name.to_owned(), token: Secret::new(token.trim()) }),
            None => is_job().then(|| {
                let name = names.first().copied().unwrap_or_default();
                Identity::missing(Error::new(Problem::IdentityVariable, name).because(ci.job().without_token))
            }),
        },
        TokenSource::Named => None,
    }
}

fn endpoint(variable: &str, address: &str, bearer: &str) -> Identity {
    match endpoint::split(address) {
        Ok((origin, path_and_query)) => {
            Identity::Github { origin, path_and_query: path_and_query.to_owned(), bearer: Secret::new(bearer) }
        }
        Err(error) => Identity::missing(Error::new(Problem::GithubAnswer, "").because(&format!("{variable}: {error}"))),
    }
}
