//! A "no", with its code, its sentence and the HTTP status it is sent with.
//!
//! Follows RFC 6749 section 5.2 (400 unless said otherwise) and RFC 9110 (429 and 503 with `Retry-After`). Sentences are
//! ours: they hold claim names, numbers and repository names that passed the grammar, never a token or a remote text.

use std::fmt;

use hublease_hub::limits::{MAX_RETRY_AFTER_SECONDS, RETRY_AFTER_SECONDS};
use hublease_protocol::oauth::{Code, OAuthError};

/// Why a request was not served.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// The machine's word.
    pub code: Code,
    /// The human's sentence, printable ASCII without `"` and `\` (RFC 6749 appendix A.8).
    pub sentence: String,
    /// Seconds for `Retry-After`.
    pub retry_after: Option<u64>,
}

impl Refusal {
    /// A refusal that a repetition does not cure; for a code that it may cure, the usual `Retry-After` is added.
    #[must_use]
    pub fn new(code: Code, sentence: impl Into<String>) -> Self {
        let retry_after = (code.error() == OAuthError::TemporarilyUnavailable).then_some(RETRY_AFTER_SECONDS);
        Self { code, sentence: sentence.into(), retry_after }
    }

    /// A refusal with a time after which a repetition may succeed, in seconds.
    #[must_use]
    pub fn later(code: Code, sentence: impl Into<String>, seconds: u64) -> Self {
        Self { code, sentence: sentence.into(), retry_after: Some(seconds.clamp(1, MAX_RETRY_AFTER_SECONDS)) }
    }

    /// Whether the identity token was not believed: whoever sent it has proved nothing.
    #[must_use]
    pub const fn is_unverified(&self) -> bool {
        matches!(
            self.code,
            Code::TokenMalformed
                | Code::IssuerUnknown
                | Code::AlgorithmNotAllowed
                | Code::KeyIdMissing
                | Code::KeyUnknown
                | Code::SignatureInvalid
                | Code::ClaimMalformed
                | Code::AudienceMismatch
                | Code::TokenExpired
                | Code::TokenNotYetValid
                | Code::TokenTooLong
        )
    }

    /// Whether nobody has vouched for whoever is refused: no issuer that is believed, or no rule that accepts him.
    #[must_use]
    pub const fn is_of_a_stranger(&self) -> bool {
        let is_junk = matches!(
            self.code,
            Code::MalformedRequest
                | Code::TooLarge
                | Code::GrantTypeUnsupported
                | Code::TokenTypeUnsupported
                | Code::TargetUnknown
                | Code::ScopeInvalid
                | Code::NoRuleMatches
                | Code::ConnectionUnknown
        );
        is_junk || self.is_unverified()
    }

    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> u16 {
        match self.code {
            Code::TooLarge => 413,
            Code::QuotaFull | Code::RateLimited => 429,
            Code::Internal => 500,
            code if code.error() == OAuthError::TemporarilyUnavailable => 503,
            _ => 400,
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.code.as_str(), self.sentence)
    }
}

impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_its_error_word_and_its_status() {
        let words = [
            "invalid_request",
            "invalid_scope",
            "invalid_target",
            "unsupported_grant_type",
            "temporarily_unavailable",
            "server_error",
        ];
        for code in Code::ALL {
            let refusal = Refusal::new(*code, "x");
            assert!(words.contains(&code.error().as_str()), "{}", code.as_str());
            let expected = match code.as_str() {
                "too_large" => 413,
                "quota_full" | "rate_limited" => 429,
                "internal" => 500,
                "issuer_unavailable" | "request_in_progress" | "hub_unavailable" | "overloaded" | "shutting_down" => {
                    503
                }
                _ => 400,
            };
            assert_eq!(refusal.status(), expected, "{}", code.as_str());
            assert_eq!(refusal.retry_after.is_some(), matches!(expected, 429 | 503), "{}", code.as_str());
        }
    }
}
