//! What every journal must do, whatever keeps it: each transition happens once, in order, and to one caller. Written against
//! the trait; a new journal is one line at the end of this file.

mod selections;

use std::any::Any;
use std::collections::BTreeSet;
use std::thread;

use self::selections::{
    a_token_that_was_found_is_written_down_unless_a_lease_stands_for_it, each_field_narrows,
    what_is_condemned_is_free_to_be_removed_and_an_intent_does_not_become_live,
    what_is_open_is_counted_by_account_and_state, what_is_over_is_forgotten_after_its_time,
};
use crate::journal::{
    EnterDenied, EnterOutcome, Holder, Journal, JournalError, Lease, LeaseRequest, LeaseState, NewLease, Trust,
};
use crate::limits::{CLAIM_SECONDS, INTENT_SECONDS};

/// What has to live as long as the journal, such as its folder; and the journal, new and empty, served from [`NOW`] on.
pub(super) type Fresh = (Box<dyn Any>, Box<dyn Journal>);

pub(super) const NOW: u64 = 1_000_000;

fn lease(id: &str) -> Lease {
    Lease {
        id: id.to_owned(),
        handle_sha256: Some(format!("handle of {id}")),
        state: LeaseState::Intent,
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
        credential_sha256: None,
    }
}

pub(super) fn new_lease(id: &str, request_id: Option<&str>) -> NewLease {
    NewLease {
        lease: lease(id),
        request: request_id.map(|id| LeaseRequest {
            id: id.to_owned(),
            wish_sha256: "wish".to_owned(),
            challenge: None,
            shown: None,
        }),
        single_use_id: None,
        identity_expires_at: NOW + 300,
        max_live_leases: 2,
        max_mints: 3,
    }
}

pub(super) fn state(journal: &dyn Journal, id: &str) -> Option<LeaseState> {
    journal.by_handle(&format!("handle of {id}")).unwrap().map(|lease| lease.state)
}

/// The earlier lease of a repeated request.
fn replaced(outcome: Result<EnterOutcome, JournalError>) -> Lease {
    match outcome {
        Ok(EnterOutcome::Replaces(first)) => *first,
        other => panic!("it replaces none: {other:?}"),
    }
}

fn a_lease_goes_its_way_once(journal: &dyn Journal) {
    assert_eq!(journal.enter(new_lease("a", None), NOW), Ok(EnterOutcome::First));
    assert_eq!(journal.claim("a", NOW, NOW + CLAIM_SECONDS), Ok(None), "an intent may still be minted");
    assert_eq!(journal.live("a", "hub-1", "hash"), Ok(true));
    assert_eq!(journal.live("a", "hub-2", "hash"), Ok(false));
    let claimed = journal.claim("a", NOW, NOW + CLAIM_SECONDS).unwrap().unwrap();
    assert_eq!(claimed.hub_id.as_deref(), Some("hub-1"));
    assert_eq!(journal.claim("a", NOW + 1, NOW + 2), Ok(None), "one revoker at a time");
    assert!(journal.claim("a", NOW + CLAIM_SECONDS, NOW + 2 * CLAIM_SECONDS).unwrap().is_some(), "a claim runs out");
    journal.revoked("a", NOW + CLAIM_SECONDS).unwrap();
    assert_eq!(state(journal, "a"), Some(LeaseState::Revoked));
    assert_eq!(journal.claim("a", NOW + 500, NOW + 600), Ok(None));
    journal.failed("a", NOW).unwrap();
    journal.withdraw("a").unwrap();
    journal.unclear("a", NOW).unwrap();
    assert_eq!(state(journal, "a"), Some(LeaseState::Revoked), "nothing comes after the end");
}

fn only_an_intent_can_be_withdrawn_and_that_gives_everything_back(journal: &dyn Journal) {
    for _ in 0..5 {
        let mut wanted = new_lease("a", Some("r"));
        wanted.single_use_id = Some("iss jti".to_owned());
        assert_eq!(journal.enter(wanted, NOW), Ok(EnterOutcome::First));
        journal.withdraw("a").unwrap();
        assert_eq!(state(journal, "a"), None);
    }
    assert_eq!(journal.enter(new_lease("b", None), NOW), Ok(EnterOutcome::First));
    journal.live("b", "hub", "hash").unwrap();
    journal.withdraw("b").unwrap();
    assert_eq!(state(journal, "b"), Some(LeaseState::Live));
}

fn a_withdrawn_repetition_puts_back_what_it_replaced(journal: &dyn Journal) {
    let wanted =
        |id, request_id| NewLease { single_use_id: Some("iss jti".to_owned()), ..new_lease(id, Some(request_id)) };
    assert_eq!(journal.enter(wanted("a", "r"), NOW), Ok(EnterOutcome::First));
    journal.live("a", "hub", "hash").unwrap();
    for id in ["b", "c", "d", "e"] {
        let first = replaced(journal.enter(wanted(id, "r"), NOW));
        assert_eq!(first.id, "a", "the request is still that of the first lease");
        journal.withdraw(id).unwrap();
        assert_eq!(journal.enter(wanted("other", "s"), NOW), Ok(EnterOutcome::Denied(EnterDenied::Replayed)));
    }
}

