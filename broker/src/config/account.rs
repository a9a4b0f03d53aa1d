//! `[[account]]`: which Docker Hub identities issue tokens, and where their secrets are. The secrets themselves are not looked
//! at here, so that a configuration can be checked where they are not.

mod pool;
mod source;

use std::sync::Arc;

use hublease_hub::client::Client;
use hublease_hub::governor::Governor;
use hublease_hub::limits::{MAX_PAGES, PAGE_SIZE};
use hublease_hub::token::TokenKind;
use toml::Spanned;

use super::{SpannedError, file, is_name, repeated};
use crate::account::{Account, Issuing, Pool};

/// Organization tokens on a Team plan; a Business plan has 100.
const DEFAULT_QUOTA: u64 = 10;
/// The most that the file may say: as many as the broker looks through.
const MAX_QUOTA: u64 = (PAGE_SIZE * MAX_PAGES) as u64;

pub(super) fn check(accounts: &[file::AccountTable]) -> Result<Vec<Account>, SpannedError> {
    let names: Vec<_> = accounts.iter().map(|account| &account.name).collect();
    if let Some(blame) = repeated(&names) {
        return Err(blame);
    }
    let governor = Arc::new(Governor::default());
    accounts.iter().map(|account| check_one(account, &governor)).collect()
}

fn check_one(account: &file::AccountTable, governor: &Arc<Governor>) -> Result<Account, SpannedError> {
    if !is_name(account.name.as_ref()) {
        return Err(SpannedError::at(account.name.span(), "a name is lower-case letters, digits and `-`"));
    }
    for id in [Some(&account.username), account.organization.as_ref()].into_iter().flatten() {
        if !is_docker_id(id.as_ref()) {
            return Err(SpannedError::at(id.span(), "a Docker ID is lower-case letters, digits, `-` and `_`"));
        }
    }
    Ok(Account { name: account.name.as_ref().clone(), issuing: issuing(account, governor)? })
}

fn issuing(account: &file::AccountTable, governor: &Arc<Governor>) -> Result<Issuing, SpannedError> {
    let login = || account.username.as_ref().clone();
    let minting = |kind| {
        let password = Box::new(source::password(account)?);
        Ok(Issuing::Minting(Box::new(Client::new(kind, login(), password, Arc::clone(governor)))))
    };
    let word = account.kind.as_ref().as_str();
    let stray = |at: std::ops::Range<usize>, key: &str| {
        Err(SpannedError::at(at, format!("`kind = \"{word}\"` has no `{key}`")))
    };
    match (word, &account.organization, &account.quota) {
        ("oat" | "pat", _, _) if !account.token.is_empty() => stray(account.token[0].name.span(), "token"),
        ("oat", Some(_), Some(quota)) if !(1..=MAX_QUOTA).contains(quota.as_ref()) => {
            Err(SpannedError::at(quota.span(), format!("`quota` lies between 1 and {MAX_QUOTA}")))
        }
        ("oat", Some(organization), quota) => minting(TokenKind::Oat {
            organization: organization.as_ref().clone(),
            quota: quota.as_ref().map_or(DEFAULT_QUOTA, |quota| *quota.as_ref()),
        }),
        ("oat", None, _) => Err(SpannedError::at(account.kind.span(), "`kind = \"oat\"` needs `organization`")),
        ("pat" | "pool", Some(organization), _) => stray(organization.span(), "organization"),
        ("pat" | "pool", None, Some(quota)) => stray(quota.span(), "quota"),
        ("pat", None, None) => minting(TokenKind::Pat),
        ("pool", None, None) => match source::named(account).first() {
            Some((at, key)) => stray(at.clone(), key),
            None => Ok(Issuing::Lending(Pool::new(login(), pool::tokens(account)?))),
        },
        _ => Err(SpannedError::at(account.kind.span(), "`kind` is `oat`, `pat` or `pool`")),
    }
}

/// What can stand in a path and in `docker login -u`.
fn is_docker_id(text: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
    !text.starts_with('-') && (1..=64).contains(&text.len()) && text.bytes().all(is_plain)
}

/// The namespace whose repositories the account's tokens reach; nothing when they reach whatever the account does, or what
/// their pool declares.
pub(super) fn namespace(account: &Account) -> Option<&str> {
    match account.client()?.kind() {
        TokenKind::Oat { organization, .. } => Some(organization),
        TokenKind::Pat => None,
    }
}

/// The account of that name.
pub(super) fn named<'a>(accounts: &'a [Account], name: &Spanned<String>) -> Result<&'a Account, SpannedError> {
    let found = accounts.iter().find(|account| account.name == *name.as_ref());
    found.ok_or_else(|| SpannedError::at(name.span(), format!("there is no account `{}`", name.as_ref())))
}
