//! What Docker Hub has refused to make a token for, so that whoever asks for it again and again costs nobody a call.
//!
//! Mostly repositories that do not exist. It is remembered for minutes, not longer, because somebody may create one.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use hublease_protocol::scope::Scope;

use crate::clock::is_ahead;
use crate::limits::{MAX_REFUSED_SCOPES, REFUSED_SECONDS};

/// See the module.
#[derive(Default)]
pub(super) struct RefusedScopes(Mutex<BTreeMap<String, RefusedScope>>);

#[derive(Clone, Copy)]
struct RefusedScope {
    status: u16,
    /// In seconds since 1970.
    until: u64,
}

impl RefusedScopes {
    /// The status that a scope was refused with a short while ago.
    pub(super) fn status(&self, scope: &Scope, now: u64) -> Option<u16> {
        let known = self.lock().get(&scope.to_string()).copied()?;
        is_ahead(known.until, now, REFUSED_SECONDS).then_some(known.status)
    }

    /// Remembers that a scope was refused.
    pub(super) fn remember(&self, scope: &Scope, status: u16, now: u64) {
        let mut refused = self.lock();
        if refused.len() >= MAX_REFUSED_SCOPES {
            refused.retain(|_, known| is_ahead(known.until, now, REFUSED_SECONDS));
        }
        // Where it is full of what is still true, one more is asked for anew each time.
        if refused.len() < MAX_REFUSED_SCOPES {
            refused.insert(scope.to_string(), RefusedScope { status, until: now.saturating_add(REFUSED_SECONDS) });
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, RefusedScope>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
