//! A table of requests, played to a stand-in of the sandbox and to the real server.
//!
//! A row that differs is either mended in the stand-in or kept with a reason; a reason that no row needs any more is a failure, too.

use std::collections::BTreeSet;

use hublease_peers::Answer;

use super::compare::differences;
use super::kept::{KEPT, Kept};

/// What is asked of a side, by name; only the last answer is compared.
pub type Row<Side> = (&'static str, fn(&Side) -> Answer);

/// Plays the rows, and reports how many there were.
///
/// # Panics
/// When a row differs and nothing says why it may, or something says so for nothing.
pub fn play<Side>(table: &'static str, rows: &[Row<Side>], stand_in: &Side, real: &Side) {
    let (mut wrong, mut used, mut differing) = (Vec::new(), BTreeSet::new(), 0);
    for (name, row) in rows {
        let found = differences(&row(stand_in), &row(real));
        differing += usize::from(!found.is_empty());
        for difference in found {
            match KEPT.iter().position(|kept| kept.covers(table, name, &difference)) {
                Some(place) => drop(used.insert(place)),
                None => wrong.push(format!("{name}: {difference}")),
            }
        }
    }
    let unused = KEPT.iter().enumerate().filter(|(place, kept)| kept.table == table && !used.contains(place));
    wrong.extend(unused.map(|(_, kept)| format!("kept for nothing: {} {}", kept.row, kept.difference)));
    hublease_peers::report(&format!("{table}: {} rows, {differing} kept with a reason", rows.len()));
    assert!(wrong.is_empty(), "{table}: the stand-in and the real server differ:\n{}", wrong.join("\n"));
}

impl Kept {
    /// Whether it speaks of this difference. A `*` at the end of row or difference stands for anything.
    fn covers(&self, table: &str, row: &str, difference: &str) -> bool {
        self.table == table && fits(self.row, row) && fits(self.difference, difference)
    }
}

fn fits(pattern: &str, text: &str) -> bool {
    pattern.strip_suffix('*').map_or(pattern == text, |beginning| text.starts_with(beginning))
}

/// A table that is wrong is found to be wrong.
#[test]
fn a_difference_that_nothing_keeps_fails_the_table() {
    let answer = |status| Answer { status, headers: Vec::new(), text: String::new() };
    let rows: [Row<u16>; 1] =
        [("planted", |status| Answer { status: *status, headers: Vec::new(), text: String::new() })];
    assert_eq!(differences(&answer(200), &answer(403)), ["status: 200 / 403"]);
    play("planted", &rows, &200, &200);
    assert!(std::panic::catch_unwind(|| play("planted", &rows, &200, &403)).is_err());
}
