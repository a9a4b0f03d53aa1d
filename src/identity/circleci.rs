//! CircleCI: the token that the job was started with, or a fresh one from the job's own `circleci` program.
//!
//! The variable carries the organization's id as its audience and lives for an hour from shortly before the job
//! starts. For another audience, or later, `circleci run oidc get --claims '{"aud":"…"}'` mints anew; there is no
//! HTTP endpoint for it. What the program prints is not masked by CircleCI, so it is captured and never shown.

use hublease_protocol::claims::UnverifiedClaims;
use hublease_protocol::secret::Secret;

use crate::effect::{Effect, Effects};
use crate::error::{Error, Problem};
use crate::request::may_be_shown;

/// Seconds of life that a token must still have: enough for the exchange with all its retries.
const MARGIN: u64 = 90;

/// The job's token if it serves, else a fresh one.
pub(super) async fn token(effects: &Effects, token: Option<&Secret>, audience: Option<&str>) -> Result<Secret, Error> {
    let claims = match token {
        Some(token) => {
            effects.mask(token).await?;
            UnverifiedClaims::of(token).map_err(|why| Error::new(Problem::IdentityMalformed, "").because(why))?
        }
        None => UnverifiedClaims::default(),
    };
    let now = effects.now().await?;
    let serves = audience.is_none_or(|audience| claims.audiences() == [audience]);
    if let Some(token) = token.filter(|_| serves && claims.seconds("exp").is_some_and(|expiry| expiry > now + MARGIN)) {
        return Ok(token.clone());
    }
    // Without a wish the default audience is asked for again: the one that the old token names.
    let Some(audience) = audience.or_else(|| claims.audiences().first().copied()) else {
        return Err(Error::new(Problem::CircleciEmpty, ""));
    };
    let fresh = effects.token(Effect::CircleciIdentity { audience: audience.to_owned() }).await?;
    fresh.map_err(|why| {
        let problem = if token.is_some() { Problem::CircleciProgram } else { Problem::CircleciEmpty };
        let is_shown = may_be_shown(&why, &Vec::from_iter(token));
        Error::new(problem, "").because(if is_shown {
            &why
        } else {
            "(its message is withheld, because it holds a credential)"
        })
    })
}
