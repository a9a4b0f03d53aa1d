//! Which leases an operator's words mean, and what is done to all of them at once.

use crate::journal::contract::{NOW, new_lease};
use crate::journal::{EnterOutcome, Journal, LeaseState, Selection};
use crate::limits::INTENT_SECONDS;

/// Four leases, one in each state, of different jobs.
fn four_leases(journal: &dyn Journal) {
    for (number, id) in ["intent", "live", "revoking", "revoked"].into_iter().enumerate() {
        let mut wanted = new_lease(id, None);
        wanted.lease.created_at = NOW + number as u64;
        wanted.lease.expires_at = NOW + 900 + number as u64;
        wanted.lease.holder.job = format!("job of {id}");
        wanted.lease.rule = format!("rule of {id}");
        assert_eq!(journal.enter(wanted, NOW), Ok(EnterOutcome::First));
    }
    for id in ["live", "revoking", "revoked"] {
        journal.live(id, &format!("hub of {id}"), "hash").unwrap();
    }
    for id in ["revoking", "revoked"] {
        journal.claim(id, NOW, NOW + 50).unwrap().unwrap();
    }
    journal.revoked("revoked", NOW + 60).unwrap();
}

fn ids(journal: &dyn Journal, selection: &Selection) -> Vec<String> {
    journal.select(selection).unwrap().into_iter().map(|lease| lease.id).collect()
}

pub(super) fn each_field_narrows(journal: &dyn Journal) {
    four_leases(journal);
    let text = |text: &str| Some(text.to_owned());
    let none = Selection::default;
    let all = ["revoked", "revoking", "live", "intent"];
    let table: [(Selection, &[&str]); 18] = [
        (none(), &all),
        (Selection { id: text("live"), ..none() }, &["live"]),
        (Selection { id: text("%"), ..none() }, &[]),
        (Selection { states: vec![LeaseState::Live, LeaseState::Revoked], ..none() }, &["revoked", "live"]),
        (Selection { rules: Some(vec!["rule of live".to_owned(), "x".to_owned()]), ..none() }, &["live"]),
        (Selection { rules: Some(Vec::new()), ..none() }, &[]),
        (Selection { job: text("job of intent"), ..none() }, &["intent"]),
        (Selection { project: text("project"), ..none() }, &all),
        (Selection { project: text("other"), ..none() }, &[]),
        (Selection { account: text("account"), ..none() }, &all),
        (Selection { workflow: text("workflow"), limit: Some(2), ..none() }, &["revoked", "revoking"]),
        (Selection { token_sha256: text("hash"), states: vec![LeaseState::Intent], ..none() }, &["intent"]),
        (Selection { hub_id: text("hub of revoked"), ..none() }, &["revoked"]),
        (Selection { created_before: Some(NOW + 2), ..none() }, &["live", "intent"]),
        (Selection { at: Some(NOW), ..none() }, &["intent"]),
        (Selection { at: Some(NOW + 59), ..none() }, &all),
        (Selection { at: Some(NOW + 60), ..none() }, &["revoking", "live", "intent"]),
        (Selection { at: Some(NOW + 901), ..none() }, &["revoking"]),
    ];
    for (selection, expected) in table {
        assert_eq!(ids(journal, &selection), expected, "{selection:?}");
    }
}

pub(super) fn what_is_condemned_is_free_to_be_removed_and_an_intent_does_not_become_live(journal: &dyn Journal) {
    four_leases(journal);
    let condemned = journal.condemn(&Selection::default(), NOW + 10).unwrap();
    let told = |id: &str| condemned.iter().find(|lease| lease.id == id).map(|lease| (lease.state, lease.due_at));
    assert_eq!(told("live"), Some((LeaseState::Revoking, NOW + 10)));
    assert_eq!(told("intent"), Some((LeaseState::Revoking, NOW + INTENT_SECONDS)), "it may be minted at this moment");
    assert_eq!(condemned.len(), 2, "what is being removed or is over stays as it is");
    assert_eq!(journal.live("intent", "hub", "hash"), Ok(false));
    assert!(journal.claim("live", NOW + 10, NOW + 20).unwrap().is_some());
    assert!(journal.condemn(&Selection::default(), NOW + 10).unwrap().is_empty());
}

pub(super) fn a_token_that_was_found_is_written_down_unless_a_lease_stands_for_it(journal: &dyn Journal) {
    four_leases(journal);
    let mut found = new_lease("new", None).lease;
    (found.state, found.hub_id, found.handle_sha256) = (LeaseState::Revoking, Some("hub".to_owned()), None);
    assert_eq!(journal.adopt(&found), Ok(true));
    assert_eq!(journal.adopt(&found), Ok(false));
    for (id, expected) in [("intent", false), ("live", false), ("revoking", false), ("revoked", true)] {
        found.id = id.to_owned();
        found.account = "renamed".to_owned();
        assert_eq!(journal.adopt(&found), Ok(expected), "{id}");
    }
    let states = Selection { states: vec![LeaseState::Revoking], ..Selection::default() };
    assert_eq!(ids(journal, &states), ["new", "revoked", "revoking"]);
    let again = &journal.select(&Selection { id: Some("revoked".to_owned()), ..states }).unwrap()[0];
    assert_eq!((again.closed_at, again.account.as_str()), (None, "renamed"), "of the account that has it now");
}

pub(super) fn what_is_over_is_forgotten_after_its_time(journal: &dyn Journal) {
    four_leases(journal);
    assert_eq!(journal.prune(NOW + 60, 10), Ok(0));
    assert_eq!(journal.prune(NOW + 61, 0), Ok(0));
    assert_eq!(journal.prune(NOW + 61, 10), Ok(1));
    assert_eq!(ids(journal, &Selection::default()), ["revoking", "live", "intent"]);
}

pub(super) fn what_is_open_is_counted_by_account_and_state(journal: &dyn Journal) {
    four_leases(journal);
    let account = || "account".to_owned();
    let expected =
        [(account(), LeaseState::Intent, 1), (account(), LeaseState::Live, 1), (account(), LeaseState::Revoking, 1)];
    assert_eq!(journal.open().unwrap(), expected);
}
