//! Logins, bearers, quotas and lists against fake Docker Hubs.

mod refused;
mod start;

use hublease_protocol::scope::Scope;

use super::*;
use crate::limits::{BEARER_SECONDS, LOGIN_COOLDOWN_SECONDS, MAX_PAGES, PAGE_SIZE};
use crate::password::SecretError;
use crate::purse::Unlimited;
use crate::testing::{FakeHub, FakePassword, NOW, PASSWORD, Trouble};

const LOGIN: &str = "POST /v2/auth/token";
const MINT: &str = "POST /v2/orgs/acme/access-tokens";
const LIST: &str = "GET /v2/orgs/acme/access-tokens";

/// An account of the organization `acme`.
struct Bench {
    password: FakePassword,
    hub: FakeHub,
    client: Client,
}

impl Bench {
    fn new(password: &str) -> Self {
        let password = FakePassword::of(password);
        let client = client(&password);
        Self { password, hub: FakeHub::default(), client }
    }

    fn mint(&self, now: u64) -> Result<(), HubError> {
        self.mint_for("acme/app", now)
    }

    fn mint_for(&self, repository: &str, now: u64) -> Result<(), HubError> {
        let scope = Scope::parse(&format!("repository:{repository}:pull")).unwrap();
        let label = "hublease/test/1".to_owned();
        let order = Order { label, scope, description: "of a test", expires_at: NOW + 900 };
        self.client.mint(&order, &Unlimited, &self.hub, now).map(drop)
    }

    /// How many calls began so.
    fn calls(&self, start: &str) -> usize {
        self.hub.calls().iter().filter(|call| call.starts_with(start)).count()
    }
}

fn client(password: &FakePassword) -> Client {
    let kind = TokenKind::Oat { organization: "acme".to_owned(), quota: 10 };
    Client::new(kind, "owner".to_owned(), Box::new(password.clone()), Arc::default())
}

#[test]
fn one_login_serves_many_calls_until_it_is_old_or_refused() {
    let bench = Bench::new(PASSWORD);
    assert_eq!((bench.mint(NOW), bench.mint(NOW + BEARER_SECONDS - 1)), (Ok(()), Ok(())));
    assert_eq!(bench.hub.logins(), 1);
    assert_eq!(bench.mint(NOW + BEARER_SECONDS), Ok(()));
    assert_eq!(bench.hub.logins(), 2);
    bench.hub.forget_login();
    assert_eq!(bench.mint(NOW + BEARER_SECONDS), Ok(()), "a bearer that ended early is renewed");
    assert_eq!(bench.hub.logins(), 3);
}

#[test]
fn a_burst_of_jobs_makes_one_login() {
    let bench = Bench::new(PASSWORD);
    std::thread::scope(|scope| {
        let jobs: Vec<_> = (0..8).map(|_| scope.spawn(|| bench.mint(NOW))).collect();
        assert!(jobs.into_iter().all(|job| job.join().unwrap() == Ok(())));
    });
    assert_eq!((bench.hub.logins(), bench.calls(MINT)), (1, 8));
}

#[test]
fn a_bearer_that_is_never_taken_is_renewed_once_for_each_call() {
    let bench = Bench::new(PASSWORD);
    for _ in 0..2 {
        bench.hub.trouble(MINT, Trouble::Status(401, "{}"));
    }
    assert_eq!(bench.mint(NOW), Err(HubError::Refused { status: 401 }));
    assert_eq!((bench.hub.logins(), bench.calls(MINT)), (2, 2));
}

#[test]
fn a_refused_password_is_not_tried_again_at_once() {
    let bench = Bench::new("wrong");
    assert_eq!(bench.mint(NOW), Err(HubError::AccountRefused));
    assert_eq!(bench.mint(NOW + LOGIN_COOLDOWN_SECONDS - 1), Err(HubError::AccountRefused));
    assert_eq!(bench.hub.logins(), 1);
    assert_eq!(bench.mint(NOW + LOGIN_COOLDOWN_SECONDS), Err(HubError::AccountRefused));
    assert_eq!(bench.hub.logins(), 2);
}

#[test]
fn a_rotated_password_is_taken_at_once() {
    let bench = Bench::new(PASSWORD);
    assert_eq!(bench.mint(NOW), Ok(()));
    bench.hub.set_password("hunter3-password");
    bench.hub.forget_login();
    assert_eq!(bench.mint(NOW), Err(HubError::AccountRefused));
    assert_eq!(bench.client.trouble(NOW), Some(HubError::AccountRefused));
    assert_eq!(bench.mint(NOW), Err(HubError::AccountRefused));
    assert_eq!(bench.hub.logins(), 2, "the old one is sent once");
    bench.password.set(Ok("hunter3-password"));
    assert_eq!((bench.mint(NOW), bench.client.trouble(NOW)), (Ok(()), None));
    assert_eq!(bench.hub.logins(), 3);
}

#[test]
fn a_password_that_cannot_be_used_is_not_sent_and_is_told() {
    let bench = Bench::new(PASSWORD);
    for (password, phrase) in [
        (Err(SecretError::lasting("its file cannot be read", "cannot read `/secret`")), "its file cannot be read"),
        (Ok("dckr_pat_SENTINEL"), "what it was given as password is a token"),
        (Ok("dckr_oat_SENTINEL"), "what it was given as password is a token"),
    ] {
        bench.password.set(password);
        bench.client.session.end_pause();
        let error = HubError::NoSecret { phrase };
        assert_eq!(bench.mint(NOW), Err(error));
        assert_eq!(bench.client.trouble(NOW), Some(error));
        assert_eq!(error.to_string(), format!("the account's password cannot be read: {phrase}"));
    }
    assert_eq!(bench.hub.calls(), [""; 0]);
}

