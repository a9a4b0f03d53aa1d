//! How the broker is reached: addresses, TLS, proxies, and how often clients may ask.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::PathBuf;

use hublease_protocol::endpoint::Origin;
use ipnet::IpNet;
use toml::Spanned;

use super::{SpannedError, file};
use crate::client_address::TrustedProxies;
use crate::limits::{
    DEFAULT_EXCHANGES_PER_MINUTE_PER_PROJECT, DEFAULT_EXCHANGES_PER_MINUTE_PER_RULE, DEFAULT_REQUESTS_PER_MINUTE,
    DEFAULT_REQUESTS_PER_MINUTE_PER_ADDRESS, MAX_RATE, MAX_TRUSTED_PROXIES,
};

/// How clients reach the broker, and how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Server {
    /// The certificate and its key; nothing for plain HTTP.
    pub tls: Option<TlsFiles>,
    /// Who may speak plain HTTP for others.
    pub trusted_proxies: TrustedProxies,
    /// Where `/metrics` is served, if not with the rest.
    pub metrics_listen: Option<SocketAddr>,
    /// How often clients may ask.
    pub rates: Rates,
}

/// Where a certificate is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TlsFiles {
    /// PEM: the broker's certificate, then those that it was issued by.
    pub certificate: PathBuf,
    /// PEM: its private key.
    pub key: PathBuf,
}

/// How often something may happen in a minute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rates {
    /// Requests of one client address.
    pub requests_per_minute_per_address: u64,
    /// Requests of all clients.
    pub requests_per_minute: u64,
    /// Exchanges of one project.
    pub exchanges_per_minute_per_project: u64,
    /// Exchanges that one rule grants.
    pub exchanges_per_minute_per_rule: u64,
}

pub(super) fn check(file: &file::File, listen: SocketAddr) -> Result<Server, SpannedError> {
    let tls = file.tls.as_ref().map(tls).transpose()?;
    let trusted_proxies = trusted_proxies(file.trusted_proxies.as_ref())?;
    if !listen.ip().is_loopback() && tls.is_none() && trusted_proxies.is_empty() {
        return Err(SpannedError::at(
            file.listen.span(),
            "`listen` is not a loopback address, and identity tokens must not come in the clear: give the broker a certificate with `[tls]`, or name the proxy that has one in `trusted_proxies`",
        ));
    }
    Ok(Server {
        tls,
        trusted_proxies,
        metrics_listen: file.metrics_listen.as_ref().map(|text| address(text, "metrics_listen")).transpose()?,
        rates: rates(&file.limits)?,
    })
}

/// An address to listen on.
pub(super) fn address(text: &Spanned<String>, key: &str) -> Result<SocketAddr, SpannedError> {
    text.as_ref().parse().map_err(|_not_an_address| {
        SpannedError::at(text.span(), format!("`{key}` is an address and a port, such as `127.0.0.1:8080`"))
    })
}

pub(super) fn public_url(url: &Spanned<String>, listen: SocketAddr) -> Result<Option<String>, SpannedError> {
    let blame = |reason: &str| Err(SpannedError::at(url.span(), reason));
    match url.as_ref().as_str() {
        "auto" if listen.ip().is_loopback() => Ok(None),
        "auto" => blame("`public_url` can be `auto` only when `listen` is a loopback address"),
        // Clients compare it letter by letter, so it is taken in its one spelling only.
        text if Origin::parse(text).is_ok_and(|origin| origin.to_string() == text) => Ok(Some(text.to_owned())),
        _ => blame(
            "`public_url` is `https://` and a host in lower case, without a path and without the usual port: clients use it as issuer and audience",
        ),
    }
}

fn tls(tls: &file::TlsTable) -> Result<TlsFiles, SpannedError> {
    let path = |path: &Spanned<String>| {
        if path.as_ref().starts_with('/') {
            Ok(PathBuf::from(path.as_ref()))
        } else {
            Err(SpannedError::at(
                path.span(),
                "the files of `[tls]` start with `/`: they must not depend on where one is",
            ))
        }
    };
    Ok(TlsFiles { certificate: path(&tls.certificate_file)?, key: path(&tls.key_file)? })
}

fn trusted_proxies(networks: Option<&Spanned<Vec<Spanned<String>>>>) -> Result<TrustedProxies, SpannedError> {
    let Some(networks) = networks else { return Ok(TrustedProxies::default()) };
    if networks.as_ref().len() > MAX_TRUSTED_PROXIES {
        return Err(SpannedError::at(
            networks.span(),
            format!("there are at most {MAX_TRUSTED_PROXIES} `trusted_proxies`"),
        ));
    }
    networks.as_ref().iter().map(network).collect::<Result<_, _>>().map(TrustedProxies::new)
}

fn network(text: &Spanned<String>) -> Result<IpNet, SpannedError> {
    let single = || text.as_ref().parse::<IpAddr>().ok().map(IpNet::from);
    match text.as_ref().parse().ok().or_else(single) {
        // Everybody could then name himself as he likes, and speak in the clear.
        Some(network) if network.prefix_len() == 0 => {
            Err(SpannedError::at(text.span(), "a network of `trusted_proxies` with `/0` is everybody"))
        }
        Some(network) => Ok(network),
        None => {
            Err(SpannedError::at(text.span(), "`trusted_proxies` are addresses and networks, such as `10.0.0.0/8`"))
        }
    }
}

fn rates(limits: &file::LimitsTable) -> Result<Rates, SpannedError> {
    let allowed: RangeInclusive<u64> = 1..=MAX_RATE;
    let rate = |given: Option<&Spanned<u64>>, otherwise| match given {
        None => Ok(otherwise),
        Some(rate) if allowed.contains(rate.as_ref()) => Ok(*rate.as_ref()),
        Some(rate) => {
            Err(SpannedError::at(rate.span(), format!("a limit of `[limits]` lies between 1 and {MAX_RATE}")))
        }
    };
    Ok(Rates {
        requests_per_minute_per_address: rate(
            limits.requests_per_minute_per_address.as_ref(),
            DEFAULT_REQUESTS_PER_MINUTE_PER_ADDRESS,
        )?,
        requests_per_minute: rate(limits.requests_per_minute.as_ref(), DEFAULT_REQUESTS_PER_MINUTE)?,
        exchanges_per_minute_per_project: rate(
            limits.exchanges_per_minute_per_project.as_ref(),
            DEFAULT_EXCHANGES_PER_MINUTE_PER_PROJECT,
        )?,
        exchanges_per_minute_per_rule: rate(
            limits.exchanges_per_minute_per_rule.as_ref(),
            DEFAULT_EXCHANGES_PER_MINUTE_PER_RULE,
        )?,
    })
}
