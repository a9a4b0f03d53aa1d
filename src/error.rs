//! What can go wrong, as a closed list.
//!
//! A [`Problem`] is one entry of that list: a sentence, the fix, and the exit code. An [`Error`] is a problem with
//! the name it is about and its causes, all of them parsed or made printable before they come here. No remote body
//! and no received text is ever part of an error. `docs/troubleshooting.md` has one section per problem, and a test
//! compares the two.

mod problem;

use std::fmt;

use hublease_protocol::printable::printable;

pub use self::problem::Problem;

/// The exit codes of every command, in one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// 2: the command line or a variable cannot be used.
    Usage,
    /// 3: no identity token here.
    Identity,
    /// 4: the provider refused.
    Refused,
    /// 5: the provider cannot be reached or fails.
    Unavailable,
    /// 6: the docker side, or the record that `logout` will need, cannot be set up.
    Docker,
    /// 7: a revocation failed and `--strict-revoke` was given.
    Revocation,
    /// 70: a fault of hublease itself.
    Bug,
    /// 128 plus the number of the signal that stopped us.
    Interrupted(u8),
    /// 125: `exec` failed before its command ran.
    NotStarted,
    /// 126 and 127: the command of `exec` cannot run, or does not exist.
    Command(u8),
}

impl Stage {
    /// The exit code of the process.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Usage => 2,
            Self::Identity => 3,
            Self::Refused => 4,
            Self::Unavailable => 5,
            Self::Docker => 6,
            Self::Revocation => 7,
            Self::Bug => 70,
            Self::Interrupted(signal) => 128 + signal,
            Self::NotStarted => 125,
            Self::Command(code) => code,
        }
    }
}

/// A failure to show: a sentence, its causes, and `hint:` lines. As small as a pointer, since nearly everything may fail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error(Box<Details>);

#[derive(Clone, Debug, PartialEq, Eq)]
struct Details {
    problem: Problem,
    stage: Stage,
    about: String,
    causes: Vec<String>,
    hint: &'static str,
}

impl Error {
    /// A problem with `about` in place of the `{}` of its sentence. `about` passes [`printable`].
    pub fn new(problem: Problem, about: &str) -> Self {
        let (stage, hint) = (problem.stage(), problem.hint());
        Self(Box::new(Details { problem, stage, about: printable(about), causes: Vec::new(), hint }))
    }

    /// Adds a cause, outermost first. The text passes [`printable`].
    #[must_use]
    pub fn because(mut self, cause: &str) -> Self {
        self.0.causes.push(printable(cause));
        self
    }

    /// Adds another failure as the cause: its sentence, its own causes, and its hint, which is nearer to what has to be mended.
    #[must_use]
    pub fn caused_by(mut self, inner: &Self) -> Self {
        self.0.causes.push(inner.sentence());
        self.0.causes.extend_from_slice(inner.causes());
        if !inner.hint().is_empty() {
            self.0.hint = inner.hint();
        }
        self
    }

    /// Stopped by a signal (its number).
    pub fn interrupted(signal: u8) -> Self {
        Self::new(Problem::Interrupted, "").at(Stage::Interrupted(signal))
    }

    /// A state that our own code excludes.
    pub fn bug(place: &'static str) -> Self {
        Self::new(Problem::Bug, place)
    }

    /// The same failure, seen from `exec` before its command ran: exit code 125, but usage stays 2.
    #[must_use]
    pub fn before_the_command(self) -> Self {
        match self.0.stage {
            Stage::Usage | Stage::Interrupted(_) | Stage::Bug | Stage::Command(_) => self,
            _ => self.at(Stage::NotStarted),
        }
    }

    fn at(mut self, stage: Stage) -> Self {
        self.0.stage = stage;
        self
    }

    /// Which entry of the list this is.
    pub fn problem(&self) -> Problem {
        self.0.problem
    }

    /// The sentence without causes and hints.
    pub fn sentence(&self) -> String {
        self.0.problem.sentence().replacen("{}", &self.0.about, 1)
    }

    /// The causes, outermost first.
    pub fn causes(&self) -> &[String] {
        &self.0.causes
    }

    /// What to do about it; empty when there is nothing more to say.
    pub fn hint(&self) -> &'static str {
        self.0.hint
    }

    /// The sentence with its causes, for a place where there is one line.
    pub fn in_a_line(&self) -> String {
        match self.causes().join("; ") {
            causes if causes.is_empty() => self.sentence(),
            causes => format!("{} ({causes})", self.sentence()),
        }
    }

    /// The exit code of the process.
    pub fn exit_code(&self) -> u8 {
        self.0.stage.exit_code()
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.sentence())?;
        for cause in self.causes() {
            write!(formatter, "\n  because: {cause}")?;
        }
        if !self.hint().is_empty() {
            write!(formatter, "\nhint: {}", self.hint())?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::{Error, Problem};

    #[test]
    fn an_error_is_a_sentence_its_causes_and_a_hint() {
        let error = Error::new(Problem::Untrusted, "vault.example.com").because("a\nb");
        assert_eq!(
            error.to_string(),
            "the certificate of vault.example.com is not trusted\n  because: a\\u{a}b\nhint: add the authority with `--ca-cert`, or to the system's store"
        );
        assert_eq!(error.exit_code(), 5);
    }

    #[test]
    fn a_failure_behind_another_keeps_its_words_and_its_hint() {
        let inner = Error::new(Problem::ProxyRefused, "a.example").because("status 407");
        let error = Error::new(Problem::GithubAnswer, "").caused_by(&inner);
        assert_eq!(error.causes(), ["the proxy refuses the way to a.example", "status 407"]);
        assert_eq!((error.hint(), error.exit_code()), (Problem::ProxyRefused.hint(), 3));
        assert_eq!(inner.in_a_line(), "the proxy refuses the way to a.example (status 407)");
        let plain = Error::new(Problem::Cut, "a.example");
        assert_eq!(plain.in_a_line(), plain.sentence());
        assert_eq!(Error::new(Problem::GithubAnswer, "").caused_by(&plain).hint(), Problem::GithubAnswer.hint());
    }

    #[test]
    fn sentences_are_lower_case_without_a_final_stop_and_unique() {
        for (index, problem) in Problem::ALL.iter().enumerate() {
            assert!(!problem.sentence().ends_with('.') && !problem.hint().ends_with('.'), "{}", problem.name());
            assert!(Problem::ALL.iter().skip(index + 1).all(|other| other.sentence() != problem.sentence()));
        }
    }
}
