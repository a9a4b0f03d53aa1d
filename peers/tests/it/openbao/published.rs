//! Logins and logouts with a plugin for Docker Hub at the real server: what is said, and what is true at the server and at Docker Hub
//! afterwards. As published the plugin deletes a token and calls that a failure.

use hublease_sandbox::{Action, Fault, Sandbox, Service};
use serde_json::{Value, json};

use super::plugin::{self, Deletes, PATH};
use super::stage::{ask, job, logout};
use super::twins::Twins;
use crate::support::client::{Job, Outcome};
use crate::support::known::Right;

const LABEL: &[&str] = &["--vault-data", "label=a job"];

#[test]
fn as_published_the_token_is_deleted_and_each_logout_says_that_vault_failed() {
    let twins = start(Deletes::AsPublished);
    let (address, job) = (twins.bao.url(), job(&twins));
    login(&job, &address).code(0).says("as acmebot by vault, until");
    assert_eq!((tokens(&twins.sandbox), twins.leases_of(PATH)), (1, 1));
    let token = job.vault_tokens().remove(0);
    logout(&job, &address)
        .code(7)
        .says("the credential of acmebot: not revoked")
        .says("status 400; it says: failed to revoke entry: resp: (*logical.Response)(nil) err: failed to delete auth token 204");
    // The token is gone all the same, which nobody but Docker Hub can tell.
    assert_eq!((tokens(&twins.sandbox), twins.leases_of(PATH), twins.lives(&token)), (0, 1, true));
    let again = job.run(&["logout", "--vault-addr", &address, "--output", "json"]).code(0);
    let leases: Value = serde_json::from_str(&again.stdout).unwrap();
    let cause = leases["leases"][0]["credential"]["cause"].as_str().unwrap_or_else(|| panic!("{leases}"));
    assert!(cause.ends_with("failed to delete auth token 404"), "{leases}");
    assert_eq!(leases["leases"][0]["outcome"], "not_revoked");
}

#[test]
fn exec_with_it_ends_well_for_the_command_and_badly_for_who_is_strict() {
    let twins = start(Deletes::AsPublished);
    let (address, job) = (twins.bao.url(), job(&twins));
    let usual = ["exec", "--client", "none", "--vault-addr", &address, "--vault-auth-path", "jwt-circleci"];
    let asked = ["--vault-role", "dockerhub", "--vault-path", PATH, "--audience", super::twins::AUDIENCE];
    let mut words = [&usual[..], &asked, &["--audience-elsewhere"], LABEL].concat();
    let command = ["--", "/bin/true"];
    job.run(&[&words[..], &command].concat()).code(0).says("failed to delete auth token 204");
    words.push("--strict-revoke");
    job.run(&[&words[..], &command].concat()).code(7).says("failed to delete auth token 204");
    assert_eq!((tokens(&twins.sandbox), twins.leases_of(PATH)), (0, 2));
}

#[test]
fn mended_it_is_confirmed_and_nothing_is_left_anywhere() {
    let twins = start(Deletes::Mended);
    let (address, job) = (twins.bao.url(), job(&twins));
    login(&job, &address).code(0);
    let token = job.vault_tokens().remove(0);
    logout(&job, &address).code(0).says(": revoked and confirmed\nthe Vault token: revoked and confirmed\n");
    assert_eq!((tokens(&twins.sandbox), twins.leases_of(PATH), twins.lives(&token)), (0, 0, false));
}

#[test]
fn a_token_that_docker_hub_does_not_delete_lives_on_whatever_the_clock_says() {
    let twins = start(Deletes::Mended);
    let (address, job) = (twins.bao.url(), job(&twins));
    login(&job, &address).code(0);
    twins
        .sandbox
        .fault(Fault::on(Service::Hub, "/v2/access-tokens").method("DELETE").then(Action::status(500)).always());
    job.let_time_pass();
    logout(&job, &address).is(&Right {
        moment: "the lease's time is over, and Docker Hub does not delete the token: logout",
        code: 7,
        says: &["not revoked", "failed to delete auth token 500"],
        does_not_say: &["already over"],
    });
    assert_eq!((tokens(&twins.sandbox), twins.leases_of(PATH)), (1, 1));
    twins.sandbox.clear_faults();
    logout(&job, &address).code(0).says(": revoked and confirmed\nthe Vault token: revoked and confirmed\n");
    assert_eq!((tokens(&twins.sandbox), twins.leases_of(PATH)), (0, 0));
}

#[test]
fn a_configuration_that_went_is_named_and_once_it_is_back_a_logout_confirms() {
    let twins = start(Deletes::Mended);
    let (address, job) = (twins.bao.url(), job(&twins));
    login(&job, &address).code(0);
    let accounts = plugin::folder(&twins.sandbox).join("accounts.json");
    let kept = std::fs::read(&accounts).unwrap();
    std::fs::remove_file(&accounts).unwrap();
    logout(&job, &address).code(7).says("not revoked").says("unable to finde configuration for \"acmebot\"");
    std::fs::write(&accounts, kept).unwrap();
    logout(&job, &address).code(0).says("revoked and confirmed");
    assert_eq!((tokens(&twins.sandbox), twins.leases_of(PATH)), (0, 0));
}

