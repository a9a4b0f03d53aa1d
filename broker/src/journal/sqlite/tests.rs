//! What only SQLite has: files, a writer that counts, indexes. What every journal does is in `journal/contract.rs`.

mod files;

use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::journal::EnterDenied;
use crate::journal::contract::{Fresh, NOW, new_lease};
use crate::limits::MAX_LEASES;

/// For the contract.
pub(in crate::journal) fn fresh() -> Fresh {
    let Place { journal, _folder: folder, .. } = Place::new();
    (Box::new(folder), Box::new(journal))
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

#[test]
fn a_full_journal_says_so() {
    let journal = Place::new();
    assert_eq!(journal.enter(new_lease("0", None), NOW), Ok(EnterOutcome::First));
    let fill = |context: &mut WriteContext<'_>| {
        *context.open = MAX_LEASES;
        Ok(())
    };
    journal.journal.writer.write(fill).unwrap();
    assert_eq!(journal.enter(new_lease("last", None), NOW), Ok(EnterOutcome::Denied(EnterDenied::Journal)));
    journal.withdraw("0").unwrap();
    assert_eq!(journal.enter(new_lease("last", None), NOW), Ok(EnterOutcome::First));
}

#[test]
fn what_is_open_is_found_by_its_indexes_however_much_is_over() {
    let place = Place::new();
    let plan = |selection: &Selection, before: &str| -> String {
        let (condition, values) = condition(selection);
        let sql = format!("EXPLAIN QUERY PLAN SELECT * FROM lease WHERE {before} {condition}");
        let read = |row: &rusqlite::Row<'_>| row.get::<_, String>(3);
        let reader = place.journal.reader.lock().unwrap();
        let mut statement = reader.prepare(&sql).unwrap();
        statement.query_map(params_from_iter(values), read).unwrap().map(Result::unwrap).collect()
    };
    let text = |text: &str| Some(text.to_owned());
    let open = || vec![LeaseState::Intent, LeaseState::Live, LeaseState::Revoking];
    let rules = Some(vec!["rule".to_owned()]);
    let workflow = Selection { workflow: text("w"), rules, created_before: Some(NOW), ..Selection::default() };
    let revoking = Selection { states: vec![LeaseState::Revoking], ..workflow.clone() };
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
