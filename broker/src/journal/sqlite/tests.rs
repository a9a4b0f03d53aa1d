//! What only SQLite has: files, a writer that counts, indexes. What every journal does is in `journal/contract.rs`.

mod files;

use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::journal::EnterDenied;
use crate::journal::contract::{Fresh, NOW, new_lease};
use crate::limits::{MAX_LEASES, MAX_LEASES_PER_RULE};

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
fn one_rule_has_a_part_of_the_journal_and_leaves_the_rest_to_others() {
    let journal = Place::new();
    let fill = |context: &mut WriteContext<'_>| {
        let sql = "INSERT INTO lease (id, state, issuer, job, token_sha256, rule, account, scope, label, created_at, expires_at,
                   due_at, identity_expires_at)
                   WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
                   SELECT 'old-' || i, 1, 'i', 'job-' || i, 't', 'greedy', 'a', 's', 'l', 0, 9, 9, 0 FROM n";
        *context.open += context.connection.execute(sql, [MAX_LEASES_PER_RULE])?;
        Ok(())
    };
    journal.journal.writer.write(fill).unwrap();
    let wanted = |id: &str, rule: &str| {
        let mut wanted = new_lease(id, None);
        (wanted.lease.rule, wanted.lease.holder.job) = (rule.to_owned(), id.to_owned());
        wanted
    };
    let tried = (0..100).filter(|id| journal.enter(wanted(&id.to_string(), "greedy"), NOW) == Ok(EnterOutcome::First));
    assert_eq!(tried.count(), 0, "of 100");
    assert_eq!(journal.enter(wanted("a", "greedy"), NOW), Ok(EnterOutcome::Denied(EnterDenied::RuleShare)));
    assert_eq!(journal.enter(wanted("a", "other"), NOW), Ok(EnterOutcome::First));
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
