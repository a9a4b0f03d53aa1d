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
use crate::request::repetition::Kind;

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
    let problem = if token.is_some() { Problem::CircleciProgram } else { Problem::CircleciEmpty };
    fresh(effects, audience, problem, token).await
}

/// A fresh token of the program, which is asked again like GitHub's endpoint where that may help.
async fn fresh(effects: &Effects, audience: &str, problem: Problem, token: Option<&Secret>) -> Result<Secret, Error> {
    let mut tried = 1;
    loop {
        let why = match effects.token(Effect::CircleciIdentity { audience: audience.to_owned() }).await? {
            Ok(token) => return Ok(token),
            Err(why) if may_be_shown(&why, &Vec::from_iter(token)) => why,
            Err(_) => "(its message is withheld, because it holds a credential)".to_owned(),
        };
        let kind = if passes(&why) { Kind::CircleciAway } else { Kind::CircleciRefuses };
        let Some(wait) = kind.wait(tried) else {
            let error = Error::new(problem, "").because(&why);
            return Err(if tried > 1 { error.because(&format!("after {tried} tries")) } else { error });
        };
        let tries = kind.tries();
        effects.note(format!("`circleci run oidc get`: {why}; try {} of {tries} in {wait} ms", tried + 1)).await?;
        effects.sleep(wait).await?;
        tried += 1;
    }
}

/// Whether what the program says may be otherwise in a moment: it gives no reason, or one of the network or of CircleCI's service.
fn passes(why: &str) -> bool {
    let why = why.to_ascii_lowercase();
    let is_status = |word: &str| matches!(word, "429" | "500" | "502" | "503" | "504");
    let phrases = [
        "it printed nothing",
        "it said nothing",
        "timeout",
        "timed out",
        "deadline exceeded",
        "connection re",
        "unavailable",
    ];
    phrases.iter().any(|phrase| why.contains(phrase))
        || why.split(|character: char| !character.is_ascii_alphanumeric()).any(is_status)
}

#[cfg(test)]
mod tests {
    use super::passes;

    #[test]
    fn the_program_is_asked_again_for_want_of_a_reason_or_for_one_that_passes() {
        for (why, again) in [
            ("it printed nothing", true),
            ("it ended with code 1: it said nothing", true),
            ("it ended with code 1: Error: 503 Service Unavailable", true),
            ("it ended with code 255: failed to mint: status code: 502", true),
            ("it ended with code 1: Post \"http://127.0.0.1:7623\": context deadline exceeded", true),
            ("it ended with code 1: dial tcp: connection refused", true),
            ("it ended with code 1: read: connection reset by peer", true),
            ("it ended with code 1: net/http: TLS handshake timeout", true),
            ("it ended with code 1: (HTTP 429)", true),
            ("it ended with code 1: unknown command \"oidc\" for \"circleci run\"", false),
            ("it ended with code 2: invalid claims", false),
            ("it ended with code 1: 403 Forbidden", false),
            ("it ended with code 127: not found", false),
            ("it ended with code 1: job 15037 is not known", false),
            ("no `circleci` program on PATH", false),
            ("it printed more than 16384 bytes", false),
            ("it took too long", false),
        ] {
            assert_eq!(passes(why), again, "{why}");
        }
    }
}
