//! How an account fares: what went wrong last, and whether that is over.

use std::sync::{MutexGuard, PoisonError};

use crate::hub::{Account, HubError, Kind, Urgency};
use crate::outbound::Outbound;

/// See the module.
#[derive(Default)]
pub(super) struct AccountHealth {
    /// The last fault that was not followed by a success.
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

impl Account {
    /// The last fault that was not followed by a success: a login that was refused, no answer, no room. For `/readyz`; what
    /// the governor holds back now counts too.
    #[must_use]
    pub fn trouble(&self, now: u64) -> Option<HubError> {
        let remembered = self.condition().trouble;
        remembered.or_else(|| self.mints().then(|| self.governor.holds(Urgency::CanWait, now)).flatten())
    }

    /// Finds out with one cheap call whether a trouble is over, so that a broker without traffic gets ready again.
    pub fn probe(&self, outbound: &dyn Outbound, now: u64) {
        if let Some(pool) = self.pool() {
            let fault = pool.tokens.iter().find_map(|token| token.read().err());
            self.note(fault.map(|unreadable| HubError::NoSecret { phrase: unreadable.phrase }), QuotaHint::Unchanged);
            return;
        }
        let first = self.passage(Urgency::CanWait, outbound, now).and_then(|(_, passage)| self.list(1, 1, &passage));
        if let Kind::Oat { quota, .. } = self.kind
            && first.is_ok_and(|list| list.total.is_some_and(|total| total < quota))
        {
            self.note(None, QuotaHint::Found);
        }
    }

    /// Remembers how it went. An answer ends every trouble but a full quota, which room alone ends.
    pub(super) fn note(&self, fault: Option<HubError>, room: QuotaHint) {
        let mut condition = self.condition();
        if room == QuotaHint::Found {
            *condition = AccountHealth::default();
        }
        match fault {
            Some(HubError::Refused { .. } | HubError::LendsOnly) => {}
            Some(fault) => condition.trouble = Some(fault),
            None if matches!(condition.trouble, Some(HubError::QuotaFull { .. })) => {}
            None => condition.trouble = None,
        }
    }

    pub(super) fn condition(&self) -> MutexGuard<'_, AccountHealth> {
        self.condition.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
