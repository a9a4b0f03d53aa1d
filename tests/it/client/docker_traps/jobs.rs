//! Many jobs at once on one machine, with one home.

use std::collections::BTreeMap;

use hublease_sandbox::LiveCredential;

use crate::client::docker_traps::{
    children_are_clean, docker, entry_of, leaves_nothing, log_in_by_hand, login, logout, text, world,
};
use crate::support::World;
use crate::support::job::{Job, Outcome, Running};

/// As many as a large machine runs.
const JOBS: usize = 20;

fn of<'w>(number: usize, job: Job<'w>) -> Job<'w> {
    job.env("CIRCLE_WORKFLOW_JOB_ID", format!("00000000-0000-4000-8000-{number:012}"))
}

/// The Vault lease of every job, by the job key, as the records have it.
fn leases(world: &World) -> BTreeMap<String, String> {
    let read = |path: std::path::PathBuf| {
        let record: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        let lease = record["leases"][0]["handle"]["vault"]["lease_id"].as_str().unwrap().to_owned();
        (record["owner"]["job"].as_str().unwrap().to_owned(), lease)
    };
    world.record_files().into_iter().map(read).collect()
}

fn alive(world: &World) -> Vec<String> {
    let live = world.sandbox.live().into_iter();
    live.filter(|item: &LiveCredential| item.kind == "lease").map(|item| item.id).collect()
}

/// Runs jobs at once. They are searched for secrets when all have ended, because a file that docker is about to
/// rename is a file under another name.
fn at_once<'w>(jobs: impl Iterator<Item = Job<'w>>) -> Vec<Outcome> {
    let mut running: Vec<_> = jobs.map(Job::spawn).collect();
    for running in &mut running {
        running.process.child.wait().unwrap();
    }
    running.into_iter().map(Running::wait).collect()
}

#[test]
fn jobs_at_once_have_records_of_their_own_and_each_logout_revokes_only_its_own() {
    let world = world();
    let before = world.sandbox.live();
    for outcome in at_once((0..JOBS).map(|number| of(number, login(&world)))) {
        drop(outcome.code(0));
    }
    let leases = leases(&world);
    assert_eq!((leases.len(), alive(&world).len()), (JOBS, JOBS));

    let mut expected: Vec<String> = leases.values().cloned().collect();
    for half in [0..JOBS / 2, JOBS / 2..JOBS] {
        for outcome in at_once(half.clone().map(|number| of(number, logout(&world)))) {
            outcome.code(0).says("the credential of acmebot: revoked and confirmed\n");
        }
        for number in half {
            let own = &leases[&format!("circleci 00000000-0000-4000-8000-{number:012}")];
            expected.retain(|lease| lease != own);
        }
        let mut left = alive(&world);
        left.sort();
        expected.sort();
        assert_eq!(left, expected);
        assert_eq!(world.record_files().len(), expected.len());
    }
    assert_eq!(world.sandbox.live(), before);
    children_are_clean(&world);
}

#[test]
fn whichever_job_ends_first_the_other_stays_logged_in_and_what_was_there_comes_back() {
    for person in [None, Some("alice"), Some("acmebot")] {
        for first in [0, 1] {
            let world = world();
            person.map(|name| log_in_by_hand(&world, name));
            let found = entry(&world);
            let before = world.sandbox.live();
            let logins = [0, 1].map(|number| {
                of(number, login(&world)).run().code(0);
                entry(&world)
            });
            of(first, logout(&world)).run().code(0).says("revoked and confirmed");
            // Docker's file has room for one login: it is the later job's, or the earlier one's again.
            assert_eq!(entry(&world), logins[1 - first], "{person:?}, job {first} ends first");
            let inspected = docker(&world, &["manifest", "inspect", "acme/app:latest"], "");
            assert!(inspected.status.success(), "{}", text(&inspected.stderr));
            of(1 - first, logout(&world)).run().code(0).says("revoked and confirmed");
            assert_eq!(entry(&world), found, "{person:?}, job {first} ended first");
            leaves_nothing(&world, &before);
        }
    }
}

/// The login that docker's file holds.
fn entry(world: &World) -> Option<(String, String)> {
    world.config().exists().then(|| entry_of(&world.read_config())).flatten()
}
