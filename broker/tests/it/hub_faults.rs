//! A Docker Hub that fails: nothing leaks, nobody storms, and what a job is told is true.

mod house;

use std::time::Instant;

use hublease_broker::limits::{MAX_WAITING_FOR_KEYS, READINESS_SECONDS, START_WORKERS, UNCLEAR_SECONDS};
use hublease_hub::limits::{QUOTA_PAUSE_SECONDS, QUOTA_RETRY_SECONDS};
use hublease_sandbox::{ACCOUNT, Action, Fault, Hold, Service};
use serde_json::{Map, json};

use self::house::{House, LOGIN};
use crate::stepped::TOKENS;

fn minting() -> Fault {
    Fault::on(Service::Hub, TOKENS).method("POST")
}

#[test]
fn after_a_429_nobody_asks_until_its_time_and_then_all_is_well() {
    let mut house = House::new(100);
    house.settle();
    let wait = ("retry-after".to_owned(), "40".to_owned());
    house.sandbox.fault(minting().then(Action::Status(429, vec![wait], Vec::new())).always());
    let first = house.logins_at_once(MAX_WAITING_FOR_KEYS);
    // Whoever was under way when the first answer came got his own; nobody began after it.
    let mints = house.count("POST", TOKENS);
    assert!((1..=MAX_WAITING_FOR_KEYS).contains(&mints));
    let all = house.asked("", "").len();
    for answer in first.into_iter().chain(house.logins_at_once(MAX_WAITING_FOR_KEYS)) {
        assert_eq!((answer.status, answer.code()), (503, "hub_unavailable"), "{answer:?}");
        assert!((1..=40).contains(&answer.retry_after.unwrap()), "{answer:?}");
    }
    assert_eq!((house.count("POST", TOKENS), house.asked("", "").len()), (mints, all));
    assert_eq!(house.ready(), House::not_ready("Docker Hub is not available: it asks to wait"));
    house.sandbox.clear_faults();
    house.pass(40);
    let login = house.login();
    assert_eq!(login.status, 200, "{login:?}");
    house.until_ready();
    assert_eq!(house.logout(&login).text("revocation"), "confirmed");
    assert_eq!(house.sandbox.hub().labels(), [""; 0]);
}

#[test]
fn below_its_reserve_the_rate_limit_is_kept_for_removals_and_never_exceeded() {
    let mut house = House::new(100);
    house.sandbox.hub().set_rate_limit(30);
    house.settle();
    let mut logins = Vec::new();
    // A window may end meanwhile, so more than one window's worth is asked for.
    let refused = loop {
        let answer = house.login();
        match answer.status {
            200 => logins.push(answer),
            _ => break answer,
        }
        assert!(logins.len() < 90, "the limit is not heeded");
    };
    // A project alone leaves a part for whoever comes next, above the part that is kept for removals.
    assert_eq!((refused.status, refused.code()), (429, "rate_limited"), "{refused:?}");
    assert!((1..=60).contains(&refused.retry_after.unwrap()), "{refused:?}");
    for login in logins.iter().take(3) {
        assert_eq!(house.logout(login).text("revocation"), "confirmed");
    }
    house.pass(60);
    assert_eq!(house.login().status, 200);
    let answers: Vec<_> = house.asked("", "").iter().filter_map(|request| request.status).collect();
    assert!(!answers.contains(&429), "{answers:?}");
}

#[test]
fn a_token_whose_making_was_not_answered_is_found_and_removed() {
    for action in [
        Action::CloseAfterHandling,
        Action::CutMidBody(20),
        Action::status(502),
        Action::NotJson,
        Action::Oversized(2 << 20),
    ] {
        let mut house = House::new(100);
        // Others' tokens, on more than one page, which nobody touches.
        house.sandbox.hub().set_quota("acme", 1000);
        for number in 0..120 {
            house.sandbox.hub().organization_token("acme", &format!("by hand {number}"), &[], None);
        }
        house.settle();
        house.sandbox.fault(minting().then(action.clone()).after_handling());
        let answer = house.login();
        assert_eq!((answer.status, answer.code()), (503, "hub_unavailable"), "{action:?} {answer:?}");
        assert!(answer.retry_after.is_some());
        assert_eq!((house.sandbox.hub().labels().len(), house.count("POST", TOKENS)), (121, 1), "it was made, once");
        house.pass(UNCLEAR_SECONDS + 1);
        house.until("the removal", |house| house.sandbox.hub().labels().len() == 120);
        assert_eq!(house.count("DELETE", TOKENS), 1, "{action:?}");
        let queries: Vec<_> = house.asked("GET", TOKENS).into_iter().map(|request| request.query).collect();
        assert!(queries.contains(&"page=2&page_size=100".to_owned()), "{queries:?}");
        assert!(house.sandbox.hub().labels().iter().all(|label| label.starts_with("by hand ")));
    }
}

