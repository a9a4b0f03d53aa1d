//! The control endpoint and the stand-in program, as shell scripts use them.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use hublease_sandbox::{CIRCLECI_ISSUER, Sandbox, Service};
use serde_json::{Value, json};

use crate::support::{PROGRAMS, exchange, run, text, through_proxy};

fn control(sandbox: &Sandbox, line: &str, body: &Value) -> (String, Value) {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let raw = format!(
        "{line} HTTP/1.1\r\nhost: control\r\nconnection: close\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = text(&exchange(&sandbox.control_url(), raw.as_bytes()));
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[9..12].to_owned(), serde_json::from_str(body).unwrap_or_else(|_| json!(body)))
}

#[test]
fn faults_latches_and_the_log_are_in_reach_of_scripts() {
    let sandbox = Sandbox::start().unwrap();
    let fault = json!({ "service": "hub", "path": "/v2/", "action": { "status": 418, "headers": { "x-a": "b" }, "body": "tea" } });
    assert_eq!(control(&sandbox, "POST /control/fault", &fault).0, "200");
    let answer = through_proxy(&sandbox, "hub.docker.com", "GET /v2/access-tokens", "", b"");
    assert_eq!((answer.status, answer.header("x-a"), answer.body.as_slice()), (418, Some("b"), b"tea".as_slice()));

    let latch = json!({ "service": "hub", "path": "/v2/" });
    let (_, placed) = control(&sandbox, "POST /control/latch", &latch);
    let number = &placed["latch"];
    let held = crate::support::send_only(&sandbox, "hub.docker.com", "GET /v2/access-tokens");
    assert_eq!(control(&sandbox, &format!("POST /control/latch/{number}/reached"), &Value::Null).0, "200");
    let (_, log) = control(&sandbox, "GET /control/log", &Value::Null);
    assert_eq!((&log[0]["status"], &log[1]["status"]), (&json!(418), &Value::Null));
    assert_eq!(control(&sandbox, &format!("POST /control/latch/{number}/release"), &Value::Null).0, "200");
    drop(held);
    let before = sandbox.now();
    control(&sandbox, "POST /control/advance", &json!({ "seconds": 1000 }));
    assert!(sandbox.now() >= before + 1000);
    assert_eq!(control(&sandbox, "GET /control/live", &Value::Null).1, json!([]));
    for bad in [json!({ "service": "nobody" }), json!({ "service": "hub", "action": {} }), json!([])] {
        assert_eq!(control(&sandbox, "POST /control/fault", &bad).0, "400", "{bad}");
    }
}

