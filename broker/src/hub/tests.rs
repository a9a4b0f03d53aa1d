//! Logins, bearers and start-up checks against scripted and fake Docker Hubs.

use hublease::scope::Scope;

use super::start::{Unfit, unfit_password};
use super::*;
use crate::testing::fake_hub::Trouble;
use crate::testing::{FakeHub, NOW, Script};

fn account(password: &str) -> Account {
    let kind = Kind::Oat { organization: "acme".to_owned(), quota: 10 };
    Account::new("acme".to_owned(), kind, "owner".to_owned(), Secret::new(password.to_owned()))
}

fn order(scope: &str) -> Order {
    let scope = Scope::parse(scope).unwrap();
    Order { label: "hublease/test/1".to_owned(), scope, expires_at: NOW + 900 }
}

#[test]
fn one_login_serves_many_calls_until_it_is_old_or_refused() {
    let (hub, account) = (FakeHub::default(), account("hunter2-password"));
    let mint = |now| account.mint(&order("repository:acme/app:pull"), &hub, now).map(drop);
    assert_eq!((mint(NOW), mint(NOW + BEARER_SECONDS - 1)), (Ok(()), Ok(())));
    assert_eq!(hub.logins(), 1);
    assert_eq!(mint(NOW + BEARER_SECONDS), Ok(()));
    assert_eq!(hub.logins(), 2);
    hub.forget_login();
    assert_eq!(mint(NOW + BEARER_SECONDS), Ok(()), "a bearer that ended early is renewed");
    assert_eq!(hub.logins(), 3);
}

#[test]
fn a_refused_password_is_not_tried_again_at_once() {
    let (hub, account) = (FakeHub::default(), account("wrong"));
    let mint = |now| account.mint(&order("repository:acme/app:pull"), &hub, now).map(drop);
    assert_eq!(mint(NOW), Err(HubFault::AccountRefused));
    assert_eq!(mint(NOW + LOGIN_COOLDOWN_SECONDS - 1), Err(HubFault::AccountRefused));
    assert_eq!(hub.logins(), 1);
    assert_eq!(mint(NOW + LOGIN_COOLDOWN_SECONDS), Err(HubFault::AccountRefused));
    assert_eq!(hub.logins(), 2);
}

#[test]
fn a_login_that_was_not_answered_is_not_tried_again_at_once() {
    let (hub, account) = (FakeHub::default(), account("hunter2-password"));
    let mint = || account.mint(&order("repository:acme/app:pull"), &hub, NOW).map(drop);
    let until = || account.session.lock().unwrap().away.unwrap().1;
    for (trouble, pause) in [(Trouble::Lost, LOGIN_PAUSE_SECONDS), (Trouble::Wait(429, 9999), LOGIN_COOLDOWN_SECONDS)] {
        hub.trouble("POST /v2/auth/token", trouble);
        let (before, calls) = (Instant::now(), hub.calls().len());
        let first = mint();
        assert!(matches!(first, Err(HubFault::Unavailable { ambiguous: false, .. })));
        assert_eq!((mint(), mint()), (first, first), "who waited is told the same");
        assert_eq!(hub.calls().len(), calls + 1);
        assert!(until() >= before + Duration::from_secs(pause));
        assert!(until() <= Instant::now() + Duration::from_secs(pause));
        // As if the pause were over.
        account.session.lock().unwrap().away.as_mut().unwrap().1 = Instant::now();
    }
    assert_eq!(mint(), Ok(()));
}

