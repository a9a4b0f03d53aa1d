//! How often Docker Hub is asked: one governor for all accounts of a program, since Docker Hub counts by address.
//!
//! Follows Docker's Hub API reference: every answer carries `X-RateLimit-Limit`, `-Remaining` and `-Reset`; a 429 carries
//! `Retry-After` in seconds, in older texts `X-Retry-After` as a time. After a 429 nobody asks before that time, except that after
//! one to a mint a removal is tried, one alone: the others go on if it gets through. When little
//! is left of the limit, mints wait for the reset and removals go on, because a token that is not removed costs quota and a
//! token that is not made costs a retry. Nobody waits here for a clock: a call that may not be made now is answered
//! at once. Only for a place among those that are under way is waited, as long as a call can take.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::error::HubError;
use crate::limits::{
    CALL_TIMEOUT, HUB_CALLS, HUB_CALLS_THAT_CAN_WAIT, MAX_RETRY_AFTER_SECONDS, RATE_RESERVE, RATE_WINDOW_SECONDS,
    RETRY_AFTER_SECONDS,
};
use crate::outbound::{Call, Outbound, Reply};

/// Whether a call may be put off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// A mint, or a look that nobody waits for.
    CanWait,
    /// A removal, and what it has to look up.
    Removal,
}

/// See the module.
#[derive(Default)]
pub struct Governor {
    state: Mutex<GovernorState>,
    freed: Condvar,
}

#[derive(Default)]
struct GovernorState {
    /// The latest time that a caller gave: one that waited has an old one.
    now: u64,
    under_way: u32,
    /// Until when Docker Hub wants no mint.
    pause_until: u64,
    /// Until when it wants no removal either.
    removals_pause_until: u64,
    /// How it stands with removals while mints are paused.
    trial: Trial,
    window: Option<RateWindow>,
}

/// Whether Docker Hub takes removals while it wants no mints.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Trial {
    /// Nobody has tried since the last 429.
    #[default]
    Open,
    /// One removal is under way, the others wait for how it ends.
    UnderWay,
    /// It does.
    Passed,
}

/// What the last answers said about the rate limit.
#[derive(Clone, Copy)]
struct RateWindow {
    limit: u64,
    remaining: u64,
    /// By Docker Hub's clock; tells one window from the next.
    reset: u64,
    /// The same by ours.
    until: u64,
}

/// A call that is under way.
struct CallPermit<'a> {
    governor: &'a Governor,
    is_trial: bool,
}

impl Drop for CallPermit<'_> {
    fn drop(&mut self) {
        let mut state = self.governor.lock();
        state.under_way -= 1;
        if self.is_trial && state.trial == Trial::UnderWay {
            state.trial = Trial::Open;
        }
        drop(state);
        self.governor.freed.notify_all();
    }
}

impl Governor {
    /// Sends one call, if it may be sent now, and takes out the answers that mean the same everywhere: "wait" and "broken".
    ///
    /// # Errors
    /// When it was not sent, or not answered.
    pub fn send(
        &self,
        call: &Call<'_>,
        urgency: Urgency,
        outbound: &dyn Outbound,
        now: u64,
    ) -> Result<Reply, HubError> {
        let permit = self.admit(urgency, now)?;
        let reply = outbound.send(call).map_err(|error| HubError::unclear(error.0))?;
        let mut state = self.lock();
        state.learn(&reply);
        match reply.status {
            429 => Err(state.pause(urgency, &reply)),
            500.. => Err(HubError::unclear("it answered with a fault of its own")),
            _ => {
                if permit.is_trial {
                    state.trial = Trial::Passed;
                }
                Ok(reply)
            }
        }
    }

    /// How many calls Docker Hub allows in a minute, if that is known.
    pub(crate) fn window(&self, now: u64) -> Option<u64> {
        let state = self.lock();
        state.window.filter(|window| now < window.until).map(|window| window.limit)
    }

    /// Why a call of this urgency would not be sent now, if so.
    #[must_use]
    pub fn holds(&self, urgency: Urgency, now: u64) -> Option<HubError> {
        let mut state = self.lock();
        state.see(now);
        state.holds(urgency)
    }

