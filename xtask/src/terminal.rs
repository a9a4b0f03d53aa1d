//! What is printed and how: one line at a time, colours only on a terminal and only without `NO_COLOR`.

use std::env;
use std::io::{self, IsTerminal, Write};
use std::time::Duration;

/// Width of a ruler around the output of a failed program.
const RULER: usize = 78;

/// Standard output as a person or a log sees it.
pub(crate) struct Terminal {
    /// Where a text goes.
    write: Box<dyn Fn(&str) + Send + Sync>,
    colours: bool,
    /// Whether a person looks on: long steps then need no sign of life.
    watched: bool,
}

/// What a piece of text means.
#[derive(Clone, Copy)]
pub(crate) enum Tone {
    Good,
    Bad,
    Faint,
    Strong,
}

impl Terminal {
    /// Looks at standard output and at `NO_COLOR`.
    pub(crate) fn detect() -> Self {
        let watched = io::stdout().is_terminal();
        // A reader who went away (`| head`) is not an error of ours.
        let write = |text: &str| {
            let mut stdout = io::stdout();
            drop(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()));
        };
        Self {
            write: Box::new(write),
            colours: watched && env::var_os("NO_COLOR").is_none_or(|value| value.is_empty()),
            watched,
        }
    }

    /// For a test that reads it: as a log sees it.
    #[cfg(test)]
    pub(crate) fn to(write: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self { write: Box::new(write), colours: false, watched: false }
    }

    /// Whether standard output is a terminal.
    pub(crate) fn is_watched(&self) -> bool {
        self.watched
    }

    /// A line on standard output.
    pub(crate) fn say(&self, line: &str) {
        (self.write)(&format!("{line}\n"));
    }

    /// The beginning of a line that `say` will end.
    pub(crate) fn begin(&self, text: &str) {
        (self.write)(text);
    }

    /// A line on standard error.
    pub(crate) fn complain(&self, sentence: &str) {
        drop(writeln!(io::stderr(), "error: {sentence}"));
    }

    /// The text in the colour of its meaning, or as it is.
    pub(crate) fn paint(&self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Good => 32,
            Tone::Bad => 31,
            Tone::Faint => 2,
            Tone::Strong => 1,
        };
        if self.colours { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }

    /// Foreign output between two rulers.
    pub(crate) fn quote(&self, title: &str, output: &str) {
        let fill = "-".repeat(RULER.saturating_sub(title.len() + 4));
        self.say(&self.paint(Tone::Faint, &format!("-- {title} {fill}")));
        self.say(output.trim_end());
        self.say(&self.paint(Tone::Faint, &"-".repeat(RULER)));
    }
}

/// A time as a person reads it: `412 ms`, `8.3 s`, `2 min 05 s`.
pub(crate) fn spell(time: Duration) -> String {
    match time.as_secs() {
        0 => format!("{} ms", time.as_millis()),
        1..60 => format!("{:.1} s", time.as_secs_f64()),
        seconds => format!("{} min {:02} s", seconds / 60, seconds % 60),
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::spell;

    #[test]
    fn times_are_spelt_for_people() {
        for (milliseconds, spelt) in [(0, "0 ms"), (999, "999 ms"), (8_340, "8.3 s"), (125_000, "2 min 05 s")] {
            assert_eq!(spell(Duration::from_millis(milliseconds)), spelt);
        }
    }
}
