//! The environment as data: one snapshot, taken in `main` and passed down.
//!
//! An empty variable counts as unset everywhere. Values may be secret, so `Debug` shows names only.

use std::collections::BTreeMap;
use std::fmt;

use hublease_protocol::ci::{Ci, JobFacts, MARKS_OF_OTHERS};
use zeroize::Zeroizing;

/// A snapshot of the environment.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, Zeroizing<String>>);

impl Environment {
    /// Takes the variables; a later one of the same name wins.
    pub fn new(variables: impl IntoIterator<Item = (String, String)>) -> Self {
        let mut known = BTreeMap::new();
        for (name, value) in variables {
            known.insert(name, Zeroizing::new(value));
        }
        Self(known)
    }

    /// The value of a variable that is set and not empty.
    pub fn value(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.as_str()).filter(|value| !value.is_empty())
    }

    /// Whether a variable holds exactly `true`, as CI systems announce themselves.
    pub fn is_true(&self, name: &str) -> bool {
        self.value(name) == Some("true")
    }

    /// Whether this is a job of that CI system, as far as it marks its jobs. Only all of its marks together say so: what
    /// follows is what nobody but that system's runner understands, such as a secret in a command that masks it.
    pub fn is_job(&self, ci: Ci) -> bool {
        let JobFacts { marker, witnesses, .. } = ci.job();
        marker.is_some_and(|marker| self.is_true(marker)) && witnesses.iter().all(|name| self.value(name).is_some())
    }

    /// Whether this is a job of any CI system, known or not. One mark is enough: what follows is more care.
    pub fn is_ci(&self) -> bool {
        let is_on = |name: &str| self.value(name).is_some_and(|value| !value.eq_ignore_ascii_case("false"));
        let known = Ci::ALL.into_iter().filter_map(|ci| ci.job().marker);
        known.chain(MARKS_OF_OTHERS.iter().copied()).chain(["CI"]).any(is_on)
    }

    /// Every variable that is set and not empty, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str())).filter(|(_, value)| !value.is_empty())
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use hublease_protocol::ci::Ci;

    use super::Environment;

    fn environment(variables: &str) -> Environment {
        let pairs = variables.split_whitespace().filter_map(|pair| pair.split_once('='));
        Environment::new(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())))
    }

    #[test]
    fn a_job_of_a_system_has_all_of_its_marks() {
        for (variables, github, circleci) in [
            ("", false, false),
            ("GITHUB_ACTIONS=true", false, false),
            ("CI=true GITHUB_ACTIONS=true GITHUB_RUN_ID=1", false, false),
            ("GITHUB_ACTIONS=true GITHUB_RUN_ID=1 GITHUB_JOB=build", true, false),
            ("GITHUB_ACTIONS=1 GITHUB_RUN_ID=1 GITHUB_JOB=build", false, false),
            ("GITHUB_RUN_ID=1 GITHUB_JOB=build", false, false),
            ("GITLAB_CI=true CI_JOB_ID=7 GITHUB_ACTIONS=true", false, false),
            ("CIRCLECI=true", false, false),
            ("CIRCLECI=true CIRCLE_JOB=build GITHUB_ACTIONS=true", false, true),
        ] {
            let environment = environment(variables);
            assert_eq!(
                (environment.is_job(Ci::Github), environment.is_job(Ci::Circleci)),
                (github, circleci),
                "{variables}"
            );
        }
    }

    #[test]
    fn one_mark_of_any_system_makes_it_ci() {
        for variables in [
            "CI=true",
            "CI=1",
            "CI=woodpecker",
            "GITHUB_ACTIONS=true",
            "CI=false GITHUB_ACTIONS=true",
            "CIRCLECI=true",
            "GITLAB_CI=true",
            "JENKINS_URL=https://jenkins.example.com/",
            "TF_BUILD=True",
            "TEAMCITY_VERSION=2026.1",
            "CODEBUILD_BUILD_ID=app:1",
            "BUILDKITE=true",
        ] {
            assert!(environment(variables).is_ci(), "{variables}");
        }
        for variables in ["", "CI=false", "CI=", "GITHUB_ACTIONS=false", "TRAVIS=False", "HOME=/root GITHUB_TOKEN=x"] {
            assert!(!environment(variables).is_ci(), "{variables}");
        }
    }

    #[test]
    fn empty_is_unset_and_debug_shows_names_only() {
        let environment = Environment::new([("A".into(), "secret".into()), ("B".into(), String::new())]);
        assert_eq!(
            (environment.value("A"), environment.value("B"), environment.value("C")),
            (Some("secret"), None, None)
        );
        assert_eq!(format!("{environment:?}"), r#"{"A", "B"}"#);
    }
}
