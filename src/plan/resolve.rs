//! From words to plans, one constructor for each part of a plan.

use hublease_protocol::ci::Ci;
use hublease_protocol::secret::Secret;

use super::value::origin_of;
use super::{Format, Frontend, Job, Login, Machine, Token, Whoami, identity, provider};
use crate::cli::{Arguments, Command, ProviderName};
use crate::docker::{Docker, Isolation};
use crate::effect::docker::{Client, Registry};
use crate::environment::Environment;
use crate::error::{Error, Problem};
use crate::identity::Identity;
use crate::provider::{Exchange, Purpose};

impl Login {
    pub(super) fn ready(&self) -> Result<(), Error> {
        self.shadow.clone().map_or_else(|| self.exchange.identity.ready(), Err)
    }

    /// Resolves a `login` by itself, for the Action's module: it carries no other command's code.
    ///
    /// # Errors
    /// Usage errors.
    pub fn resolve(arguments: &Arguments, environment: &Environment) -> Result<Self, Error> {
        arguments.agree()?;
        Self::new(arguments, environment, Job::of(environment), arguments.isolation())
    }

    pub(super) fn new(
        arguments: &Arguments,
        environment: &Environment,
        job: Job,
        isolation: Isolation,
    ) -> Result<Self, Error> {
        let registries = registries(arguments)?;
        let exchange = Exchange::new(arguments, environment)?;
        let shadow = shadow(environment, &registries);
        let client = arguments.one("client").and_then(Client::parse).unwrap_or(Client::Docker);
        Ok(Self {
            exchange,
            docker: Docker { registries, client, isolation },
            job,
            frontend: Frontend::Program,
            shadow,
        })
    }
}

impl Token {
    pub(super) fn new(
        arguments: &Arguments,
        environment: &Environment,
        job: Job,
        machine: Machine,
    ) -> Result<Self, Error> {
        let format = match arguments.one("format") {
            Some("env") => Format::Env,
            Some("secret") => Format::Secret,
            _ => Format::Json,
        };
        let exchange = Exchange::new(arguments, environment)?;
        if machine.terminal && !arguments.is_on("force") && !arguments.is_on("dry-run") {
            return Err(Error::new(Problem::Terminal, ""));
        }
        Ok(Self { exchange, registries: registries(arguments)?, job, format })
    }
}

impl Whoami {
    pub(crate) fn new(arguments: &Arguments, environment: &Environment, json: bool) -> Result<Self, Error> {
        let selected = provider::select(arguments)?;
        if let Some(name) = selected {
            provider::refuse_foreign_wishes(arguments, name)?;
            provider::check_forms(arguments, name)?;
        }
        let audience = match (arguments.one("audience"), selected) {
            (Some(_), Some(_)) => provider::audience(arguments, provider::default_audience(arguments, selected)?)?,
            (Some(audience), None) => Some(audience.to_owned()),
            (None, _) => provider::default_audience(arguments, selected)?,
        };
        Ok(Self {
            identity: identity::detect(arguments, environment)?,
            vault_audience: vault_audience(arguments, selected, audience.as_deref()),
            audience,
            json,
        })
    }
}

/// The audience that a login at Vault would ask for: the one that is wished for, or Vault's own, which may be known although
/// nothing selects Vault.
fn vault_audience(arguments: &Arguments, selected: Option<ProviderName>, audience: Option<&str>) -> Option<String> {
    match selected {
        Some(ProviderName::Vault) => audience.map(str::to_owned),
        None if audience.is_some() => audience.map(str::to_owned),
        _ => arguments.one("vault-addr").and_then(origin_of).map(|origin| origin.to_string()),
    }
}

impl Exchange {
    pub(super) fn new(arguments: &Arguments, environment: &Environment) -> Result<Self, Error> {
        let name = provider::select(arguments)?.ok_or_else(|| Error::new(Problem::NoProvider, ""))?;
        provider::refuse_foreign_wishes(arguments, name)?;
        let (provider, username) = provider::resolve(arguments, environment, name)?;
        let audience = provider::audience(arguments, provider.audience())?;
        let identity = match name {
            ProviderName::Static => Identity::NotNeeded,
            ProviderName::Docker | ProviderName::Broker | ProviderName::Vault => {
                identity::detect(arguments, environment)?
            }
        };
        let wanted_life = provider::life(arguments, name)?;
        let purpose = match (arguments.command, arguments.is_on("renew")) {
            (Command::Exec, true) => Purpose::RenewedCommand,
            (Command::Exec, false) => Purpose::Command,
            _ => Purpose::Job,
        };
        Ok(Self { identity, audience, provider, username, wanted_life, purpose })
    }
}

impl Arguments {
    /// Flags that exclude or need each other, whatever the command.
    pub(super) fn agree(&self) -> Result<(), Error> {
        if self.is_on("verbose") && self.is_on("quiet") {
            return Err(Error::new(Problem::Conflict, "`--verbose` and `--quiet`"));
        }
        if self.one("as").is_some() && !self.is_on("dry-run") {
            return Err(self.refuse("as", "it simulates, and so belongs to `--dry-run`"));
        }
        Ok(())
    }

    pub(super) fn isolation(&self) -> Isolation {
        if self.is_on("isolated") { Isolation::Yes } else { Isolation::No }
    }
}

impl Job {
    /// The job key of the CI systems that we know, or of one that names its jobs as GitLab does.
    pub(crate) fn of(environment: &Environment) -> Self {
        let value = |name| environment.value(name);
        let known = Ci::ALL.into_iter().find_map(|ci| {
            let (first, others) = ci.job().key.split_first()?;
            let id = value(first)?;
            let others = others.iter().map(|name| value(name).unwrap_or_default());
            Some([ci.name(), id].into_iter().chain(others).collect::<Vec<_>>().join(" "))
        });
        Self { key: known.or_else(|| value("CI_JOB_ID").map(|id| format!("ci {id}"))) }
    }
}

fn registries(arguments: &Arguments) -> Result<Vec<Registry>, Error> {
    let mut registries = Vec::new();
    for name in arguments.many("registry") {
        let registry = Registry::parse(name)
            .ok_or_else(|| arguments.refuse("registry", "Docker Hub credentials are for `docker.io` and `dhi.io`"))?;
        if !registries.contains(&registry) {
            registries.push(registry);
        }
    }
    if registries.is_empty() {
        registries.push(Registry::Hub);
    }
    Ok(registries)
}

/// `DOCKER_AUTH_CONFIG` wins over every stored login (docker CLI 28.3 and later). Docker ignores a value that it
/// cannot parse; that counts too, since the next docker version may read it.
pub(super) fn shadow(environment: &Environment, registries: &[Registry]) -> Option<Error> {
    let value = environment.value("DOCKER_AUTH_CONFIG").map(Secret::new)?;
    let parsed = serde_json::from_str::<serde_json::Value>(value.expose()).unwrap_or_default();
    let Some(auths) = parsed.get("auths").and_then(serde_json::Value::as_object) else {
        return Some(Error::new(Problem::Shadowed, Registry::Hub.name()).because("its value cannot be read"));
    };
    let is_shadowed = |registry: &&Registry| auths.keys().any(|key| Registry::parse(key) == Some(**registry));
    registries.iter().find(is_shadowed).map(|registry| Error::new(Problem::Shadowed, registry.name()))
}
