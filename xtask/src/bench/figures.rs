//! Figures beside their aims.

use std::time::Duration;

use crate::terminal::{Terminal, Tone};

/// Time of the client over the time of the same requests by curl; at most this.
const RATIO: f64 = 1.0;

/// One line of the table.
pub(super) struct Figure {
    name: String,
    value: String,
    aim: String,
    is_met: bool,
}

impl Figure {
    /// The client's time beside that of curl.
    pub(super) fn ratio(name: String, client: Duration, curl: Duration) -> Self {
        let ratio = client.as_secs_f64() / curl.as_secs_f64().max(f64::EPSILON);
        let milliseconds = |time: Duration| time.as_secs_f64() * 1000.0;
        let value = format!("{ratio:.2} ({:.1} ms / {:.1} ms)", milliseconds(client), milliseconds(curl));
        Self { name, value, aim: format!("at most {RATIO:.1}"), is_met: ratio <= RATIO }
    }

    /// A size that should stay under a limit.
    pub(super) fn bytes(name: &str, bytes: u64, limit: u64) -> Self {
        let value = format!("{bytes} bytes");
        Self { name: name.to_owned(), value, aim: format!("under {} MB", limit / 1_000_000), is_met: bytes < limit }
    }
}

/// Prints the table.
pub(super) fn print(figures: &[Figure], terminal: &Terminal) {
    let width = |column: fn(&Figure) -> &str| figures.iter().map(|figure| column(figure).len()).max().unwrap_or(0);
    let (names, values, aims) = (width(|f| &f.name), width(|f| &f.value), width(|f| &f.aim));
    terminal.say("");
    for figure in figures {
        let verdict =
            if figure.is_met { terminal.paint(Tone::Good, "met") } else { terminal.paint(Tone::Bad, "NOT met") };
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
    use super::{Figure, median};
    use std::time::Duration;

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
        assert!(Figure::ratio("a".to_owned(), second, second).is_met);
        assert!(!Figure::ratio("a".to_owned(), second * 2, second).is_met);
        assert!(Figure::bytes("a", 3_999_999, 4_000_000).is_met && !Figure::bytes("a", 4_000_000, 4_000_000).is_met);
    }
}
