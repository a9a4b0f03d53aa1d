//! Who vouches: an identity goes in, a lease comes out.
//!
//! One file per provider, each made of pure pairs (build a request, read an answer) and one short exchange. What is
//! common is here and in `request`: limits, the check of what came back, and who is asked.

pub mod broker;
pub mod docker_identity;
mod refusal;
pub mod revocation;
pub mod static_credential;
pub mod vault;
pub mod workflow;

use hublease_protocol::endpoint::Origin;
use hublease_protocol::printable::printable;
use hublease_protocol::secret::Secret;
use hublease_protocol::time::{span, utc};

use crate::cli::ProviderName;
use crate::effect::Effects;
use crate::effect::docker::Registry;
use crate::effect::http::Destination;
use crate::effect::username::is_username;
use crate::error::{Error, Problem};
use crate::identity::{self, Identity};
use crate::lease::{Credential, Lease};
use crate::provider::broker::Broker;
use crate::provider::docker_identity::DockerIdentity;
use crate::provider::static_credential::StaticCredential;
use crate::provider::vault::Vault;
use crate::record::RecordWriter;
use crate::request::{may_be_shown, repeats};

/// The largest credential, in bytes. Docker Hub's tokens have under 100, Docker Identity's are JWTs of a few KiB.
const LARGEST_CREDENTIAL: usize = 16 * 1024;

/// Shorter lives are warned about: a build that ends with the push commonly takes longer than 15 minutes.
pub const SHORT_LIFE: u64 = 900;

/// The provider of a plan, with everything that it needs.
#[derive(Clone, Debug)]
pub enum Provider {
    /// Docker Identity.
    Docker(DockerIdentity),
    /// An RFC 8693 token endpoint.
    Broker(Broker),
    /// HashiCorp Vault or OpenBao.
    Vault(Box<Vault>),
    /// What the CI system already holds.
    Static(StaticCredential),
}

impl Provider {
    /// The name on the command line.
    pub fn name(&self) -> ProviderName {
        match self {
            Self::Docker(_) => ProviderName::Docker,
            Self::Broker(_) => ProviderName::Broker,
            Self::Vault(_) => ProviderName::Vault,
            Self::Static(_) => ProviderName::Static,
        }
    }

    /// The audience that goes with it.
    pub fn audience(&self) -> Option<String> {
        match self {
            Self::Docker(_) => Some(docker_identity::AUDIENCE.to_owned()),
            Self::Broker(broker) => Some(broker.endpoint.origin.to_string()),
            Self::Vault(vault) => Some(vault.address.endpoint.origin.to_string()),
            Self::Static(_) => None,
        }
    }

    /// The origins that may be asked.
    pub fn destinations(&self) -> Vec<(Destination, Origin)> {
        match self {
            Self::Docker(_) => Origin::parse(docker_identity::AUDIENCE)
                .ok()
                .map(|origin| (Destination::Provider, origin))
                .into_iter()
                .collect(),
            Self::Broker(broker) => vec![(Destination::Provider, broker.endpoint.origin.clone())],
            Self::Vault(vault) => vault.address.destinations(),
            Self::Static(_) => Vec::new(),
        }
    }
}

/// Who asks whom for what.
#[derive(Debug)]
pub struct Exchange {
    /// Who we are.
    pub identity: Identity,
    /// The audience to ask an identity token for; none takes what the CI system gives by default.
    pub audience: Option<String>,
    /// Who vouches.
    pub provider: Provider,
    /// As whom to log in, if the provider does not say.
    pub username: Option<String>,
    /// How long the credential shall live, in seconds; compared with what was granted.
    pub wanted_life: Option<u64>,
    /// What the credential is for.
    pub purpose: Purpose,
}

/// What a credential is for, as far as advice about its life depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Later commands of the job.
    Job,
    /// Later steps of a job at GitHub.
    ActionJob,
    /// One command, under `exec`.
    Command,
    /// One command whose login is renewed while it runs.
    RenewedCommand,
}

/// Turns this job's identity into a lease, which the writer has recorded when this returns.
///
/// # Errors
/// Stages identity, refused and unavailable. What came into being before the failure is in the writer's record.
pub async fn exchange(effects: &Effects, plan: &Exchange, writer: &mut RecordWriter) -> Result<Lease, Error> {
    let lease = match &plan.provider {
        Provider::Static(fixed) => static_credential::exchange(effects, fixed, plan, writer).await?,
        Provider::Docker(docker) => docker_identity::exchange(effects, docker, plan, writer).await?,
        Provider::Broker(broker) => broker::exchange(effects, broker, plan, writer).await?,
        Provider::Vault(vault) => vault::exchange(effects, vault, plan, writer).await?,
    };
    warn_of_a_short_life(effects, plan, &lease).await?;
    Ok(lease)
}

