//! How an account fares: what went wrong last, and whether that is over.

use std::sync::{MutexGuard, PoisonError};

use crate::client::Client;
use crate::clock::is_ahead;
use crate::error::HubError;
use crate::governor::Urgency;
use crate::limits::QUOTA_RETRY_SECONDS;
use crate::outbound::Outbound;
use crate::token::TokenKind;

/// See the module.
#[derive(Default)]
pub(super) struct AccountHealth {
    /// The last error that was not followed by a success.
    pub(super) trouble: Option<HubError>,
    /// Until when it is taken for granted that there is no room for another token, in seconds since 1970.
    pub(super) full_until: u64,
    /// What the last look at the quota saw.
    counted: Option<Counted>,
}

/// How many tokens there are, as far as that is known without asking.
#[derive(Clone, Copy)]
struct Counted {
    /// When they were counted, in seconds since 1970.
    at: u64,
    /// With what was made and removed here since.
    total: u64,
}

impl AccountHealth {
    /// Whether counting anew could tell more than what is known: whoever is refused for another reason must not make everybody
    /// pay for a count each time.
    pub(super) fn may_count(&self, quota: u64, now: u64) -> bool {
        self.counted.is_none_or(|seen| {
            !is_ahead(seen.at + QUOTA_RETRY_SECONDS, now, QUOTA_RETRY_SECONDS) || seen.total >= quota
        })
    }

    /// Remembers a count.
    pub(super) const fn count(&mut self, total: u64, now: u64) {
        self.counted = Some(Counted { at: now, total });
    }

    /// Counts on from there.
    pub(super) const fn change(&mut self, made: u64, removed: u64) {
        if let Some(seen) = &mut self.counted {
            seen.total = (seen.total + made).saturating_sub(removed);
        }
    }
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
            (health.trouble, health.full_until) = (None, 0);
        }
        match error {
            Some(HubError::Refused { .. } | HubError::ShareSpent { .. }) => {}
            Some(error) => health.trouble = Some(error),
            None if matches!(health.trouble, Some(HubError::QuotaFull { .. })) => {}
            None => health.trouble = None,
        }
    }

    pub(super) fn health(&self) -> MutexGuard<'_, AccountHealth> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
