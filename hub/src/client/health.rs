//! How an account fares: what went wrong last, and whether that is over.

use std::sync::{MutexGuard, PoisonError};

use crate::client::Client;
use crate::error::HubError;
use crate::governor::Urgency;
use crate::outbound::Outbound;
use crate::token::TokenKind;

/// See the module.
#[derive(Default)]
pub(super) struct AccountHealth {
    /// The last error that was not followed by a success.
    pub(super) trouble: Option<HubError>,
    /// Until when it is taken for granted that there is no room for another token, in seconds since 1970.
    pub(super) full_until: u64,
}

/// What a call showed about the account's quota.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum QuotaHint {
    /// There is some.
    Found,
    /// Nothing new.
    Unchanged,
}

impl Client {
    /// The last error that was not followed by a success: a login that was refused, no answer, no room. What the governor
    /// holds back now counts too.
    #[must_use]
    pub fn trouble(&self, now: u64) -> Option<HubError> {
        let remembered = self.health().trouble;
        remembered.or_else(|| self.governor.holds(Urgency::CanWait, now))
    }

    /// Finds out with one cheap call whether a trouble is over, so that an account without traffic gets well again.
    pub fn probe(&self, outbound: &dyn Outbound, now: u64) {
        let first = self.list(1, 1, &self.context(Urgency::CanWait, outbound, now));
        if let TokenKind::Oat { quota, .. } = self.kind
            && first.is_ok_and(|list| list.total.is_some_and(|total| total < quota))
        {
            self.note(None, QuotaHint::Found);
        }
    }

    /// Remembers how it went. An answer ends every trouble but a full quota, which room alone ends.
    pub(super) fn note(&self, error: Option<HubError>, room: QuotaHint) {
        let mut health = self.health();
        if room == QuotaHint::Found {
            *health = AccountHealth::default();
        }
        match error {
            Some(HubError::Refused { .. }) => {}
            Some(error) => health.trouble = Some(error),
            None if matches!(health.trouble, Some(HubError::QuotaFull { .. })) => {}
            None => health.trouble = None,
        }
    }

    pub(super) fn health(&self) -> MutexGuard<'_, AccountHealth> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
