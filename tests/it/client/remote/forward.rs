//! The rows of logins: what stands before a provider says with any status, and what Vault says in its own words. The file has
//! over 300 lines, because it is two tables.
//!
//! The foreign answers are those of proxies, firewalls, load balancers and portals as public reports show them.

use hublease::error::Problem;
use hublease_sandbox::Service;

use super::Answer;
use crate::support::job::Provider;

/// The call that is answered so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seat {
    Broker,
    Metadata,
    Login,
    Mint,
    Docker,
}

impl Seat {
    pub(super) fn provider(self) -> Provider {
        match self {
            Self::Broker | Self::Metadata => Provider::Broker,
            Self::Login | Self::Mint => Provider::Vault,
            Self::Docker => Provider::Docker,
        }
    }

    pub(super) fn service(self) -> Service {
        match self {
            Self::Broker | Self::Metadata => Service::Forwarded,
            Self::Login | Self::Mint => Service::Vault,
            Self::Docker => Service::DockerIdentity,
        }
    }

    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Broker | Self::Docker => "/oauth/token",
            Self::Metadata => "/.well-known/oauth-authorization-server",
            Self::Login => "/v1/auth/jwt-github/login",
            Self::Mint => "/v1/dockerhub/token/",
        }
    }

    /// Where the same answer is the server's own word.
    pub(super) fn exception(self, name: &str) -> Option<(Problem, &'static str)> {
        match (self, name) {
            // Vault answers so where a plugin of 2021 made nothing.
            (Self::Mint, "no content") => Some((Problem::NothingMinted, "status 204")),
            (Self::Metadata, "200 with an error") => Some((Problem::Answer, "its metadata cannot be read")),
            (Self::Broker | Self::Docker, "200 with an error") => {
                Some((Problem::Refused, "it says: the client is not known"))
            }
            // RFC 6749's body is open to words of a gateway, which are told as they are.
            (Self::Broker | Self::Docker, "a gateway's own JSON") => Some((Problem::Refused, "it says: Forbidden")),
            // Never asked again: a second credential might come of it.
            _ => None,
        }
    }
}

/// What no provider says.
pub(super) struct Foreign {
    pub(super) name: &'static str,
    pub(super) answer: Answer,
    pub(super) problem: Problem,
    pub(super) says: &'static str,
}

const HTML: &[(&str, &str)] = &[("content-type", "text/html; charset=UTF-8")];
const TEXT: &[(&str, &str)] = &[("content-type", "text/plain")];
const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

const fn foreign(
    name: &'static str,
    (status, headers, body): (u16, &'static [(&'static str, &'static str)], &'static [u8]),
    problem: Problem,
    says: &'static str,
) -> Foreign {
    Foreign { name, answer: Answer { status, headers, body }, problem, says }
}

