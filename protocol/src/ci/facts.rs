//! The form of what is known about a CI system.

/// What a job finds around it.
#[derive(Debug)]
pub struct JobFacts {
    /// How it gets its identity token.
    pub source: TokenSource,
    /// The variable that is `true` in every job.
    pub marker: Option<&'static str>,
    /// Variables that every job has besides. Anybody can set one variable, and some set another system's for its effect on
    /// some tool: only all of them together are a job.
    pub witnesses: &'static [&'static str],
    /// The variables that tell jobs apart: without the first this is no job, the others may be missing.
    pub key: &'static [&'static str],
    /// The variable with the directory of the checkout, which the code of strangers may have filled.
    pub workspace: Option<&'static str>,
    /// Whether `::add-mask::` on standard output hides a value in the log.
    pub masks: bool,
    /// How later steps learn a variable.
    pub later_steps: Option<LaterSteps>,
    /// What to do about a job that has no identity token; empty where nothing says that this is such a job.
    pub without_token: &'static str,
}

/// How a job gets its identity token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenSource {
    /// An endpoint is asked each time; both variables are set only where the job may ask.
    Endpoint {
        /// The variable with the address.
        url: &'static str,
        /// The variable with the bearer token for it.
        bearer: &'static str,
    },
    /// Variables hold it, the best first.
    Variables(&'static [&'static str]),
    /// Variables hold the one that the job began with, the best first; CircleCI's program makes others.
    VariablesOrProgram(&'static [&'static str]),
    /// A variable or a file that the user names.
    Named,
}

/// How later steps of the job learn a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LaterSteps {
    /// The variable with the path of the file to append to.
    pub file: &'static str,
    /// How an assignment is written there.
    pub form: LaterStepsForm,
    /// Whether the variable means this in jobs of that system only.
    pub marked_jobs_only: bool,
}

/// How an assignment for later steps is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LaterStepsForm {
    /// GitHub's `NAME<<DELIMITER`, value and delimiter.
    Heredoc,
    /// A shell's `export NAME='…'`.
    Export,
}

/// What identity tokens say.
#[derive(Debug)]
pub struct TokenFacts {
    /// The addresses of its issuers, as far as they are known.
    pub issuers: &'static [IssuerAddress],
    /// The claims that together tell its tokens from others' where an installation has an issuer of its own; empty where
    /// none does.
    pub marks: &'static [&'static str],
    /// What stands before the organization's id in the issuer's address, where that id is the audience of a job that
    /// asked for none.
    pub default_audience_after: Option<&'static str>,
    /// Whether tokens bear a `jti`; without one none can be told from its repetition.
    pub has_id: bool,
    /// How tokens are counted when a configuration does not say.
    pub identity_use: IdentityUse,
    /// The project's immutable id, which a renamed or re-created project does not share.
    pub project: &'static str,
    /// What together tells one job from another within the project.
    pub job: &'static [&'static str],
    /// What together tells one workflow (a run of jobs) from another within the project; empty means that nothing does.
    pub workflow: &'static [&'static str],
}

/// Where an issuer of a CI system is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IssuerAddress {
    /// Exactly there.
    At(&'static str),
    /// There or below, as the issuers of single organizations and enterprises are.
    Below(&'static str),
    /// At any host with this path, as those of servers that people run themselves are.
    Path(&'static str),
}

impl IssuerAddress {
    /// Whether an issuer's address is of this form.
    pub fn is_of(&self, address: &str) -> bool {
        match self {
            Self::At(issuer) => address == *issuer,
            Self::Below(issuer) => {
                address.strip_prefix(issuer).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            }
            Self::Path(path) => {
                let host = address.strip_prefix("https://").and_then(|rest| rest.strip_suffix(path));
                host.is_some_and(|host| !host.is_empty() && !host.contains('/'))
            }
        }
    }
}

/// How often one identity token may be exchanged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdentityUse {
    /// Once: `jti` is remembered, and seen again it is a replay unless the same `request_id` comes with it.
    Once,
    /// As often as the issuer's limits on leases and mints per job allow, because the job has no other token.
    Reusable,
}

/// What a rule about jobs may say, should say, and is warned of when it does not. Claims are named as in rules: a name
/// that starts with `/` is a JSON pointer (RFC 6901).
#[derive(Debug)]
pub struct RuleFacts {
    /// The claims that may be matched by a pattern: references, environments, workflow paths and repositories.
    pub patterns: &'static [&'static str],
    /// What keeps other branches out.
    pub branch: Option<BranchFacts>,
    /// What keeps strangers out.
    pub strangers: Option<StrangersFacts>,
    /// What else a rule must bind to be narrow.
    pub bind: &'static [Binding],
    /// What makes a narrow rule narrower still: a suggested one binds those that the token has.
    pub also: &'static [&'static str],
    /// The issuer whose tokens Docker's OIDC connections accept, by their `sub`.
    pub docker_connection: Option<&'static str>,
}

/// What keeps other branches out.
#[derive(Debug)]
pub struct BranchFacts {
    /// The claims each of which limits the branch, the best first.
    pub claims: &'static [&'static str],
    /// What a `sub` has in it that names the branch.
    pub subject_mark: &'static str,
}

/// What keeps strangers out.
#[derive(Debug)]
pub enum StrangersFacts {
    /// A claim names the repository that the code comes from.
    Origin {
        /// The claim.
        claim: &'static str,
        /// What a `sub` has in it that names the origin.
        subject_mark: &'static str,
        /// Why a rule without it is open to strangers.
        reason: &'static str,
    },
    /// A claim names the event that started the job.
    Event(EventFacts),
    /// Code that strangers offer has references of its own.
    Reference {
        /// The claim with the reference.
        claim: &'static str,
        /// What such references begin with.
        offered: &'static str,
    },
}

/// How the event that started a job tells strangers from members.
#[derive(Debug)]
pub struct EventFacts {
    /// The claim with the event.
    pub claim: &'static str,
    /// A rule names one of these claims, or it is refused.
    pub either: &'static [&'static str],
    /// The refusal.
    pub either_sentence: &'static str,
    /// Events that run trusted code on a stranger's behalf: a rule that does not name the event does not take them.
    pub to_be_named: &'static [&'static str],
    /// What the names of events begin with that run the code of people who cannot push.
    pub untrusted_prefix: &'static str,
    /// Other events that people without write access can cause.
    pub untrusted: &'static [&'static str],
    /// Why a rule without the claim is open to strangers.
    pub reason: &'static str,
}

impl EventFacts {
    /// Whether people without write access can cause it.
    pub fn is_untrusted(&self, event: &str) -> bool {
        event.starts_with(self.untrusted_prefix) || self.untrusted.contains(&event)
    }
}

/// A claim that a rule should bind.
#[derive(Debug)]
pub struct Binding {
    /// The claims of which one is enough.
    pub claims: &'static [&'static str],
    /// The one value that binds; none where any does.
    pub value: Option<bool>,
    /// The warning's word.
    pub code: &'static str,
    /// The warning: what the rule is open to, and what to name.
    pub sentence: &'static str,
}
