//! `[[issuer]]`: whose identity tokens are accepted, and how they are counted.

use std::ops::Range;

use hublease_protocol::ci::{Ci, IdentityUse};
use toml::Spanned;

use super::{SpannedError, WRONG_CLAIM_NAME, file, is_address, is_claim_name, is_name, repeated};
use crate::identity::issuer::{Algorithm, Issuer, IssuerKind};

/// Live leases per job when the file does not say: one in use, one that replaces it, one for a second registry client.
const DEFAULT_LIVE_LEASES: usize = 3;
/// Leases per job when the file does not say: reruns of a step and renewals of a long build.
const DEFAULT_MINTS: usize = 10;
/// The most that the file may say. Invariant: one job cannot fill the journal.
const MOST_PER_IDENTITY: usize = 1000;

pub(super) fn check(issuers: Vec<file::IssuerTable>) -> Result<Vec<Issuer>, SpannedError> {
    let names: Vec<_> = issuers.iter().map(|issuer| &issuer.name).collect();
    let urls: Vec<_> = issuers.iter().map(|issuer| &issuer.url).collect();
    if let Some(blame) = repeated(&names).or_else(|| repeated(&urls)) {
        return Err(blame);
    }
    issuers.into_iter().map(check_one).collect()
}

fn check_one(issuer: file::IssuerTable) -> Result<Issuer, SpannedError> {
    if !is_name(issuer.name.as_ref()) {
        return Err(SpannedError::at(issuer.name.span(), "a name is lower-case letters, digits and `-`"));
    }
    let url = issuer.url.as_ref();
    // It is compared and never rewritten, so a slash at its end is a part of it.
    let is_plain = url.bytes().all(|byte| byte.is_ascii_graphic()) && !url.contains(['?', '#', '"', '\\', '`']);
    if !is_plain || !is_address(url) {
        return Err(SpannedError::at(
            issuer.url.span(),
            "`url` is the issuer exactly as tokens spell it in `iss`, to the slash at its end: `https`, without query",
        ));
    }
    let kind = kind(&issuer)?;
    let identity_use = identity_use(&issuer, &kind)?;
    if let Some(uri) = &issuer.jwks_uri
        && !is_address(uri.as_ref())
    {
        return Err(SpannedError::at(uri.span(), "`jwks_uri` is an `https` address"));
    }
    Ok(Issuer {
        default_audience: default_audience(&issuer, &kind)?,
        algorithm: algorithm(issuer.algorithm.as_ref())?,
        max_live_leases: count(issuer.max_live_leases_per_identity.as_ref(), DEFAULT_LIVE_LEASES)?,
        max_mints: count(issuer.max_mints_per_identity.as_ref(), DEFAULT_MINTS)?,
        jwks_uri: issuer.jwks_uri.map(Spanned::into_inner),
        url: issuer.url.into_inner(),
        name: issuer.name.into_inner(),
        identity_use,
        kind,
    })
}

fn kind(issuer: &file::IssuerTable) -> Result<IssuerKind, SpannedError> {
    let known = match issuer.kind.as_ref().as_str() {
        "other" => return other(issuer),
        name => Ci::named(name).map(IssuerKind::Known).ok_or_else(|| unknown(issuer.kind.span()))?,
    };
    let lists = [&issuer.job_claims, &issuer.workflow_claims];
    let stray = lists.into_iter().flatten().map(Spanned::span).chain(issuer.project_claim.as_ref().map(Spanned::span));
    match stray.min_by_key(|at| at.start) {
        Some(at) => Err(SpannedError::at(
            at,
            "`project_claim`, `job_claims` and `workflow_claims` belong to `kind = \"other\"`; this kind knows its own",
        )),
        None => Ok(known),
    }
}

fn unknown(at: Range<usize>) -> SpannedError {
    let mut names = Ci::ALL.map(|ci| format!("`{}`", ci.name()));
    names.sort();
    SpannedError::at(at, format!("`kind` is one of {} and `other`", names.join(", ")))
}

