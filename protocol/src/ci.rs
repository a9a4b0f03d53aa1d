//! What is known about the CI systems whose jobs can prove who they are: one file each, and every fact once.
//!
//! Who finds the identity token, suggests a rule, reads a configuration or warns of one asks here. Each file names the
//! documentation that it follows. Nothing in these tables decides: an issuer is trusted by its address and keys, and a
//! job by the rules of a configuration.

mod circleci;
mod facts;
mod github;
mod gitlab;
mod kubernetes;

pub use self::facts::{
    Binding, BranchFacts, EventFacts, IdentityUse, IssuerAddress, JobFacts, LaterSteps, LaterStepsForm, RuleFacts,
    StrangersFacts, TokenFacts, TokenSource,
};

/// One fact of a system's file. Each kind of fact is looked up by itself, so that the Action's module holds only those that it
/// asks for.
macro_rules! fact {
    ($ci:expr, $($fact:tt)+) => {
        match $ci {
            Ci::Github => fact!(@ github $($fact)+),
            Ci::Circleci => fact!(@ circleci $($fact)+),
            Ci::Gitlab => fact!(@ gitlab $($fact)+),
            Ci::Kubernetes => fact!(@ kubernetes $($fact)+),
        }
    };
    (@ $file:ident & $fact:ident) => { &$file::$fact };
    (@ $file:ident $fact:ident) => { $file::$fact };
}

/// A CI system that we know by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ci {
    /// GitHub Actions.
    Github,
    /// CircleCI.
    Circleci,
    /// GitLab CI/CD.
    Gitlab,
    /// Pods of a Kubernetes cluster, whatever CI system runs in them.
    Kubernetes,
}

impl Ci {
    /// All of them, in the order in which a job is looked for: what runs inside of another comes first.
    pub const ALL: [Self; 4] = [Self::Github, Self::Circleci, Self::Gitlab, Self::Kubernetes];

    /// The names of those whose jobs find their identity token by themselves, in alphabetical order.
    pub const SELF_IDENTIFYING: &[&str] = &[Self::Circleci.name(), Self::Github.name()];

    /// The word in flags and configurations.
    pub const fn name(self) -> &'static str {
        fact!(self, NAME)
    }

    /// As people write it.
    pub const fn title(self) -> &'static str {
        fact!(self, TITLE)
    }

    /// What its jobs find around them.
    pub const fn job(self) -> &'static JobFacts {
        fact!(self, &JOB)
    }

    /// What its identity tokens say.
    pub const fn token(self) -> &'static TokenFacts {
        fact!(self, &TOKEN)
    }

    /// What a rule about its jobs should say.
    pub const fn rule(self) -> &'static RuleFacts {
        fact!(self, &RULE)
    }

    /// The system with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ci| ci.name() == name)
    }

    /// The system whose issuer has this address.
    pub fn of_issuer(address: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|ci| ci.token().issuers.iter().any(|known| known.is_of(address)))
    }

    /// The system that made a token of this issuer: by the issuer's address, or, where an installation has its own, by the
    /// claims that the token has.
    pub fn of_token(issuer: &str, has: impl Fn(&str) -> bool) -> Option<Self> {
        let is_marked = |ci: &Self| !ci.token().marks.is_empty() && ci.token().marks.iter().all(|name| has(name));
        Self::of_issuer(issuer).or_else(|| Self::ALL.into_iter().find(is_marked))
    }
}

/// What other CI systems set in every job, as their documentation has it: `CI` is not among it with each (Jenkins, TeamCity,
/// AWS CodeBuild), and projects empty that one to quieten their tools.
pub const MARKS_OF_OTHERS: &[&str] = &[
    "APPVEYOR",
    "BITBUCKET_BUILD_NUMBER",
    "BUILDKITE",
    "CIRRUS_CI",
    "CI_JOB_ID",
    "CODEBUILD_BUILD_ID",
    "DRONE",
    "GITEA_ACTIONS",
    "GITLAB_CI",
    "JENKINS_URL",
    "SEMAPHORE",
    "TEAMCITY_VERSION",
    "TF_BUILD",
    "TRAVIS",
];

/// What is supposed of an issuer that has no file here; its configuration names project, job and workflow.
pub const UNKNOWN: RuleFacts = RuleFacts {
    patterns: &[
        "ref",
        "ref_path",
        "environment",
        "ci_config_ref_uri",
        "project_path",
        "repository",
        "build_branch",
        "branchName",
    ],
    branch: Some(BranchFacts {
        claims: &["ref_path", "ref", "build_branch", "branchName", "ref_protected", "environment", "ci_config_ref_uri"],
        subject_mark: "ref:",
    }),
    strangers: None,
    bind: &[],
    also: &["namespace_id", "organization_id", "workspaceUuid"],
    docker_connection: None,
};

/// What issuers that have no file here call the project's immutable id.
pub const UNKNOWN_PROJECTS: &[&str] = &["project_id", "repository_id", "repositoryUuid", "pipeline_id"];

#[cfg(test)]
mod tests {
    use super::{Ci, IssuerAddress, TokenSource};

    #[test]
    fn a_name_and_an_issuer_belong_to_one_system() {
        for (at, ci) in Ci::ALL.into_iter().enumerate() {
            assert_eq!(Ci::named(ci.name()), Some(ci));
            for known in ci.token().issuers {
                let issuer = match known {
                    IssuerAddress::At(issuer) | IssuerAddress::Below(issuer) => (*issuer).to_owned(),
                    IssuerAddress::Path(path) => format!("https://ci.example{path}"),
                };
                assert_eq!(Ci::of_issuer(&issuer), Some(ci));
            }
            let marks = ci.token().marks;
            assert_eq!(Ci::of_token("https://ci.example", |name| marks.contains(&name)), Some(ci));
            for other in &Ci::ALL[at + 1..] {
                assert!(ci.name() != other.name() && ci.title() != other.title());
            }
        }
    }

    #[test]
    fn an_issuer_is_known_by_its_whole_address() {
        for (address, ci) in [
            ("https://token.actions.githubusercontent.com", Some(Ci::Github)),
            ("https://token.actions.githubusercontent.com/acme", Some(Ci::Github)),
            ("https://token.actions.githubusercontent.com.example", None),
            ("https://oidc.circleci.com/org/0f0e", Some(Ci::Circleci)),
            ("https://oidc.circleci.com/organization/0f0e", None),
            ("https://oidc.circleci.com", Some(Ci::Circleci)),
            ("https://ghe.acme.example/_services/token", Some(Ci::Github)),
            ("https://ghe.acme.example:8443/_services/token", Some(Ci::Github)),
            ("https://ghe.acme.example/x/_services/token", None),
            ("https:///_services/token", None),
            ("https://gitlab.com", Some(Ci::Gitlab)),
            ("https://gitlab.com/acme", None),
            ("https://issuer.example", None),
            ("", None),
        ] {
            assert_eq!(Ci::of_issuer(address), ci, "{address}");
        }
    }

    #[test]
    fn a_system_says_how_its_jobs_are_told_apart_and_which_project_they_are_of() {
        for ci in Ci::ALL {
            assert!(!ci.token().project.is_empty() && !ci.token().job.is_empty(), "{ci:?}");
            let is_found_by_itself = ci.job().source != TokenSource::Named;
            assert_eq!(is_found_by_itself, ci.job().marker.is_some(), "{ci:?}: what says that a job runs there");
            assert_eq!(is_found_by_itself, Ci::SELF_IDENTIFYING.contains(&ci.name()), "{ci:?}");
        }
    }
}
