//! The list of an account's tokens, page by page.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use super::session::CallContext;
use super::{Account, HubError, Urgency};
use crate::limits::{MAX_PAGES, PAGE_SIZE};
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

/// What an account's list showed of the tokens that were looked for.
pub struct Listing {
    /// What was seen, whether or not something else came or went meanwhile.
    pub tokens: Vec<Listed>,
    /// Whether it seems that all of it was seen and understood: when a token goes away while the list is read, the next page begins one too
    /// far, and Docker Hub's count has changed. One that goes and one that comes cancel out; the comparison with the journal
    /// finds what is missed then.
    is_whole: bool,
}

impl Listing {
    /// The id of the token with this label; nothing when there certainly is none.
    ///
    /// # Errors
    /// When it was not seen in a list that changed while it was read.
    pub fn find(&self, label: &str) -> Result<Option<String>, HubError> {
        match self.tokens.iter().find(|token| token.label == label) {
            Some(token) => Ok(Some(token.id.clone())),
            None if self.is_whole => Ok(None),
            None => {
                Err(HubError::ListUnclear { phrase: "it changed while it was read, or holds what is not understood" })
            }
        }
    }
}

impl Account {
    /// The account's tokens whose label begins so, page by page: what this instance has made.
    ///
    /// # Errors
    /// When not all pages could be read.
    pub fn listing(
        &self,
        prefix: &str,
        urgency: Urgency,
        outbound: &dyn Outbound,
        now: u64,
    ) -> Result<Listing, HubError> {
        let (mut tokens, mut counts, mut is_understood) = (Vec::new(), BTreeSet::new(), true);
        for page in 1..=MAX_PAGES {
            // Each page is a call of its own, with the time that a call has.
            let (api, passage) = self.passage(urgency, outbound, now)?;
            let list = self.list(page, PAGE_SIZE, &passage)?;
            for entry in list.results.iter().filter(|entry| api.bears(entry, prefix)) {
                match api.listed(entry) {
                    Some(token) => tokens.push(token),
                    None => is_understood = false,
                }
            }
            counts.extend(list.total);
            if list.next.is_none() || list.results.is_empty() {
                return Ok(Listing { tokens, is_whole: is_understood && (page == 1 || counts.len() == 1) });
            }
        }
        Err(HubError::ListUnclear { phrase: "it has more pages than are looked through" })
    }

    pub(super) fn list(&self, page: usize, size: usize, passage: &CallContext<'_>) -> Result<List, HubError> {
        let path = format!("{}?page={page}&page_size={size}", self.api()?.collection());
        let reply = self.call(Method::Get, &path, None, passage)?;
        match reply.status {
            200 => serde_json::from_slice(&reply.body).ok().ok_or(HubError::unclear("its list was not understood")),
            status => Err(HubError::Refused { status }),
        }
    }
}
