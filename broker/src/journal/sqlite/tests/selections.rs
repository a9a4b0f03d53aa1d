//! Which leases an operator's words mean, and what is done to all of them at once.

use super::{NOW, Place, entry};
use crate::journal::sqlite::row::condition;
use crate::journal::{Journal as _, Selection, State};
use crate::limits::INTENT_SECONDS;

/// Four leases, one in each state, of different jobs.
fn place() -> Place {
    let place = Place::new();
    for (number, id) in ["intent", "live", "revoking", "revoked"].into_iter().enumerate() {
        let mut wanted = entry(id, None);
        wanted.lease.created_at = NOW + number as u64;
        wanted.lease.expires_at = NOW + 900 + number as u64;
        wanted.lease.holder.job = format!("job of {id}");
        wanted.lease.rule = format!("rule of {id}");
        place.enter(wanted, NOW).unwrap().unwrap();
    }
    for id in ["live", "revoking", "revoked"] {
        place.live(id, &format!("hub of {id}")).unwrap();
    }
    for id in ["revoking", "revoked"] {
        place.claim(id, NOW, NOW + 50).unwrap().unwrap();
    }
    place.revoked("revoked", NOW + 60).unwrap();
    place
}

fn ids(place: &Place, selection: &Selection) -> Vec<String> {
    place.select(selection).unwrap().into_iter().map(|lease| lease.id).collect()
}

#[test]
fn each_field_narrows() {
    let place = place();
    let text = |text: &str| Some(text.to_owned());
    let none = Selection::default;
    let all = ["revoked", "revoking", "live", "intent"];
    let table: [(Selection, &[&str]); 18] = [
        (none(), &all),
        (Selection { id: text("live"), ..none() }, &["live"]),
        (Selection { id: text("%"), ..none() }, &[]),
        (Selection { states: vec![State::Live, State::Revoked], ..none() }, &["revoked", "live"]),
        (Selection { rules: Some(vec!["rule of live".to_owned(), "x".to_owned()]), ..none() }, &["live"]),
        (Selection { rules: Some(Vec::new()), ..none() }, &[]),
        (Selection { job: text("job of intent"), ..none() }, &["intent"]),
        (Selection { project: text("project"), ..none() }, &all),
        (Selection { project: text("other"), ..none() }, &[]),
        (Selection { account: text("account"), ..none() }, &all),
        (Selection { workflow: text("workflow"), limit: Some(2), ..none() }, &["revoked", "revoking"]),
        (Selection { token_sha256: text("hash"), states: vec![State::Intent], ..none() }, &["intent"]),
        (Selection { hub_id: text("hub of revoked"), ..none() }, &["revoked"]),
        (Selection { created_before: Some(NOW + 2), ..none() }, &["live", "intent"]),
        (Selection { at: Some(NOW), ..none() }, &["intent"]),
        (Selection { at: Some(NOW + 59), ..none() }, &all),
        (Selection { at: Some(NOW + 60), ..none() }, &["revoking", "live", "intent"]),
        (Selection { at: Some(NOW + 901), ..none() }, &["revoking"]),
    ];
    for (selection, expected) in table {
        assert_eq!(ids(&place, &selection), expected, "{selection:?}");
    }
}

#[test]
fn what_is_condemned_is_free_to_be_removed_and_an_intent_does_not_become_live() {
    let place = place();
    let condemned = place.condemn(&Selection::default(), NOW + 10).unwrap();
    let told = |id: &str| condemned.iter().find(|lease| lease.id == id).map(|lease| (lease.state, lease.due_at));
    assert_eq!(told("live"), Some((State::Revoking, NOW + 10)));
    assert_eq!(told("intent"), Some((State::Revoking, NOW + INTENT_SECONDS)), "it may be minted at this moment");
    assert_eq!(condemned.len(), 2, "what is being removed or is over stays as it is");
    assert_eq!(place.live("intent", "hub"), Ok(false));
    assert!(place.claim("live", NOW + 10, NOW + 20).unwrap().is_some());
    assert!(place.condemn(&Selection::default(), NOW + 10).unwrap().is_empty());
}

#[test]
fn a_token_that_was_found_is_written_down_unless_a_lease_stands_for_it() {
    let place = place();
    let mut found = entry("new", None).lease;
    (found.state, found.hub_id, found.handle_sha256) = (State::Revoking, Some("hub".to_owned()), None);
    assert_eq!(place.adopt(&found), Ok(true));
    assert_eq!(place.adopt(&found), Ok(false));
    for (id, expected) in [("intent", false), ("live", false), ("revoking", false), ("revoked", true)] {
        found.id = id.to_owned();
        found.account = "renamed".to_owned();
        assert_eq!(place.adopt(&found), Ok(expected), "{id}");
    }
    let states = Selection { states: vec![State::Revoking], ..Selection::default() };
    assert_eq!(ids(&place, &states), ["new", "revoked", "revoking"]);
    let again = &place.select(&Selection { id: Some("revoked".to_owned()), ..states }).unwrap()[0];
    assert_eq!((again.closed_at, again.account.as_str()), (None, "renamed"), "of the account that has it now");
}

#[test]
fn what_is_over_is_forgotten_after_its_time() {
    let place = place();
    assert_eq!(place.prune(NOW + 60, 10), Ok(0));
    assert_eq!(place.prune(NOW + 61, 0), Ok(0));
    assert_eq!(place.prune(NOW + 61, 10), Ok(1));
    assert_eq!(ids(&place, &Selection::default()), ["revoking", "live", "intent"]);
}

#[test]
fn what_is_open_is_counted_by_account_and_state() {
    let place = place();
    let account = || "account".to_owned();
    let expected = [(account(), State::Intent, 1), (account(), State::Live, 1), (account(), State::Revoking, 1)];
    assert_eq!(place.open().unwrap(), expected);
}

#[test]
fn what_is_open_is_found_by_its_indexes_however_much_is_over() {
    let place = place();
    let plan = |selection: &Selection, before: &str| -> String {
        let (condition, values) = condition(selection);
        let sql = format!("EXPLAIN QUERY PLAN SELECT * FROM lease WHERE {before} {condition}");
        let read = |row: &rusqlite::Row<'_>| row.get::<_, String>(3);
        let reader = place.journal.reader.lock().unwrap();
        let mut statement = reader.prepare(&sql).unwrap();
        statement.query_map(rusqlite::params_from_iter(values), read).unwrap().map(Result::unwrap).collect()
    };
    let text = |text: &str| Some(text.to_owned());
    let open = || vec![State::Intent, State::Live, State::Revoking];
    let rules = Some(vec!["rule".to_owned()]);
    let workflow = Selection { workflow: text("w"), rules, created_before: Some(NOW), ..Selection::default() };
    let revoking = Selection { states: vec![State::Revoking], ..workflow.clone() };
    let lent = Selection { account: text("a"), hub_id: text("h"), states: open(), ..Selection::default() };
    for (selection, before, index) in [
        (&workflow, "state < 3 AND state IN (0, 1) AND", "lease_workflow"),
        (&revoking, "", "lease_workflow"),
        (&lent, "", "lease_open"),
    ] {
        let plan = plan(selection, before);
        assert!(plan.contains(index), "{plan}: {selection:?}");
    }
}