#[test]
fn the_stand_in_program_prints_a_fresh_token_for_an_audience() {
    let sandbox = Sandbox::start().unwrap();
    let programs = sandbox.circleci_program().unwrap();
    let circleci = |arguments: &[&str]| {
        let mut command = Command::new(programs.join("circleci"));
        run(command.args(arguments).env_clear().env("PATH", PROGRAMS).envs(sandbox.environment()), "")
    };
    let output = circleci(&["run", "oidc", "get", "--claims", r#"{"aud":"https://vault.example.com"}"#]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let claims = sandbox.issuer().verify(text(&output.stdout).trim()).unwrap();
    assert_eq!(claims["aud"], "https://vault.example.com");
    let output = circleci(&["run", "oidc", "get", "--root-issuer"]);
    assert_eq!(sandbox.issuer().verify(text(&output.stdout).trim()).unwrap()["iss"], CIRCLECI_ISSUER);
    assert_eq!(circleci(&["version"]).status.code(), Some(2));
    assert!(sandbox.requests(Service::Issuer).is_empty());
}

#[test]
fn the_program_runs_a_command_inside_and_keeps_its_exit_code() {
    let sandbox = |script: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_hublease-sandbox"));
        command.args(["--ci", "circleci", "--", "sh", "-c", script]).env_clear().env("PATH", PROGRAMS);
        run(&mut command, "")
    };
    let output = sandbox(
        r#"set -e
        printf %s "$HUBLEASE_SANDBOX_PASSWORD" | docker login -u "$HUBLEASE_SANDBOX_ACCOUNT" --password-stdin
        circleci run oidc get >/dev/null
        curl -s "$HUBLEASE_SANDBOX_CONTROL/control/log" | grep -c /token
        exit 7"#,
    );
    assert_eq!(output.status.code(), Some(7), "{}", text(&output.stderr));
    assert_eq!(text(&output.stdout), "Login Succeeded\n1\n");
    let output = sandbox("curl -s https://example.com/ || true");
    assert_eq!(output.status.code(), Some(1));
    assert!(
        text(&output.stderr).ends_with("refused, not a host of the sandbox: CONNECT example.com:443\n"),
        "{}",
        text(&output.stderr)
    );
}

#[test]
fn help_is_no_failure_and_says_what_is_offered() {
    for words in [&["--help"][..], &["-h"], &["--ci", "github", "--help"], &["--no-such-flag", "-h"]] {
        let output = run(Command::new(env!("CARGO_BIN_EXE_hublease-sandbox")).args(words).env_clear(), "");
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(0), String::new()), "{words:?}");
        let said = text(&output.stdout);
        for offered in ["--ci", "--audience", "--until-killed", "-- CMD", "VAULT_ADDR", "hub.docker.com (hub)"] {
            assert!(said.contains(offered), "{words:?}: {offered}\n{said}");
        }
        assert!(said.lines().all(|line| line.len() <= 120));
    }
    let usage = |words: &[&str]| run(Command::new(env!("CARGO_BIN_EXE_hublease-sandbox")).args(words).env_clear(), "");
    assert_eq!(usage(&["--no-such-flag"]).status.code(), Some(2));
    let inner = ["--", "/bin/sh", "-c", "echo $1", "sh", "--help"];
    assert_eq!(text(&usage(&inner).stdout), "--help\n");
}

#[test]
fn without_a_command_it_prints_where_it_is_and_serves_until_it_is_killed() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_hublease-sandbox"));
    command.args(["--ci", "github", "--until-killed"]).env_clear().stdin(Stdio::null()).stdout(Stdio::piped());
    // What is killed leaves its files behind.
    let files = tempfile::tempdir().unwrap();
    command.env("TMPDIR", files.path());
    let mut sandbox = command.spawn().unwrap();
    let lines = BufReader::new(sandbox.stdout.take().unwrap()).lines().map(Result::unwrap);
    let lines: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
    assert!(lines.iter().all(|line| line.starts_with("export ") && line.ends_with('\'')), "{lines:?}");

    let control = lines.iter().find_map(|line| line.strip_prefix("export HUBLEASE_SANDBOX_CONTROL='")).unwrap();
    let request = b"GET /control/live HTTP/1.1\r\nhost: control\r\nconnection: close\r\n\r\n";
    assert!(text(&exchange(control.trim_end_matches('\''), request)).ends_with("\r\n\r\n[]"));

    assert!(sandbox.try_wait().unwrap().is_none());
    sandbox.kill().unwrap();
    sandbox.wait().unwrap();
}

#[test]
fn the_stand_in_program_fills_in_variables_and_runs_nothing() {
    let sandbox = Sandbox::start().unwrap();
    let programs = sandbox.circleci_program().unwrap();
    for (given, expected) in [
        ("", "\n"),
        ("a", "a\n"),
        ("$WHO", "acme\n"),
        ("$HOME/x-${WHO}-$WHO_ELSE.", "/home/x-acme-.\n"),
        ("$(id) `id` $1 $ ${ ${WHO", "$(id) `id` $1 $ ${ ${WHO\n"),
        ("$TRAP\n$WHO", "$WHO & \\1\nacme\n"),
    ] {
        let mut command = Command::new(programs.join("circleci"));
        let variables = [("PATH", PROGRAMS), ("HOME", "/home"), ("WHO", "acme"), ("TRAP", "$WHO & \\1")];
        let output = run(command.args(["env", "subst", given]).env_clear().envs(variables), "");
        assert_eq!((output.status.code(), text(&output.stdout)), (Some(0), expected.to_owned()), "{given}");
    }
}
