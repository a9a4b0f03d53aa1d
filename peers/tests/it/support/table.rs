//! A table of requests, played to a stand-in of the sandbox and to the real server.
//!
//! A row that differs is either mended in the stand-in or kept with a reason; a reason that no row needs any more is a failure, too.

use std::collections::BTreeSet;

use hublease_peers::Answer;

use super::compare::differences;
use super::kept::{KEPT, Kept};

/// What is asked of a side, by name; only the last answer is compared.
pub type Row<Side> = (&'static str, fn(&Side) -> Answer);

/// What came of a table.
#[derive(Default)]
struct Played {
    /// Differences that nothing keeps, and reasons that keep nothing.
    wrong: Vec<String>,
    /// Rows that differ and may.
    kept: BTreeSet<(&'static str, &'static str)>,
}

/// Plays the rows, and reports how many there were and which of them differ for which reason.
///
/// # Panics
/// When a row differs and nothing says why it may, or something says so for nothing.
pub fn play<Side>(table: &'static str, rows: &[Row<Side>], stand_in: &Side, real: &Side) {
    let Played { wrong, kept } = compare(table, rows, stand_in, real);
    hublease_peers::report(&format!("{table}: {} rows, {} kept with a reason", rows.len(), kept.len()));
    kept.iter().for_each(|(row, reason)| hublease_peers::report(&format!("  {row}: {reason}")));
    assert!(wrong.is_empty(), "{table}: the stand-in and the real server differ:\n{}", wrong.join("\n"));
}

fn compare<Side>(table: &'static str, rows: &[Row<Side>], stand_in: &Side, real: &Side) -> Played {
    let (mut played, mut used) = (Played::default(), BTreeSet::new());
    for (name, row) in rows {
        for difference in differences(&row(stand_in), &row(real)) {
            match KEPT.iter().position(|kept| kept.covers(table, name, &difference)) {
                Some(place) => {
                    used.insert(place);
                    played.kept.insert((*name, KEPT[place].reason));
                }
                None => played.wrong.push(format!("{name}: {difference}")),
            }
        }
    }
    let unused = KEPT.iter().enumerate().filter(|(place, kept)| kept.table == table && !used.contains(place));
    played.wrong.extend(unused.map(|(_, kept)| format!("kept for nothing: {} {}", kept.row, kept.difference)));
    played
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

#[test]
fn a_difference_that_nothing_keeps_is_wrong() {
    let row: Row<u16> = ("planted", |status| Answer { status: *status, headers: Vec::new(), text: String::new() });
    assert_eq!(compare("planted", &[row], &200, &200).wrong, [""; 0]);
    assert_eq!(compare("planted", &[row], &200, &403).wrong, ["planted: status: 200 / 403"]);
}

#[test]
fn a_reason_that_keeps_nothing_is_wrong() {
    let row: Row<u16> = ("by GET", |status| Answer { status: *status, headers: Vec::new(), text: String::new() });
    let wrong = compare("login", &[row], &200, &200).wrong;
    assert!(wrong.contains(&"kept for nothing: by GET body.errors.0:*".to_owned()), "{wrong:?}");
}
