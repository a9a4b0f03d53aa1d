//! Which provider is meant, and whether it can do what is wished.

use hublease_protocol::scope::Scope;
use hublease_protocol::secret::Secret;

use super::value::{self, connection_id, endpoint, missing, origin_of, ours, required, variable, vault_path};
use super::vault;
use crate::cli::{Arguments, Command, ProviderName, Source, Support};
use crate::environment::Environment;
use crate::error::{Error, Problem};
use crate::provider::broker::Broker;
use crate::provider::docker_identity::DockerIdentity;
use crate::provider::revocation::Revoker;
use crate::provider::static_credential::StaticCredential;
use crate::provider::{Provider, docker_identity};

/// The provider that the selecting inputs name: a connection id, a broker's URL, Vault's path or role. An ambient
/// `VAULT_ADDR` selects nothing, and `static` is never automatic.
pub(super) fn select(arguments: &Arguments) -> Result<Option<ProviderName>, Error> {
    if let Some(name) = named(arguments) {
        return Ok(Some(name));
    }
    let selecting = [
        // With a broker's URL a connection id names a group of its rules.
        (ProviderName::Docker, "connection-id", arguments.one("broker-url").is_none()),
        (ProviderName::Broker, "broker-url", true),
        (ProviderName::Vault, "vault-path", true),
        (ProviderName::Vault, "vault-role", arguments.one("vault-path").is_none()),
    ];
    let found: Vec<_> =
        selecting.into_iter().filter(|(_, flag, counts)| *counts && arguments.one(flag).is_some()).collect();
    match found.as_slice() {
        [] => Ok(None),
        [(name, ..)] => Ok(Some(*name)),
        several => {
            let names: Vec<String> =
                several.iter().map(|(name, flag, _)| format!("{} by {}", name.name(), arguments.label(flag))).collect();
            Err(Error::new(Problem::TwoProviders, &names.join(", ")))
        }
    }
}

/// The provider that `--provider` names; none for `auto`. The parser lets no other word through.
fn named(arguments: &Arguments) -> Option<ProviderName> {
    let name = arguments.one("provider")?;
    ProviderName::ALL.iter().copied().find(|provider| provider.name() == name)
}

/// A flag or a variable of ours that this provider cannot honour is refused; a neighbour's variable may be there
/// for others. So may ours in a `logout`, which a job that uses two providers runs once for each.
pub(super) fn refuse_foreign_wishes(arguments: &Arguments, name: ProviderName) -> Result<(), Error> {
    for (flag, source) in arguments.given() {
        let column = ProviderName::ALL.iter().position(|provider| *provider == name).unwrap_or_default();
        if flag.support.get(column) == Some(&Support::Refused) && !is_for_others(arguments, source) {
            return Err(Error::new(Problem::NotHonoured, &arguments.label(flag.name))
                .because(&format!("the provider is {}", name.name())));
        }
    }
    Ok(())
}

fn is_for_others(arguments: &Arguments, source: Source) -> bool {
    match source {
        Source::Flag => false,
        Source::Ours(_) => arguments.command == Command::Logout && arguments.one("provider").is_some(),
        Source::Neighbour(_) => true,
    }
}

/// The form of whatever is given for this provider, for a command that does not need all of it.
pub(super) fn check_forms(arguments: &Arguments, name: ProviderName) -> Result<(), Error> {
    match name {
        ProviderName::Docker => {
            arguments.one("connection-id").map_or(Ok(()), |id| connection_id(arguments, id).map(drop))
        }
        ProviderName::Broker => {
            arguments.one("broker-url").map_or(Ok(()), |_| endpoint(arguments, "broker-url", "").map(drop))
        }
        ProviderName::Vault => {
            for flag in ["vault-path", "vault-auth-path"] {
                arguments.one(flag).map(|text| vault_path(arguments, flag, text)).transpose()?;
            }
            vault::namespace(arguments)?;
            vault::redirect(arguments)?;
            arguments.one("vault-addr").map_or(Ok(()), |_| value::vault_address(arguments).map(drop))
        }
        ProviderName::Static => Ok(()),
    }
}

/// The provider with everything that it needs, and as whom to log in where the provider does not say.
pub(super) fn resolve(
    arguments: &Arguments,
    environment: &Environment,
    name: ProviderName,
) -> Result<(Provider, Option<String>), Error> {
    let username = arguments
        .one("username")
        .map(|_| value::username(arguments, "username", arguments.one("username")))
        .transpose()?;
    match name {
        ProviderName::Docker => {
            let id = required(arguments, "connection-id", "the id of the OIDC connection, from Docker Home")?;
            let id = connection_id(arguments, id)?.to_owned();
            let username =
                Some(username.ok_or_else(|| missing("--username", "the organization that the connection belongs to"))?);
            let expires_in = life(arguments, name)?.unwrap_or(docker_identity::DEFAULT_LIFE);
            Ok((Provider::Docker(DockerIdentity { connection_id: id, expires_in }), username))
        }
        ProviderName::Broker => {
            let scope = match arguments.many("scope") {
                [] => None,
                several => Some(
                    Scope::parse(&several.join(" ")).map_err(|error| arguments.refuse("scope", &error.to_string()))?,
                ),
            };
            let broker = Broker {
                endpoint: endpoint(arguments, "broker-url", "the address of the token service")?,
                scope,
                connection_id: arguments
                    .one("connection-id")
                    .filter(|_| ours(arguments, "connection-id"))
                    .map(str::to_owned),
                expires_in: life(arguments, name)?,
            };
            Ok((Provider::Broker(broker), username))
        }
        ProviderName::Vault => Ok((Provider::Vault(Box::new(vault::plan(arguments)?)), username)),
        ProviderName::Static => {
            let (fixed, username) = fixed(arguments, environment, username)?;
            Ok((Provider::Static(fixed), Some(username)))
        }
    }
}