#[test]
fn a_fault_before_the_mint_is_not_ambiguous() {
    let hub = FakeHub::default();
    let order = order("repository:acme/app:pull");
    let fault = |call: &str, trouble| {
        hub.trouble(call, trouble);
        account("hunter2-password").mint(&order, &hub, NOW).err().unwrap()
    };
    assert!(!fault("POST /v2/auth/token", Trouble::Lost).is_ambiguous());
    assert!(!fault("POST /v2/auth/token", Trouble::Status(500, "")).is_ambiguous());
    assert!(!fault("POST /v2/auth/token", Trouble::Status(200, "{}")).is_ambiguous());
    assert!(!fault("POST /v2/orgs/", Trouble::Wait(429, 3)).is_ambiguous());
    assert!(!fault("POST /v2/orgs/", Trouble::Status(403, "")).is_ambiguous());
    assert!(fault("POST /v2/orgs/", Trouble::Lost).is_ambiguous());
    assert!(fault("POST /v2/orgs/", Trouble::Status(500, "")).is_ambiguous());
    assert!(fault("POST /v2/orgs/", Trouble::Status(201, r#"{"id":"../x","token":"t"}"#)).is_ambiguous());
    assert!(fault("POST /v2/orgs/", Trouble::Status(201, r#"{"id":"x","token":""}"#)).is_ambiguous());
}

#[test]
fn both_kinds_ask_for_the_widest_action_only() {
    let scope = "repository:acme/a:pull repository:acme/b:pull,push repository:acme/c:pull,push,delete";
    let body: Value = serde_json::from_str(&account("x").kind.body(&order(scope))).unwrap();
    let scopes: Vec<_> = body["resources"].as_array().unwrap().iter().map(|resource| &resource["scopes"][0]).collect();
    assert_eq!(scopes, ["scope-image-pull", "scope-image-push", "scope-image-delete"]);
    for (scope, expected) in [
        ("repository:acme/a:pull", "repo:read"),
        ("repository:acme/a:pull repository:acme/b:pull,push", "repo:write"),
        ("repository:acme/a:delete", "repo:admin"),
    ] {
        let body: Value = serde_json::from_str(&Kind::Pat.body(&order(scope))).unwrap();
        assert_eq!(body["scopes"], serde_json::json!([expected]));
        assert_eq!(body["token_label"], "hublease/test/1");
        assert_eq!(body["expires_at"], "2026-11-20T19:45:00Z");
    }
}

#[test]
fn a_token_is_found_on_any_page() {
    let (hub, account) = (FakeHub::default(), account("hunter2-password"));
    assert_eq!(account.find("hublease/test/1", &hub, NOW), Ok(None));
    account.mint(&order("repository:acme/app:pull"), &hub, NOW).ok().unwrap();
    hub.add_foreign(250);
    assert_eq!(account.find("hublease/test/1", &hub, NOW), Ok(Some("token-0001".to_owned())));
    assert_eq!(account.find("hublease/test/2", &hub, NOW), Ok(None));
    hub.add_foreign(PAGE_SIZE * MAX_PAGES);
    assert!(account.find("hublease/test/2", &hub, NOW).is_err(), "not all was looked at, so nothing is known");
}

/// Calls with the status and the body that each is answered with.
type Answers<'a> = &'a [(&'a str, u16, &'a str)];

const LOGIN: &str = "POST https://hub.docker.com/v2/auth/token";
const OLD_LOGIN: &str = "POST https://hub.docker.com/v2/users/login";
const LIST: &str = "GET https://hub.docker.com/v2/orgs/acme/access-tokens?page=1&page_size=1";

#[test]
fn an_account_that_cannot_mint_is_told_at_the_start() {
    let good = r#"{"access_token":"b"}"#;
    let no = r#"{"detail":"no"}"#;
    let table: [(Answers<'_>, Unfit); 4] = [
        (&[(LOGIN, 401, no), (OLD_LOGIN, 401, r#"{"detail":"x","login_2fa_token":"SENTINEL"}"#)], Unfit::SecondFactor),
        (&[(LOGIN, 401, no), (OLD_LOGIN, 401, no)], Unfit::Login),
        (&[(LOGIN, 200, good), (LIST, 403, no)], Unfit::NoRight(403)),
        (&[(LOGIN, 200, good), (LIST, 404, no)], Unfit::NoRight(404)),
    ];
    for (answers, unfit) in table {
        let script = Script::default();
        for (call, status, body) in answers {
            script.on(call, *status, body);
        }
        let found = account("hunter2").check(&script, NOW).err().unwrap();
        assert_eq!(found, unfit);
        assert!(!found.to_string().contains("SENTINEL"));
    }
    assert_eq!(account("hunter2-password").check(&FakeHub::default(), NOW), Ok(None));
    let away = account("x").check(&Script::default(), NOW).ok().unwrap();
    assert!(away.is_some(), "a Docker Hub that is away does not keep the broker from starting");
}

#[test]
fn tokens_are_no_passwords() {
    assert_eq!(unfit_password("dckr_pat_abc"), Some(Unfit::PersonalToken));
    assert_eq!(unfit_password("dckr_oat_abc"), Some(Unfit::OrganizationToken));
    assert_eq!(unfit_password("hunter2"), None);
}
