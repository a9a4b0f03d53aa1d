//! What a run at a real server has to come to.

use super::client::Outcome;

/// What a run has to come to.
pub struct Right<'a> {
    /// The story and the moment in it.
    pub moment: &'static str,
    pub code: i32,
    pub says: &'a [&'a str],
    pub does_not_say: &'a [&'a str],
}

impl Outcome {
    /// Holds the run against what is right.
    #[track_caller]
    pub fn is(self, right: &Right<'_>) -> Self {
        let wrong = self.what_is_wrong(right);
        assert_eq!(wrong, "", "{}: exit code {}\n{}\n{}", right.moment, self.code, self.stdout, self.stderr);
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
