//! Whose turn it is to be built.

use std::time::Duration;

/// A peer that waits for its build.
#[derive(Debug, Clone)]
pub(super) struct Candidate {
    /// Whether its part of the source has changed since its tests ran.
    pub(super) is_touched: bool,
    /// When its tests ran last, in unix seconds.
    pub(super) last_run: Option<u64>,
    /// How long its build takes.
    pub(super) cost: Duration,
}

/// The place of the next: of those whose build fits into what is left of the budget, first what the change touches, then the
/// one not run for longest (never is longest), then the cheapest, then the one named first.
pub(super) fn next(candidates: &[Candidate], left: Duration) -> Option<usize> {
    let fitting = candidates.iter().enumerate().filter(|(_, candidate)| candidate.cost <= left);
    let first = fitting.min_by_key(|(_, candidate)| (!candidate.is_touched, candidate.last_run, candidate.cost));
    first.map(|(place, _)| place)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Candidate, next};

    const fn minutes(minutes: u64) -> Duration {
        Duration::from_secs(minutes * 60)
    }

    /// The order in which all are built, and who is left.
    fn turns(
        candidates: &[(&'static str, bool, Option<u64>, u64)],
        budget: u64,
    ) -> (Vec<&'static str>, Vec<&'static str>) {
        let (mut waiting, mut left, mut built) = (candidates.to_vec(), minutes(budget), Vec::new());
        loop {
            let candidates = waiting.iter().map(|(_, is_touched, last_run, cost)| Candidate {
                is_touched: *is_touched,
                last_run: *last_run,
                cost: minutes(*cost),
            });
            let Some(place) = next(&candidates.collect::<Vec<_>>(), left) else { break };
            let (name, _, _, cost) = waiting.remove(place);
            left = left.saturating_sub(minutes(cost));
            built.push(name);
        }
        (built, waiting.into_iter().map(|(name, ..)| name).collect())
    }

    #[test]
    fn the_change_comes_first_then_the_longest_wait_then_the_price() {
        for (name, candidates, budget, built, left) in [
            ("nobody waits", vec![], 25, vec![], vec![]),
            (
                "touched before a longer wait",
                vec![("old", false, Some(10), 1), ("touched", true, Some(20), 9)],
                25,
                vec!["touched", "old"],
                vec![],
            ),
            (
                "never run before run once",
                vec![("cheap", false, Some(10), 1), ("never", false, None, 9)],
                25,
                vec!["never", "cheap"],
                vec![],
            ),
            (
                "longest wait before price",
                vec![("cheap", false, Some(20), 1), ("older", false, Some(10), 9)],
                25,
                vec!["older", "cheap"],
                vec![],
            ),
            (
                "the cheapest of those that wait alike",
                vec![("dear", false, None, 9), ("cheap", false, None, 1)],
                25,
                vec!["cheap", "dear"],
                vec![],
            ),
            (
                "what does not fit lets others go first, and is named",
                vec![("a", true, Some(1), 20), ("b", false, None, 10), ("c", false, Some(9), 5)],
                25,
                vec!["a", "c"],
                vec!["b"],
            ),
            ("a build longer than the budget", vec![("huge", true, None, 26)], 25, vec![], vec!["huge"]),
            ("the whole budget", vec![("exact", true, None, 25)], 25, vec!["exact"], vec![]),
        ] {
            assert_eq!(turns(&candidates, budget), (built, left), "{name}");
        }
    }
}
