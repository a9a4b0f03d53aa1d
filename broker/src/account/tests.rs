//! What an operator hears of an account at the start, and a client later.

use std::sync::Arc;

use hublease_hub::account_error::AccountError;
use hublease_hub::error::HubError;
use hublease_hub::limits::{LOGIN_COOLDOWN_SECONDS, MAX_RETRY_AFTER_SECONDS};

use super::*;
use crate::limits::LIST_RETRY_SECONDS;
use crate::testing::{NOW, Outside, write_secret};

#[test]
fn a_password_that_is_not_there_is_told_with_its_place() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("password");
    let password = Box::new(crate::secret_source::SecretSource::File(file.clone()));
    let client = Client::new(TokenKind::Pat, "owner".to_owned(), password, Arc::default());
    let account = Account { name: "owner".to_owned(), issuing: Issuing::Minting(Box::new(client)) };
    let name = file.display();
    let absent = format!("cannot read `{name}`: No such file or directory (os error 2)");
    for (content, expected) in [
        (None, Preflight::Unable(AccountError::NoSecret(absent))),
        (Some("\n"), Preflight::Unable(AccountError::NoSecret(format!("the file `{name}` is empty")))),
        (Some("dckr_pat_SENTINEL"), Preflight::Unable(AccountError::PersonalToken)),
    ] {
        if let Some(content) = content {
            write_secret(&file, content);
        }
        let outside = Outside::default();
        assert_eq!(account.check(&outside, NOW), expected);
        assert_eq!(outside.calls(), [""; 0]);
    }
}

#[test]
fn what_went_wrong_is_told_with_a_code_and_when_to_come_again() {
    let phrase = "of a test";
    let unavailable = |retry_after| HubError::Unavailable { retry_after, ambiguous: true, phrase };
    for (error, code, sentence, retry_after) in [
        (
            HubError::QuotaFull { retry_after: 7 }.into(),
            Code::QuotaFull,
            "the organization has as many tokens as its plan allows",
            Some(7),
        ),
        (
            HubError::Refused { status: 403 }.into(),
            Code::HubRefused,
            "Docker Hub answered 403; do all the repositories exist, and may the account manage tokens?",
            None,
        ),
        (
            HubError::AccountRefused.into(),
            Code::AccountRefused,
            "Docker Hub does not accept the password of the broker's account",
            None,
        ),
        (
            HubError::NoSecret { phrase }.into(),
            Code::HubUnavailable,
            "the broker has no secret for its account: of a test",
            Some(LOGIN_COOLDOWN_SECONDS),
        ),
        (
            IssueError::NoToken { phrase },
            Code::HubUnavailable,
            "the broker has no secret for its account: of a test",
            Some(LOGIN_COOLDOWN_SECONDS),
        ),
        (
            HubError::ListUnclear { phrase }.into(),
            Code::HubUnavailable,
            "the list of the account's tokens says nothing: of a test",
            Some(LIST_RETRY_SECONDS),
        ),
        (unavailable(9).into(), Code::HubUnavailable, "Docker Hub is not available: of a test", Some(9)),
        (
            unavailable(u64::MAX).into(),
            Code::HubUnavailable,
            "Docker Hub is not available: of a test",
            Some(MAX_RETRY_AFTER_SECONDS),
        ),
        (IssueError::NotCovered, Code::Internal, "the account lends tokens and makes none", None),
    ] {
        let refusal = error.refusal();
        assert_eq!((refusal.code, refusal.sentence.as_str(), refusal.retry_after), (code, sentence, retry_after));
    }
}
