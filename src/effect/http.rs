//! Requests and answers as values: who is asked, what, and how often it may be asked.

use hublease_protocol::secret::Secret;
use serde::{Deserialize, Serialize};

/// Who is asked. The origin behind each name is taken from the inputs before the story starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Destination {
    /// The CI system's endpoint for identity tokens.
    Identity,
    /// The provider.
    Provider,
    /// The one other origin that a Vault standby may name (`--vault-redirect-origin`).
    ProviderRedirect,
    /// Docker's token server (`auth.docker.io`), for `logout --probe-dead` and `check`.
    RegistryAuth,
    /// Docker Hub's registry (`registry-1.docker.io`), for `check`. Native only, so it has no other form.
    #[serde(skip)]
    Registry,
}

/// The methods that are used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Method {
    /// GET.
    Get,
    /// POST.
    Post,
    /// HEAD, to the registry alone; as native as that is.
    #[serde(skip)]
    Head,
}

/// The headers that are sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Header {
    /// `accept`.
    Accept,
    /// `authorization`.
    Authorization,
    /// `content-type`.
    ContentType,
    /// `x-vault-namespace`.
    XVaultNamespace,
    /// `x-vault-request`.
    XVaultRequest,
    /// `x-vault-token`.
    XVaultToken,
}

impl Header {
    /// In lower case, as HTTP/2 has it; HTTP/1.1 does not care.
    pub fn name(self) -> &'static str {
        match self {
            Self::Accept => "accept",
            Self::Authorization => "authorization",
            Self::ContentType => "content-type",
            Self::XVaultNamespace => "x-vault-namespace",
            Self::XVaultRequest => "x-vault-request",
            Self::XVaultToken => "x-vault-token",
        }
    }
}

/// What a repetition would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Repeat {
    /// Nothing new: repeated after every passing fault.
    Safe,
    /// Something comes into being, but the server recognises the repetition by the `request_id` that it carries.
    WithRequestId,
    /// Something may come into being twice: repeated only when the server said that nothing was done (429, 412), or
    /// when no connection was made.
    Never,
}

/// One request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Request {
    /// Who is asked.
    pub to: Destination,
    /// The method.
    pub method: Method,
    /// Begins with a slash; may carry a query.
    pub path_and_query: String,
    /// Names and values; a value may be secret, so all are.
    #[serde(with = "hublease_protocol::secret::on_the_wire")]
    pub headers: Vec<(Header, Secret)>,
    /// Empty for none.
    #[serde(with = "hublease_protocol::secret::on_the_wire")]
    pub body: Secret,
    /// What a repetition would do.
    pub repeat: Repeat,
}

/// The answer: a status, the few headers that matter, and a body of at most 1 MiB.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Response {
    /// The status code.
    pub status: u16,
    /// `Retry-After`, as received.
    pub retry_after: Option<String>,
    /// `Location`, as received; redirects are never followed by the host.
    pub location: Option<String>,
    /// What the registry says about its pull limit.
    #[serde(skip)]
    pub pull_limit: PullLimit,
    /// The body. Secret, since it may hold a credential.
    #[serde(with = "hublease_protocol::secret::on_the_wire")]
    pub body: Secret,
}

/// What a host hands on for a body that is not UTF-8, as one that was compressed without being asked for.
pub const NO_TEXT: &str = "\u{fffd}";

/// What Docker Hub's registry says about its pull limit, as received; empty where it says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PullLimit {
    /// `ratelimit-limit`: pulls in a window.
    pub limit: Option<String>,
    /// `ratelimit-remaining`: what is left of them.
    pub remaining: Option<String>,
    /// `docker-ratelimit-source`: whose pulls are counted, an address or an account.
    pub source: Option<String>,
}

/// Why there is no connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Obstacle {
    /// The name has no address here.
    UnknownName,
    /// Nothing listens there.
    Closed,
    /// Nothing came back in time.
    Silent,
    /// There is no way, or it broke.
    Other,
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// No connection: the request was certainly not carried out.
    Unreachable(Obstacle),
    /// No connection to the proxy on the way; as little carried out.
    ProxyUnreachable(Obstacle),
    /// The proxy opened no tunnel and answered with this status; as little carried out.
    ProxyRefused(u16),
    /// The address of the proxy cannot be used; as little carried out.
    ProxyUnusable,
    /// The certificate is not trusted; as little carried out.
    Untrusted,
    /// The two sides found to no TLS; as little carried out.
    NoTls,
    /// It cannot be written down as HTTP; as little carried out.
    Unsendable,
    /// The connection or the answer took too long.
    Slow,
    /// The connection broke after the request was sent.
    Cut,
    /// The body is over the cap.
    TooLarge,
}
