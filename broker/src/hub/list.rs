//! The list of an account's tokens, page by page.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use super::session::Passage;
use super::{Account, HubFault, Urgency};
use crate::limits::{LIST_RETRY_SECONDS, MAX_PAGES, PAGE_SIZE};
use crate::outbound::{Method, Outbound};

/// A token as the account's list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// What `delete` wants.
    pub id: String,
    /// `hublease/<instance>/<lease>`.
    pub label: String,
    /// When it was made, in seconds since 1970; nothing when that is not understood.
    pub created_at: Option<u64>,
    /// When it ends by itself, in seconds since 1970.
    pub expires_at: Option<u64>,
}

/// A page of tokens. The two kinds count under different names.
#[derive(Deserialize)]
pub(super) struct List {
    #[serde(alias = "count")]
    pub(super) total: Option<u64>,
    next: Option<Value>,
    results: Vec<Value>,
}

impl Account {
    /// Looks for a token by its label, among all tokens of the account, so that it can be removed.
    ///
    /// # Errors
    /// When not all could be looked at.
    pub fn find(&self, label: &str, outbound: &dyn Outbound, now: u64) -> Result<Option<String>, HubFault> {
        let found = self.listed(label, Urgency::Removal, outbound, now)?;
        Ok(found.into_iter().find(|token| token.label == label).map(|token| token.id))
    }

    /// The account's tokens whose label begins so: what this instance has made.
    ///
    /// # Errors
    /// When not all could be looked at.
    pub fn labelled(&self, prefix: &str, outbound: &dyn Outbound, now: u64) -> Result<Vec<Listed>, HubFault> {
        self.listed(prefix, Urgency::CanWait, outbound, now)
    }

    /// Reads the list page by page. "Not there" may be said only of a list that was seen whole: when a token goes away
    /// meanwhile, the next page begins one too far, and Docker Hub's count has changed.
    fn listed(
        &self,
        prefix: &str,
        urgency: Urgency,
        outbound: &dyn Outbound,
        now: u64,
    ) -> Result<Vec<Listed>, HubFault> {
        let (mut found, mut counts) = (Vec::new(), BTreeSet::new());
        for page in 1..=MAX_PAGES {
            // Each page is a call of its own, with the time that a call has.
            let (api, passage) = self.passage(urgency, outbound, now)?;
            let list = self.list(page, PAGE_SIZE, &passage)?;
            found.extend(list.results.iter().filter_map(|entry| api.listed(entry, prefix)));
            counts.extend(list.total);
            if list.next.is_none() || list.results.is_empty() {
                return match counts.len() {
                    0 | 1 => Ok(found),
                    _ => Err(HubFault::wait(LIST_RETRY_SECONDS, "its list changed while it was read")),
                };
            }
        }
        Err(HubFault::unclear("the account holds more tokens than are looked through"))
    }

    pub(super) fn list(&self, page: usize, size: usize, passage: &Passage<'_>) -> Result<List, HubFault> {
        let path = format!("{}?page={page}&page_size={size}", self.api()?.collection());
        let reply = self.call(Method::Get, &path, None, passage)?;
        match reply.status {
            200 => serde_json::from_slice(&reply.body).ok().ok_or(HubFault::unclear("its list was not understood")),
            status => Err(HubFault::Refused { status }),
        }
    }
}
