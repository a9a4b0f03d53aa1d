//! The Action under act: from a checkout, and as the workflows of the documentation name it.

mod documented;
mod runner;

use std::fs;

use hublease_sandbox::{Sandbox, Service};

use self::runner::Runner;
use crate::support::client::Outcome;

/// A step of the Action with a lease of Vault's.
fn with_vault(uses: &str, scope: &str, more: &str) -> String {
    format!(
        "      - uses: {uses}\n        with:\n          client: none\n          vault-addr: https://vault.example.com\n          \
         vault-auth-path: jwt-github\n          vault-role: dockerhub\n          vault-path: dockerhub/token/acmebot/{scope}\n          \
         vault-method: write\n          vault-data: label=under act\n{more}"
    )
}

fn job(steps: &str) -> String {
    format!(
        "on: push\njobs:\n  one:\n    runs-on: ubuntu-latest\n    steps:\n      - uses: actions/checkout@v7\n{steps}"
    )
}

/// Leases that the sandbox's Vault has given, and how many of them it was told to end.
fn minted_and_revoked(sandbox: &Sandbox) -> (usize, usize) {
    let count = |path: &str| {
        let requests = sandbox.requests(Service::Vault).into_iter();
        requests.filter(|request| request.path.starts_with(path) && request.status.is_some_and(|it| it < 300)).count()
    };
    (count("/v1/dockerhub/token/"), count("/v1/sys/leases/revoke"))
}

/// Everything is over: no token is alive, and docker's file knows none.
#[track_caller]
fn nothing_is_left(runner: &Runner<'_>, outcome: &Outcome) {
    let tokens: Vec<_> = runner.sandbox.live().into_iter().filter(|live| live.kind.contains("access token")).collect();
    assert!(tokens.is_empty(), "{tokens:?}\n{}", outcome.stdout);
    let file = fs::read_to_string(runner.home().join(".docker/config.json")).unwrap_or_default();
    assert!(!file.contains("\"auth\""), "{file}\n{}", outcome.stdout);
    assert_eq!(runner.unexpected(), [""; 0]);
}

/// One whose plugin at Vault was mended, so that revocations are confirmed. The documents' workflows are run with the published one.
fn mended() -> Sandbox {
    let sandbox = Sandbox::start().unwrap();
    sandbox.vault().mend_docker_hub();
    sandbox
}

#[test]
fn the_post_step_revokes_after_a_step_that_failed() {
    let sandbox = mended();
    let runner = Runner::new(&sandbox);
    let failing = "      - run: grep -q '\"auth\"' \"$HOME/.docker/config.json\" && exit 3\n";
    let outcome = runner.run(&job(&(with_vault("./checkout", "write", "") + failing)));
    let outcome = outcome.code(1).says("logged in to docker.io as acmebot by vault").says("exit status 3");
    let outcome = outcome.says("Success - Post ./checkout").says("the credential of acmebot: revoked and confirmed");
    assert_eq!(minted_and_revoked(&sandbox), (1, 1));
    nothing_is_left(&runner, &outcome);
}

#[test]
fn two_logins_in_one_job_are_both_revoked() {
    let sandbox = mended();
    let runner = Runner::new(&sandbox);
    let second = with_vault("./checkout", "write", "          isolated: true\n");
    let outcome = runner.run(&job(&(with_vault("./checkout", "read", "") + &second))).code(0);
    assert_eq!(outcome.stdout.matches("the credential of acmebot: revoked and confirmed").count(), 2, "{outcome:?}");
    assert_eq!(minted_and_revoked(&sandbox), (2, 2));
    nothing_is_left(&runner, &outcome);
}

#[test]
fn inside_a_composite_action_the_login_serves_the_steps_after_it() {
    let sandbox = mended();
    let runner = Runner::new(&sandbox);
    let inner = with_vault("./checkout", "write", "").replace("\n  ", "\n").trim_start().to_owned();
    let composite =
        format!("name: Log in\ndescription: With a lease\nruns:\n  using: composite\n  steps:\n    {inner}");
    runner.put("composite/action.yml", &composite);
    let steps = "      - uses: ./composite\n      - run: grep '\"auth\"' \"$HOME/.docker/config.json\"\n";
    let outcome = runner.run(&job(steps)).code(0).says("the credential of acmebot: revoked and confirmed");
    assert_eq!(minted_and_revoked(&sandbox), (1, 1));
    nothing_is_left(&runner, &outcome);
}
