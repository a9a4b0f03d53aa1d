//! What Docker Hub says: rights, images, the pull window, and its failures.

use hublease_sandbox::{Action, Fault, Service};
use serde_json::{Value, json};

use crate::client::check::Login::{self, Nobody, Organization, Personal};
use crate::client::check::{ACCOUNT_ID, check, directory, json as report, log_in, only_looked, world};
use crate::client::docker_traps::log_in_by_hand;
use crate::support::World;
use crate::support::job::Provider;
use crate::support::untouched::Untouched;

#[test]
fn a_login_of_hublease_is_good_until_logout() {
    for provider in Provider::ALL {
        let world = World::new();
        world.job("login").usual(provider).run().code(0);
        let outcome = only_looked(check(&world, &["--push", "acme/app"]).run().code(0));
        outcome.says("acme/app:latest: pull works, push allowed\n").says("; Docker Hub accepts it\n");
        world.job("logout").usual(provider).run().code(0);
        let outcome = only_looked(check(&world, &["--push", "acme/app"]).run().code(4));
        outcome.says("login: none in ").says("acme/app:latest: pull denied, push denied (");
    }
}

#[test]
fn the_whole_report_on_a_login_by_hand() {
    let world = World::new();
    log_in_by_hand(&world, "acmebot");
    // No docker is needed for a look at its store.
    std::fs::remove_file(world.path("bin/docker")).unwrap();
    let before = Untouched::of(&world);
    let outcome = check(&world, &["acme/app", "alpine", "docker.io/library/alpine:latest", "acme/app:9"]).run();
    let outcome = only_looked(outcome.code(4));
    let expected = format!(
        "login: as acmebot, by {}; Docker Hub accepts it\n\
         shadowed: no\n\
         pull window: 200 of 200 pulls in 6 h are left, counted for {ACCOUNT_ID}\n\
         public images: may be pulled\n\
         acme/app:latest: pull works, push allowed\n\
         library/alpine:latest: pull works, push denied\n\
         acme/app:9: no such tag or digest, push allowed\n",
        directory(&world)
    );
    assert_eq!(outcome.stdout, expected);
    let hint = "hint: the report says which and why; a token may be limited to other repositories, or to pulling\n";
    assert_eq!(outcome.stderr, format!("error: not all images can be used as asked: 1 of 3\n{hint}"));
    let again = check(&world, &[]).run().code(0);
    again.says("pull window: 200 of 200 pulls");
    assert_eq!(Untouched::of(&world).files(), before.files(), "a check changes no file");
}

#[test]
fn anybody_can_check_without_a_login() {
    let world = World::new();
    let outcome = only_looked(check(&world, &["alpine"]).run().code(0));
    let expected = format!(
        "login: none in {}; all of this holds for anonymous clients\n\
         shadowed: no\n\
         pull window: 100 of 100 pulls in 6 h are left, counted for 127.0.0.1\n\
         public images: may be pulled\n\
         library/alpine:latest: pull works, push denied\n",
        directory(&world)
    );
    assert_eq!((outcome.stdout.as_str(), outcome.stderr.as_str()), (expected.as_str(), ""));
    assert!(outcome.requests.iter().all(|request| request.service != Service::Hub));
}

