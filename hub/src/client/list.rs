//! The list of an account's tokens, page by page.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::Value;

use crate::client::Client;
use crate::error::HubError;
use crate::governor::Urgency;
use crate::limits::{MAX_PAGES, PAGE_SIZE};
use crate::outbound::{Method, Outbound};
use crate::session::CallContext;
use crate::token::Listed;

/// A page of tokens. The two kinds count under different names.
#[derive(Deserialize)]
pub(super) struct TokenPage {
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
    /// far, and Docker Hub's count has changed. One that goes and one that comes cancel out; a later listing
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

impl Client {
    /// The account's tokens whose label begins so, page by page.
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
        let api = self.kind.api();
        for page in 1..=MAX_PAGES {
            // Each page is a call of its own, with the time that a call has.
            let list = self.list(page, PAGE_SIZE, &self.context(urgency, outbound, now))?;
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

    pub(super) fn list(&self, page: usize, size: usize, context: &CallContext<'_>) -> Result<TokenPage, HubError> {
        let path = format!("{}?page={page}&page_size={size}", self.kind.api().collection());
        let reply = self.call(Method::Get, &path, None, context)?;
        match reply.status {
            200 => serde_json::from_slice(&reply.body).ok().ok_or(HubError::unclear("its list was not understood")),
            status => Err(HubError::Refused { status }),
        }
    }
}
