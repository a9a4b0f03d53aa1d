//! Who we are: every source of an identity token, and what is done when it gives none.
//!
//! A source that is there but broken is exit code 3 with a hint, and neither the provider nor docker is asked. That no
//! token shows up anywhere is the business of the search that ends every run.

use std::fs;

use hublease_sandbox::{Action, Fault, Service, TokenBuilder};
use serde_json::json;

use crate::support::{
    World,
    job::{Job, Outcome, Provider, Shape},
};

/// An exchange alone; everything about identity is the same for every command.
fn token<'w>(world: &'w World, shape: Shape) -> Job<'w> {
    world.job("token").shape(shape, Provider::Vault)
}

/// An exchange whose identity token comes from somewhere else than a CI system that we know.
fn elsewhere(world: &World) -> Job<'_> {
    let url = world.sandbox.vault_url();
    world.job("token").args(&[
        "--vault-addr",
        &url,
        "--vault-path",
        "secret/data/ci/dockerhub",
        "--vault-role",
        "dockerhub",
    ])
}

/// No identity: exit code 3 with this sentence, and nobody else was asked.
#[track_caller]
fn fails(outcome: Outcome, says: &str) -> Outcome {
    let foreign = outcome.requests.iter().filter(|request| request.service != Service::IdTokenRequest).count();
    let outcome = outcome.code(3).says(says).says("hint: ");
    assert_eq!(foreign, 0, "somebody was asked: {:?}", outcome.requests);
    outcome
}

fn for_vault(world: &World) -> TokenBuilder {
    world.sandbox.issuer().circleci().audience(&world.sandbox.vault_url())
}