/// Login, arguments, exit code, and the line of the last image.
const RIGHTS: &[(Login, &[&str], i32, &str)] = &[
    (Personal("repo:write"), &["--push", "acme/app"], 0, "acme/app:latest: pull works, push allowed\n"),
    (Personal("repo:write"), &["--push", "acme/app:9"], 0, "acme/app:9: no such tag or digest, push allowed\n"),
    (
        Organization("acme/app", "scope-image-push"),
        &["--push", "acme/app:v1.2-rc.1"],
        0,
        "no such tag or digest, push allowed\n",
    ),
    (Personal("repo:write"), &["acme/app:9"], 4, "acme/app:9: no such tag or digest, push allowed\n"),
    (Personal("repo:read"), &["--push", "acme/app:9"], 4, "acme/app:9: no such tag or digest, push denied"),
    (Personal("repo:write"), &["--push", "acme/app:9", "acme/app"], 0, "acme/app:latest: pull works, push allowed\n"),
    (
        Personal("repo:write"),
        &["--push", "acme/app:9", "alpine"],
        4,
        "library/alpine:latest: pull works, push denied\n",
    ),
    (Personal("repo:admin"), &["--push", "acme/app"], 0, "acme/app:latest: pull works, push allowed\n"),
    (
        Personal("repo:read"),
        &["acme/app"],
        0,
        "pull works, push denied (it says: access token has insufficient scopes)\n",
    ),
    (Personal("repo:read"), &["--push", "acme/app"], 4, "pull works, push denied (it says: access token has"),
    (Personal("repo:read"), &["--push", "acme/app", "alpine"], 4, "library/alpine:latest: pull works, push denied\n"),
    (Personal("repo:public_read"), &["alpine"], 0, "library/alpine:latest: pull works, push denied\n"),
    (
        Personal("repo:public_read"),
        &["acme/app"],
        4,
        "acme/app:latest: pull denied, push denied (it says: access token",
    ),
    (
        Personal("repo:write"),
        &["stranger/app"],
        4,
        "stranger/app:latest: pull denied, push denied (it does not exist, or",
    ),
    (Organization("acme/app", "scope-image-push"), &["--push", "acme/app"], 0, "pull works, push allowed\n"),
    (
        Organization("acme/app", "scope-image-pull"),
        &["--push", "acme/app"],
        4,
        "pull works, push denied (it says: access",
    ),
    (
        Organization("acme/app", "scope-image-push"),
        &["acme/app", "acme/base"],
        4,
        "acme/base:latest: pull denied, push denied",
    ),
    (
        Organization("acme/app", "scope-image-push"),
        &["alpine"],
        4,
        "library/alpine:latest: pull denied, push denied (it says",
    ),
    (Organization("acme/*", "scope-image-pull"), &["acme/base"], 0, "acme/base:latest: pull works, push denied"),
    (Organization("*/*/public", "scope-image-pull"), &["alpine"], 0, "library/alpine:latest: pull works, push denied"),
    (
        Nobody,
        &["alpine", "acme/app"],
        4,
        "acme/app:latest: pull denied, push denied (it does not exist, or there is no",
    ),
    (Nobody, &["stranger/app"], 4, "stranger/app:latest: pull denied, push denied (it does not exist, or there is no"),
    (Nobody, &["--push", "alpine"], 4, "library/alpine:latest: pull works, push denied\n"),
    (Nobody, &["alpine:edge"], 4, "library/alpine:edge: no such tag or digest, push denied\n"),
];

#[test]
fn each_right_is_what_the_login_has() {
    for (login, words, code, line) in RIGHTS {
        let world = world(*login);
        let outcome = check(&world, words).run();
        assert!(outcome.stdout.contains(line), "{login:?} {words:?}\n{}", outcome.stdout);
        only_looked(outcome.code(*code));
    }
}

#[test]
fn a_digest_is_checked_as_a_tag_is() {
    let world = world(Personal("repo:read"));
    let missing = format!("acme/app@sha256:{}", "0".repeat(64));
    check(&world, &[&missing]).run().code(4).says(&format!("{missing}: no such tag or digest"));
    // Nobody pushes a digest, so one that is missing stays missing.
    check(&world, &["--push", &missing]).run().code(4);
    // The tag beside a digest does not count, as with docker.
    let head = world.sandbox.requests(Service::Registry).pop().unwrap();
    assert!(head.path.ends_with(&"0".repeat(64)));
    let both = missing.replace("@", ":latest@");
    check(&world, &[&both]).run().code(4).says(&format!("{missing}: no such tag or digest"));
}

