//! What an operator is told at the start.

use super::account;
use crate::hub::HubError;
use crate::hub::account_error::AccountError;
use crate::hub::password::unfit_password;
use crate::testing::{FakeHub, NOW, Script};

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
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("password");
    for (password, answers, unfit) in table {
        std::fs::write(&file, password).unwrap();
        let script = Script::default();
        for (call, status, body) in answers {
            script.on(call, *status, body);
        }
        let found = account(&file).check(&script, NOW).err().unwrap();
        assert_eq!(found, unfit);
        assert!(!found.to_string().contains("SENTINEL"));
        assert_eq!(script.calls().len(), answers.len());
    }
    std::fs::write(&file, "hunter2-password").unwrap();
    assert_eq!(account(&file).check(&FakeHub::default(), NOW), Ok(None));
    let away = account(&file).check(&Script::default(), NOW).ok().unwrap();
    assert!(
        matches!(away, Some(HubError::Unavailable { .. })),
        "a Docker Hub that is away does not keep it from starting"
    );
}

#[test]
fn a_password_that_is_not_there_is_told_with_its_place() {
    let place = tempfile::tempdir().unwrap();
    let file = place.path().join("password");
    let told = || account(&file).check(&Script::default(), NOW).err().unwrap().to_string();
    let name = file.display();
    assert_eq!(told(), format!("cannot read `{name}`: No such file or directory (os error 2)"));
    std::fs::write(&file, "\n").unwrap();
    assert_eq!(told(), format!("the file `{name}` is empty"));
}

#[test]
fn tokens_are_no_passwords() {
    assert_eq!(unfit_password("dckr_pat_abc"), Some(AccountError::PersonalToken));
    assert_eq!(unfit_password("dckr_oat_abc"), Some(AccountError::OrganizationToken));
    assert_eq!(unfit_password("hunter2"), None);
}
