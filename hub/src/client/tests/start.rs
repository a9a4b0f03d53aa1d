//! What an operator is told at the start.

use super::client;
use crate::account_error::AccountError;
use crate::client::Preflight;
use crate::error::HubError;
use crate::password::SecretError;
use crate::testing::{FakeHub, FakePassword, NOW, PASSWORD, Script};

/// Calls with the status and the body that each is answered with.
type Answers<'a> = &'a [(&'a str, u16, &'a str)];

const LOGIN: &str = "POST https://hub.docker.com/v2/auth/token";
const OLD_LOGIN: &str = "POST https://hub.docker.com/v2/users/login";
const LIST: &str = "GET https://hub.docker.com/v2/orgs/acme/access-tokens?page=1&page_size=1";

#[test]
fn an_account_that_cannot_mint_is_told_at_the_start() {
    let good = r#"{"access_token":"b"}"#;
    let no = r#"{"detail":"no"}"#;
    let table: [(&str, Answers<'_>, AccountError); 6] = [
        (
            "hunter2",
            &[(LOGIN, 401, no), (OLD_LOGIN, 401, r#"{"detail":"x","login_2fa_token":"SENTINEL"}"#)],
            AccountError::SecondFactor,
        ),
        ("hunter2", &[(LOGIN, 401, no), (OLD_LOGIN, 401, no)], AccountError::Login),
        ("hunter2", &[(LOGIN, 200, good), (LIST, 403, no)], AccountError::NoRight(403)),
        ("hunter2", &[(LOGIN, 200, good), (LIST, 404, no)], AccountError::NoRight(404)),
        ("dckr_pat_SENTINEL", &[], AccountError::PersonalToken),
        ("dckr_oat_SENTINEL", &[], AccountError::OrganizationToken),
    ];
    for (password, answers, unable) in table {
        let script = Script::default();
        for (call, status, body) in answers {
            script.on(call, *status, body);
        }
        assert!(!unable.to_string().contains("SENTINEL"));
        assert_eq!(client(&FakePassword::of(password)).check(&script, NOW), Preflight::Unable(unable));
        assert_eq!(script.calls().len(), answers.len());
    }
    let good = client(&FakePassword::of(PASSWORD));
    assert_eq!(good.check(&FakeHub::default(), NOW), Preflight::Able);
    let away = client(&FakePassword::of(PASSWORD)).check(&Script::default(), NOW);
    assert!(
        matches!(away, Preflight::Unknown(HubError::Unavailable { .. })),
        "a Docker Hub that is away does not keep anybody from starting"
    );
}

#[test]
fn a_password_that_cannot_be_read_is_told_with_its_place_and_may_come_later() {
    let unreadable = SecretError::lasting("its file cannot be read", "cannot read `/secret`");
    let passing = SecretError { is_passing: true, ..unreadable.clone() };
    let phrase = "its file cannot be read";
    for (error, expected) in [
        (unreadable, Preflight::Unable(AccountError::NoSecret("cannot read `/secret`".to_owned()))),
        (passing, Preflight::Unknown(HubError::NoSecret { phrase })),
    ] {
        let password = FakePassword::of("");
        password.set(Err(error));
        assert_eq!(client(&password).check(&Script::default(), NOW), expected);
    }
}
