//! The rows of logouts: the call, what answers it, what is said, and what lives afterwards. `BACK` has over 60 lines because it is
//! a table.

use hublease_sandbox::Service;

use super::Answer;
use crate::support::job::Provider;

/// The call that is answered so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Call {
    LookUp,
    Revoke,
    RevokeSelf,
    Metadata,
    Broker,
}

impl Call {
    pub(super) fn provider(self) -> Provider {
        match self {
            Self::LookUp | Self::Revoke | Self::RevokeSelf => Provider::Vault,
            Self::Metadata | Self::Broker => Provider::Broker,
        }
    }

    pub(super) fn service(self) -> Service {
        match self {
            Self::LookUp | Self::Revoke | Self::RevokeSelf => Service::Vault,
            Self::Metadata | Self::Broker => Service::Forwarded,
        }
    }

    pub(super) fn path(self) -> &'static str {
        match self {
            Self::LookUp => "/v1/sys/leases/lookup",
            Self::Revoke => "/v1/sys/leases/revoke",
            Self::RevokeSelf => "/v1/auth/token/revoke-self",
            Self::Metadata => "/.well-known/oauth-authorization-server",
            Self::Broker => "/oauth/revoke",
        }
    }
}

/// One of them.
pub(super) struct Back {
    pub(super) name: &'static str,
    pub(super) call: Call,
    pub(super) answer: Answer,
    pub(super) says: &'static str,
    /// With `--strict-revoke`.
    pub(super) code: u8,
    /// Whether the credential and the Vault token live.
    pub(super) lives: [bool; 2],
    /// Whether the record is.
    pub(super) kept: bool,
}

const ALL: [bool; 2] = [true, true];
const CREDENTIAL: [bool; 2] = [true, false];
const TOKEN: [bool; 2] = [false, true];
const NONE: [bool; 2] = [false, false];

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];
const HTML: &[(&str, &str)] = &[("content-type", "text/html")];
const PAGE: &[u8] = b"<!DOCTYPE html><html><title>SENTINEL</title></html>";

const fn row(
    name: &'static str,
    call: Call,
    (status, headers, body): (u16, &'static [(&'static str, &'static str)], &'static [u8]),
    says: &'static str,
    lives: Option<[bool; 2]>,
) -> Back {
    let answer = Answer { status, headers, body };
    match lives {
        Some(lives) => Back { name, call, answer, says, code: 7, lives, kept: true },
        None => Back { name, call, answer, says, code: 0, lives: NONE, kept: false },
    }
}

const PAGE_403: &str = "not understood: status 403, with an HTML page";
const PAGE_200: &str = "not understood: status 200, with an HTML page";

pub(super) const BACK: &[Back] = &[
    // A page is nobody's word, at no call and with no status.
    row("a page", Call::LookUp, (403, HTML, PAGE), PAGE_403, Some(ALL)),
    row("a page", Call::Revoke, (403, HTML, PAGE), PAGE_403, Some(ALL)),
    row("a page", Call::RevokeSelf, (403, HTML, PAGE), PAGE_403, Some(TOKEN)),
    row("a page", Call::Metadata, (403, HTML, PAGE), "status 403, with an HTML page", Some(CREDENTIAL)),
    row("a page", Call::Broker, (403, HTML, PAGE), PAGE_403, Some(CREDENTIAL)),
    row("a portal", Call::LookUp, (200, HTML, PAGE), PAGE_200, Some(ALL)),
    row("a portal", Call::Revoke, (200, HTML, PAGE), PAGE_200, Some(ALL)),
    row("a portal", Call::RevokeSelf, (200, HTML, PAGE), PAGE_200, Some(TOKEN)),
    row("a portal", Call::Metadata, (200, HTML, PAGE), PAGE_200, Some(CREDENTIAL)),
    row("a portal", Call::Broker, (200, HTML, PAGE), PAGE_200, Some(CREDENTIAL)),
    row("nothing", Call::LookUp, (403, &[], b""), "status 403, with an empty body", Some(ALL)),
    row("nothing", Call::Revoke, (403, &[], b""), "status 403, with an empty body", Some(ALL)),
    row("nothing", Call::RevokeSelf, (403, &[], b""), "status 403, with an empty body", Some(TOKEN)),
    row("nothing", Call::Broker, (403, &[], b""), "status 403, with an empty body", Some(CREDENTIAL)),
    row("a challenge", Call::Revoke, (202, HTML, PAGE), "status 202, with an HTML page", Some(ALL)),
    row(
        "no content where a lease is asked for",
        Call::LookUp,
        (204, &[], b""),
        "status 204, with an empty body",
        Some(ALL),
    ),
    row("no route", Call::LookUp, (404, HTML, PAGE), "status 404, with an HTML page", Some(ALL)),
    row("no route", Call::Revoke, (404, &[], b""), "status 404, with an empty body", Some(ALL)),
    // Vault's plain words fit a token that has ended and one that may not be used from here.
    row(
        "denied",
        Call::LookUp,
        (403, JSON, br#"{"errors":["permission denied"]}"#),
        "it has ended, or it may not be used from here",
        Some(ALL),
    ),
    row(
        "denied",
        Call::Revoke,
        (403, JSON, br#"{"errors":["permission denied"]}"#),
        "it has ended, or it may not be used from here",
        Some(ALL),
    ),
    row(
        "denied for another reason",
        Call::Revoke,
        (403, JSON, br#"{"errors":["license expired"]}"#),
        "it says: license expired",
        Some(ALL),
    ),
    row(
        "errors with 200",
        Call::Revoke,
        (200, JSON, br#"{"request_id":"7","errors":["not yet"]}"#),
        "it says: not yet",
        Some(ALL),
    ),
    row(
        "no errors",
        Call::Revoke,
        (400, JSON, br#"{"errors":null}"#),
        "status 400, with JSON in which nothing is known",
        Some(ALL),
    ),
    row(
        "JSON that breaks off",
        Call::LookUp,
        (200, JSON, br#"{"request_id":"7","data":{"id":"#),
        "JSON that breaks off",
        Some(ALL),
    ),
    row(
        "a standby that cannot write",
        Call::Revoke,
        (400, JSON, br#"{"errors":["cannot write to readonly storage"]}"#),
        "cannot write now",
        Some(ALL),
    ),
    row("too many", Call::Revoke, (429, &[("retry-after", "600")], b""), "takes no more requests for now", Some(ALL)),
    // A standby that lags does not know a lease yet: it is revoked all the same.
    row(
        "an unknown lease",
        Call::LookUp,
        (400, JSON, br#"{"errors":["invalid lease"]}"#),
        "has ended, now or before",
        None,
    ),
    // RFC 7009 leaves the body of a 200 open, and nobody fills it with another's.
    row("taken", Call::Broker, (200, &[], b""), "revocation requested, not confirmed", None).but_alive(),
    row(
        "an error with 200",
        Call::Broker,
        (200, JSON, br#"{"error":"invalid_request","error_description":"not now"}"#),
        "it says: not now",
        Some(CREDENTIAL),
    ),
    row(
        "a text",
        Call::Broker,
        (200, &[("content-type", "text/plain")], b"OK SENTINEL"),
        "status 200, with a text that is no JSON",
        Some(CREDENTIAL),
    ),
];

impl Back {
    /// Nothing better was said, and nothing better is true.
    const fn but_alive(self) -> Self {
        Self { lives: CREDENTIAL, ..self }
    }
}
