//! A secret in Vault or OpenBao, read by the client's own provider: JWT login, one read, end of the Vault token.
//!
//! The client's story pauses at each effect, and the host here performs the few that this one needs: requests to the one
//! Vault, the identity token's file, time, randomness. What the client would write into a record stays in memory for the
//! time of one read, and the client's `logout` ends whatever it still names. Nothing is shown to anybody.

use std::path::PathBuf;
use std::thread::sleep;
use std::time::{Duration, Instant};

use hublease::effect::http::{Destination, Failure, Header, Method as Verb, Request, Response};
use hublease::effect::record::{Access, Stored};
use hublease::effect::{Asked, Effect, Outcome, Output, Perform, Stop, drive};
use hublease::endpoint::Endpoint;
use hublease::error::{Error, Problem};
use hublease::identity::Identity;
use hublease::plan::{Exchange, Format, Job, Logout, Plan, Token};
use hublease::provider::Provider;
use hublease::provider::revocation::Revoker;
use hublease::provider::vault::{Address, Method, Vault};
use hublease::secret::Secret;
use hublease::session;
use ring::rand::{SecureRandom as _, SystemRandom};
use serde::Deserialize;

use super::{Unreadable, read_file};
use crate::clock::{Clock as _, SystemClock};
use crate::identity::hexadecimal;
use crate::limits::{CALL_TIMEOUT, VAULT_TIMEOUT};
use crate::outbound::native::Native;
use crate::outbound::{Call, Fault, Outbound as _};

/// Where a secret is, and how to log in there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultSource {
    /// Origin and base path.
    pub address: Endpoint,
    /// `X-Vault-Namespace`.
    pub namespace: Option<String>,
    /// Mount of the JWT method, without `auth/`.
    pub auth_path: String,
    /// Role; none takes the mount's default.
    pub role: Option<String>,
    /// The file with the broker's own identity token, such as a projected Kubernetes token; read at each use.
    pub identity_token_file: PathBuf,
    /// Path without `v1/`; of KV version 2 with its `data/`.
    pub path: String,
    /// The field that holds the secret.
    pub field: String,
    /// Whose password it is; the client wants a name with each credential.
    pub username: String,
    /// More authorities, in PEM.
    pub ca_file: Option<PathBuf>,
}

/// What the client's `token --format json` gives, as far as it matters here.
#[derive(Deserialize)]
struct Printed {
    secret: String,
    revocable: bool,
}

impl VaultSource {
    /// Reads the secret. Blocking, at most `PASSWORD_TIMEOUT`.
    pub(super) fn read(&self) -> Result<Secret, Unreadable> {
        self.read_until(Instant::now() + VAULT_TIMEOUT)
    }

    /// The same with another end.
    pub(super) fn read_until(&self, until: Instant) -> Result<Secret, Unreadable> {
        let mut host = Host::new(self, until)?;
        let told = drive(session(Plan::Token(self.token())), &mut host);
        // After a success too: a Vault token that could not be ended, or one that has a lease, is still in the record.
        let _ended_or_ends_by_itself = drive(session(Plan::Logout(self.logout())), &mut host);
        if let Err(error) = told {
            return Err(host.unreadable(&error));
        }
        let printed = host.printed.as_ref().and_then(|text| serde_json::from_str::<Printed>(text.expose()).ok());
        match printed.map(|printed| (Secret::new(printed.secret), printed.revocable)) {
            Some((secret, false)) => Ok(secret),
            Some((_, true)) => Err(Unreadable::lasting(
                "Vault gave it as a lease",
                "Vault gave the secret as a lease, which has ended with the Vault token: use a path of the KV engine",
            )),
            None => Err(Unreadable::lasting("Vault gave no usable secret", "Vault gave no secret")),
        }
    }

    fn token(&self) -> Token {
        let vault = Vault {
            address: self.address(),
            auth_path: self.auth_path.clone(),
            role: self.role.clone(),
            path: self.path.clone(),
            method: Method::Read,
            data: Vec::new(),
            username_field: String::new(),
            secret_field: Some(self.field.clone()),
        };
        Token {
            exchange: Exchange {
                identity: Identity::File { path: self.identity_token_file.display().to_string() },
                audience: None,
                provider: Provider::Vault(Box::new(vault)),
                username: Some(self.username.clone()),
                wanted_life: None,
            },
            registries: Vec::new(),
            job: Job { key: None },
            format: Format::Json,
        }
    }

    fn logout(&self) -> Logout {
        let revoker = Revoker::Vault(self.address());
        Logout { revoker, job: Job { key: None }, all: true, strict: false, probe: false, json: false }
    }

    fn address(&self) -> Address {
        Address { endpoint: self.address.clone(), namespace: self.namespace.clone(), redirect: None }
    }
}

/// Performs what the client's stories ask.
struct Host<'a> {
    source: &'a VaultSource,
    client: Native,
    /// From then on nothing is asked any more but the end of the Vault token.
    until: Instant,
    /// What the client would keep in its directory.
    record: Option<Stored>,
    printed: Option<Secret>,
    /// Why the last request had no answer.
    fault: Option<Fault>,
}

