//! The broker is stopped before and after each thing that it writes or asks, and another one goes on with its journal.
//!
//! A stop is total: from then on nothing is written and nobody is asked, whatever the code would still do. What the next broker
//! finds must lead it to one state: Docker Hub holds exactly the tokens of the journal's live leases, every lease that a job
//! was told of and nobody revoked is among them, and none that was revoked. A token is deleted a second time only if the stop came
//! between its deletion and the note of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use hublease_broker::broker::Broker;
use hublease_broker::client_address::Client;
use hublease_broker::journal::{JournalLocation, LeaseState, Selection};
use hublease_broker::leases::exchange::exchange;
use hublease_broker::leases::revoke::revoke;
use hublease_broker::leases::revoke_by_identity::revoke_by_identity;
use hublease_broker::leases::sweep::Sweeper;
use hublease_broker::limits::{RECONCILE_SECONDS, UNCLEAR_SECONDS};
use hublease_broker::observe::audit::Audit;
use hublease_hub::outbound::{Call, Outbound, OutboundError, Reply};
use serde_json::json;

use crate::stopping::{Side, Stop, Stopping};
use crate::testing::{
    BROKER_URL, CONFIG, Lines, NOW, Outside, TestClock, changed, circleci_claims, circleci_form, config_in, header,
    key_a,
};

const JOB: &str = "oidc.circleci.com/job-id";
const WORKFLOW: &str = "oidc.circleci.com/workflow-id";
/// The two leases that their workflow gives up; all else goes on one by one.
const REMOVED_AT_ONE_TIME: usize = 2;

impl Outbound for Stopping<Arc<Outside>> {
    fn send(&self, call: &Call<'_>) -> Result<Reply, OutboundError> {
        self.stop.step(Err(OutboundError("stopped")), || self.inner.send(call))
    }
}

/// One broker after another on one journal and one Docker Hub.
struct House {
    folder: tempfile::TempDir,
    hub: Arc<Outside>,
    clock: Arc<TestClock>,
}

impl House {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder, hub: Arc::default(), clock: Arc::new(TestClock::at(NOW)) }
    }

    fn broker(&self, now: u64, at: usize, side: Side) -> (Broker, Arc<Stop>) {
        self.clock.set(now);
        let stop = Arc::new(Stop { passed: AtomicUsize::new(0), at, side, end: || {} });
        let location = JournalLocation::Sqlite(self.folder.path().join("journal.db"));
        let journal = Stopping { inner: location.serve(now).unwrap(), stop: Arc::clone(&stop) };
        let outbound = Stopping { inner: Arc::clone(&self.hub), stop: Arc::clone(&stop) };
        let config = CONFIG.replacen(
            "actions = [\"pull\", \"push\"]",
            "actions = [\"pull\", \"push\"]\nrevoke_workflow = true",
            1,
        );
        let broker = Broker::new(
            config_in(self.folder.path(), &config),
            BROKER_URL.to_owned(),
            Box::new(journal),
            Audit::to(Box::new(Lines::default())),
            Box::new(outbound),
            Box::new(Arc::clone(&self.clock)),
        );
        (broker, stop)
    }
}

/// What jobs were told.
#[derive(Default)]
struct Told {
    issued: BTreeSet<String>,
    revoked: BTreeSet<String>,
    /// Asked for, whether or not it was answered.
    given_up: BTreeSet<String>,
}

