//! The journal as a file: whose it is, what survives, and what a disk that is full takes away.

use std::os::unix::fs::PermissionsExt as _;
use std::{fs, thread};

use super::Place;
use crate::journal::contract::{NOW, new_lease, state};
use crate::journal::sqlite::Sqlite;
use crate::journal::{
    EnterDenied, EnterOutcome, Journal as _, JournalError, LeaseState, NewLease, OpenError, Selection, Trust,
};
use crate::limits::{CLAIM_SECONDS, UNCLEAR_SECONDS};

#[test]
fn what_was_written_is_there_after_a_crash() {
    let place = Place::new();
    for id in ["intent", "live", "revoking", "revoked"] {
        let mut wanted = new_lease(id, Some(id));
        wanted.lease.holder.job = id.to_owned();
        wanted.single_use_id = Some(id.to_owned());
        assert_eq!(place.enter(wanted, NOW), Ok(EnterOutcome::First));
    }
    for id in ["live", "revoking", "revoked"] {
        place.live(id, &format!("hub of {id}"), "hash").unwrap();
    }
    for id in ["revoking", "revoked"] {
        place.claim(id, NOW, NOW + CLAIM_SECONDS).unwrap().unwrap();
    }
    place.revoked("revoked", NOW + 1).unwrap();
    place.set_trust("account", Trust::ReportOnly).unwrap();
    // What a crash leaves: the files as they are at this moment, whatever the process still has in mind.
    let crashed = tempfile::tempdir().unwrap();
    for file in fs::read_dir(place.path.parent().unwrap()).unwrap().map(Result::unwrap) {
        fs::copy(file.path(), crashed.path().join(file.file_name())).unwrap();
    }
    let before = place.select(&Selection::default()).unwrap();
    let again = Sqlite::serve(&crashed.path().join("journal.db"), NOW + 5).unwrap();
    let mut after = again.select(&Selection::default()).unwrap();
    let intent = after.iter_mut().find(|lease| lease.id == "intent").unwrap();
    assert_eq!(
        (intent.state, intent.due_at),
        (LeaseState::Revoking, NOW + 5 + UNCLEAR_SECONDS),
        "nobody waits for it any more"
    );
    (intent.state, intent.due_at) = (LeaseState::Intent, before[3].due_at);
    assert_eq!(after, before);
    assert_eq!(again.trust("account"), Ok(Trust::ReportOnly));
    let replay = NewLease { single_use_id: Some("live".to_owned()), ..new_lease("new", Some("other")) };
    assert_eq!(again.enter(replay, NOW), Ok(EnterOutcome::Denied(EnterDenied::Replayed)));
}

#[test]
fn one_broker_serves_with_it_and_operators_work_beside_it() {
    let place = Place::new();
    assert!(matches!(Sqlite::serve(&place.path, NOW), Err(OpenError::InUse)));
    let beside = Sqlite::beside(&place.path).unwrap();
    assert_eq!(place.enter(new_lease("a", None), NOW), Ok(EnterOutcome::First));
    place.live("a", "hub", "hash").unwrap();
    assert_eq!(state(&beside, "a"), Some(LeaseState::Live));
    assert_eq!(beside.condemn(&Selection::default(), NOW).unwrap().len(), 1);
    assert_eq!(state(&*place, "a"), Some(LeaseState::Revoking));
    assert!(place.claim("a", NOW, NOW + 5).unwrap().is_some());
    assert_eq!(beside.claim("a", NOW, NOW + 5), Ok(None), "one revoker at a time, whichever process");
    drop(beside);
    let (path, folder) = (place.path.clone(), place._folder);
    drop(place.journal);
    assert!(Sqlite::serve(&path, NOW).is_ok(), "the lock goes with the process");
    drop(folder);
}

#[test]
fn only_a_broker_that_serves_changes_the_version() {
    let place = Place::new();
    let other = rusqlite::Connection::open(&place.path).unwrap();
    let version = || other.pragma_query_value(None, "user_version", |row| row.get::<_, i64>(0)).unwrap();
    other.pragma_update(None, "user_version", 99).unwrap();
    assert_eq!((place.probe(), version()), (Ok(()), 99), "a newer program's");
    other.pragma_update(None, "user_version", 0).unwrap();
    assert!(matches!(Sqlite::beside(&place.path), Err(OpenError::Older)));
    assert_eq!(version(), 0);
}

