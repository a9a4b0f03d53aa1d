//! The configuration file.

use std::collections::BTreeSet;

use hublease_broker::account::Issuing;
use hublease_broker::config::{Config, ConfigError};
use hublease_broker::identity::issuer::{Issuer, IssuerKind};
use hublease_broker::limits::{MAX_LIFE_SECONDS, MIN_LIFE_SECONDS};
use hublease_broker::rules::{Pattern, Rule};
use hublease_hub::token::TokenKind;
use hublease_protocol::ci::Ci;
use hublease_protocol::endpoint::{Endpoint, Origin};
use hublease_protocol::scope::Scope;

use super::LONGEST_SENTENCE;

/// A configuration that is accepted has no rule that could mean more than it says; of another the line is told.
pub fn config(input: &[u8]) {
    let text = &*String::from_utf8_lossy(input);
    let config = match Config::parse(text) {
        Ok(config) => config,
        Err(error) => return check_error(text, &error),
    };
    match &config.public_url {
        None => assert!(config.listen.ip().is_loopback()),
        Some(url) => assert_eq!(Origin::parse(url).unwrap().to_string(), *url),
    }
    unique(config.issuers.iter().map(|issuer| &issuer.name));
    unique(config.issuers.iter().map(|issuer| &issuer.url));
    unique(config.accounts.iter().map(|account| &account.name));
    unique(config.rules.iter().map(|rule| &rule.name));
    for issuer in &config.issuers {
        for url in [Some(&issuer.url), issuer.jwks_uri.as_ref()].into_iter().flatten() {
            assert!(Endpoint::parse(url).is_ok(), "{url}");
        }
        assert!(issuer.max_live_leases > 0 && issuer.max_mints > 0);
    }
    for rule in &config.rules {
        check_rule(rule, &config);
    }
}

fn check_rule(rule: &Rule, config: &Config) {
    let issuer = config.issuers.iter().find(|issuer| issuer.name == rule.issuer).unwrap();
    let account = config.accounts.iter().find(|account| account.name == rule.account).unwrap();
    assert!((MIN_LIFE_SECONDS..=MAX_LIFE_SECONDS).contains(&rule.max_life));
    assert!(!rule.reach.actions.is_empty() && !rule.reach.repositories.is_empty());
    check_claims(rule, issuer);
    for pattern in &rule.reach.repositories {
        let text = match pattern {
            Pattern::Text(name) => name.clone(),
            Pattern::Glob(glob) => glob.to_string(),
            other => panic!("a repository is {other:?}"),
        };
        let (owner, name) = text.split_once('/').unwrap();
        assert!(!owner.contains('*') && !owner.is_empty() && !name.is_empty() && !name.contains('/'), "{text}");
        match &account.issuing {
            Issuing::Minting(client) => match client.kind() {
                TokenKind::Oat { organization, .. } => assert_eq!(owner, organization),
                TokenKind::Pat => {}
            },
            Issuing::Lending(pool) if pattern.literal().is_none() => assert!(!pool.tokens.is_empty()),
            Issuing::Lending(pool) => {
                assert!(pool.covers(&Scope::of([text.as_str()], &rule.reach.actions).unwrap()), "{text}");
            }
        }
    }
}

/// Every rule says which project, exactly; and for GitHub how the job was started.
fn check_claims(rule: &Rule, issuer: &Issuer) {
    let find = |wanted: &str| rule.claims.iter().find(|(name, _)| name == wanted).map(|(_, wanted)| wanted.patterns());
    let projects = find(issuer.kind.project_claim()).unwrap();
    assert!(projects.iter().all(|pattern| pattern.literal().is_some_and(|text| !text.is_empty())));
    if issuer.kind == IssuerKind::Known(Ci::Github) {
        assert!(find("event_name").is_some() || find("environment").is_some());
    }
    for (name, wanted) in &rule.claims {
        let patterns = wanted.patterns();
        assert!(!patterns.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic()), "{name}");
        let has_glob = patterns.iter().any(|pattern| matches!(pattern, Pattern::Glob(_)));
        assert!(!has_glob || issuer.kind.rule().patterns.contains(&name.as_str()), "{name}");
    }
}

fn unique<'a>(names: impl Iterator<Item = &'a String>) {
    let mut seen = BTreeSet::new();
    for name in names {
        assert!(seen.insert(name), "{name} comes twice");
    }
}

fn check_error(text: &str, error: &ConfigError) {
    let lines = text.bytes().filter(|byte| *byte == b'\n').count() + 1;
    assert!(error.line.is_none_or(|line| (1..=lines).contains(&line)), "{error}");
    assert!(!error.reason.is_empty() && !error.reason.contains(char::is_control), "{error:?}");
    assert!(error.reason.len() <= LONGEST_SENTENCE, "{error}");
}