impl<'a> Host<'a> {
    fn new(source: &'a VaultSource, until: Instant) -> Result<Self, Unreadable> {
        let no_authority = |why: String| Unreadable::lasting("Vault's authority cannot be read", why);
        let more = source.ca_file.as_deref().map(read_file).transpose().map_err(no_authority)?;
        let more = more.as_ref().map_or(&b""[..], |pem| pem.expose().as_bytes());
        let client = Native::trusting(more).map_err(|fault| no_authority(fault.0.to_owned()))?;
        Ok(Self { source, client, until, record: None, printed: None, fault: None })
    }

    /// How long something may still begin, the end of the Vault token included.
    fn left(&self) -> Duration {
        (self.until + CALL_TIMEOUT).saturating_duration_since(Instant::now())
    }

    fn http(&mut self, request: &Request) -> Result<Response, Failure> {
        if request.to != Destination::Provider || self.left().is_zero() {
            return Err(Failure::Slow);
        }
        let call = Call {
            method: match request.method {
                Verb::Post => crate::outbound::Method::Post,
                Verb::Get | Verb::Head => crate::outbound::Method::Get,
            },
            json: Some(request.body.expose()),
            headers: request.headers.iter().filter_map(vault_header).collect(),
            ..Call::read(format!("{}{}", self.source.address.origin, request.path_and_query))
        };
        match self.client.send(&call) {
            Ok(reply) => Ok(Response {
                status: reply.status,
                retry_after: reply.retry_after.map(|seconds| seconds.to_string()),
                body: Secret::new(String::from_utf8(reply.body).map_err(|_no_text| Failure::Cut)?),
                ..Response::default()
            }),
            Err(fault) => {
                // Told as the one failure that is not repeated: the broker itself comes again, and a job waits for this.
                self.fault = Some(fault);
                Err(Failure::Untrusted)
            }
        }
    }

    fn record(&mut self, access: &Access) -> Vec<Stored> {
        match access {
            Access::Prepare => {}
            Access::Read => return self.record.iter().cloned().collect(),
            Access::Write { name, body, .. } => {
                self.record = Some(Stored { name: name.clone(), body: Ok(body.clone()) });
            }
            Access::Erase { .. } => self.record = None,
        }
        Vec::new()
    }

    /// The client's sentence without its causes, which may repeat what Vault said.
    fn unreadable(&self, error: &Error) -> Unreadable {
        use Problem::{Busy, Cut, Deadline, Failing, Sealed, Slow, Unreachable, Untrusted};
        let (phrase, is_passing) = match (error.problem(), error.exit_code()) {
            (Busy | Cut | Deadline | Failing | Sealed | Slow | Unreachable | Untrusted, _) => {
                ("Vault is not available", true)
            }
            (_, 3) => ("there is no identity token for Vault", false),
            (_, 4) => ("Vault refuses to give it", false),
            _ => ("Vault gave no usable secret", false),
        };
        let sentence = match self.fault {
            Some(fault) => format!("{} is not available: {}", self.source.address, fault.0),
            None => error.sentence(),
        };
        Unreadable { phrase, sentence, is_passing }
    }
}

impl Perform for Host<'_> {
    fn stop(&mut self) -> Option<Stop> {
        (Instant::now() >= self.until).then_some(Stop::Deadline)
    }

    fn perform(&mut self, asked: &Asked) -> Outcome {
        match &asked.effect {
            Effect::Http(request) => Outcome::Http(self.http(request)),
            Effect::IdentityFile => {
                let token = read_file(&self.source.identity_token_file);
                Outcome::Token(token.map(|token| Secret::new(token.expose().trim())))
            }
            Effect::Record(access) => Outcome::Record(Ok(self.record(access))),
            Effect::Random { bytes } => Outcome::Text(random(*bytes)),
            Effect::Now => Outcome::Now(SystemClock.now()),
            Effect::Sleep { milliseconds } => {
                sleep(Duration::from_millis(*milliseconds).min(self.left()));
                Outcome::Done
            }
            Effect::Output(Output::Credential(printed)) => {
                self.printed = Some(printed.clone());
                Outcome::Done
            }
            // No log of a CI system is here to hide a value from, and nobody to tell. What neither story asks for is
            // answered wrongly so, and ends the story as a bug.
            Effect::Mask(_)
            | Effect::Say(_)
            | Effect::Output(_)
            | Effect::Docker(_)
            | Effect::Config(_)
            | Effect::CircleciIdentity { .. }
            | Effect::Child(_) => Outcome::Done,
        }
    }
}

/// Vault's own headers; the others are the client's to set.
fn vault_header((name, value): &(Header, Secret)) -> Option<(&'static str, &str)> {
    match name {
        Header::XVaultNamespace | Header::XVaultRequest | Header::XVaultToken => Some((name.name(), value.expose())),
        Header::Accept | Header::Authorization | Header::ContentType => None,
    }
}

/// Random bytes in hexadecimal; zeros when the system gives none, for they only name a record that nobody else sees.
fn random(bytes: usize) -> String {
    let mut drawn = vec![0; bytes];
    let _either_way = SystemRandom::new().fill(&mut drawn);
    hexadecimal(&drawn)
}
