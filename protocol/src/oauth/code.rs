//! The closed list of reasons that our broker gives, each the first word of an `error_description`.
//!
//! The RFCs have a handful of error words for dozens of causes. The code after the word tells the client which sentence and
//! which hint to print, without the client ever trusting the server's own text. Codes are never renamed or reused.

/// The `error` of an answer (RFC 6749 sections 4.1.2.1 and 5.2, RFC 8693 section 2.2.2): what a client goes by that knows no
/// [`Code`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OAuthError {
    /// Malformed, or not accepted.
    InvalidRequest,
    /// More was asked for than is granted.
    InvalidScope,
    /// The server will not or cannot issue for this target.
    InvalidTarget,
    /// No token exchange.
    UnsupportedGrantType,
    /// Worth a retry.
    TemporarilyUnavailable,
    /// A fault of the server.
    ServerError,
}

impl OAuthError {
    /// The word on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidScope => "invalid_scope",
            Self::InvalidTarget => "invalid_target",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::TemporarilyUnavailable => "temporarily_unavailable",
            Self::ServerError => "server_error",
        }
    }
}

/// Builds the enumeration and its three tables from one list, so that they cannot drift apart.
macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $word:literal, $error:ident;)+) => {
        /// Why the broker said no. The text of each case says when it is sent.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Code { $($(#[doc = $doc])+ $name,)+ }

        impl Code {
            /// Every code.
            pub const ALL: &'static [Self] = &[$(Self::$name,)+];

            /// The word on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$name => $word,)+ }
            }

            /// The code that a word names; nothing for a word of a newer broker.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$name),)+ _ => None }
            }

            /// The RFC 6749 or RFC 8693 `error` that the code is sent with.
            ///
            /// RFC 8693 asks for `invalid_request` when the identity token is invalid or no policy accepts it, and for
            /// `invalid_target` when the server will not or cannot issue for the target.
            #[must_use]
            pub const fn error(self) -> OAuthError {
                match self { $(Self::$name => OAuthError::$error,)+ }
            }
        }
    };
}

codes! {
    /// The body is no form, a field comes twice, or a field's value is outside its grammar.
    MalformedRequest = "malformed_request", InvalidRequest;
    /// The body is larger than the broker reads.
    TooLarge = "too_large", InvalidRequest;
    /// `grant_type` is not the token exchange.
    GrantTypeUnsupported = "grant_type_unsupported", UnsupportedGrantType;
    /// `subject_token_type` or `requested_token_type` is none that the broker handles, or an actor token was sent.
    TokenTypeUnsupported = "token_type_unsupported", InvalidRequest;
    /// `audience` or `resource` names something else than Docker Hub.
    TargetUnknown = "target_unknown", InvalidTarget;

    /// The identity token is missing, too long, or no JWT.
    TokenMalformed = "token_malformed", InvalidRequest;
    /// The token's issuer is not one of the broker's.
    IssuerUnknown = "issuer_unknown", InvalidRequest;
    /// The issuer's keys could not be fetched and none were kept. Worth a retry.
    IssuerUnavailable = "issuer_unavailable", TemporarilyUnavailable;
    /// The token's `alg` is not the one that is pinned for its issuer; `none` and the HMAC family always land here.
    AlgorithmNotAllowed = "algorithm_not_allowed", InvalidRequest;
    /// The token's header has no `kid`.
    KeyIdMissing = "key_id_missing", InvalidRequest;
    /// The issuer has no key of that `kid`, also after a refresh.
    KeyUnknown = "key_unknown", InvalidRequest;
    /// The signature does not verify.
    SignatureInvalid = "signature_invalid", InvalidRequest;
    /// A claim that every token must have is absent or of the wrong type.
    ClaimMalformed = "claim_malformed", InvalidRequest;
    /// `aud` is not exactly the broker, or not a single value.
    AudienceMismatch = "audience_mismatch", InvalidRequest;
    /// `exp` has passed. A fresh token helps.
    TokenExpired = "token_expired", InvalidRequest;
    /// `nbf` or `iat` lies in the future: one of the clocks is wrong.
    TokenNotYetValid = "token_not_yet_valid", InvalidRequest;
    /// The token says that it lives longer than the broker accepts.
    TokenTooLong = "token_too_long", InvalidRequest;
    /// The token was used before and its issuer's tokens count once. A fresh token helps.
    TokenReplayed = "token_replayed", InvalidRequest;

    /// No rule accepts this job.
    NoRuleMatches = "no_rule_matches", InvalidRequest;
    /// A rule would accept this job, but not for the event that started it, such as `pull_request_target`.
    EventNotAllowed = "event_not_allowed", InvalidRequest;
    /// `connection_id` names no group of rules.
    ConnectionUnknown = "connection_unknown", InvalidRequest;
    /// `scope` is outside the grammar.
    ScopeInvalid = "scope_invalid", InvalidScope;
    /// No `scope` was sent, and the matching rules do not name one set of repositories literally.
    ScopeRequired = "scope_required", InvalidScope;
    /// The job is accepted, but not for all of what it asks for.
    ScopeNotGranted = "scope_not_granted", InvalidScope;
    /// `expires_in` is longer than the rule allows, or shorter than the broker issues.
    LifeNotGranted = "life_not_granted", InvalidRequest;

    /// The job holds as many live leases as one identity may. Revoking one helps.
    TooManyLeases = "too_many_leases", InvalidRequest;
    /// The job has been given as many leases as one identity may have.
    TooManyMints = "too_many_mints", InvalidRequest;
    /// The project, the rule or the client's address asks more often than the broker allows. Worth a retry after the time that
    /// `Retry-After` gives.
    RateLimited = "rate_limited", TemporarilyUnavailable;
    /// The rule that accepts this job does not let it revoke for its whole workflow.
    WorkflowNotGranted = "workflow_not_granted", InvalidRequest;
    /// The same `request_id` is being served at this moment. Worth a retry.
    RequestInProgress = "request_in_progress", TemporarilyUnavailable;
    /// The organization has as many tokens as its plan allows. Worth a retry after the time that `Retry-After` gives.
    QuotaFull = "quota_full", TemporarilyUnavailable;
    /// Docker Hub does not accept the broker's own account. The broker's operator has to act.
    AccountRefused = "account_refused", InvalidTarget;
    /// Docker Hub refused to make the token. Often a repository that does not exist. The broker's operator has to act.
    HubRefused = "hub_refused", InvalidTarget;
    /// Docker Hub did not answer, or asked to wait. Worth a retry.
    HubUnavailable = "hub_unavailable", TemporarilyUnavailable;

    /// The broker has no room for the request now. Worth a retry.
    Overloaded = "overloaded", TemporarilyUnavailable;
    /// The broker is ending. Worth a retry at its successor.
    ShuttingDown = "shutting_down", TemporarilyUnavailable;
    /// A fault of the broker; its log says more.
    Internal = "internal", ServerError;
}
