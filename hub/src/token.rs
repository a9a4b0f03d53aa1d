//! The two kinds of tokens that are made, and what the client needs to know about each.

mod oat;
mod pat;

use std::time::UNIX_EPOCH;

use hublease_protocol::scope::Scope;
use hublease_protocol::secret::Secret;
use serde_json::Value;

use crate::limits::MAX_HUB_ID_BYTES;

/// Which tokens an account makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenKind {
    /// Organization access tokens, limited to repositories.
    Oat {
        /// The organization that they belong to.
        organization: String,
        /// How many its plan allows: 10 (Team) or 100 (Business).
        quota: u64,
    },
    /// Personal access tokens of the account itself. They reach everything that the account reaches.
    Pat,
}

/// A token that Docker Hub made.
pub struct Minted {
    /// What [`crate::client::Client::delete`] wants.
    pub id: String,
    /// The token.
    pub token: Secret,
}

/// A token as the account's list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// What [`crate::client::Client::delete`] wants.
    pub id: String,
    /// As the [`Order`] had it.
    pub label: String,
    /// When it was made, in seconds since 1970; nothing when that is not understood.
    pub created_at: Option<u64>,
    /// When it ends by itself, in seconds since 1970.
    pub expires_at: Option<u64>,
}

/// A token to be made.
pub struct Order {
    /// What tells it from others; whoever made it finds it again by it.
    pub label: String,
    /// What it is for.
    pub scope: Scope,
    /// What an administrator reads beside an organization token.
    pub description: &'static str,
    /// When it ends, in seconds since 1970.
    pub expires_at: u64,
}

impl TokenKind {
    /// How tokens of this kind are managed at Docker Hub.
    pub(crate) fn api(&self) -> Api<'_> {
        match self {
            Self::Oat { organization, .. } => Api::Oat { organization },
            Self::Pat => Api::Pat,
        }
    }
}

/// The part of Docker Hub's API that makes tokens of one kind.
#[derive(Clone, Copy)]
pub(crate) enum Api<'a> {
    Oat { organization: &'a str },
    Pat,
}

impl Api<'_> {
    /// The path of the tokens.
    pub(crate) fn collection(self) -> String {
        match self {
            Self::Oat { organization } => oat::collection(organization),
            Self::Pat => pat::COLLECTION.to_owned(),
        }
    }

    /// The body that makes a token.
    pub(crate) fn body(self, order: &Order) -> String {
        match self {
            Self::Oat { .. } => oat::body(order),
            Self::Pat => pat::body(order),
        }
        .to_string()
    }

    /// Reads what a mint answered; nothing when it is not understood.
    pub(crate) fn minted(self, body: &[u8]) -> Option<Minted> {
        let mut answer: Value = serde_json::from_slice(body).ok()?;
        let id = safe_id(answer.get(self.id_name())?)?;
        match answer.get_mut("token")?.take() {
            Value::String(token) if !token.is_empty() => Some(Minted { id, token: Secret::new(token) }),
            _ => None,
        }
    }

    /// Whether a listed token's label begins so.
    pub(crate) fn bears(self, entry: &Value, prefix: &str) -> bool {
        entry.get(self.label_name()).and_then(Value::as_str).is_some_and(|label| label.starts_with(prefix))
    }

    /// A listed token; nothing when its id is not understood.
    pub(crate) fn listed(self, entry: &Value) -> Option<Listed> {
        let label = entry.get(self.label_name())?.as_str()?.to_owned();
        let time = |name| entry.get(name)?.as_str().and_then(seconds_of);
        Some(Listed {
            id: safe_id(entry.get(self.id_name())?)?,
            label,
            created_at: time("created_at"),
            expires_at: time("expires_at"),
        })
    }

    const fn id_name(self) -> &'static str {
        match self {
            Self::Oat { .. } => "id",
            Self::Pat => "uuid",
        }
    }

    const fn label_name(self) -> &'static str {
        match self {
            Self::Oat { .. } => "label",
            Self::Pat => "token_label",
        }
    }
}

/// RFC 3339, in seconds since 1970.
fn seconds_of(text: &str) -> Option<u64> {
    let time = humantime::parse_rfc3339(text).ok()?;
    time.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs())
}

/// An id that can stand in a path as it is.
fn safe_id(value: &Value) -> Option<String> {
    let id = value.as_str()?;
    let is_safe = !id.is_empty()
        && id.len() <= MAX_HUB_ID_BYTES
        && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    is_safe.then(|| id.to_owned())
}