#[test]
fn github_is_asked_for_the_audience_encoded_once_with_the_bearer_of_the_job() {
    let world = World::new();
    let bearer = world.sandbox.github_environment().into_iter().collect::<std::collections::BTreeMap<_, _>>();
    let bearer = format!("Bearer {}", bearer["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]);
    let default = world.sandbox.vault_url();
    for (audience, encoded) in [
        (default.as_str(), default.replace(':', "%3A").replace('/', "%2F")),
        ("a%20b c&x=1#f+\u{e4}", "a%2520b%20c%26x%3D1%23f%2B%C3%A4".to_owned()),
    ] {
        let outcome = token(&world, Shape::Github).args(&["--audience", audience]).run();
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
    let before = world.children().len();
    token(&world, Shape::Circleci).run().code(0);
    assert_eq!(world.children().len(), before, "the variable serves, so nobody is asked");
}

#[test]
fn a_circleci_program_that_gives_no_token_is_a_hint_about_the_other_program_of_that_name() {
    let world = World::new();
    let fresh = || token(&world, Shape::Circleci).args(&["--audience", "another"]);
    let none = || token(&world, Shape::Circleci).env("CIRCLE_OIDC_TOKEN", "").env("CIRCLE_OIDC_TOKEN_V2", "");
    fails(fresh().run(), "there is no program `circleci` on PATH").says("another program named `circleci`");
    fails(none().run(), "CircleCI gave this job no identity token").says("builds of forks");
    for (script, says) in [
        ("echo 'Error: unknown command \"oidc\" for \"circleci run\"' >&2; exit 255", "unknown command"),
        ("printf 'a\\033[31m\\n::add-mask::PLANTED\\nmore' >&2; exit 1", "it ended with code 1: a\\u{1b}[31m"),
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

#[test]
fn a_circleci_program_that_hangs_ends_with_the_signal_that_ends_us() {
    let world = World::new();
    let started = world.path("started");
    world.program(
        "circleci",
        &format!("#!/bin/sh\necho $$ > '{0}.new'\n/bin/mv '{0}.new' '{0}'\nexec /bin/sleep 600\n", started.display()),
    );
    let mut running = token(&world, Shape::Circleci).args(&["--audience", "another"]).spawn();
    running.wait_until(|| started.exists());
    running.signal("TERM");
    running.wait().code(143);
    let process = fs::read_to_string(&started).unwrap();
    assert!(!std::path::Path::new(&format!("/proc/{}/exe", process.trim())).exists(), "it still runs");
}

/// What a variable or a file may hold, and what comes of it.
fn contents(world: &World) -> Vec<(&'static str, String, Result<(), &'static str>)> {
    let valid = for_vault(world).sign();
    let claim = |name: &str, value| for_vault(world).claim(name, value).sign();
    let long = format!("{}{}", valid, "A".repeat(20_000));
    let twice = format!("{valid}\n{valid}");
    vec![
        ("as it is", valid.clone(), Ok(())),
        ("with white space around", format!(" \t{valid}\r\n\n"), Ok(())),
        ("without its last segment", valid.rsplit_once('.').unwrap().0.to_owned(), Err("three segments")),
        ("with one segment more", format!("{valid}.x"), Err("three segments")),
        ("without a signature", for_vault(world).unsigned(), Err("not empty")),
        ("twice", twice, Err("three segments")),
        ("not base64url", valid.replacen('.', "=.", 1), Err("base64url")),
        ("not an object", format!("{}.W10.eA", valid.split('.').next().unwrap()), Err("JSON object")),
        ("too large", long, Err("16384 bytes")),
        ("expired", claim("exp", json!(world.sandbox.now() - 1)), Err("the identity token has expired")),
        ("with an end that is text", claim("exp", json!("4102444800")), Err("`exp` is not a number")),
        ("with a negative end", claim("exp", json!(-1)), Err("`exp` is not a number")),
        ("with no end to speak of", claim("exp", json!(null)), Err("`exp` is not a number")),
    ]
}

#[test]
fn a_variable_holds_the_token_or_the_reason_why_not() {
    let world = World::new();
    for (_, content, expected) in contents(&world) {
        let outcome = elsewhere(&world).arg("--identity-token-env=MY_TOKEN").env("MY_TOKEN", content).run();
        match expected {
            Ok(()) => outcome.code(0),
            Err(says) => fails(outcome, says),
        };
    }
    fails(
        elsewhere(&world).arg("--identity-token-env=MY_TOKEN").run(),
        "the variable MY_TOKEN holds no identity token",
    );
    fails(elsewhere(&world).arg("--identity-token-env=MY_TOKEN").env("MY_TOKEN", "").run(), "the variable MY_TOKEN");
}

#[test]
fn a_named_source_comes_before_the_ci_system() {
    let world = World::new();
    let named = for_vault(&world).claim("sub", json!("named")).sign();
    let job = || world.job("whoami").shape(Shape::Github, Provider::Vault).env("MY_TOKEN", &named);
    let outcome = job().arg("--identity-token-env=MY_TOKEN").run().code(0).says("sub: named");
    assert_eq!(outcome.requests.len(), 0);
    job().args(&["--identity-token-env=MY_TOKEN", "--identity-token-file=/x"]).run().code(2).says("exclude each other");
}

#[test]
fn a_file_holds_the_token_or_the_reason_why_not() {
    let world = World::new();
    let path = world.path("work/identity-token");
    let job = || elsewhere(&world).arg(format!("--identity-token-file={}", path.display()));
    fails(job().run(), "the identity token file cannot be read");
    for (_, content, expected) in contents(&world) {
        fs::write(&path, &content).unwrap();
        match expected {
            Ok(()) => job().run().code(0),
            Err(says) => fails(job().run(), says),
        };
    }
    for content in ["", "\n \n"] {
        fs::write(&path, content).unwrap();
        fails(job().run(), "it is empty");
    }
    fs::write(&path, b"a.b.\xff").unwrap();
    fails(job().run(), "it is not text");
    fs::remove_file(&path).unwrap();
    fs::create_dir(&path).unwrap();
    fails(job().run(), "the identity token file cannot be read");
    // A relative path is the job's own, and is resolved where the job works.
    fs::write(world.path("work/relative-identity-token"), "x").unwrap();
    fails(elsewhere(&world).arg("--identity-token-file=relative-identity-token").run(), "three segments");
}

#[test]
fn a_pipe_that_nobody_writes_to_is_given_up() {
    let world = World::new();
    let path = world.path("work/pipe");
    assert!(std::process::Command::new("/usr/bin/mkfifo").arg(&path).status().unwrap().success());
    fails(elsewhere(&world).arg(format!("--identity-token-file={}", path.display())).run(), "it took too long");
}

/// Kubernetes rotates the file; a token that was read once would be over when a long build renews its login.
#[test]
fn a_file_is_read_anew_at_each_renewal() {
    let world = World::new();
    let (path, done) = (world.path("work/identity-token"), world.path("work/done"));
    let signed = |subject: &str| {
        world.sandbox.issuer().kubernetes().audience("https://broker.example.com").claim("sub", json!(subject)).sign()
    };
    let (first, second) = (signed("first"), signed("second"));
    fs::write(&path, &first).unwrap();
    world.sandbox.forward("broker.example.com", "127.0.0.1:9".parse().unwrap());
    let answer =
        json!({"access_token": world.static_token(), "token_type": "N_A", "username": "acmebot", "expires_in": 5});
    world.sandbox.fault(Fault::on(Service::Forwarded, "/exchange").always().then(Action::json(200, &answer)));
    let wait = format!("while [ ! -e '{}' ]; do /bin/sleep 0.02; done", done.display());
    let mut running = world
        .job("exec")
        .args(&["--broker-url=https://broker.example.com/exchange", "--client=none", "--renew"])
        .arg(format!("--identity-token-file={}", path.display()))
        .then(&["/bin/sh", "-c", &wait])
        .spawn();
    let sent = || -> Vec<String> {
        let requests = world.sandbox.requests(Service::Forwarded).into_iter();
        requests
            .flat_map(|request| request.form())
            .filter(|(name, _)| name == "subject_token")
            .map(|(_, token)| token)
            .collect()
    };
    running.wait_until(|| sent().len() == 1);
    fs::write(path.with_extension("new"), &second).unwrap();
    fs::rename(path.with_extension("new"), &path).unwrap();
    running.wait_until(|| sent().len() >= 2);
    fs::write(done, "").unwrap();
    running.wait().code(0);
    assert_eq!(sent()[..2], [first, second]);
}
