//! Figures beside their aims.

use std::time::Duration;

use crate::terminal::{Terminal, Tone};

/// One line of the table.
pub(super) struct Figure {
    name: String,
    value: String,
    aim: String,
    /// Whether the aim is met; none without one.
    verdict: Option<bool>,
}

impl Figure {
    /// One time beside another.
    pub(super) fn ratio(name: String, ours: Duration, theirs: Duration, most: f64) -> Self {
        let ratio = ours.as_secs_f64() / theirs.as_secs_f64().max(f64::EPSILON);
        let value = format!("{ratio:.2} ({} / {})", milliseconds(ours), milliseconds(theirs));
        Self { name, value, aim: format!("at most {most:.2}"), verdict: Some(ratio <= most) }
    }

    /// A rate that should be reached, per second.
    pub(super) fn rate(name: &str, rate: f64, least: f64) -> Self {
        let aim = format!("at least {least:.0}/s");
        Self { name: name.to_owned(), value: format!("{rate:.0}/s"), aim, verdict: Some(rate >= least) }
    }

    /// A time that should stay under a limit, in milliseconds.
    pub(super) fn time(name: &str, milliseconds: f64, limit: f64) -> Self {
        let aim = format!("under {limit:.0} ms");
        Self { name: name.to_owned(), value: format!("{milliseconds:.1} ms"), aim, verdict: Some(milliseconds < limit) }
    }

    /// Anything without an aim.
    pub(super) fn plain(name: &str, value: String) -> Self {
        Self { name: name.to_owned(), value, aim: String::new(), verdict: None }
    }

    /// A time without an aim, to read the others by.
    pub(super) fn note(name: &str, time: Duration) -> Self {
        Self { name: name.to_owned(), value: milliseconds(time), aim: String::new(), verdict: None }
    }

    /// A size without an aim.
    pub(super) fn memory(name: &str, bytes: u64) -> Self {
        Self { name: name.to_owned(), value: format!("{bytes} bytes"), aim: String::new(), verdict: None }
    }

    /// A size that should stay under a limit.
    pub(super) fn bytes(name: &str, bytes: u64, limit: u64) -> Self {
        let value = format!("{bytes} bytes");
        let aim = match limit {
            0..1_000_000 => format!("under {} KB", limit / 1000),
            _ => format!("under {} MB", limit / 1_000_000),
        };
        Self { name: name.to_owned(), value, aim, verdict: Some(bytes < limit) }
    }
}

fn milliseconds(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1000.0)
}

/// Prints the table.
pub(super) fn print(figures: &[Figure], terminal: &Terminal) {
    let width = |column: fn(&Figure) -> &str| figures.iter().map(|figure| column(figure).len()).max().unwrap_or(0);
    let (names, values, aims) = (width(|f| &f.name), width(|f| &f.value), width(|f| &f.aim));
    terminal.say("");
    for figure in figures {
        let verdict = match figure.verdict {
            Some(true) => terminal.paint(Tone::Good, "met"),
            Some(false) => terminal.paint(Tone::Bad, "NOT met"),
            None => String::new(),
        };
        let Figure { name, value, aim, .. } = figure;
        terminal.say(&format!("{name:names$}  {value:>values$}  {aim:aims$}  {verdict}"));
    }
}

/// The median; of an even number of times the lower one of the two in the middle.
pub(super) fn median(times: &[Duration]) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort();
    sorted.get(sorted.len().saturating_sub(1) / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Figure, median};

    #[test]
    fn the_median_is_in_the_middle() {
        let times = [3, 1, 100, 2, 4].map(Duration::from_millis);
        assert_eq!(median(&times), Duration::from_millis(3));
        assert_eq!(median(&times[..2]), Duration::from_millis(1));
        assert_eq!(median(&[]), Duration::ZERO);
    }

    #[test]
    fn aims_are_at_most_for_a_ratio_and_under_for_a_size() {
        let second = Duration::from_secs(1);
        assert_eq!(Figure::ratio("a".to_owned(), second, second, 1.0).verdict, Some(true));
        assert_eq!(Figure::ratio("a".to_owned(), second * 2, second, 1.5).verdict, Some(false));
        assert_eq!(Figure::bytes("a", 3_999_999, 4_000_000).verdict, Some(true));
        assert_eq!(Figure::bytes("a", 4_000_000, 4_000_000).verdict, Some(false));
    }
}
