//! `leases adopt` and `leases purge` with the real program: what becomes of tokens whose journal is lost.

use hublease_sandbox::{Action, Fault, Service};
use toml::Table;

use crate::desk::Desk;
use crate::leases::three;

/// Three tokens at Docker Hub whose journal is lost.
fn lost(desk: &Desk) {
    let serving = desk.serve();
    three(desk, &serving);
    drop(serving);
    for name in ["journal.db", "journal.db-wal", "journal.db-shm"] {
        drop(std::fs::remove_file(desk.path(name)));
    }
}

#[test]
fn adopted_tokens_live_on_as_leases() {
    for beside_a_broker in [false, true] {
        let desk = Desk::new();
        lost(&desk);
        let _serving = beside_a_broker.then(|| desk.serve());
        let adopted = desk.leases(&["adopt"]);
        assert_eq!(
            (adopted.code, adopted.said()),
            (0, vec!["account `acme`: 3 tokens are leases now; its journal is trusted"])
        );
        assert!(adopted.lines().iter().all(|line| line["event"] == "operator" && line["outcome"] == "adopted"));
        let listed = desk.leases(&["list", "--state", "live", "--output", "json"]).json();
        let leases = listed["leases"].as_array().unwrap();
        assert!(leases.len() == 3 && leases.iter().all(|lease| lease["due_at"] == lease["expires_at"]));
        assert_eq!(desk.tokens(), 3, "nothing was revoked");
        // The decision is taken; only by name is it taken again.
        let again = desk.leases(&["adopt"]);
        assert_eq!((again.code, again.said()), (0, vec!["account `acme`: its journal is trusted, nothing is done"]));
        let by_name = desk.leases(&["adopt", "--account", "acme"]);
        assert_eq!(by_name.said(), ["account `acme`: 0 tokens are leases now; its journal is trusted"]);
        let revoked = desk.leases(&["revoke", "--all", "--yes"]);
        assert_eq!((revoked.said(), desk.tokens()), (vec!["revoked and confirmed 3 of 3"], 0));
    }
}

/// What is said to who would judge by a journal that is not there.
fn without_journal(place: &str) -> String {
    format!(
        "{place}: there is no journal, so all tokens whose labels begin with `hublease/sandbox/` would end, whoever made them; \
         if all of them are this broker's, say `--new-journal`"
    )
}

#[test]
fn purged_tokens_are_gone() {
    for beside_a_broker in [false, true] {
        let desk = Desk::new();
        lost(&desk);
        let _serving = beside_a_broker.then(|| desk.serve());
        let reach: [(&str, &[&str]); 1] = [("acme/app", &["scope-image-pull"])];
        desk.sandbox.hub().organization_token("acme", "made by hand", &reach, None);
        if !beside_a_broker {
            let refused = desk.leases(&["purge", "--yes"]);
            let place = desk.path("journal.db").display().to_string();
            assert_eq!((refused.code, refused.said()), (2, vec![without_journal(&place).as_str()]));
            assert!(!desk.path("journal.db").exists());
        }
        let new: &[&str] = if beside_a_broker { &[] } else { &["--new-journal"] };
        let refused = desk.leases(&[&["purge"], new].concat());
        assert_eq!(refused.code, 2);
        assert!(refused.err.contains("this would revoke 3 tokens that the journal does not know"), "{}", refused.err);
        assert_eq!(desk.tokens(), 4);
        let purged = desk.leases(&["purge", "--yes"]);
        let said =
            vec!["account `acme`: 3 tokens are to be revoked; its journal is trusted", "revoked and confirmed 3 of 3"];
        assert_eq!((purged.code, purged.said()), (0, said));
        assert!(purged.lines().iter().all(|line| line["outcome"] == "confirmed"));
        assert_eq!(desk.tokens(), 1, "what others made is left alone");
        let again = desk.leases(&["purge", "--account", "acme"]);
        assert_eq!(again.said(), ["account `acme`: 0 tokens are to be revoked; its journal is trusted"]);
        assert_eq!((again.code, again.out.as_str()), (0, ""));
    }
}

#[test]
fn an_account_that_cannot_be_listed_is_not_judged() {
    let desk = Desk::new();
    lost(&desk);
    desk.sandbox.fault(Fault::on(Service::Hub, "/v2/orgs/").then(Action::status(500)).always());
    for cure in ["adopt", "purge"] {
        let failed = desk.leases(&[cure]);
        assert_eq!(failed.code, 1, "{cure}");
        assert!(
            failed.said()[0].starts_with("account `acme`: nothing is done: Docker Hub is not available"),
            "{}",
            failed.err
        );
    }
    desk.sandbox.clear_faults();
    assert_eq!(desk.leases(&["adopt"]).said(), ["account `acme`: 3 tokens are leases now; its journal is trusted"]);
    assert_eq!(desk.leases(&["adopt", "--account", "other"]).code, 2);
}

/// The way of docs/incident.md: what it says to do on a new machine ends everything, and nothing is issued meanwhile.
#[test]
fn a_broker_without_rules_waits_for_the_operator() {
    let desk = Desk::new();
    lost(&desk);
    let mut config: Table = desk.read("broker.toml").parse().unwrap();
    assert!(config.remove("rule").is_some());
    desk.write("broker.toml", &config.to_string());
    let serving = desk.serve();
    assert_eq!(serving.refusal(desk.sandbox.issuer().github()), "no_rule_matches");
    assert_eq!(desk.tokens(), 3, "they are reported only");
    let purged = desk.leases(&["purge", "--account", "acme", "--yes"]);
    assert_eq!((purged.code, desk.tokens()), (0, 0), "{}", purged.err);
    let rest = desk.leases(&["revoke", "--all", "--yes"]);
    assert_eq!((rest.code, rest.said()), (0, vec!["nothing to revoke: no lease that is meant is open"]));
}