#[test]
fn a_login_that_was_not_answered_is_not_tried_again_at_once() {
    let bench = Bench::new(PASSWORD);
    for trouble in [Trouble::Lost, Trouble::Status(503, "")] {
        bench.hub.trouble(LOGIN, trouble);
        let calls = bench.calls(LOGIN);
        let first = bench.mint(NOW);
        assert!(matches!(first, Err(HubError::Unavailable { ambiguous: false, .. })));
        assert_eq!((bench.mint(NOW), bench.mint(NOW)), (first, first), "who waited is told the same");
        assert_eq!(bench.calls(LOGIN), calls + 1);
        bench.client.session.end_pause();
    }
    assert_eq!(bench.mint(NOW), Ok(()));
}

#[test]
fn what_was_not_answered_may_have_been_done_and_what_was_refused_was_not() {
    let bench = Bench::new(PASSWORD);
    for (trouble, is_ambiguous) in [
        (Trouble::Lost, true),
        (Trouble::Status(500, "{}"), true),
        (Trouble::Status(503, "{}"), true),
        (Trouble::Status(201, "not JSON"), true),
        (Trouble::Status(400, "{}"), false),
        (Trouble::Status(403, "{}"), false),
        (Trouble::Wait(429, 1), false),
    ] {
        let bench = Bench::new(PASSWORD);
        bench.hub.trouble(MINT, trouble);
        assert_eq!(bench.mint(NOW).err().map(HubError::is_ambiguous), Some(is_ambiguous));
        assert_eq!(bench.calls(MINT), 1, "a mint is not repeated");
    }
    assert_eq!(bench.mint(NOW), Ok(()));
}

#[test]
fn at_quota_nobody_asks_again_until_there_is_room() {
    let bench = Bench::new(PASSWORD);
    for _ in 0..10 {
        assert_eq!(bench.mint(NOW), Ok(()));
    }
    let full = HubError::QuotaFull { retry_after: QUOTA_RETRY_SECONDS };
    assert_eq!((bench.mint(NOW), bench.calls(MINT), bench.calls(LIST)), (Err(full), 11, 1));
    assert_eq!((bench.mint(NOW + QUOTA_PAUSE_SECONDS - 1), bench.calls(""), bench.hub.logins()), (Err(full), 13, 1));
    assert_eq!(bench.client.trouble(NOW), Some(full));
    assert_eq!(
        (bench.mint(NOW + QUOTA_PAUSE_SECONDS), bench.calls(MINT)),
        (Err(full), 12),
        "an administrator may have made room"
    );
    assert!(bench.client.delete("token-0001", &bench.hub, NOW + QUOTA_PAUSE_SECONDS).is_ok());
    assert_eq!((bench.mint(NOW + QUOTA_PAUSE_SECONDS), bench.client.trouble(NOW)), (Ok(()), None));
}

#[test]
fn a_probe_ends_a_trouble_that_is_over_and_no_other() {
    let full = Bench::new(PASSWORD);
    full.hub.add_foreign(10);
    assert!(matches!(full.mint(NOW), Err(HubError::QuotaFull { .. })));
    full.client.probe(&full.hub, NOW);
    assert!(matches!(full.client.trouble(NOW), Some(HubError::QuotaFull { .. })), "listing works, and is no room");
    full.hub.vanish("foreign-0");
    full.client.probe(&full.hub, NOW);
    full.client.probe(&full.hub, NOW);
    assert_eq!((full.client.trouble(NOW), full.mint(NOW)), (None, Ok(())));

    let away = Bench::new(PASSWORD);
    away.hub.trouble(MINT, Trouble::Lost);
    assert!(away.mint(NOW).is_err() && away.client.trouble(NOW).is_some());
    let before = away.calls("");
    away.client.probe(&away.hub, NOW);
    assert_eq!((away.client.trouble(NOW), away.calls("")), (None, before + 1));
}

#[test]
fn a_token_is_found_on_any_page() {
    let bench = Bench::new(PASSWORD);
    let find = |label: &str| bench.client.listing("", Urgency::Removal, &bench.hub, NOW)?.find(label);
    assert_eq!(find("hublease/test/1"), Ok(None));
    assert_eq!(bench.mint(NOW), Ok(()));
    bench.hub.add_foreign(250);
    // By their ids the foreign ones come first.
    assert_eq!(find("hublease/test/1"), Ok(Some("token-0001".to_owned())));
    let pages = [1, 2, 3].map(|page| format!("{LIST}?page={page}&page_size={PAGE_SIZE}"));
    assert!(bench.hub.calls().ends_with(&pages), "each page once, and of the full size");
    assert_eq!(find("hublease/test/2"), Ok(None));
    assert_eq!(find("hublease/test/"), Ok(None), "a label is compared whole");
    bench.hub.add_foreign(PAGE_SIZE * MAX_PAGES);
    assert!(find("hublease/test/2").is_err(), "not all was looked at, so nothing is known");
}

#[test]
fn a_token_of_ours_without_an_id_that_is_understood_is_not_taken_for_gone() {
    for id in [r#""a/b""#, "7.5", "null", "{}"] {
        let bench = Bench::new(PASSWORD);
        let list = format!(r#"{{"total": 1, "results": [{{"label": "hublease/test/1", "id": {id}}}]}}"#);
        bench.hub.trouble(LIST, Trouble::Status(200, list.leak()));
        let listing = bench.client.listing("hublease/test/", Urgency::Removal, &bench.hub, NOW).ok().unwrap();
        assert!(matches!(listing.find("hublease/test/1"), Err(HubError::ListUnclear { .. })), "{id}");
        assert!(listing.tokens.is_empty());
    }
}
