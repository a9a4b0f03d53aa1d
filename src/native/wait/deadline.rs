//! When the story has to come to its end, and how long its way back may take.
//!
//! The first reason to stop is the one that counts: a signal, the deadline, or an output that cannot be written.
//! From then on undo effects have [`UNDO`] in all. A second signal uses that time up at once.

use std::time::{Duration, Instant};

use crate::effect::Stop;

/// What is left for undoing once the story was stopped. CI systems give less before they kill (GitHub 10 s,
/// CircleCI 10 s); a terminal gives as much as one's patience.
const UNDO: Duration = Duration::from_secs(30);

/// How much longer a running mint is waited for after a signal: knowing what was minted is what makes it revocable.
pub(in crate::native) const MINT: Duration = Duration::from_secs(6);

/// Deadlines and stops.
#[derive(Debug)]
pub(in crate::native) struct Ending {
    deadline: Option<Instant>,
    stop: Option<(Stop, Instant)>,
    signals: u32,
}

impl Ending {
    /// Starts the time of the story.
    pub(in crate::native) fn new(limit: Option<Duration>, now: Instant) -> Self {
        Self { deadline: limit.map(|limit| now + limit), stop: None, signals: 0 }
    }

    /// Why forward effects are not performed any more.
    pub(in crate::native) fn stop(&mut self, now: Instant) -> Option<Stop> {
        if self.deadline.is_some_and(|deadline| now >= deadline) {
            self.stop_for(Stop::Deadline, now);
        }
        self.stop.map(|(stop, _)| stop)
    }

    /// Notes a reason to stop; the first one stays.
    pub(in crate::native) fn stop_for(&mut self, stop: Stop, now: Instant) {
        self.stop.get_or_insert((stop, now));
    }

    /// Notes a signal. True for the second, from which on nothing is undone any more.
    pub(in crate::native) fn signal(&mut self, number: u8, now: Instant) -> bool {
        self.stop_for(Stop::Signal(number), now);
        self.signals += 1;
        self.signals == 2
    }

    /// Lifts the deadline: the command of `exec` runs as long as it likes.
    pub(in crate::native) fn lift(&mut self) {
        self.deadline = None;
    }

    /// Whether a second signal has come: nothing is waited for any more.
    pub(in crate::native) fn gives_up(&self) -> bool {
        self.signals >= 2
    }

    /// Until when a forward effect may take.
    pub(in crate::native) fn forward_until(&self) -> Option<Instant> {
        self.deadline
    }

    /// Until when an undo effect may take.
    pub(in crate::native) fn undo_until(&self, now: Instant) -> Option<Instant> {
        if self.gives_up() {
            return Some(now);
        }
        let from = self.stop.map(|(_, since)| since).or(self.deadline);
        from.map(|from| from + UNDO)
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use super::{Ending, UNDO};
    use crate::effect::Stop;

    #[test]
    fn the_first_reason_stays_and_undoing_is_limited_from_then_on() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut ending = Ending::new(Some(Duration::from_secs(90)), start);
        assert_eq!(ending.stop(at(89)), None);
        assert_eq!(ending.undo_until(at(89)), Some(at(90) + UNDO));
        assert!(!ending.signal(15, at(89)));
        assert_eq!(ending.stop(at(100)), Some(Stop::Signal(15)));
        assert_eq!(ending.undo_until(at(100)), Some(at(89) + UNDO));
        assert!(ending.signal(2, at(101)));
        assert!(!ending.signal(2, at(102)));
        assert_eq!(ending.stop(at(102)), Some(Stop::Signal(15)));
        assert_eq!(ending.undo_until(at(102)), Some(at(102)));
    }

    #[test]
    fn a_deadline_stops_and_a_lifted_one_does_not() {
        let start = Instant::now();
        let limit = Some(Duration::from_secs(1));
        let mut ending = Ending::new(limit, start);
        assert_eq!(ending.stop(start + Duration::from_secs(1)), Some(Stop::Deadline));
        let mut ending = Ending::new(limit, start);
        ending.lift();
        assert_eq!(ending.stop(start + Duration::from_secs(1)), None);
        assert_eq!(ending.undo_until(start), None);
    }
}
