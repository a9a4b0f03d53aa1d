//! The journal's transitions: each happens once, in order, and to one caller.

mod files;
mod selections;

use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::journal::Holder;
use crate::limits::{CLAIM_SECONDS, INTENT_SECONDS, MAX_LEASES};

const NOW: u64 = 1_000_000;

fn lease(id: &str) -> Lease {
    Lease {
        id: id.to_owned(),
        handle_sha256: Some(format!("handle of {id}")),
        state: State::Intent,
        holder: Holder {
            issuer: "circleci".to_owned(),
            project: Some("project".to_owned()),
            workflow: Some("workflow".to_owned()),
            job: "job".to_owned(),
            subject: Some("subject".to_owned()),
            token_sha256: "hash".to_owned(),
        },
        rule: "rule".to_owned(),
        account: "account".to_owned(),
        scope: "repository:acme/app:pull".to_owned(),
        label: format!("hublease/test/{id}"),
        hub_id: None,
        created_at: NOW,
        expires_at: NOW + 900,
        due_at: NOW + INTENT_SECONDS,
        closed_at: None,
    }
}

fn entry(id: &str, request_id: Option<&str>) -> Entry {
    Entry {
        lease: lease(id),
        request_id: request_id.map(str::to_owned),
        single_use_id: None,
        identity_expires_at: NOW + 300,
        max_live_leases: 2,
        max_mints: 3,
    }
}

/// A journal of one test.
struct Place {
    journal: Sqlite,
    path: PathBuf,
    _folder: TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("journal.db");
        Self { journal: Sqlite::serve(&path, NOW).unwrap(), path, _folder: folder }
    }
}

impl std::ops::Deref for Place {
    type Target = Sqlite;

    fn deref(&self) -> &Sqlite {
        &self.journal
    }
}

fn state(journal: &Sqlite, id: &str) -> Option<State> {
    journal.by_handle(&format!("handle of {id}")).unwrap().map(|lease| lease.state)
}

#[test]
fn a_lease_goes_its_way_once() {
    let journal = Place::new();
    assert_eq!(journal.enter(entry("a", None), NOW), Ok(Ok(None)));
    assert_eq!(journal.claim("a", NOW, NOW + CLAIM_SECONDS), Ok(None), "an intent may still be minted");
    assert_eq!(journal.live("a", "hub-1"), Ok(true));
    assert_eq!(journal.live("a", "hub-2"), Ok(false));
    let claimed = journal.claim("a", NOW, NOW + CLAIM_SECONDS).unwrap().unwrap();
    assert_eq!(claimed.hub_id.as_deref(), Some("hub-1"));
    assert_eq!(journal.claim("a", NOW + 1, NOW + 2), Ok(None), "one revoker at a time");
    assert!(journal.claim("a", NOW + CLAIM_SECONDS, NOW + 2 * CLAIM_SECONDS).unwrap().is_some(), "a claim runs out");
    journal.revoked("a", NOW + CLAIM_SECONDS).unwrap();
    assert_eq!(state(&journal, "a"), Some(State::Revoked));
    assert_eq!(journal.claim("a", NOW + 500, NOW + 600), Ok(None));
    journal.failed("a", NOW).unwrap();
    journal.withdraw("a").unwrap();
    journal.unclear("a", NOW).unwrap();
    assert_eq!(state(&journal, "a"), Some(State::Revoked), "nothing comes after the end");
}

#[test]
fn only_an_intent_can_be_withdrawn_and_that_gives_everything_back() {
    let journal = Place::new();
    for _ in 0..5 {
        let mut wanted = entry("a", Some("r"));
        wanted.single_use_id = Some("iss jti".to_owned());
        assert_eq!(journal.enter(wanted, NOW), Ok(Ok(None)));
        journal.withdraw("a").unwrap();
        assert_eq!(state(&journal, "a"), None);
    }
    journal.enter(entry("b", None), NOW).unwrap().unwrap();
    journal.live("b", "hub").unwrap();
    journal.withdraw("b").unwrap();
    assert_eq!(state(&journal, "b"), Some(State::Live));
}