/// The identity token for the plan's audience.
async fn identify(effects: &Effects, identity: &Identity, audience: Option<&str>) -> Result<Secret, Error> {
    let identity = identity::obtain(effects, identity, audience).await?;
    let issuer = printable(identity.claims.text("iss").unwrap_or_default());
    let audiences = printable(&identity.claims.audiences().join(", "));
    effects.detail(format!("identity token of {issuer} for {audiences}")).await?;
    Ok(identity.token)
}

/// Checks what a provider gave before anything is done with it. `held` are the other secrets of the exchange.
fn credential(
    server: &str,
    plan: &Exchange,
    username: Option<&str>,
    secret: Secret,
    held: &[&Secret],
) -> Result<Credential, Error> {
    let unusable = |why: &str| Error::new(Problem::CredentialUnfit, server).because(why);
    let username = plan.username.as_deref().or(username).ok_or_else(|| {
        Error::new(Problem::Missing, "`--username`")
            .because("the provider does not say which account the credential belongs to")
    })?;
    if !is_username(username) {
        return Err(unusable("the username is not one that docker takes"));
    }
    if secret.is_empty() || secret.len() > LARGEST_CREDENTIAL {
        return Err(unusable("the credential is empty or larger than 16384 bytes"));
    }
    if secret.expose().ends_with(['\r', '\n']) {
        return Err(unusable("the credential ends in a line break"));
    }
    if secret.expose().chars().any(char::is_control) {
        return Err(unusable("the credential holds control characters"));
    }
    // A field that was named by mistake, for instance: usernames are shown, so this one would give the secret away.
    let gives_away = match &plan.username {
        // It is shown wherever it was typed; a password that was made from it is no reason to refuse it.
        Some(typed) => typed.contains(secret.expose()),
        None => !may_be_shown(username, held) || repeats(username, &[&secret]) && !is_made_from(&secret, username),
    };
    if gives_away {
        return Err(unusable("the username repeats a part of the credential or of another secret of the exchange"));
    }
    Ok(Credential { username: username.to_owned(), secret })
}

/// Whether a password was made from the name of its account, as people do it: it begins with the name, and most of it is left.
fn is_made_from(secret: &Secret, username: &str) -> bool {
    secret.expose().strip_prefix(username).is_some_and(|rest| rest.len() >= username.len())
}

/// A registry that the provider names has to be one that we know.
fn check_registry(server: &str, name: Option<&str>) -> Result<(), Error> {
    match name {
        Some(name) if Registry::parse(name).is_none() => {
            Err(Error::new(Problem::Answer, server).because("the credential is for another registry than Docker Hub"))
        }
        _ => Ok(()),
    }
}

async fn warn_of_a_short_life(effects: &Effects, plan: &Exchange, lease: &Lease) -> Result<(), Error> {
    let Some(expires_at) = lease.note.expires_at else {
        return Ok(());
    };
    let life = expires_at.saturating_sub(lease.note.issued_at);
    if let Some(wanted) = plan.wanted_life.filter(|wanted| *wanted != life) {
        effects.warn(format!("{} was asked for, the provider granted {}", span(wanted), span(life))).await?;
    }
    if life < SHORT_LIFE && plan.purpose != Purpose::RenewedCommand {
        effects
            .warn(format!("the credential lives {} (until {}){}", span(life), utc(expires_at), advice(plan)))
            .await?;
    }
    Ok(())
}

/// What can be done about a short life. No client reads docker's file twice: buildx, BuildKit, crane, skopeo, podman and the
/// engine take the login when they start, so nothing helps one that is at work.
fn advice(plan: &Exchange) -> String {
    let what = match plan.purpose {
        Purpose::Job => "log in right before the last one starts",
        Purpose::ActionJob => "put this step right before the last one",
        Purpose::Command | Purpose::RenewedCommand => "`--renew` serves the calls that start later",
    };
    let flag = if plan.purpose == Purpose::ActionJob { "expires-in" } else { "--expires-in" };
    let longer = match plan.provider {
        Provider::Docker(_) | Provider::Broker(_) => format!(", or ask for more with `{flag}`"),
        Provider::Vault(_) => "; the life is set at Vault, by the engine and the role".to_owned(),
        Provider::Static(_) => String::new(),
    };
    format!(", and a client reads it once, when it starts: {what}{longer}")
}
