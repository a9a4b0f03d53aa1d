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

const fn known(moment: &'static str, finding: &'static str, code: i32, says: &'static str) -> Known {
    Known { moment, finding, code, says }
}

/// `exec --renew` revokes the login that a client has read.
const SUPERSEDED: &str = "K17 (a superseded lease is revoked)";

/// The findings are those of the issue about real servers: K24 final by inference, K25 the answer's reason lost or invented, K26
/// success that leaves something alive without a word.
const KNOWN: &[Known] = &[
    known("the database is down: logout", "K25 (3)", 7, "failed to revoke entry: resp: (*logica…"),
    known("the database was down: logout again", "K24 (12)", 0, "the Vault token has ended"),
    known("the lease's time is over, and its revocation fails: logout", "K24 (1)", 0, "already over"),
    known("the lease's time is over, and the server is gone: logout", "K24 (1)", 0, "already over"),
    known("the server has ended the lease by its time: logout", "K24 (1)", 0, "revoked and confirmed"),
    known("the Vault token is bound to another address: logout", "K24 (2)", 0, "the Vault token has ended"),
    known("the entity is disabled: logout", "K24 (2)", 0, "the Vault token has ended"),
    known(
        "the lease is revoked, and the Vault token may not end itself: logout",
        "K26 (4)",
        0,
        "revoked and confirmed",
    ),
    known("the lease of a batch token may not be revoked: logout", "K25 (3)", 7, "and a batch token c…"),
    known("a stored secret by a batch token: login", "K25 (5)", 0, "could not be ended"),
    known("a stored secret by a batch token: logout", "K25 (5)", 7, "was lost"),
    known("the stored value ends in a line break: what is undone", "K25 (6)", 5, "the vault token: not a lease"),
    known("the database is down: login", "K25 (9)", 5, "the answer was lost"),
    known("no policy for the path", "K25 (13)", 4, "1 error occurred:\\u{a}"),
    known("no such mount", "K25 (10)", 4, "does not know the role"),
    known("login from another address", "K25 (10)", 4, "does not know the role"),
    known("no such namespace", "K25 (10)", 4, "does not know the role"),
    known("a token of one use", "K25 (10)", 4, "hublease whoami"),
    known("the newest version is deleted", "K25 (10)", 4, "status 404"),
    known("the stored value ends in a line break: the hint", "K25 (10)", 5, "a proxy answers in its place"),
    known("the stored value is too large", "K25 (10)", 5, "a proxy answers in its place"),
    known("the identity token is of the future", "K25 (10)", 4, "no rule of"),
    known("the address has a path", "K25 (10)", 4, "does not know the role"),
    // They wait for superseded leases to live on.
    known("the login is renewed while crane pushes", SUPERSEDED, 1, "incorrect username or password"),
    known("the login is renewed while the engine pushes", SUPERSEDED, 1, "incorrect username or password"),
    known("the login is renewed while skopeo pushes", SUPERSEDED, 1, "incorrect username or password"),
    known("the login is renewed while podman pushes", SUPERSEDED, 125, "incorrect username or password"),
    known("the login is renewed while buildah pushes", SUPERSEDED, 125, "incorrect username or password"),
    known("the login is renewed while buildx pushes", SUPERSEDED, 1, "incorrect username or password"),
    known("the login is renewed while BuildKit builds", SUPERSEDED, 1, "incorrect username or password"),
    known("the proxy refuses the host: login", "K25 (a proxy's refusal)", 5, "after 4 tries"),
    known("the proxy is gone: login", "K25 (a proxy's refusal)", 5, "after 4 tries"),
];

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
