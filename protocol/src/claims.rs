//! What an identity token says about itself, unverified.
//!
//! The client cannot verify the token and does not need to: the provider does. These claims serve diagnosis only
//! (which audience, how old, what a rule would have to match). The token is read once and never kept here.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use crate::printable::printable;
use crate::secret::Secret;

/// The largest identity token that is accepted, in bytes. The issuers we know stay under 3 KiB; HTTP servers
/// commonly refuse header lines over 8 KiB.
pub const MAXIMUM_TOKEN: usize = 16 * 1024;

/// Claims read from a token whose signature nobody here has checked.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UnverifiedClaims(Map<String, Value>);

impl UnverifiedClaims {
    /// Reads the claims of a JWT (RFC 7519, compact form).
    ///
    /// # Errors
    /// A fixed sentence; nothing of the token is repeated.
    pub fn of(token: &Secret) -> Result<Self, &'static str> {
        let text = token.expose();
        if text.len() > MAXIMUM_TOKEN {
            return Err("an identity token has at most 16384 bytes");
        }
        let segments: Vec<&str> = text.split('.').collect();
        let [header, payload, signature] = segments.as_slice() else {
            return Err("an identity token has three segments, separated by dots");
        };
        if [header, payload, signature].iter().any(|segment| segment.is_empty() || !is_base64url(segment)) {
            return Err("the segments of an identity token are base64url and not empty");
        }
        let Ok(payload) = URL_SAFE_NO_PAD.decode(payload) else {
            return Err("the second segment of an identity token is base64url");
        };
        match std::str::from_utf8(&payload).ok().map(serde_json::from_str) {
            Some(Ok(Value::Object(claims))) => Ok(Self(claims)),
            _ => Err("the second segment of an identity token is a JSON object"),
        }
    }

    /// A claim that is a string.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.value(name)?.as_str()
    }

    /// A claim that is a whole number of seconds since 1970 (`exp`, `iat`, `nbf`).
    pub fn seconds(&self, name: &str) -> Option<u64> {
        let value = self.0.get(name)?;
        // RFC 7519 allows fractions; they are cut.
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "saturating, and negative is filtered"
        )]
        value.as_u64().or_else(|| value.as_f64().filter(|seconds| *seconds >= 0.0).map(|seconds| seconds as u64))
    }

    /// The audiences, whether written as a string or as a list.
    pub fn audiences(&self) -> Vec<&str> {
        match self.0.get("aud") {
            Some(Value::String(audience)) => vec![audience],
            Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        }
    }

    /// Every claim with its value as one harmless line, in the order of their names.
    pub fn shown(&self) -> Vec<(String, String)> {
        self.0
            .iter()
            .map(|(name, value)| match value {
                Value::String(text) => (printable(name), printable(text)),
                other => (printable(name), printable(&other.to_string())),
            })
            .collect()
    }

    /// The claim as it stands, by its name as rules have it.
    pub fn value(&self, name: &str) -> Option<&Value> {
        find(&self.0, name)
    }

    /// All of them as they stand, for whoever writes them down.
    pub const fn all(&self) -> &Map<String, Value> {
        &self.0
    }
}

/// A claim by its name, or by its JSON pointer (RFC 6901) when the name starts with `/`.
pub fn find<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a Value> {
    let Some(path) = name.strip_prefix('/') else {
        return claims.get(name);
    };
    let mut steps = path.split('/').map(|step| step.replace("~1", "/").replace("~0", "~"));
    let first = claims.get(&steps.next()?)?;
    steps.try_fold(first, |value, step| value.as_object()?.get(&step))
}

/// The algorithm that a token says it is signed with; none where its header cannot be read.
pub fn algorithm(token: &Secret) -> Option<String> {
    let header = URL_SAFE_NO_PAD.decode(token.expose().split('.').next()?).ok()?;
    let header: Value = serde_json::from_slice(&header).ok()?;
    header.get("alg")?.as_str().map(str::to_owned)
}

fn is_base64url(segment: &str) -> bool {
    segment.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::UnverifiedClaims;
    use crate::secret::Secret;

    fn token(payload: &str) -> Secret {
        Secret::new(format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(payload)))
    }

    #[test]
    fn only_three_segments_with_an_object_in_the_middle_are_a_token() {
        for text in [
            "",
            "a",
            "a.b",
            "a.b.c.d",
            "..",
            "e30..c2ln",
            "e30.e30.c2ln=",
            "e30.W10.c2ln",
            "e30.!!.c2ln",
            "e30.e30.c\n",
        ] {
            assert!(UnverifiedClaims::of(&Secret::new(text)).is_err(), "{text}");
        }
        assert!(UnverifiedClaims::of(&Secret::new(format!("e30.{}.x", "A".repeat(20_000)))).is_err());
        assert!(UnverifiedClaims::of(&token("{}")).is_ok());
    }

    #[test]
    fn the_algorithm_is_what_the_header_says() {
        for (header, algorithm) in
            [(r#"{"alg":"ES256"}"#, Some("ES256")), (r#"{"alg":5}"#, None), ("{}", None), ("[", None)]
        {
            let token = Secret::new(format!("{}.e30.c2ln", URL_SAFE_NO_PAD.encode(header)));
            assert_eq!(super::algorithm(&token).as_deref(), algorithm, "{header}");
        }
        assert_eq!(super::algorithm(&Secret::new("!.e30.c2ln")), None);
    }

    #[test]
    fn audience_may_be_text_or_a_list() {
        for (payload, audiences) in [
            (r#"{"aud":"a"}"#, vec!["a"]),
            (r#"{"aud":["a","b",3]}"#, vec!["a", "b"]),
            (r#"{"aud":3}"#, vec![]),
            ("{}", vec![]),
        ] {
            assert_eq!(UnverifiedClaims::of(&token(payload)).unwrap_or_default().audiences(), audiences);
        }
    }

    #[test]
    fn hostile_claims_are_shown_as_one_line() {
        let claims =
            UnverifiedClaims::of(&token(r###"{"sub":"a\n::add-mask::x","n":{"a":"##[x]"}}"###)).unwrap_or_default();
        assert_eq!(
            claims.shown(),
            [("n".into(), r###"{"a":"## [x]"}"###.into()), ("sub".into(), "a\\u{a}: :add-mask: :x".into())]
        );
    }

    #[test]
    fn times_are_whole_seconds() {
        let claims = UnverifiedClaims::of(&token(r#"{"exp":12,"iat":3.9,"nbf":-1,"x":"5"}"#)).unwrap_or_default();
        assert_eq!(
            [claims.seconds("exp"), claims.seconds("iat"), claims.seconds("nbf"), claims.seconds("x")],
            [Some(12), Some(3), None, None]
        );
    }
}
