//! How often what is asked again, in one table: by the kind of fault, and never by who is asked.
//!
//! `docs/troubleshooting.md` has the same table, and a test compares the two. A request that mints at a server which does not
//! know its repetitions is an exception: `Repeat` says so, and it is then asked once wherever it may have been carried out.

/// A kind of fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A name, a port or a way that may be there in a moment.
    NoConnection,
    /// The same for a proxy, or its own word that it has no way.
    ProxyAway,
    /// The proxy's "no", as with 403 and 407.
    ProxyRefuses,
    /// A proxy's address, a certificate, TLS, a request: what stays as it is.
    Stays,
    /// The server was silent, or broke off.
    NoAnswer,
    /// A status that passes.
    PassingStatus,
    /// Any other answer.
    FinalAnswer,
    /// `circleci` without a token and without a reason, or with one that passes.
    CircleciAway,
    /// `circleci` with another reason.
    CircleciRefuses,
    /// `docker login`, for want of a network say.
    DockerFails,
    /// `docker login`, refused.
    DockerRefused,
}

/// The wait before the second try, in milliseconds; doubled each time, with up to as much again at random.
const FIRST_WAIT: u64 = 500;

/// `docker login` is asked with pauses of seconds: each try is a process, and a login at Docker Hub.
const FIRST_DOCKER_WAIT: u64 = 1000;

impl Kind {
    /// Every kind, in the order of the table.
    #[cfg(test)]
    pub(crate) const ALL: [Self; 11] = [
        Self::NoConnection,
        Self::NoAnswer,
        Self::PassingStatus,
        Self::FinalAnswer,
        Self::Stays,
        Self::ProxyAway,
        Self::ProxyRefuses,
        Self::CircleciAway,
        Self::CircleciRefuses,
        Self::DockerFails,
        Self::DockerRefused,
    ];

    /// How often is asked at most, and what is waited for before the second time, in milliseconds.
    ///
    /// Four tries of 15 seconds with their waits stay under the 90 seconds of a login. A login that Docker Hub refused, or took for
    /// one too many, is never repeated: each one brings the account closer to being locked.
    fn row(self) -> (u64, u64) {
        match self {
            Self::NoConnection | Self::ProxyAway | Self::NoAnswer | Self::PassingStatus | Self::CircleciAway => {
                (4, FIRST_WAIT)
            }
            Self::DockerFails => (3, FIRST_DOCKER_WAIT),
            Self::ProxyRefuses | Self::Stays | Self::FinalAnswer | Self::CircleciRefuses | Self::DockerRefused => {
                (1, 0)
            }
        }
    }

    /// How often is asked at most.
    pub(crate) fn tries(self) -> u64 {
        self.row().0
    }

    /// How long to wait after this many tries, in milliseconds; none if there is no further one.
    pub(crate) fn wait(self, tried: u64) -> Option<u64> {
        let (tries, first) = self.row();
        (tried < tries).then(|| first << (tried - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::Kind;

    /// How the documentation names each kind.
    fn named(kind: Kind) -> &'static str {
        match kind {
            Kind::NoConnection => {
                "the name is not known, nothing listens at the port, or no connection within 5 seconds"
            }
            Kind::NoAnswer => "no answer within 15 seconds, or the connection broke",
            Kind::PassingStatus => "status 412, 429, 500, 502, 503 or 504, or a 400 of a server that stands by",
            Kind::FinalAnswer => "any other status, or an answer that is too large",
            Kind::Stays => "the certificate is not trusted, there is no TLS, or the proxy's address cannot be used",
            Kind::ProxyAway => "the proxy cannot be reached, or answers with 429, 502, 503 or 504",
            Kind::ProxyRefuses => "the proxy answers with any other status, as 403 and 407",
            Kind::CircleciAway => {
                "`circleci run oidc get` prints nothing, or names a timeout, 429, 500, 502, 503 or 504"
            }
            Kind::CircleciRefuses => "`circleci run oidc get` fails otherwise",
            Kind::DockerFails => "`docker login` fails for want of a network, say",
            Kind::DockerRefused => "`docker login` is refused, or too many were refused before (429)",
        }
    }

    #[test]
    fn the_documentation_has_the_same_table() {
        let page = include_str!("../../docs/troubleshooting.md");
        for kind in Kind::ALL {
            let waits: Vec<_> = (1..kind.tries()).filter_map(|tried| kind.wait(tried)).collect();
            let waits = match (waits.first(), waits.len()) {
                (None, _) => "never again".to_owned(),
                (Some(first), _) => format!("after {} s, then twice as long", *first as f64 / 1000.0),
            };
            let row = format!("| {} | {} | {waits} |\n", named(kind), kind.tries());
            assert!(page.contains(&row), "docs/troubleshooting.md lacks: {row}");
        }
    }

    #[test]
    fn waits_double_and_end_with_the_tries() {
        assert_eq!(
            [1, 2, 3, 4, 5].map(|tried| Kind::NoAnswer.wait(tried)),
            [Some(500), Some(1000), Some(2000), None, None]
        );
        assert_eq!([1, 2, 3].map(|tried| Kind::DockerFails.wait(tried)), [Some(1000), Some(2000), None]);
        assert_eq!(Kind::ProxyRefuses.wait(1), None);
    }
}