#[test]
fn a_withdrawn_repetition_puts_back_what_it_replaced() {
    let journal = Place::new();
    let wanted = |id, request_id| Entry { single_use_id: Some("iss jti".to_owned()), ..entry(id, Some(request_id)) };
    assert_eq!(journal.enter(wanted("a", "r"), NOW), Ok(Ok(None)));
    journal.live("a", "hub").unwrap();
    for id in ["b", "c", "d", "e"] {
        let first = journal.enter(wanted(id, "r"), NOW).unwrap().unwrap();
        assert_eq!(first.map(|first| first.id).as_deref(), Some("a"), "the request is still that of the first lease");
        journal.withdraw(id).unwrap();
        assert_eq!(journal.enter(wanted("other", "s"), NOW), Ok(Err(EnterDenied::Replayed)));
    }
}

#[test]
fn limits_count_what_is_held_and_what_was_given() {
    let journal = Place::new();
    for id in ["a", "b"] {
        assert_eq!(journal.enter(entry(id, None), NOW), Ok(Ok(None)));
        journal.live(id, id).unwrap();
    }
    assert_eq!(journal.enter(entry("c", None), NOW), Ok(Err(EnterDenied::LiveLeases)));
    journal.claim("a", NOW, NOW).unwrap();
    assert_eq!(journal.enter(entry("c", None), NOW), Ok(Err(EnterDenied::LiveLeases)), "what is not gone yet is held");
    journal.revoked("a", NOW).unwrap();
    assert_eq!(journal.enter(entry("c", None), NOW), Ok(Ok(None)));
    assert_eq!(journal.enter(entry("d", None), NOW + 901), Ok(Ok(None)), "the count is forgotten with the job");
}

#[test]
fn what_was_given_is_counted() {
    let journal = Place::new();
    for id in ["a", "b", "c"] {
        assert_eq!(journal.enter(entry(id, None), NOW), Ok(Ok(None)));
        journal.live(id, id).unwrap();
        journal.claim(id, NOW, NOW).unwrap();
        journal.revoked(id, NOW).unwrap();
    }
    assert_eq!(journal.enter(entry("d", None), NOW), Ok(Err(EnterDenied::Mints)));
}

#[test]
fn a_request_in_progress_is_not_begun_again() {
    let journal = Place::new();
    assert_eq!(journal.enter(entry("a", Some("r")), NOW), Ok(Ok(None)));
    assert_eq!(journal.enter(entry("b", Some("r")), NOW), Ok(Err(EnterDenied::InProgress)));
    assert_eq!(journal.enter(entry("b", Some("s")), NOW), Ok(Ok(None)), "another request is");
    journal.live("a", "hub").unwrap();
    let first = journal.enter(entry("c", Some("r")), NOW).unwrap().unwrap().unwrap();
    assert_eq!((first.id.as_str(), first.state), ("a", State::Live), "two are held, and one of them is replaced");
}

#[test]
fn due_is_what_nobody_else_will_remove() {
    let journal = Place::new();
    let due =
        |now| journal.due(now, &BTreeSet::new(), 10).unwrap().iter().map(|lease| lease.id.clone()).collect::<Vec<_>>();
    journal.enter(entry("a", None), NOW).unwrap().unwrap();
    let end = NOW + INTENT_SECONDS + 100;
    let mut longer = entry("b", None);
    longer.lease.expires_at = end;
    journal.enter(longer, NOW).unwrap().unwrap();
    journal.live("b", "hub").unwrap();
    assert!(due(NOW + INTENT_SECONDS - 1).is_empty());
    assert_eq!(due(NOW + INTENT_SECONDS), ["a"], "announced and never answered");
    assert_eq!(due(end), ["a", "b"]);
    assert_eq!(journal.due(end, &BTreeSet::new(), 1).unwrap().len(), 1);
    assert!(journal.due(end, &BTreeSet::from(["account".to_owned()]), 10).unwrap().is_empty(), "not of this account");
    journal.claim("b", end, end + 50).unwrap();
    assert_eq!(due(end + 49), ["a"]);
    journal.failed("b", end + 60).unwrap();
    assert_eq!(due(end + 59), ["a"]);
    assert_eq!(due(end + 60), ["a", "b"]);
}

#[test]
fn a_full_journal_says_so() {
    let journal = Place::new();
    assert_eq!(journal.enter(entry("0", None), NOW), Ok(Ok(None)));
    let fill = |books: &mut WriteContext<'_>| {
        *books.open = MAX_LEASES;
        Ok(())
    };
    journal.journal.writer.write(fill).unwrap();
    assert_eq!(journal.enter(entry("last", None), NOW), Ok(Err(EnterDenied::Journal)));
    journal.withdraw("0").unwrap();
    assert_eq!(journal.enter(entry("last", None), NOW), Ok(Ok(None)));
}
