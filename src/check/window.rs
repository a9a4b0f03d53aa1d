//! The pull window, as Docker Hub's registry tells it in the headers of a manifest.
//!
//! `ratelimit-limit: 100;w=21600`, `ratelimit-remaining: 76;w=21600`, `docker-ratelimit-source: 203.0.113.7`. An
//! answer without them comes from a registry that does not count: paid, partner and sponsored accounts.

use hublease_protocol::printable::printable;
use hublease_protocol::time::span;
use serde_json::{Value, json};

use crate::effect::http::PullLimit;

/// How much may be pulled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Window {
    /// Pulls are counted.
    Limited {
        /// Pulls in a window.
        limit: u64,
        /// Pulls that are left in it.
        remaining: u64,
        /// The window's length.
        seconds: u64,
        /// Whose pulls are counted: an address or an account, printable.
        source: Option<String>,
    },
    /// Nobody counts.
    Unlimited,
    /// Docker Hub refuses even to answer about a manifest: used up, or asked too often.
    Reached,
    /// It could not be learnt, and why.
    Unknown(&'static str),
}

impl Window {
    /// Reads the headers of a manifest that was there.
    pub(super) fn of(told: &PullLimit) -> Self {
        let (Some(limit), Some(remaining)) = (&told.limit, &told.remaining) else {
            return match (&told.limit, &told.remaining) {
                (None, None) => Self::Unlimited,
                _ => Self::Unknown("Docker Hub told only a part of it"),
            };
        };
        match (quantity(limit), quantity(remaining)) {
            (Some((limit, seconds)), Some((remaining, _))) => {
                Self::Limited { limit, remaining, seconds, source: told.source.as_deref().map(printable) }
            }
            _ => Self::Unknown("Docker Hub told it in a form that hublease does not know"),
        }
    }

    /// Whether the next pull will be refused.
    pub(super) fn is_used_up(&self) -> bool {
        matches!(self, Self::Limited { remaining: 0, .. })
    }

    pub(super) fn text(&self) -> String {
        match self {
            Self::Limited { limit, remaining, seconds, source } => {
                let whose = source.as_ref().map(|source| format!(", counted for {source}")).unwrap_or_default();
                format!("{remaining} of {limit} pulls in {} are left{whose}", span(*seconds))
            }
            Self::Unlimited => "no limit: Docker Hub does not count the pulls of this login".to_owned(),
            Self::Reached => "used up, or Docker Hub is asked too often: it answers with status 429".to_owned(),
            Self::Unknown(why) => format!("not known: {why}"),
        }
    }

    pub(super) fn json(&self) -> Value {
        match self {
            Self::Limited { limit, remaining, seconds, source } => json!({
                "limited": true, "limit": limit, "remaining": remaining, "seconds": seconds, "source": source,
            }),
            Self::Unlimited => json!({ "limited": false }),
            Self::Reached => json!({ "limited": true, "remaining": 0 }),
            Self::Unknown(_) => Value::Null,
        }
    }
}

/// `100;w=21600`: a number, and the seconds of its window.
fn quantity(text: &str) -> Option<(u64, u64)> {
    let (number, window) = text.split_once(';')?;
    let seconds = window.trim().strip_prefix("w=")?;
    Some((digits(number.trim())?, digits(seconds.trim())?))
}

/// Digits alone: Rust's own parser would take a plus sign.
fn digits(text: &str) -> Option<u64> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::{PullLimit, Window};

    fn window(limit: &str, remaining: &str) -> Window {
        let header = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Window::of(&PullLimit { limit: header(limit), remaining: header(remaining), source: None })
    }

    #[test]
    fn the_headers_of_docker_hub_are_read_and_anything_else_is_not_guessed() {
        let limited = |limit, remaining, seconds| Window::Limited { limit, remaining, seconds, source: None };
        for (limit, remaining, expected) in [
            ("100;w=21600", "76;w=21600", Some(limited(100, 76, 21_600))),
            ("200; w=3600", "0;w=3600", Some(limited(200, 0, 3600))),
            ("", "", Some(Window::Unlimited)),
            ("100;w=21600", "", None),
            ("", "1;w=21600", None),
            ("100", "76", None),
            ("100;w=", "76;w=21600", None),
            ("+100;w=21600", "76;w=21600", None),
            ("-1;w=21600", "76;w=21600", None),
            ("99999999999999999999;w=21600", "76;w=21600", None),
        ] {
            match (window(limit, remaining), expected) {
                (Window::Unknown(_), None) => {}
                (found, expected) => assert_eq!(Some(found), expected, "{limit} {remaining}"),
            }
        }
    }

    #[test]
    fn a_hostile_source_is_one_harmless_line() {
        let told = PullLimit {
            limit: Some("1;w=1".to_owned()),
            remaining: Some("0;w=1".to_owned()),
            source: Some("a\n::error::b".to_owned()),
        };
        let window = Window::of(&told);
        assert!(window.is_used_up());
        assert_eq!(window.text(), "0 of 1 pulls in 1 s are left, counted for a\\u{a}: :error: :b");
    }
}