pub(super) const FOREIGN: &[Foreign] = &[
    foreign(
        "a portal's page",
        (200, HTML, b"<!DOCTYPE html><html><title>Sign in SENTINEL</title></html>"),
        Problem::Answer,
        "status 200, with an HTML page",
    ),
    foreign(
        "a page that calls itself JSON",
        (200, JSON, b"<html>SENTINEL</html>"),
        Problem::Answer,
        "status 200, with an HTML page",
    ),
    foreign(
        "a firewall's page",
        (403, HTML, b"<html><body><h1>403 Forbidden</h1>SENTINEL</body></html>"),
        Problem::Answer,
        "status 403, with an HTML page",
    ),
    foreign(
        "a load balancer's page",
        (400, HTML, b"<html><center><h1>400 Bad Request</h1></center></html>"),
        Problem::Answer,
        "status 400, with an HTML page",
    ),
    foreign(
        "a challenge without a body",
        (202, &[("x-amzn-waf-action", "challenge")], b""),
        Problem::Answer,
        "status 202, with an empty body",
    ),
    foreign(
        "a managed challenge",
        (
            403,
            &[("cf-mitigated", "challenge"), ("content-type", "text/html")],
            b"<!DOCTYPE html><title>Just a moment...",
        ),
        Problem::Answer,
        "status 403, with an HTML page",
    ),
    foreign(
        "a firewall's line",
        (403, TEXT, b"error code: 1020 SENTINEL"),
        Problem::Answer,
        "status 403, with a text that is no JSON",
    ),
    foreign(
        "a mesh without its server",
        (503, TEXT, b"upstream connect error or disconnect/reset before headers SENTINEL"),
        Problem::Failing,
        "status 503, with a text that is no JSON",
    ),
    foreign(
        "an edge without its server",
        (521, HTML, b"<!DOCTYPE html><title>521: Web server is down</title>"),
        Problem::Failing,
        "status 521, with an HTML page",
    ),
    foreign(
        "too many at the edge",
        (429, &[("retry-after", "3600"), ("content-type", "text/html")], b"<html>SENTINEL</html>"),
        Problem::Busy,
        "status 429, which asks to wait 3600 s, with an HTML page",
    ),
    foreign(
        "an object store",
        (
            403,
            &[("content-type", "application/xml")],
            b"<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code></Error>",
        ),
        Problem::Answer,
        "status 403, with an XML document",
    ),
    foreign(
        "a login that something before it wants",
        (401, &[("www-authenticate", "Basic realm=\"SENTINEL\"")], b""),
        Problem::Answer,
        "status 401, with an empty body",
    ),
    foreign("no content", (204, &[], b""), Problem::Answer, "status 204, with an empty body"),
    foreign("not modified", (304, &[], b""), Problem::Answer, "status 304, with an empty body"),
    foreign(
        "a portal elsewhere",
        (302, &[("location", "https://portal.example.com/login")], b""),
        Problem::Redirected,
        "status 302 to https://portal.example.com",
    ),
    foreign(
        "a portal that speaks no TLS",
        (303, &[("location", "http://portal.example.com/login")], b""),
        Problem::Redirected,
        "it names an unusable address",
    ),
    foreign(
        "no errors",
        (400, JSON, b"{\"errors\":null}"),
        Problem::Answer,
        "status 400, with JSON in which nothing is known",
    ),
    foreign("an empty object", (200, JSON, b"{}"), Problem::Answer, "status 200, with JSON in which nothing is known"),
    foreign("a list", (200, JSON, b"[]"), Problem::Answer, "status 200, with JSON in which nothing is known"),
    foreign(
        "200 with an error",
        (200, JSON, b"{\"error\":\"invalid_client\",\"error_description\":\"the client is not known\"}"),
        Problem::Answer,
        "status 200, with JSON in which nothing is known",
    ),
    foreign(
        "a gateway's own JSON",
        (403, JSON, b"{\"message\":\"Forbidden\"}"),
        Problem::Answer,
        "status 403, with JSON in which nothing is known",
    ),
    foreign(
        "JSON that breaks off",
        (200, JSON, b"{\"access_token\":\"SENTINEL"),
        Problem::Answer,
        "status 200, with JSON that breaks off or is not valid",
    ),
    foreign(
        "compressed without being asked",
        (
            200,
            &[("content-encoding", "gzip"), ("content-type", "application/json")],
            b"\x1f\x8b\x08\x00\x00\x00\x00\x00",
        ),
        Problem::Answer,
        "status 200, with bytes that are no text",
    ),
];

/// What Vault or OpenBao says in words of its own.
pub(super) struct Words {
    pub(super) name: &'static str,
    pub(super) seat: Seat,
    pub(super) answer: Answer,
    pub(super) problem: Problem,
    pub(super) code: u8,
    pub(super) says: &'static str,
}

