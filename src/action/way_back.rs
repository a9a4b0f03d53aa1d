//! What the post step needs to undo a login, fixed when the login begins.
//!
//! A post step may be given other inputs than the login was (a composite action's, actions/runner issue 2030), and other steps
//! may have set variables since. So the login leaves in the step's state, which no other step can write, whom to ask and how
//! strictly, and the post step goes by that alone.

use hublease_protocol::endpoint::{Endpoint, Origin};
use hublease_protocol::secret::Secret;
use serde::{Deserialize, Serialize};

use crate::plan::{CaCert, Job, Logout};
use crate::provider::revocation::Revoker;
use crate::provider::vault::address::Address;

/// What is left in the state, as JSON. What cannot be read leaves nobody to ask, and docker is logged out all the same.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct WayBack {
    strict: bool,
    probe: bool,
    ca_cert: Option<CaCert>,
    revoker: Asked,
}

/// Who can be asked to revoke.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Asked {
    #[default]
    Nobody,
    Broker(String),
    Vault {
        address: String,
        namespace: Option<String>,
        redirect: Option<String>,
    },
}

impl WayBack {
    /// The way back of a login.
    pub(super) fn new(logout: &Logout, ca_cert: Option<CaCert>) -> Self {
        let revoker = match &logout.revoker {
            Revoker::Nobody => Asked::Nobody,
            Revoker::Broker(endpoint) => Asked::Broker(endpoint.to_string()),
            Revoker::Vault(Address { endpoint, namespace, redirect }) => Asked::Vault {
                address: endpoint.to_string(),
                namespace: namespace.clone(),
                redirect: redirect.as_ref().map(ToString::to_string),
            },
        };
        Self { strict: logout.strict, probe: logout.probe, ca_cert, revoker }
    }

    /// Reads what a login has left.
    pub(super) fn read(text: &Secret) -> Self {
        serde_json::from_str(text.expose()).unwrap_or_default()
    }

    /// As it is left.
    pub(super) fn text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The logout, and the certificates that it needs.
    pub(super) fn logout(self) -> (Logout, Option<CaCert>) {
        let revoker = self.revoker.read().unwrap_or(Revoker::Nobody);
        // The state is this step's own: whatever record is in it, it is this job's.
        let job = Job { key: None };
        (
            Logout { revoker, refusal: None, job, all: true, strict: self.strict, probe: self.probe, json: false },
            self.ca_cert,
        )
    }
}

impl Asked {
    fn read(self) -> Option<Revoker> {
        Some(match self {
            Self::Nobody => Revoker::Nobody,
            Self::Broker(address) => Revoker::Broker(Endpoint::parse(&address).ok()?),
            Self::Vault { address, namespace, redirect } => {
                let redirect = redirect.map(|origin| Origin::parse(&origin)).transpose().ok()?;
                Revoker::Vault(Address { endpoint: Endpoint::parse(&address).ok()?, namespace, redirect })
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use hublease_protocol::endpoint::{Endpoint, Origin};
    use hublease_protocol::secret::Secret;

    use super::WayBack;
    use crate::plan::{CaCert, Job, Logout};
    use crate::provider::revocation::Revoker;
    use crate::provider::vault::address::Address;

    fn logout(revoker: Revoker) -> Logout {
        Logout { revoker, refusal: None, job: Job { key: None }, all: true, strict: true, probe: true, json: false }
    }

    fn vault(namespace: Option<&str>, redirect: Option<&str>) -> Revoker {
        Revoker::Vault(Address {
            endpoint: Endpoint::parse("https://vault.example.com:8200/base").unwrap(),
            namespace: namespace.map(str::to_owned),
            redirect: redirect.map(|origin| Origin::parse(origin).unwrap()),
        })
    }

    #[test]
    fn what_is_left_is_what_the_post_step_goes_by() {
        let ca = |path: &str| Some(CaCert { path: path.to_owned(), provider_only: true });
        for (revoker, ca_cert) in [
            (Revoker::Nobody, None),
            (Revoker::Broker(Endpoint::parse("https://broker.example.com/hub").unwrap()), ca("ca.pem")),
            (Revoker::Broker(Endpoint::parse("http://[::1]:8080").unwrap()), None),
            (vault(None, None), ca("C:\\certificates\\\"ca\".pem")),
            (vault(Some("team/a"), Some("https://standby.example.com")), None),
        ] {
            let way = WayBack::new(&logout(revoker.clone()), ca_cert.clone());
            let (back, certificates) = WayBack::read(&Secret::new(way.text())).logout();
            assert_eq!((back.revoker, certificates), (revoker, ca_cert));
            assert!(back.strict && back.probe && back.all && !back.json);
        }
    }

    #[test]
    fn what_cannot_be_read_leaves_nobody_to_ask() {
        for text in [
            "",
            "{}",
            "null",
            "{\"strict\":true",
            "{\"strict\":true,\"revoker\":{\"broker\":\"ftp://x\"},\"new\":1}",
            "{\"revoker\":{\"broker\":\"http://broker.example.com\"}}",
            "{\"revoker\":{\"vault\":{\"address\":\"https://v\",\"namespace\":null,\"redirect\":\"https://v/path\"}}}",
        ] {
            let (back, certificates) = WayBack::read(&Secret::new(text)).logout();
            assert_eq!((back.revoker, back.strict, certificates), (Revoker::Nobody, false, None), "{text}");
        }
    }
}