#[test]
fn a_link_to_it_is_no_second_journal() {
    let place = Place::new();
    let link = place.path.with_file_name("link.db");
    std::os::unix::fs::symlink(&place.path, &link).unwrap();
    assert!(matches!(Sqlite::serve(&link, NOW), Err(OpenError::InUse)));
}

#[test]
fn it_is_readable_by_its_owner_only() {
    let place = Place::new();
    assert_eq!(place.enter(new_lease("a", None), NOW), Ok(EnterOutcome::First));
    let mut names = Vec::new();
    for file in fs::read_dir(place.path.parent().unwrap()).unwrap().map(Result::unwrap) {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{file:?}");
        names.push(file.file_name().into_string().unwrap());
    }
    names.sort();
    assert_eq!(names, ["journal.db", "journal.db-shm", "journal.db-wal", "journal.db.lock"]);
}

fn private(path: &std::path::Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn a_journal_that_others_may_read_or_write_is_not_used() {
    let Place { journal, path, _folder } = Place::new();
    drop(journal);
    for name in ["journal.db", "journal.db.lock"] {
        let file = path.with_file_name(name);
        for mode in [0o666, 0o644, 0o602, 0o604] {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            for opened in [Sqlite::serve(&path, NOW), Sqlite::beside(&path)] {
                let reason = opened.err().map(|error| error.to_string()).unwrap();
                assert!(
                    reason.contains(&format!("is open to every user of this machine (mode {mode:04o})")),
                    "{reason}"
                );
            }
        }
        private(&file);
        assert!(Sqlite::serve(&path, NOW).is_ok() && Sqlite::beside(&path).is_ok());
    }
}

#[test]
fn a_file_that_is_not_ours_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("journal.db");
    fs::write(&path, "not a database, but a long enough text to be looked at as one; ".repeat(20)).unwrap();
    private(&path);
    let before = fs::read(&path).unwrap();
    assert!(matches!(Sqlite::serve(&path, NOW), Err(OpenError::Unusable(reason)) if reason == "its file is damaged"));
    assert_eq!(fs::read(&path).unwrap(), before);

    let path = folder.path().join("other.db");
    rusqlite::Connection::open(&path).unwrap().execute_batch("CREATE TABLE other (x)").unwrap();
    private(&path);
    assert!(matches!(Sqlite::serve(&path, NOW), Err(OpenError::Foreign)));

    let path = folder.path().join("newer.db");
    drop(Sqlite::serve(&path, NOW).unwrap());
    rusqlite::Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
    assert!(matches!(Sqlite::serve(&path, NOW), Err(OpenError::Newer)));
    assert!(matches!(Sqlite::beside(&folder.path().join("none.db")), Err(OpenError::Unusable(_))));
    assert!(!folder.path().join("none.db").exists(), "an operator's command makes no journal");
    assert!(matches!(Sqlite::serve(&folder.path().join("no/folder.db"), NOW), Err(OpenError::Unusable(_))));
}

#[test]
fn a_full_disk_takes_back_what_it_could_not_keep_and_nothing_else() {
    let place = Place::new();
    assert_eq!(place.enter(new_lease("a", None), NOW), Ok(EnterOutcome::First));
    let pages = |limit: &'static str| {
        place
            .journal
            .writer
            .write(move |context| context.connection.pragma_update(None, "max_page_count", limit))
            .unwrap();
    };
    pages("1");
    let mut large = new_lease("b", None);
    large.lease.scope = "x".repeat(200_000);
    assert_eq!(place.enter(large, NOW), Err(JournalError("its disk is full")));
    assert_eq!((state(&*place, "a"), state(&*place, "b")), (Some(LeaseState::Intent), None));
    pages("1000000");
    assert_eq!(place.enter(new_lease("b", None), NOW), Ok(EnterOutcome::First));
}

#[test]
fn many_at_one_time_share_the_disk_and_not_their_failures() {
    let place = Place::new();
    let enter = |index: usize| {
        let mut wanted = new_lease(&index.to_string(), None);
        wanted.lease.holder.job = index.to_string();
        // The name of a lease is unique: every second one fails.
        wanted.lease.id = (index / 2).to_string();
        place.enter(wanted, NOW)
    };
    let outcomes: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..64).map(|index| scope.spawn(move || enter(index))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 32);
    assert_eq!(place.select(&Selection::default()).unwrap().len(), 32);
}