const fn words(
    name: &'static str,
    seat: Seat,
    (status, body): (u16, &'static str),
    (problem, code): (Problem, u8),
    says: &'static str,
) -> Words {
    Words { name, seat, answer: Answer { status, headers: JSON, body: body.as_bytes() }, problem, code, says }
}

pub(super) const WORDS: &[Words] = &[
    words(
        "a clock behind",
        Seat::Login,
        (400, r#"{"errors":["error validating token: invalid issued at (iat) claim: token issued in the future"]}"#),
        (Problem::RefusedExpired, 4),
        "expired or not yet valid",
    ),
    words(
        "no times",
        Seat::Login,
        (
            400,
            r#"{"errors":["error validating token: no issued at (iat), not before (nbf), or expiration time (exp) claims in token"]}"#,
        ),
        (Problem::Refused, 4),
        "it says: error validating token: no issued at",
    ),
    words(
        "a standby that cannot write",
        Seat::Login,
        (
            400,
            r#"{"errors":["error performing token check: failed to persist lease entry: cannot write to readonly storage"]}"#,
        ),
        (Problem::Standby, 5),
        "cannot write now",
    ),
    words(
        "a standby in newer words",
        Seat::Mint,
        (500, r#"{"errors":["1 error occurred:\n\t* operation could not be completed as storage is read-only\n\n"]}"#),
        (Problem::Standby, 5),
        "it says: operation could not be completed",
    ),
    words(
        "a standby of old",
        Seat::Mint,
        (500, r#"{"errors":["Vault is in standby mode"]}"#),
        (Problem::Standby, 5),
        "cannot write now",
    ),
    words(
        "no keys",
        Seat::Login,
        (
            400,
            r#"{"errors":["error validating token: error verifying token signature: fetching keys oidc: get keys failed: 503"]}"#,
        ),
        (Problem::NoKeys, 5),
        "cannot get the keys of the issuer",
    ),
    words(
        "what is no token",
        Seat::Login,
        (
            400,
            r#"{"errors":["error validating token: error verifying token signature: oidc: malformed jwt: three parts"]}"#,
        ),
        (Problem::Refused, 4),
        "refused the request",
    ),
    words(
        "no such mount",
        Seat::Login,
        (404, r#"{"errors":["no handler for route \"auth/jwt-github/login\". route entry not found."]}"#),
        (Problem::Refused, 4),
        "it says: no handler for route",
    ),
    words(
        "another address",
        Seat::Login,
        (403, r#"{"errors":["request originated from invalid CIDR"]}"#),
        (Problem::Refused, 4),
        "it says: request originated from invalid CIDR",
    ),
    words(
        "a role in whose words claim stands",
        Seat::Login,
        (400, r#"{"errors":["the claim of this plugin's licence is not paid"]}"#),
        (Problem::Refused, 4),
        "it says: the claim of this plugin's licence",
    ),
    words(
        "an agent that wants a header",
        Seat::Login,
        (412, r#"{"errors":["missing 'X-Vault-Request' header"]}"#),
        (Problem::Failing, 5),
        "it says: missing 'X-Vault-Request' header",
    ),
    words(
        "a quota of leases",
        Seat::Mint,
        (
            429,
            r#"{"errors":["1 error occurred:\n\t* request path \"dockerhub/token\": lease count quota exceeded\n\n"]}"#,
        ),
        (Problem::Busy, 5),
        "lease count quota exceeded",
    ),
    words(
        "an overload",
        Seat::Login,
        (503, r#"{"errors":["server is temporarily overloaded"]}"#),
        (Problem::Failing, 5),
        "it says: server is temporarily overloaded",
    ),
    words(
        "warnings alone",
        Seat::Login,
        (200, r#"{"request_id":"7","auth":null,"warnings":["Endpoint ignored these unrecognized parameters: [jwt]"]}"#),
        (Problem::Answer, 5),
        "it says: Endpoint ignored",
    ),
    words(
        "a path that is none",
        Seat::Mint,
        (404, r#"{"errors":[]}"#),
        (Problem::RefusedMissing, 4),
        "nothing at that path",
    ),
    words(
        "a path that is not allowed",
        Seat::Mint,
        (403, r#"{"errors":["2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"]}"#),
        (Problem::RefusedPath, 4),
        "it says: permission denied; invalid token",
    ),
    words(
        "403 for another reason",
        Seat::Mint,
        (403, r#"{"errors":["license expired"]}"#),
        (Problem::Refused, 4),
        "it says: license expired",
    ),
];