/// Where `logout` may send a handle. Explicit first; an ambient `VAULT_ADDR` is good enough here, since it only
/// says where a token that a record holds may go back to.
pub(super) fn revoker(arguments: &Arguments) -> Result<Revoker, Error> {
    let revoker = revoker_of(arguments)?;
    match (&revoker, named(arguments)) {
        (Revoker::Broker(_), _) => refuse_foreign_wishes(arguments, ProviderName::Broker)?,
        (Revoker::Vault(_), _) => refuse_foreign_wishes(arguments, ProviderName::Vault)?,
        (Revoker::Nobody, Some(name)) => refuse_foreign_wishes(arguments, name)?,
        (Revoker::Nobody, None) => refuse_foreign_wishes(arguments, ProviderName::Docker)
            .map_err(|error| error.because("nothing says where to revoke: give `--broker-url` or `--vault-addr`"))?,
    }
    Ok(revoker)
}

fn revoker_of(arguments: &Arguments) -> Result<Revoker, Error> {
    match named(arguments) {
        Some(ProviderName::Broker) => {
            Ok(Revoker::Broker(endpoint(arguments, "broker-url", "the address of the token service")?))
        }
        Some(ProviderName::Vault) => Ok(Revoker::Vault(vault::address(arguments)?)),
        Some(ProviderName::Docker | ProviderName::Static) => Ok(Revoker::Nobody),
        None if arguments.one("broker-url").is_some() => {
            if matches!(arguments.source("vault-addr"), Some(Source::Flag | Source::Ours(_))) {
                return Err(Error::new(Problem::TwoProviders, "broker by `--broker-url`, vault by `--vault-addr`"));
            }
            Ok(Revoker::Broker(endpoint(arguments, "broker-url", "the address of the token service")?))
        }
        None if arguments.one("vault-addr").is_some() => Ok(Revoker::Vault(vault::address(arguments)?)),
        None => Ok(Revoker::Nobody),
    }
}

/// The audience that goes with a provider, if nobody names one.
pub(super) fn default_audience(arguments: &Arguments, name: Option<ProviderName>) -> Result<Option<String>, Error> {
    Ok(match name {
        Some(ProviderName::Docker) => Some(docker_identity::AUDIENCE.to_owned()),
        Some(ProviderName::Broker) => {
            Some(endpoint(arguments, "broker-url", "the address of the token service")?.origin.to_string())
        }
        Some(ProviderName::Vault) => Some(vault::address(arguments)?.endpoint.origin.to_string()),
        Some(ProviderName::Static) | None => None,
    })
}

/// The audience of the identity token. With any other than the provider's own, whoever receives the token could use it
/// elsewhere: audiences are names of any form (`sts.amazonaws.com`, `sigstore`), so nothing but the provider's origin tells
/// that it is not somebody else's.
pub(super) fn audience(arguments: &Arguments, own: Option<String>) -> Result<Option<String>, Error> {
    let Some(own) = own else {
        return Ok(None);
    };
    let Some(audience) = arguments.one("audience") else {
        return Ok(Some(own));
    };
    let is_own = origin_of(audience).is_some_and(|origin| Some(origin) == origin_of(&own));
    if !is_own && !arguments.is_on("audience-elsewhere") {
        return Err(Error::new(Problem::ForeignAudience, &format!("of {}", arguments.label("audience"))));
    }
    Ok(Some(audience.to_owned()))
}

/// The wished life in seconds.
pub(super) fn life(arguments: &Arguments, name: ProviderName) -> Result<Option<u64>, Error> {
    let is_meant = match name {
        ProviderName::Docker => true,
        _ => ours(arguments, "expires-in"),
    };
    let Some(text) = arguments.one("expires-in").filter(|_| is_meant) else {
        return Ok(None);
    };
    let (least, most) = if name == ProviderName::Docker { docker_identity::LIVES } else { (60, 86_400) };
    let wrong = || arguments.refuse("expires-in", &format!("it is a whole number of seconds from {least} to {most}"));
    let seconds: u64 =
        text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten().ok_or_else(wrong)?;
    if (least..=most).contains(&seconds) { Ok(Some(seconds)) } else { Err(wrong()) }
}

fn fixed(
    arguments: &Arguments,
    environment: &Environment,
    username: Option<String>,
) -> Result<(StaticCredential, String), Error> {
    let name =
        variable(arguments, "secret-env", required(arguments, "secret-env", "the variable that holds the token")?)?;
    let secret = environment
        .value(name)
        .ok_or_else(|| arguments.refuse("secret-env", "the variable that it names is unset or empty"))?;
    if secret.chars().any(char::is_control) {
        return Err(arguments.refuse(
            "secret-env",
            "the variable that it names holds control characters, such as a newline at the end",
        ));
    }
    let username = match (username, arguments.one("username-env")) {
        (Some(_), Some(_)) => return Err(Error::new(Problem::Conflict, "`--username` and `--username-env`")),
        (Some(username), None) => username,
        (None, Some(name)) => {
            value::username(arguments, "username-env", environment.value(variable(arguments, "username-env", name)?))?
        }
        (None, None) => return Err(missing("--username or --username-env", "the account that the token belongs to")),
    };
    Ok((StaticCredential { secret: Secret::new(secret) }, username))
}