    /// Takes a place among the calls that are under way; waits for one as long as a call can take.
    fn admit(&self, urgency: Urgency, now: u64) -> Result<CallPermit<'_>, HubError> {
        let patience = Instant::now() + CALL_TIMEOUT;
        let mut state = self.lock();
        state.see(now);
        loop {
            // Asked again after each wait: the answers of others may have said that nobody may call.
            if let Some(error) = state.holds(urgency) {
                return Err(error);
            }
            if state.has_room(urgency) {
                state.under_way += 1;
                let is_trial = urgency == Urgency::Removal && state.is_on_trial();
                if is_trial {
                    state.trial = Trial::UnderWay;
                }
                return Ok(CallPermit { governor: self, is_trial });
            }
            let left = patience.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(HubError::wait(RETRY_AFTER_SECONDS, "as many calls are under way as may be"));
            }
            state = self.freed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn lock(&self) -> MutexGuard<'_, GovernorState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl GovernorState {
    /// Time goes on. A caller's time that lies far behind means that the clock was set back: what was to end by it is
    /// forgotten, rather than waited for until the clock comes round again.
    fn see(&mut self, now: u64) {
        if now.saturating_add(MAX_RETRY_AFTER_SECONDS) < self.now {
            (self.now, self.pause_until, self.removals_pause_until, self.window) = (now, 0, 0, None);
        }
        self.now = self.now.max(now);
    }

    /// Whether one more call may be under way: some places are only for removals.
    const fn has_room(&self, urgency: Urgency) -> bool {
        let room = match urgency {
            Urgency::CanWait => HUB_CALLS_THAT_CAN_WAIT,
            Urgency::Removal => HUB_CALLS,
        };
        let waits_for_a_trial = matches!(urgency, Urgency::Removal) && self.is_on_trial() && self.is_tried();
        self.under_way < room && !waits_for_a_trial
    }

    /// Whether mints are paused, and it is not known yet that removals are not.
    const fn is_on_trial(&self) -> bool {
        self.now < self.pause_until && !matches!(self.trial, Trial::Passed)
    }

    const fn is_tried(&self) -> bool {
        matches!(self.trial, Trial::UnderWay)
    }

    fn holds(&self, urgency: Urgency) -> Option<HubError> {
        let pause_until = match urgency {
            Urgency::CanWait => self.pause_until,
            Urgency::Removal => self.removals_pause_until,
        };
        if self.now < pause_until {
            return Some(HubError::wait(pause_until - self.now, "it asks to wait"));
        }
        let window = self.window.filter(|window| self.now < window.until)?;
        let left = window.remaining.saturating_sub(u64::from(self.under_way));
        let wait = window.until - self.now;
        match urgency {
            _ if left == 0 => Some(HubError::wait(wait, "its rate limit is used up")),
            Urgency::CanWait if left < window.limit / RATE_RESERVE => {
                Some(HubError::wait(wait, "what is left of its rate limit is kept for removals"))
            }
            _ => None,
        }
    }

    /// Answers come in another order than they were given: within a window the smallest number is the newest.
    fn learn(&mut self, reply: &Reply) {
        let (Some(limit), Some(remaining), Some(reset)) = (reply.rate.limit, reply.rate.remaining, reply.rate.reset)
        else {
            return;
        };
        let until = reset.min(self.now.saturating_add(RATE_WINDOW_SECONDS));
        let known = self.window.filter(|window| self.now < window.until);
        self.window = match known {
            Some(known) if known.reset > reset => Some(known),
            Some(known) if known.reset == reset => {
                Some(RateWindow { remaining: known.remaining.min(remaining), ..known })
            }
            _ => Some(RateWindow { limit, remaining, reset, until }),
        };
    }

    /// Docker Hub asked to wait: whoever mints, and after an answer to a removal everybody.
    fn pause(&mut self, urgency: Urgency, reply: &Reply) -> HubError {
        let until = reply.retry_at.map(|at| at.saturating_sub(self.now));
        let reset = self.window.map(|window| window.until.saturating_sub(self.now)).filter(|wait| *wait > 0);
        let wait = reply.retry_after.or(until).or(reset).unwrap_or(RETRY_AFTER_SECONDS);
        let wait = wait.clamp(1, MAX_RETRY_AFTER_SECONDS);
        let until = self.now.saturating_add(wait);
        self.pause_until = self.pause_until.max(until);
        match urgency {
            Urgency::CanWait if self.trial == Trial::Passed => self.trial = Trial::Open,
            Urgency::CanWait => {}
            Urgency::Removal => self.removals_pause_until = self.removals_pause_until.max(until),
        }
        HubError::wait(wait, "it asks to wait")
    }
}

#[cfg(test)]
mod tests;