#[test]
fn a_credential_that_is_over_is_found_by_one_request() {
    let world = World::new();
    let id = log_in(&world, Personal("repo:write"));
    assert!(world.sandbox.hub().delete_token(&id));
    let outcome = only_looked(check(&world, &["acme/app", "alpine"]).run().code(4));
    let outcome = outcome.says("login: as acmebot, by ").says("; Docker Hub refuses it\n");
    let outcome = outcome
        .says("acme/app:latest: pull not checked, push not known\n")
        .says("pull window: not known: it was not asked");
    assert!(outcome.stderr.starts_with(
        "error: docker.io does not accept the login that docker has here\n  because: it says: incorrect username or password\n"
    ));
    assert_eq!(outcome.requests.len(), 1, "each failed login brings the account closer to being locked");
    let shown = report(&check(&world, &["--output=json", "alpine"]).run().code(4));
    assert_eq!(shown["public_images"], Value::Null, "nobody has said");
    assert_eq!((&shown["login"], &shown["images"][0]["pull"]), (&json!("refused"), &json!("unknown")));
}

#[test]
fn looking_is_not_counted_and_the_window_is_that_of_the_login() {
    let world = world(Personal("repo:read"));
    world.sandbox.set_pull_limit(Some(7));
    for _ in 0..3 {
        let shown = report(&check(&world, &["--output=json", "acme/app", "alpine"]).run().code(0));
        let window = json!({"limited": true, "limit": 7, "remaining": 7, "seconds": 21_600, "source": ACCOUNT_ID});
        assert_eq!(shown["pull_window"], window);
    }
    world.sandbox.set_pull_limit(None);
    let outcome = check(&world, &["acme/app"]).run().code(0);
    outcome.says("pull window: no limit: Docker Hub does not count the pulls of this login\n");
    assert_eq!(report(&check(&world, &["--output=json"]).run())["pull_window"], json!({"limited": false}));
}

/// A token that may not read public repositories cannot ask for the preview; an image of its own tells the same.
#[test]
fn the_window_of_a_limited_token_is_told_by_its_own_image() {
    let world = world(Organization("acme/app", "scope-image-pull"));
    check(&world, &[]).run().code(0).says("pull window: not known: this login may not read the public repository");
    check(&world, &["acme/app"]).run().code(0).says("pull window: 200 of 200 pulls in 6 h are left");
    // An image that nobody counts may be so by its publisher's plan.
    world.sandbox.set_pull_limit(None);
    check(&world, &["acme/app"]).run().code(0).says("pull window: not known: this login may not read");
}

#[test]
fn a_window_that_is_used_up_means_that_no_pull_works() {
    let world = world(Personal("repo:write"));
    world.sandbox.set_pull_limit(Some(0));
    let outcome = only_looked(check(&world, &["acme/app", "acme/app:9"]).run().code(4));
    let outcome = outcome.says("pull window: 0 of 0 pulls in 6 h are left");
    let outcome = outcome.says("acme/app:latest: pull refused, because the limit is reached, push allowed\n");
    outcome.says("acme/app:9: no such tag or digest").says("as asked: 2 of 2");

    // Docker Hub may also refuse the look itself; then one refusal speaks for all images.
    let refusal = Action::Status(429, vec![("retry-after".to_owned(), "0".to_owned())], Vec::new());
    for refused in ["/v2/ratelimitpreview/", "/v2/acme/"] {
        world.sandbox.fault(Fault::on(Service::Registry, refused).always().then(refusal.clone()));
        let outcome = only_looked(check(&world, &["--output=json", "acme/app", "alpine"]).run().code(4));
        let shown = report(&outcome);
        assert_eq!(shown["pull_window"], json!({"limited": true, "remaining": 0}));
        for image in shown["images"].as_array().unwrap() {
            assert_eq!(image["pull"], json!("limit_reached"), "{refused}");
        }
        let mut asked = outcome.requests.iter().filter(|request| request.service == Service::Registry);
        let last = asked.next_back().map(|request| request.path.as_str()).unwrap_or_default();
        assert!(last.starts_with(refused), "nothing is asked after the first refusal: {last}");
        world.sandbox.clear_faults();
    }
}

