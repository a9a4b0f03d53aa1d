//! Who we are in the CI systems that we know: GitHub's endpoint, CircleCI's variables and program.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use hublease_sandbox::{Action, Fault, Service};
use serde_json::json;

use crate::client::identity::{fails, for_vault};
use crate::support::World;
use crate::support::driven::drive;
use crate::support::job::{Job, Provider, Shape};

/// An exchange alone; everything about identity is the same for every command.
fn token<'w>(world: &'w World, shape: Shape) -> Job<'w> {
    world.job("token").shape(shape, Provider::Vault)
}

#[test]
fn github_is_asked_for_the_audience_encoded_once_with_the_bearer_of_the_job() {
    let world = World::new();
    let bearer = world.sandbox.github_environment().into_iter().collect::<BTreeMap<_, _>>();
    let bearer = format!("Bearer {}", bearer["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]);
    let default = world.sandbox.vault_url();
    for (audience, encoded) in [
        (default.as_str(), default.replace(':', "%3A").replace('/', "%2F")),
        ("a%20b c&x=1#f+\u{e4}", "a%2520b%20c%26x%3D1%23f%2B%C3%A4".to_owned()),
    ] {
        let outcome = token(&world, Shape::Github).args(&["--audience", audience, "--audience-elsewhere"]).run();
        let asked: Vec<_> =
            outcome.requests.iter().filter(|request| request.service == Service::IdTokenRequest).collect();
        assert_eq!(asked.len(), 1);
        assert_eq!(asked[0].query, format!("api-version=2.0&audience={encoded}"));
        assert_eq!((asked[0].method.as_str(), asked[0].header("authorization")), ("GET", Some(bearer.clone())));
        let others = outcome.requests.iter().filter(|request| request.service != Service::IdTokenRequest);
        assert!(others.flat_map(|request| &request.headers).all(|(_, value)| !value.contains(&bearer)));
        outcome.code(if audience == default { 0 } else { 4 });
    }
}

#[test]
fn a_github_job_without_the_permission_is_told_which_one() {
    let world = World::new();
    let job = || token(&world, Shape::Github);
    for job in [
        job().without("ACTIONS_ID_TOKEN_REQUEST_URL"),
        job().without("ACTIONS_ID_TOKEN_REQUEST_TOKEN"),
        job().env("ACTIONS_ID_TOKEN_REQUEST_URL", "").env("ACTIONS_ID_TOKEN_REQUEST_TOKEN", ""),
    ] {
        fails(job.run(), "id-token: write");
    }
}

#[test]
fn what_github_answers_instead_of_a_token_is_said_without_the_answer() {
    let answers = [
        (Action::json(401, &json!({"message": "PLANTED"})), "status 401"),
        (Action::json(404, &json!({"message": "PLANTED"})), "status 404"),
        (Action::Redirect(302, "https://evil.example.com/PLANTED".to_owned()), "redirects elsewhere"),
        (Action::Redirect(307, "https://vault.example.com/v1/PLANTED".to_owned()), "redirects elsewhere"),
        (Action::NotJson, "its answer has no token"),
        (Action::Empty, "status 204"),
        (Action::json(200, &json!({"value": null, "PLANTED": 1})), "its answer has no token"),
        (Action::json(200, &json!({"token": "PLANTED"})), "its answer has no token"),
        (Action::json(200, &json!({"value": ""})), "three segments"),
        (Action::json(200, &json!({"value": "PLANTED"})), "three segments"),
        (Action::json(200, &json!({"value": "PLANTED\n.x.y"})), "base64url"),
        (Action::Oversized(2 << 20), "larger than 1 MiB"),
    ];
    let world = World::new();
    for (answer, says) in answers {
        world.sandbox.fault(Fault::on(Service::IdTokenRequest, "/").always().then(answer));
        // The value that GitHub gave is masked before it is looked at, whatever it is.
        let outcome = fails(token(&world, Shape::Github).run(), says);
        let unmasked = outcome.stderr.lines().filter(|line| !line.starts_with("::add-mask::"));
        assert!(unmasked.clone().all(|line| !line.contains("PLANTED")), "{}", outcome.stderr);
        assert_eq!(outcome.requests.len(), 1, "{says}");
        world.sandbox.clear_faults();
    }
}

#[test]
fn a_github_that_fails_is_asked_again_and_then_given_up() {
    let world = World::new();
    world.sandbox.fault(Fault::on(Service::IdTokenRequest, "/").then(Action::status(500)));
    token(&world, Shape::Github).run().code(0);
    world.sandbox.fault(Fault::on(Service::IdTokenRequest, "/").always().then(Action::status(500)));
    let outcome = fails(token(&world, Shape::Github).run(), "GitHub did not issue an identity token");
    assert_eq!(outcome.requests.len(), 4);
}

#[test]
fn a_request_url_that_could_leak_the_bearer_is_refused() {
    let world = World::new();
    for url in [
        "http://pipelines.actions.githubusercontent.com/x?api-version=2.0",
        "https://PLANTED@pipelines.actions.githubusercontent.com/x?y=1",
        "https://user:PLANTED@evil.example.com/",
        "ftp://PLANTED/",
        "PLANTED",
        "https://PLANTED.example.com\u{202e}/",
        "https://a.example.com/x\n::add-mask::PLANTED",
        "https://",
    ] {
        let outcome = fails(
            token(&world, Shape::Github).env("ACTIONS_ID_TOKEN_REQUEST_URL", url).run(),
            "ACTIONS_ID_TOKEN_REQUEST_URL",
        );
        outcome.does_not_say("PLANTED");
    }
    assert_eq!(world.sandbox.unexpected(), Vec::<String>::new());
}

/// The subject of the token that was used: only the second generation names the source.
fn subject(job: Job<'_>) -> String {
    let shown: serde_json::Value = serde_json::from_str(&job.arg("--output=json").run().code(0).stdout).unwrap();
    shown["claims"]["sub"].as_str().unwrap().to_owned()
}

#[test]
fn circleci_s_second_generation_comes_first() {
    let world = World::new();
    let whoami = || world.job("whoami").shape(Shape::Circleci, Provider::Vault);
    assert!(subject(whoami()).contains("/vcs-ref/"));
    assert!(!subject(whoami().env("CIRCLE_OIDC_TOKEN_V2", "")).contains("/vcs-ref/"));
    assert!(!subject(whoami().without("CIRCLE_OIDC_TOKEN_V2")).contains("/vcs-ref/"));
}

/// Puts CircleCI's program on PATH behind a wrapper that leaves a trace of arguments and environment.
fn with_program(world: &World) {
    let real = world.sandbox.circleci_program().unwrap().join("circleci");
    let script = format!(
        "#!/bin/sh\n{{ printf 'argv: [circleci]'; printf ' [%s]' \"$@\"; printf '\\n'; export -p; }} >> '{}'\nPATH=/usr/bin:/bin exec '{}' \"$@\"\n",
        world.path("children.log").display(),
        real.display()
    );
    world.program("circleci", &script);
}

#[test]
fn circleci_s_program_is_asked_when_the_variables_do_not_serve() {
    let world = World::new();
    with_program(&world);
    let (issuer, vault) = (world.sandbox.issuer(), world.sandbox.vault_url());
    let past = json!(world.sandbox.now() - 60);
    let two = json!([vault, "https://other.example.com"]);
    for (what, variable) in [
        ("nothing at all", String::new()),
        ("the default audience", issuer.circleci().sign()),
        ("a list of audiences", for_vault(&world).claim("aud", two).sign()),
        ("an expired token", for_vault(&world).claim("exp", past).sign()),
        ("a token in its last minute", for_vault(&world).claim("exp", json!(world.sandbox.now() + 60)).sign()),
        ("an end that is no number", for_vault(&world).claim("exp", json!("4102444800")).sign()),
        ("no end", for_vault(&world).remove("exp").sign()),
    ] {
        let before = world.children().len();
        let job = token(&world, Shape::Circleci).env("CIRCLE_OIDC_TOKEN", "").env("CIRCLE_OIDC_TOKEN_V2", variable);
        let outcome = job.run();
        let children = world.children().split_off(before);
        assert_eq!(children, [format!("[circleci] [run] [oidc] [get] [--claims] [{{\"aud\":\"{vault}\"}}]")], "{what}");
        outcome.code(0);
    }
    // Without `CI` it takes the job for a person, and asks for updates of itself.
    let environment = fs::read_to_string(world.path("children.log")).unwrap();
    assert!(environment.lines().any(|line| line == "export CI='true'"), "{environment}");
    let before = world.children().len();
    token(&world, Shape::Circleci).run().code(0);
    assert_eq!(world.children().len(), before, "the variable serves, so nobody is asked");
}

#[test]
fn a_circleci_program_that_gives_no_token_is_a_hint_about_the_other_program_of_that_name() {
    let world = World::new();
    let fresh = || token(&world, Shape::Circleci).args(&["--audience", "another", "--audience-elsewhere"]);
    let none = || token(&world, Shape::Circleci).env("CIRCLE_OIDC_TOKEN", "").env("CIRCLE_OIDC_TOKEN_V2", "");
    fails(fresh().run(), "there is no program `circleci` on PATH").says("another program named `circleci`");
    fails(none().run(), "CircleCI gave this job no identity token").says("builds of forks");
    for (script, says) in [
        ("echo 'Error: unknown command \"oidc\" for \"circleci run\"' >&2; exit 255", "unknown command"),
        (
            "printf 'a\\033[31m\\n::add-mask::x\\nmore' >&2; exit 1",
            "it ended with code 1: a\\u{1b}[31m; : :add-mask: :x; more",
        ),
        ("exit 0", "it printed nothing"),
        ("echo 'Usage: PLANTED'", "three segments"),
        ("echo PLANTED.PLANTED", "three segments"),
        ("printf 'PLANTED\\377'", "something else than text"),
        ("kill -9 $$", "it ended with code 137"),
        ("i=0; while [ $i -lt 3000 ]; do echo PLANTED-PLANTED; i=$((i+1)); done", "more than 16384 bytes"),
    ] {
        world.program("circleci", &format!("#!/bin/sh\n{script}\n"));
        fails(fresh().run(), says).does_not_say("PLANTED");
    }
    world.program("circleci", "#!/no/such/interpreter\n");
    fails(fresh().run(), "cannot be run");
}

/// As GitHub's endpoint: again where it may help, and with a line in the log for each time.
#[test]
fn a_circleci_program_that_may_do_better_is_asked_again() {
    for (script, calls, code) in [
        ("exit 0", 4, 3),
        ("exit 1", 4, 3),
        ("echo 'Error: 503 Service Unavailable' >&2; exit 1", 4, 3),
        ("echo 'could not mint a token' >&2; echo 'status code: 502' >&2; exit 255", 4, 3),
        ("echo 'Post \"http://127.0.0.1:7623/x\": context deadline exceeded' >&2; exit 1", 4, 3),
        ("echo 'dial tcp 127.0.0.1:7623: connect: connection refused' >&2; exit 1", 4, 3),
        ("echo 'rate limited (429)' >&2; exit 1", 4, 3),
        ("echo 'Error: unknown command' >&2; exit 255", 1, 3),
        ("echo 'Error: 403 Forbidden' >&2; exit 1", 1, 3),
        ("echo 'no job 5030' >&2; exit 1", 1, 3),
        ("echo PLANTED.PLANTED", 1, 3),
        // Better the second time, and the third.
        ("[ -e ../second ] || { touch ../second; exit 0; }; cat ../identity-token", 2, 0),
        (
            "[ -e ../third ] && cat ../identity-token && exit; [ -e ../second ] && touch ../third; touch ../second; echo 503 >&2; exit 1",
            3,
            0,
        ),
    ] {
        let world = World::new();
        let place = world.path("spare/calls");
        let fresh = world.sandbox.issuer().circleci().audience(&world.sandbox.vault_url()).sign();
        fs::write(world.path("spare/identity-token"), fresh).unwrap();
        fs::create_dir_all(world.path("spare/here")).unwrap();
        let here = world.path("spare/here").display().to_string();
        let call =
            format!("#!/bin/sh\nPATH=/usr/bin:/bin\necho call >> '{}'\ncd '{here}'\n{script}\n", place.display());
        world.program("circleci", &call);
        let none = world.job("login").shape(Shape::Circleci, Provider::Vault).args(&["--client", "none"]);
        let none = none.env("CIRCLE_OIDC_TOKEN", "").env("CIRCLE_OIDC_TOKEN_V2", "");
        let audience = world.sandbox.vault_url();
        let driven = drive(none.args(&["--audience", &audience]), None, |_, _| None);
        assert_eq!(driven.code(), code, "{script}\n{}", driven.stderr);
        assert_eq!(fs::read_to_string(&place).unwrap().lines().count(), calls, "{script}");
        let lines = driven.stderr.lines().filter(|line| line.starts_with("`circleci run oidc get`: ")).count();
        assert_eq!(lines, calls - 1, "{script}\n{}", driven.stderr);
        if code != 0 {
            let told = driven.error().causes().iter().any(|cause| cause == &format!("after {calls} tries"));
            assert_eq!(told, calls > 1, "{script}: {:?}", driven.error());
        }
    }
}

#[test]
fn a_circleci_program_that_hangs_ends_with_the_signal_that_ends_us() {
    let world = World::new();
    let started = world.path("started");
    world.program(
        "circleci",
        &format!("#!/bin/sh\necho $$ > '{0}.new'\n/bin/mv '{0}.new' '{0}'\nexec /bin/sleep 600\n", started.display()),
    );
    let mut running = token(&world, Shape::Circleci).args(&["--audience", "another", "--audience-elsewhere"]).spawn();
    running.process.wait_until(|| started.exists());
    running.process.signal("TERM");
    running.wait().code(143);
    let process = fs::read_to_string(&started).unwrap();
    assert!(!Path::new(&format!("/proc/{}/exe", process.trim())).exists(), "it still runs");
}