#[test]
fn while_docker_hub_is_away_the_broker_is_not_ready_and_then_is_again_without_a_job() {
    for (action, trouble) in [
        (Action::status(500), "it answered with a fault of its own"),
        (Action::status(503), "it answered with a fault of its own"),
        (Action::CloseBeforeAnswering, "the connection failed"),
    ] {
        let mut house = House::new(100);
        house.settle();
        house.until_ready();
        house.sandbox.fault(Fault::on(Service::Hub, TOKENS).then(action.clone()).always());
        assert_eq!(house.login().code(), "hub_unavailable");
        house.pass(READINESS_SECONDS);
        let not_ready = House::not_ready(&format!("Docker Hub is not available: {trouble}"));
        assert_eq!(house.ready(), not_ready, "{action:?}");
        house.sandbox.clear_faults();
        house.until_ready();
    }
}

#[test]
fn a_removal_that_was_not_answered_is_not_confirmed_and_is_tried_again() {
    let mut house = House::new(100);
    house.settle();
    let login = house.login();
    house.sandbox.fault(Fault::on(Service::Hub, TOKENS).method("DELETE").then(Action::CloseAfterHandling));
    let answer = house.logout(&login);
    assert_eq!((answer.status, answer.code()), (503, "hub_unavailable"), "{answer:?}");
    assert!(answer.retry_after.is_some());
    assert_eq!(house.sandbox.hub().labels(), [""; 0], "it was removed, and nobody heard");
    house.pass(10);
    house.confirm(&login);
}

#[test]
fn a_changed_password_is_sent_once_and_a_rotated_file_heals_it() {
    let mut house = House::new(100);
    house.settle();
    let before = house.login();
    assert_eq!(before.status, 200);
    house.sandbox.hub().add_account(ACCOUNT, "another-password-of-the-sandbox");
    // What Docker Hub does with bearers of an old password is not documented; here they end with it.
    house.sandbox.fault(Fault::on(Service::Hub, TOKENS).then(Action::status(401)));
    let logins = house.count("POST", LOGIN);
    for _ in 0..10 {
        let answer = house.login();
        assert_eq!((answer.status, answer.code()), (400, "account_refused"), "{answer:?}");
    }
    let answer = house.logout(&before);
    assert_eq!(answer.status, 503, "a removal is not confirmed meanwhile: {answer:?}");
    assert_eq!(house.count("POST", LOGIN), logins + 1);
    assert_eq!(house.ready(), House::not_ready("Docker Hub does not accept the password of the broker's account"));
    house.write("password", "another-password-of-the-sandbox\n");
    assert_eq!(house.login().status, 200);
    assert_eq!(house.count("POST", LOGIN), logins + 2);
    house.pass(10);
    house.confirm(&before);
    house.until_ready();
    assert!(!house.audit().contains("password-of-the-sandbox"));
}

#[test]
fn a_password_in_vault_is_read_at_each_login() {
    let mut house = House::new(100);
    let identity = house.sandbox.issuer().circleci().audience("https://vault.example.com").sign();
    house.write("identity", &identity);
    let put = |house: &House, password: &str| {
        let secret = Map::from_iter([("password".to_owned(), json!(password))]);
        assert!(house.sandbox.vault().put_key_value("secret", "ci/dockerhub", secret));
    };
    put(&house, hublease_sandbox::PASSWORD);
    let vault = format!(
        "password_vault = {{ address = {:?}, role = \"dockerhub\", identity_token_file = {:?}, path = \"secret/data/ci/dockerhub\" }}",
        house.sandbox.vault_url(),
        house.path("identity"),
    );
    house.configure(&format!("password_file = {:?}", house.path("password")), &vault);
    house.settle();
    assert_eq!(house.login().status, 200);
    house.sandbox.hub().add_account(ACCOUNT, "another-password-of-the-sandbox");
    put(&house, "another-password-of-the-sandbox");
    house.sandbox.fault(Fault::on(Service::Hub, TOKENS).then(Action::status(401)));
    assert_eq!(house.login().status, 200, "taken without a restart");
    let asked = house.sandbox.requests(Service::Vault);
    let ended = asked.iter().filter(|request| request.path.ends_with("/revoke-self")).count();
    assert_eq!((asked.len(), ended), (6, 2), "two reads, each with a Vault token of its own that is ended");
}

