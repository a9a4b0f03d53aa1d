//! Two servers of one storage, of which one stands by: what a job sees that was sent to that one.

use serde_json::json;

use super::plugin::{self, Deletes, PATH};
use super::stage::{LEASE, ask, job, login, logout};
use super::twins::{MOUNT, Twins};

#[test]
fn logins_reads_leases_and_logouts_work_through_a_server_that_stands_by() {
    let twins = Twins::start();
    let standby = twins.bao.standby();
    let (address, job) = (standby.url(), job(&twins));
    login(&job, &address, "dockerhub", "secret/data/ci/dockerhub").code(0).says("as acmebot by vault");
    logout(&job, &address).code(0).says("not a lease, lives on at its owner");
    login(&job, &address, "dockerhub", LEASE).code(0);
    let token = job.vault_tokens().remove(0);
    assert_eq!((twins.leases(), twins.lives(&token)), (1, true));
    logout(&job, &address).code(0).says(": revoked and confirmed\nthe Vault token: revoked and confirmed\n");
    assert_eq!((twins.leases(), twins.lives(&token)), (0, false));
    assert_eq!(twins.postgres.made_roles(), [""; 0]);
    // No redirect is ever seen.
    let answer =
        standby.ask("POST", &format!("auth/{MOUNT}/login")).json(&json!({ "role": "nobody", "jwt": "x" })).send();
    assert_eq!(answer.unwrap().status, 400);
}

#[test]
fn a_plugin_s_mint_through_it_is_refused_or_a_lease_like_any_other() {
    let twins = Twins::start();
    let standby = twins.bao.standby();
    std::fs::copy(plugin::program(), standby.plugins().join(plugin::NAME)).unwrap();
    plugin::mount(&twins.sandbox, &twins.bao, Deletes::Mended);
    // The mount comes to the other server a moment later.
    hublease_peers::until("the plugin is mounted there", || standby.as_root(&standby.ask("GET", PATH)).status == 405);
    let (address, job) = (standby.url(), job(&twins));
    let login = ask("login", &job, &address, "dockerhub", PATH, &["--client", "none", "--vault-data", "label=a job"]);
    if login.code == 0 {
        // It sent the request on.
        logout(&job, &address).code(0).says(": revoked and confirmed");
    } else {
        // It ran the plugin itself, and could not write down the lease.
        login.code(5).says("status 500").says("internal error");
    }
    assert_eq!((twins.leases_of(PATH), job.records().len()), (0, 0));
}

#[test]
fn while_the_active_server_is_gone_nothing_is_revoked_and_the_record_waits_for_it() {
    let twins = Twins::start();
    let (standby, job) = (twins.bao.standby(), job(&twins));
    let address = standby.url();
    login(&job, &address, "dockerhub", LEASE).code(0);
    twins.bao.kill();
    // It sends clients to the server that it knew.
    logout(&job, &address).code(7).says("not revoked").says("redirects elsewhere, which is not followed");
    let late = super::stage::job(&twins);
    login(&late, &address, "dockerhub", LEASE).code(5).says("redirects elsewhere, which is not followed");
    assert_eq!((twins.postgres.made_roles().len(), late.records().len()), (1, 0));
    twins.bao.start_again();
    logout(&job, &address).code(0).says("revoked and confirmed");
    assert_eq!((twins.leases(), twins.postgres.made_roles().len()), (0, 0));
}
