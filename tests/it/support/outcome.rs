//! What came of a run, and what is expected of it.

use hublease_sandbox::Logged;

/// What came of a run.
#[derive(Debug)]
pub struct Outcome {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    /// Every request that the sandbox saw meanwhile, in order.
    pub requests: Vec<Logged>,
    /// `token`: standard output holds what was asked for.
    pub prints_credential: bool,
}

impl Outcome {
    #[track_caller]
    pub fn code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(
            self.stderr.contains(text) || self.stdout.contains(text),
            "`{text}` is not in\n{}\n{}",
            self.stdout,
            self.stderr
        );
        self
    }

    #[track_caller]
    pub fn does_not_say(self, text: &str) -> Self {
        assert!(
            !self.stderr.contains(text) && !self.stdout.contains(text),
            "`{text}` is in\n{}\n{}",
            self.stdout,
            self.stderr
        );
        self
    }
}