/// A day's work: a login, the same again, one that is revoked, two that their workflow gives up, one that ends by itself.
fn day(house: &House, broker: &Broker) -> Told {
    let told = Mutex::new(Told::default());
    let login = |job: &str, workflow: &str, more: &str| {
        let form = circleci_form(&json!({JOB: job, WORKFLOW: workflow}), more);
        let issued = exchange(broker, Client::ThisMachine, form.as_bytes()).ok()?;
        told.lock().unwrap().issued.insert(issued.lease_id.clone());
        Some(issued)
    };
    let mut sweeper = Sweeper::default();
    sweeper.sweep(broker);
    if let Some(first) = login("j1", "w1", "&request_id=r1") {
        // Repeated because its answer was lost on the way: the first one is given up.
        told.lock().unwrap().given_up.insert(first.lease_id);
    }
    login("j1", "w1", "&request_id=r1");
    if let Some(mine) = login("j2", "w1", "") {
        let mut told = told.lock().unwrap();
        if revoke(broker, Client::ThisMachine, format!("token={}", mine.revocation_handle.expose()).as_bytes()).is_ok()
        {
            told.revoked.insert(mine.lease_id.clone());
        }
        told.given_up.insert(mine.lease_id);
    }
    let crashed: Vec<_> = ["j3", "j4"].into_iter().filter_map(|job| login(job, "w2", "")).collect();
    house.clock.set(NOW + 30);
    let last = changed(circleci_claims(), &json!({JOB: "j5", WORKFLOW: "w2", "iat": NOW + 20}));
    let answer =
        revoke_by_identity(broker, Client::ThisMachine, &key_a().token(&header(), &last), br#"{"workflow":true}"#);
    let mut told_now = told.lock().unwrap();
    for lease in crashed {
        if answer.as_ref().is_ok_and(|answer| answer.confirmed == answer.leases) {
            told_now.revoked.insert(lease.lease_id.clone());
        }
        told_now.given_up.insert(lease.lease_id);
    }
    drop(told_now);
    if let Some(short) = login("j6", "w3", "&expires_in=60") {
        told.lock().unwrap().given_up.insert(short.lease_id);
    }
    house.clock.set(NOW + 100);
    sweeper.sweep(broker);
    told.into_inner().unwrap()
}

fn lease_ids(labels: &[String]) -> BTreeSet<String> {
    labels.iter().map(|label| label.rsplit('/').next().unwrap().to_owned()).collect()
}

/// How often each token's deletion was asked for, by the token's id.
fn deletions(calls: &[String]) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for path in calls.iter().filter_map(|call| call.strip_prefix("DELETE ")) {
        *counts.entry(path.rsplit('/').next().unwrap().to_owned()).or_default() += 1;
    }
    counts
}

/// The tokens whose removal was noted, or told to a job; nobody may ask for their deletion any more.
fn settled(broker: &Broker, told: &Told) -> BTreeSet<String> {
    let all = broker.journal.select(&Selection::default()).unwrap().into_iter();
    all.filter(|lease| lease.state == LeaseState::Revoked || told.revoked.contains(&lease.id))
        .filter_map(|lease| lease.hub_id)
        .collect()
}

#[test]
fn wherever_it_stops_the_next_broker_comes_to_the_same_end() {
    let house = House::new();
    let (broker, stop) = house.broker(NOW, usize::MAX, Side::Before);
    let told = day(&house, &broker);
    let steps = stop.passed.load(Ordering::SeqCst);
    assert_eq!((told.issued.len(), told.revoked.len(), told.given_up.len()), (6, 3, 5), "the whole day");
    assert!(steps >= 45, "{steps}");
    assert_eq!(deletions(&house.hub.calls()).into_values().collect::<Vec<_>>(), [1; 5], "each that was given up, once");

    let stops = (0..steps).flat_map(|at| [(at, Side::Before), (at, Side::After)]);
    for (at, side) in stops {
        let house = House::new();
        let (broker, _) = house.broker(NOW, at, side);
        let told = day(&house, &broker);
        drop(broker);
        let before = deletions(&house.hub.calls());
        let calls = house.hub.calls().len();

        let mut now = NOW + 110;
        let (broker, _) = house.broker(now, usize::MAX, side);
        let settled = settled(&broker, &told);
        let mut sweeper = Sweeper::default();
        for pause in [0, UNCLEAR_SECONDS, RECONCILE_SECONDS, RECONCILE_SECONDS] {
            now += pause;
            house.clock.set(now);
            sweeper.sweep(&broker);
        }
        let open = Selection {
            states: vec![LeaseState::Intent, LeaseState::Live, LeaseState::Revoking],
            ..Selection::default()
        };
        let open = broker.journal.select(&open).unwrap();
        let live: BTreeSet<String> = open.iter().map(|lease| lease.id.clone()).collect();
        assert!(open.iter().all(|lease| lease.state == LeaseState::Live), "{at} {side:?}: {open:?}");
        assert_eq!(lease_ids(&house.hub.labels()), live, "{at} {side:?}");
        assert!(live.is_disjoint(&told.revoked), "{at} {side:?}: a revoked lease lives");
        let kept: BTreeSet<String> = told.issued.difference(&told.given_up).cloned().collect();
        assert!(kept.is_subset(&live), "{at} {side:?}: a lease that nobody gave up is gone");
        let after = deletions(&house.hub.calls()[calls..]);
        assert!(before.values().chain(after.values()).all(|count| *count == 1), "{at} {side:?}: {before:?} {after:?}");
        assert!(after.keys().all(|token| !settled.contains(token)), "{at} {side:?}: {after:?} after {settled:?}");
        let again = after.keys().filter(|token| before.contains_key(*token)).count();
        assert!(again <= REMOVED_AT_ONE_TIME, "{at} {side:?}: {again} are deleted again");
    }
}
