//! What is known to go wrong at real servers, and is about to be mended.
//!
//! Each story says what is right. Where the client does not say it yet, [`KNOWN`] holds what it says instead; the story then
//! passes with that and fails as soon as the right thing is said, so that whoever mends it takes the entry out.

use super::client::Outcome;

/// What a run has to come to.
pub struct Right<'a> {
    /// The story and the moment in it.
    pub moment: &'static str,
    pub code: i32,
    pub says: &'a [&'a str],
    pub does_not_say: &'a [&'a str],
}

/// What it comes to today.
struct Known {
    moment: &'static str,
    /// The finding that tells of it.
    finding: &'static str,
    code: i32,
    says: &'static str,
}

/// Empty, as it should be.
const KNOWN: &[Known] = &[];

impl Outcome {
    /// Holds the run against what is right, or against what is known to be wrong.
    #[track_caller]
    pub fn is(self, right: &Right<'_>) -> Self {
        let wrong = self.what_is_wrong(right);
        let Some(known) = KNOWN.iter().find(|known| known.moment == right.moment) else {
            assert_eq!(wrong, "", "{}: exit code {}\n{}\n{}", right.moment, self.code, self.stdout, self.stderr);
            return self;
        };
        let (moment, finding) = (known.moment, known.finding);
        assert_ne!(wrong, "", "{finding} is mended at `{moment}`: take it out of the list of what is known");
        assert!(
            self.code == known.code && self.said(known.says),
            "{finding} at `{moment}` is another than it was: exit code {}\n{}\n{}",
            self.code,
            self.stdout,
            self.stderr
        );
        self
    }

    fn what_is_wrong(&self, right: &Right<'_>) -> String {
        let mut wrong = Vec::new();
        if self.code != right.code {
            wrong.push(format!("exit code {} instead of {}", self.code, right.code));
        }
        wrong.extend(right.says.iter().filter(|text| !self.said(text)).map(|text| format!("does not say `{text}`")));
        wrong.extend(right.does_not_say.iter().filter(|text| self.said(text)).map(|text| format!("says `{text}`")));
        wrong.join("; ")
    }
}

#[test]
fn every_known_moment_is_known_once() {
    for (place, known) in KNOWN.iter().enumerate() {
        assert!(KNOWN[place + 1..].iter().all(|other| other.moment != known.moment), "{}", known.moment);
    }
}