fn limits_count_what_is_held_and_what_was_given(journal: &dyn Journal) {
    for id in ["a", "b"] {
        assert_eq!(journal.enter(new_lease(id, None), NOW), Ok(EnterOutcome::First));
        journal.live(id, id, "hash").unwrap();
    }
    assert_eq!(journal.enter(new_lease("c", None), NOW), Ok(EnterOutcome::Denied(EnterDenied::LiveLeases)));
    journal.claim("a", NOW, NOW).unwrap();
    assert_eq!(
        journal.enter(new_lease("c", None), NOW),
        Ok(EnterOutcome::Denied(EnterDenied::LiveLeases)),
        "what is not gone yet is held"
    );
    journal.revoked("a", NOW).unwrap();
    assert_eq!(journal.enter(new_lease("c", None), NOW), Ok(EnterOutcome::First));
    assert_eq!(
        journal.enter(new_lease("d", None), NOW + 901),
        Ok(EnterOutcome::First),
        "the count is forgotten with the job"
    );
}

fn what_was_given_is_counted(journal: &dyn Journal) {
    for id in ["a", "b", "c"] {
        assert_eq!(journal.enter(new_lease(id, None), NOW), Ok(EnterOutcome::First));
        journal.live(id, id, "hash").unwrap();
        journal.claim(id, NOW, NOW).unwrap();
        journal.revoked(id, NOW).unwrap();
    }
    assert_eq!(journal.enter(new_lease("d", None), NOW), Ok(EnterOutcome::Denied(EnterDenied::Mints)));
}

fn a_request_in_progress_is_not_begun_again(journal: &dyn Journal) {
    assert_eq!(journal.enter(new_lease("a", Some("r")), NOW), Ok(EnterOutcome::First));
    assert_eq!(journal.enter(new_lease("b", Some("r")), NOW), Ok(EnterOutcome::Denied(EnterDenied::InProgress)));
    assert_eq!(journal.enter(new_lease("b", Some("s")), NOW), Ok(EnterOutcome::First), "another request is");
    journal.live("a", "hub", "hash").unwrap();
    let first = replaced(journal.enter(new_lease("c", Some("r")), NOW));
    assert_eq!((first.id.as_str(), first.state), ("a", LeaseState::Live), "two are held, and one of them is replaced");
}

fn due_is_what_nobody_else_will_remove(journal: &dyn Journal) {
    let due =
        |now| journal.due(now, &BTreeSet::new(), 10).unwrap().iter().map(|lease| lease.id.clone()).collect::<Vec<_>>();
    assert_eq!(journal.enter(new_lease("a", None), NOW), Ok(EnterOutcome::First));
    let end = NOW + INTENT_SECONDS + 100;
    let mut longer = new_lease("b", None);
    longer.lease.expires_at = end;
    assert_eq!(journal.enter(longer, NOW), Ok(EnterOutcome::First));
    journal.live("b", "hub", "hash").unwrap();
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

fn of_many_who_claim_a_lease_one_gets_it(journal: &dyn Journal) {
    assert_eq!(journal.enter(new_lease("a", None), NOW), Ok(EnterOutcome::First));
    journal.live("a", "hub", "hash").unwrap();
    let claims: usize = thread::scope(|scope| {
        let claim = || journal.claim("a", NOW, NOW + 5).unwrap().is_some();
        let threads: Vec<_> = (0..16).map(|_| scope.spawn(claim)).collect();
        threads.into_iter().map(|thread| usize::from(thread.join().unwrap())).sum()
    });
    assert_eq!(claims, 1, "one revoker at a time");
}

fn what_is_known_of_an_account_is_learnt_once_and_decided_by_an_operator(journal: &dyn Journal) {
    assert_eq!(journal.trust("account"), Ok(Trust::New));
    assert_eq!(journal.learn("account", Trust::ReportOnly), Ok(Trust::ReportOnly));
    assert_eq!(journal.learn("account", Trust::Known), Ok(Trust::ReportOnly), "somebody was quicker");
    assert_eq!(journal.set_trust("account", Trust::Known), Ok(()));
    assert_eq!((journal.trust("account"), journal.trust("other")), (Ok(Trust::Known), Ok(Trust::New)));
    assert_eq!(journal.probe(), Ok(()));
    assert_eq!(journal.trust("account"), Ok(Trust::Known), "a probe changes nothing");
}

/// Every case as a test of one journal.
macro_rules! cases {
    ($fresh:path: $($case:ident)+) => {
        $(
            #[test]
            fn $case() {
                let (_alive, journal) = $fresh();
                super::$case(&*journal);
            }
        )+
    };
}

/// The whole suite for the journals that are made so.
macro_rules! suite {
    ($($kind:ident: $fresh:path;)+) => {
        $(
            mod $kind {
                cases! {
                    $fresh:
                    a_lease_goes_its_way_once
                    only_an_intent_can_be_withdrawn_and_that_gives_everything_back
                    a_withdrawn_repetition_puts_back_what_it_replaced
                    limits_count_what_is_held_and_what_was_given
                    what_was_given_is_counted
                    a_request_in_progress_is_not_begun_again
                    due_is_what_nobody_else_will_remove
                    of_many_who_claim_a_lease_one_gets_it
                    what_is_known_of_an_account_is_learnt_once_and_decided_by_an_operator
                    each_field_narrows
                    what_is_condemned_is_free_to_be_removed_and_an_intent_does_not_become_live
                    a_token_that_was_found_is_written_down_unless_a_lease_stands_for_it
                    what_is_over_is_forgotten_after_its_time
                    what_is_open_is_counted_by_account_and_state
                }
            }
        )+
    };
}

suite! {
    sqlite: crate::journal::sqlite::tests::fresh;
}