#[test]
fn at_quota_jobs_are_told_so_and_nobody_storms() {
    let mut house = House::new(2);
    house.settle();
    let logins = [house.login(), house.login()];
    let begun = Instant::now();
    for _ in 0..10 {
        let answer = house.login();
        assert_eq!((answer.status, answer.code()), (429, "quota_full"), "{answer:?}");
        assert_eq!(answer.retry_after, Some(QUOTA_RETRY_SECONDS));
    }
    let most = 2 + 1 + begun.elapsed().as_secs() / QUOTA_PAUSE_SECONDS + 1;
    assert!(house.count("POST", TOKENS) as u64 <= most);
    assert_eq!(house.ready(), House::not_ready("the organization has as many tokens as its plan allows"));
    assert_eq!(house.logout(&logins[0]).text("revocation"), "confirmed");
    assert_eq!(house.login().status, 200, "a removal makes room at once");
    assert_eq!(house.login().code(), "quota_full");
    // Expired tokens count until they are deleted, which the sweeper does.
    house.pass(901);
    house.until("room", |house| house.sandbox.hub().labels().is_empty());
    house.pass(QUOTA_PAUSE_SECONDS);
    assert_eq!(house.login().status, 200);
    house.until_ready();
}

/// What is wrong, and what the operator is told of it.
type Case = (fn(&House), &'static str);

#[test]
fn an_account_that_cannot_mint_keeps_the_broker_from_starting() {
    let place = "account `acme`: ";
    let cases: [Case; 6] = [
        (|house| house.sandbox.hub().set_two_factor(ACCOUNT, true), "the account has two-factor authentication"),
        (
            |house| house.sandbox.hub().enforce_sso("acme", true),
            "where single sign-on is enforced no password is accepted",
        ),
        (
            |house| house.sandbox.hub().add_organization("acme", &[]),
            "Docker Hub answered 403 when asked for the account's tokens",
        ),
        (
            |house| {
                let (token, _) = house.sandbox.hub().personal_token(ACCOUNT, "x", &["repo:admin"], None);
                house.write("password", &token);
            },
            "the password is a personal access token (`dckr_pat_`)",
        ),
        (|house| house.write("password", "\n"), "the file `PLACE/password` is empty"),
        (
            |house| std::fs::remove_file(house.path("password")).unwrap(),
            "cannot read `PLACE/password`: No such file or directory (os error 2)",
        ),
    ];
    for (prepare, reason) in cases {
        let house = House::new(100);
        prepare(&house);
        let said = house.refused();
        assert!(said.contains(place) && said.contains(reason), "{said}");
        assert!(!said.contains("dckr_pat_") || !said.contains(&house.sandbox.secrets().last().unwrap().value));
    }
}

#[test]
fn many_accounts_are_tried_at_one_time() {
    let house = House::new(100);
    let password = format!("password_file = {:?}\n", house.path("password"));
    let account = format!("kind = \"oat\"\norganization = \"acme\"\nusername = \"{ACCOUNT}\"\n{password}");
    let more: String =
        (0..2 * START_WORKERS).map(|number| format!("\n[[account]]\nname = \"more-{number}\"\n{account}")).collect();
    house.configure(&password, &format!("{password}{more}"));
    let latch = house.sandbox.latch(Hold::before(Service::Hub, LOGIN));
    let held = || house.sandbox.requests(Service::Hub).iter().filter(|request| request.status.is_none()).count();
    std::thread::scope(|scope| {
        let start = scope.spawn(|| house.start());
        house.until("so many logins at one time", |_| held() == START_WORKERS);
        latch.release();
        start.join().unwrap();
    });
    assert_eq!(house.count("POST", LOGIN), 1 + 2 * START_WORKERS);
}

#[test]
fn a_lent_token_has_no_end_and_is_never_confirmed_to_be_gone() {
    let mut house = House::new(100);
    let (token, id) =
        house.sandbox.hub().organization_token("acme", "by hand", &[("acme/app", &["scope-image-push"])], None);
    house.write("token", &token);
    let password = format!("quota = 100\npassword_file = {:?}\n", house.path("password"));
    let pool = format!(
        "\n[[account.token]]\nname = \"app\"\ntoken_file = {:?}\nrepositories = [\"acme/app\"]\nactions = [\"pull\", \"push\"]\n",
        house.path("token"),
    );
    house.configure(&password, &pool);
    house.configure("kind = \"oat\"\norganization = \"acme\"\n", "kind = \"pool\"\n");
    house.start();
    let login = house.login();
    assert_eq!((login.status, login.text("access_token")), (200, token.as_str()));
    assert_eq!((login.text("username"), login.body.get("expires_in")), (ACCOUNT, None));
    let answer = house.logout(&login);
    assert_eq!((answer.status, answer.text("revocation")), (200, "unknown"));
    let audit = house.audit_with("\"returned\"");
    assert!(!audit.contains(&token));
    assert!(house.sandbox.live().iter().any(|live| live.id == id), "it lives on at its owner");
    assert!(house.asked("", "").is_empty(), "Docker Hub is not asked");
}