/// Where Docker Hub fails: service, what it does, what is said, and what the report still holds.
fn failures() -> Vec<(Service, Action, &'static str, &'static str)> {
    let soon = |status| Action::Status(status, vec![("retry-after".to_owned(), "0".to_owned())], Vec::new());
    let late = Action::Status(429, vec![("retry-after".to_owned(), "3600".to_owned())], Vec::new());
    let (auth, registry) = (Service::RegistryAuth, Service::Registry);
    let (asked, accepted) = ("; not checked\n", "; Docker Hub accepts it\n");
    vec![
        (auth, soon(503), "auth.docker.io fails", asked),
        (auth, late, "auth.docker.io takes no more requests for now", asked),
        (auth, Action::status(404), "auth.docker.io gave an answer that cannot be used", asked),
        (auth, Action::NotJson, "auth.docker.io gave an answer that cannot be used", asked),
        (auth, Action::RawBody(b"{}".to_vec()), "auth.docker.io gave an answer that cannot be used", asked),
        (auth, Action::RawBody(br#"{"token":"a b\n"}"#.to_vec()), "gave an answer that cannot be used", asked),
        (auth, Action::Oversized(2 << 20), "the answer of auth.docker.io is larger than 1 MiB", asked),
        (auth, Action::Redirect(307, "https://evil.example.com/token".to_owned()), "redirects elsewhere", asked),
        (registry, soon(503), "registry-1.docker.io fails", accepted),
        (registry, Action::status(418), "registry-1.docker.io gave an answer that cannot be used", accepted),
        (registry, Action::Redirect(307, "https://evil.example.com/x".to_owned()), "redirects elsewhere", accepted),
    ]
}

#[test]
fn a_failure_of_docker_hub_is_none_of_the_login_and_what_is_known_is_reported() {
    let world = world(Personal("repo:write"));
    for (service, action, says, reports) in failures() {
        let what = format!("{service:?} {action:.60?}");
        world.sandbox.fault(Fault::on(service, "/").always().then(action));
        let outcome = only_looked(check(&world, &["acme/app"]).run());
        assert_eq!(outcome.code, 5, "{what}: {}", outcome.stderr);
        assert!(outcome.stderr.contains(says), "{what}: {}", outcome.stderr);
        assert!(outcome.stdout.contains(reports), "{what}: {}", outcome.stdout);
        assert!(outcome.stdout.contains("acme/app:latest: pull not checked"), "{what}: {}", outcome.stdout);
        world.sandbox.clear_faults();
    }
    assert_eq!(world.sandbox.unexpected(), [""; 0]);
}

#[test]
fn without_a_network_the_login_is_still_shown() {
    let world = world(Personal("repo:write"));
    // Nothing listens on the port to which everything is discarded.
    let outcome = check(&world, &["acme/app"]).env("HTTPS_PROXY", "http://127.0.0.1:9").run().code(5);
    outcome.says("error: the proxy on the way to auth.docker.io cannot be reached").says("login: as acmebot, by ");
}

#[test]
fn a_bearer_that_cannot_be_read_leaves_the_push_open() {
    let world = world(Personal("repo:write"));
    let opaque = Action::RawBody(br#"{"access_token":"opaque-and-not-a-jwt"}"#.to_vec());
    world.sandbox.fault(Fault::on(Service::RegistryAuth, "/token").always().then(opaque));
    // The sandbox's registry does not know such a bearer.
    let shown = report(&check(&world, &["--output=json", "acme/app"]).run().code(4));
    let expected = json!({"image": "acme/app:latest", "pull": "denied", "push": "unknown"});
    let Value::Object(mut image) = shown["images"][0].clone() else { panic!("{shown}") };
    image.remove("why");
    assert_eq!(Value::Object(image), expected);
}