#[test]
fn a_mint_that_the_plugin_refuses_is_told_in_its_words_and_tried_once() {
    let twins = start(Deletes::AsPublished);
    let (address, job) = (twins.bao.url(), job(&twins));
    let refused = |more: &[&str], path: &str| {
        let before = sign_ins(&twins.sandbox);
        let said = ask("login", &job, &address, "dockerhub", path, &[&["--client", "none"], more].concat());
        assert_eq!(job.records().len(), 0);
        (said, sign_ins(&twins.sandbox) - before)
    };
    let (said, asked) = refused(&["--vault-method", "write"], PATH);
    said.code(5).says("failed to create auth token: 400").says("label");
    assert_eq!(asked, 1);
    let (said, asked) = refused(LABEL, "dockerhub/token/acmebot/admin");
    said.is(&Right {
        moment: "a scope that is not configured: login",
        code: 5,
        says: &["requested scope \"admin\" is not permitted"],
        does_not_say: &["the answer was lost"],
    });
    assert_eq!(asked, 0);
    plugin::write_account(&twins.bao, "another password");
    let (said, asked) = refused(LABEL, PATH);
    said.code(5).says("authentication failed: 401");
    // One more would be one more towards an account that is locked.
    assert_eq!(asked, 1);
}

#[test]
fn a_forced_revocation_is_over_for_vault_and_for_nobody_else() {
    let twins = start(Deletes::Mended);
    let (address, job) = (twins.bao.url(), job(&twins));
    login(&job, &address).code(0);
    twins
        .sandbox
        .fault(Fault::on(Service::Hub, "/v2/access-tokens").method("DELETE").then(Action::status(500)).always());
    twins.bao.write(&format!("sys/leases/revoke-force/{PATH}"), &json!({}));
    logout(&job, &address).code(0).says("the credential of acmebot: has ended, now or before");
    assert_eq!((tokens(&twins.sandbox), twins.leases_of(PATH)), (1, 0));
}

#[test]
fn what_the_server_has_given_up_is_still_not_revoked() {
    let twins = start(Deletes::AsPublished);
    let (address, job) = (twins.bao.url(), job(&twins));
    login(&job, &address).code(0);
    let token = job.vault_tokens().remove(0);
    let lease = job.records()[0]["leases"][0]["handle"]["vault"]["lease_id"].as_str().unwrap().to_owned();
    plugin::set(&twins.sandbox, Deletes::Hopeless);
    let queue = twins.bao.ask("PUT", "sys/leases/revoke").json(&json!({ "lease_id": lease, "sync": false }));
    assert_eq!(twins.bao.as_root(&queue).status, 202);
    hublease_peers::until("the server has given the lease up", || given_up(&twins) == 1);
    plugin::set(&twins.sandbox, Deletes::AsPublished);
    logout(&job, &address).code(7).says("not revoked").says("failed to delete auth token 404");
    assert_eq!((tokens(&twins.sandbox), twins.leases_of(PATH), twins.lives(&token)), (0, 1, true));
}

/// What takes the server's own time: ten minutes and more between its first try and its last.
mod long {
    use super::{Deletes, PATH, given_up, job, login, logout, start, tokens};

    #[test]
    fn the_queue_gives_up_a_lease_of_the_published_plugin() {
        let twins = start(Deletes::AsPublished);
        let (address, job) = (twins.bao.url(), job(&twins));
        login(&job, &address).code(0);
        logout(&job, &address).code(7);
        let token = job.vault_tokens().remove(0);
        let ended = twins.bao.ask("POST", "auth/token/revoke-self").header("X-Vault-Token", &token).send().unwrap();
        assert_eq!((ended.status, tokens(&twins.sandbox)), (204, 0));
        // Each wait is as long as a test waits for anything.
        for _ in 0..15 {
            let before = twins.sandbox.log().len();
            let goes_on = || twins.sandbox.log().len() > before || given_up(&twins) == 1;
            hublease_peers::until("the next try or the end", goes_on);
        }
        assert_eq!((given_up(&twins), twins.leases_of(PATH)), (1, 1));
    }
}

fn start(deletes: Deletes) -> Twins {
    let twins = Twins::start();
    plugin::mount(&twins.sandbox, &twins.bao, deletes);
    twins
}

fn login(job: &Job<'_>, address: &str) -> Outcome {
    ask("login", job, address, "dockerhub", PATH, &[&["--client", "none"], LABEL].concat())
}

/// How many leases the server tries no more.
fn given_up(twins: &Twins) -> u64 {
    twins.bao.read("sys/leases?type=irrevocable")["data"]["lease_count"].as_u64().unwrap()
}

/// Tokens that live at Docker Hub.
fn tokens(sandbox: &Sandbox) -> usize {
    sandbox.live().into_iter().filter(|live| live.kind.contains("access token")).count()
}

/// How often somebody signed in there, or tried to.
fn sign_ins(sandbox: &Sandbox) -> usize {
    sandbox.requests(Service::Hub).iter().filter(|request| request.path.contains("login")).count()
}