fn other(issuer: &file::IssuerTable) -> Result<IssuerKind, SpannedError> {
    let Some(project) = &issuer.project_claim else {
        return Err(SpannedError::at(
            issuer.kind.span(),
            "`kind = \"other\"` needs `project_claim`, the project's immutable id",
        ));
    };
    let list = |claims: &Option<Spanned<Vec<String>>>| claims.as_ref().map(|claims| claims.as_ref().clone());
    let job = list(&issuer.job_claims).unwrap_or_default();
    let workflow = list(&issuer.workflow_claims).unwrap_or_default();
    if ![project.as_ref()].into_iter().chain(&job).chain(&workflow).all(|name| is_claim_name(name)) {
        return Err(SpannedError::at(project.span(), WRONG_CLAIM_NAME));
    }
    let own = Ci::ALL.into_iter().find(|ci| ci.token().issuers.iter().any(|place| place.is_of(issuer.url.as_ref())));
    if let Some(ci) = own {
        let (title, name) = (ci.title(), ci.name());
        let sentence = format!("this is an issuer of {title}, whose events and forks `kind = \"{name}\"` knows");
        return Err(SpannedError::at(issuer.kind.span(), sentence));
    }
    Ok(IssuerKind::Other { project: project.as_ref().clone(), job, workflow })
}

fn algorithm(algorithm: Option<&Spanned<String>>) -> Result<Algorithm, SpannedError> {
    let Some(name) = algorithm else {
        return Ok(Algorithm::Rs256);
    };
    [Algorithm::Rs256, Algorithm::Es256]
        .into_iter()
        .find(|algorithm| algorithm.as_str() == name.as_ref())
        .ok_or_else(|| SpannedError::at(name.span(), "`algorithm` is `RS256` or `ES256`"))
}

fn identity_use(issuer: &file::IssuerTable, kind: &IssuerKind) -> Result<IdentityUse, SpannedError> {
    let Some(word) = &issuer.identity_use else {
        return Ok(kind.usual_identity_use());
    };
    match (word.as_ref().as_str(), kind) {
        ("once", IssuerKind::Known(ci)) if !ci.token().has_id => {
            let sentence = format!("{}'s tokens have no `jti`, so `identity_use` cannot be `once`", ci.title());
            Err(SpannedError::at(word.span(), sentence))
        }
        ("once", _) => Ok(IdentityUse::Once),
        ("reusable", _) => Ok(IdentityUse::Reusable),
        _ => Err(SpannedError::at(word.span(), "`identity_use` is `once` or `reusable`")),
    }
}

fn count(count: Option<&Spanned<usize>>, usual: usize) -> Result<usize, SpannedError> {
    match count {
        None => Ok(usual),
        Some(count) if (1..=MOST_PER_IDENTITY).contains(count.as_ref()) => Ok(*count.as_ref()),
        Some(count) => Err(SpannedError::at(count.span(), "a limit per identity lies between 1 and 1000")),
    }
}

/// CircleCI's tokens name the organization's id as audience unless the job asks for another; the issuer's address ends in it.
fn default_audience(issuer: &file::IssuerTable, kind: &IssuerKind) -> Result<Option<String>, SpannedError> {
    let Some(accept) = issuer.accept_default_audience.as_ref().filter(|accept| *accept.as_ref()) else {
        return Ok(None);
    };
    let mark = match kind {
        IssuerKind::Known(ci) => ci.token().default_audience_after,
        IssuerKind::Other { .. } => None,
    };
    match mark.and_then(|mark| issuer.url.as_ref().rsplit_once(mark)) {
        Some((_, id)) if !id.is_empty() && !id.contains('/') => Ok(Some(id.to_owned())),
        _ => Err(SpannedError::at(
            accept.span(),
            "`accept_default_audience` is for a CircleCI issuer of the form `https://oidc.circleci.com/org/ID`",
        )),
    }
}
