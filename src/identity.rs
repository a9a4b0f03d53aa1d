//! Who are we: the job's OIDC identity token.
//!
//! One file per source. A token is masked the moment it is read, before anything else can print; it is never stored,
//! and of its claims only what is parsed is shown.

mod circleci;
mod file;
mod github;
mod variable;

use hublease_protocol::ci::Ci;
use hublease_protocol::claims::UnverifiedClaims;
use hublease_protocol::endpoint::Origin;
use hublease_protocol::secret::Secret;

use crate::effect::Effects;
use crate::effect::http::Destination;
use crate::error::{Error, Problem};

/// Where the identity token comes from.
#[derive(Clone, Debug)]
pub enum Identity {
    /// GitHub's endpoint, asked at each use.
    Github {
        /// The endpoint's origin.
        origin: Origin,
        /// The endpoint's path and query.
        path_and_query: String,
        /// The request token.
        bearer: Secret,
    },
    /// CircleCI's variable, or its program for another audience or a fresh token.
    Circleci {
        /// `CIRCLE_OIDC_TOKEN_V2`, else `CIRCLE_OIDC_TOKEN`.
        token: Option<Secret>,
    },
    /// A named variable.
    Variable {
        /// Its name.
        name: String,
        /// Its value.
        token: Secret,
    },
    /// A file, read at each use since Kubernetes rotates it.
    File {
        /// Its path as typed; the host reads it.
        path: String,
    },
    /// The provider asks for none.
    NotNeeded,
    /// None here, and why.
    Missing(Box<Error>),
    /// A dry run that pretends to be elsewhere.
    Simulated(Ci),
}

impl Identity {
    pub(crate) fn missing(error: Error) -> Self {
        Self::Missing(Box::new(error))
    }

    /// Fails if there is no identity to ask for.
    pub fn ready(&self) -> Result<(), Error> {
        match self {
            Self::Missing(error) => Err(error.as_ref().clone()),
            Self::Simulated(_) => Err(Error::bug("a simulated identity in a real run")),
            _ => Ok(()),
        }
    }

    /// The origin that is asked, if the source is an endpoint.
    pub fn destination(&self) -> Option<(Destination, Origin)> {
        match self {
            Self::Github { origin, .. } => Some((Destination::Identity, origin.clone())),
            _ => None,
        }
    }

    /// Whether the token is one that somebody else asked for, so that its audience is what it is.
    pub const fn is_given(&self) -> bool {
        matches!(self, Self::Variable { .. } | Self::File { .. })
    }

    /// One line for the plan: where the token comes from.
    pub fn shown(&self) -> String {
        match self {
            Self::Github { origin, .. } => format!("GitHub Actions, asked at {origin}"),
            Self::Circleci { token: Some(_) } => "CircleCI, from the job's variable".to_owned(),
            Self::Circleci { token: None } => "CircleCI, from `circleci run oidc get`".to_owned(),
            Self::Variable { name, .. } => format!("the variable {name}"),
            Self::File { path } => format!("the file {path}"),
            Self::NotNeeded => "not needed".to_owned(),
            Self::Missing(error) => {
                format!("none here ({}; would be CircleCI's or GitHub's in a job)", error.sentence())
            }
            Self::Simulated(ci) => format!("simulated: as a {} job", ci.title()),
        }
    }
}

/// An identity token that looks like one and is not over.
#[derive(Debug)]
pub struct IdentityToken {
    /// The token.
    pub token: Secret,
    /// What it says about itself.
    pub claims: UnverifiedClaims,
}

/// Gets the identity token for `audience` (none: whatever the CI system gives by default).
///
/// # Errors
/// Stage identity: no token, not a token, expired.
pub async fn obtain(effects: &Effects, identity: &Identity, audience: Option<&str>) -> Result<IdentityToken, Error> {
    identity.ready()?;
    let token = match identity {
        Identity::Github { path_and_query, bearer, .. } => {
            github::request(effects, path_and_query, bearer, audience).await?
        }
        Identity::Circleci { token } => circleci::token(effects, token.as_ref(), audience).await?,
        Identity::Variable { token, .. } => variable::token(token),
        Identity::File { .. } => file::read(effects).await?,
        Identity::NotNeeded | Identity::Missing(_) | Identity::Simulated(_) => {
            return Err(Error::bug("an identity that cannot be asked"));
        }
    };
    effects.mask(&token).await?;
    let claims = read(&token)?;
    refuse_expired(&claims, effects.now().await?)?;
    Ok(IdentityToken { token, claims })
}

fn read(token: &Secret) -> Result<UnverifiedClaims, Error> {
    UnverifiedClaims::of(token).map_err(|why| Error::new(Problem::IdentityMalformed, "").because(why))
}

/// A token in its last seconds is refused here, where the reason can be told, rather than by the provider.
fn refuse_expired(claims: &UnverifiedClaims, now: u64) -> Result<(), Error> {
    match (claims.value("exp"), claims.seconds("exp")) {
        (Some(_), None) => {
            Err(Error::new(Problem::IdentityMalformed, "").because("its `exp` is not a number of seconds"))
        }
        (_, Some(expiry)) if expiry <= now => Err(Error::new(Problem::IdentityExpired, "")
            .because(&format!("it was valid until {}", hublease_protocol::time::utc(expiry)))),
        _ => Ok(()),
    }
}
