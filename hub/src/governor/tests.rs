//! What the governor lets through, by what Docker Hub said before.

use super::*;
use crate::testing::{FakeHub, NOW, Trouble};

const LOOK: &str = "GET /x";

fn send(governor: &Governor, urgency: Urgency, hub: &FakeHub, now: u64) -> Result<u16, HubError> {
    let call = Call::read(format!("{}/x", crate::HUB));
    governor.send(&call, urgency, hub, now).map(|reply| reply.status)
}

#[test]
fn after_a_429_nobody_asks_before_the_time_that_was_given() {
    for (trouble, wait) in [
        (Trouble::Wait(429, 7), 7),
        (Trouble::WaitUntil(429, NOW + 8), 8),
        (Trouble::WaitUntil(429, NOW - 8), 1),
        (Trouble::Wait(429, 9_999_999), MAX_RETRY_AFTER_SECONDS),
        (Trouble::Status(429, "{}"), RETRY_AFTER_SECONDS),
    ] {
        let (governor, hub) = (Governor::default(), FakeHub::default());
        // To a removal, which everybody has to heed.
        hub.trouble(LOOK, trouble);
        for urgency in [Urgency::Removal, Urgency::CanWait] {
            assert_eq!(send(&governor, urgency, &hub, NOW), Err(HubError::wait(wait, "it asks to wait")));
        }
        let rest = send(&governor, Urgency::Removal, &hub, NOW + wait - 1);
        assert_eq!(rest, Err(HubError::wait(1, "it asks to wait")));
        assert_eq!(hub.calls().len(), 1, "nobody came back before");
        assert_eq!(send(&governor, Urgency::CanWait, &hub, NOW + wait), Ok(401));
    }
}

#[test]
fn a_429_to_a_mint_stops_mints_and_a_removal_is_tried_all_the_same_once() {
    let waiting = |wait| Err(HubError::wait(wait, "it asks to wait"));
    let (governor, hub) = (Governor::default(), FakeHub::default());
    hub.trouble(LOOK, Trouble::Wait(429, 3600));
    assert_eq!(send(&governor, Urgency::CanWait, &hub, NOW), waiting(3600));
    assert_eq!(send(&governor, Urgency::CanWait, &hub, NOW + 1), waiting(3599));
    for _ in 0..3 {
        assert_eq!(send(&governor, Urgency::Removal, &hub, NOW + 1), Ok(401), "removals get through");
    }
    // The first one that does not is the last for its time.
    hub.trouble(LOOK, Trouble::Wait(429, 30));
    for _ in 0..20 {
        assert_eq!(send(&governor, Urgency::Removal, &hub, NOW + 2), waiting(30));
    }
    assert_eq!(hub.calls().len(), 5, "of 25");
    assert_eq!(send(&governor, Urgency::Removal, &hub, NOW + 32), Ok(401));
    assert_eq!(send(&governor, Urgency::CanWait, &hub, NOW + 32), waiting(3568));
}

#[test]
fn one_removal_is_tried_while_the_others_wait_for_how_it_ends() {
    let (governor, hub) = (Governor::default(), FakeHub::default());
    hub.trouble(LOOK, Trouble::Wait(429, 60));
    assert!(send(&governor, Urgency::CanWait, &hub, NOW).is_err());
    let trial = governor.admit(Urgency::Removal, NOW).ok().unwrap();
    assert!(trial.is_trial && !governor.lock().has_room(Urgency::Removal));
    drop(trial);
    assert!(governor.lock().has_room(Urgency::Removal), "one that had no answer told nothing");
    assert_eq!(send(&governor, Urgency::Removal, &hub, NOW), Ok(401));
    let two = [governor.admit(Urgency::Removal, NOW), governor.admit(Urgency::Removal, NOW)];
    assert!(two.iter().all(|permit| permit.as_ref().is_ok_and(|permit| !permit.is_trial)));
}

#[test]
fn what_is_left_of_the_limit_is_kept_for_removals() {
    let kept = |wait| Err(HubError::wait(wait, "what is left of its rate limit is kept for removals"));
    let spent = |wait| Err(HubError::wait(wait, "its rate limit is used up"));
    for (remaining, reset, mint, removal) in [
        (20, NOW + 30, Ok(401), Ok(401)),
        (19, NOW + 30, kept(30), Ok(401)),
        (0, NOW + 30, spent(30), spent(30)),
        // A clock that is wrong makes nobody wait longer than a window lasts.
        (0, NOW + 9999, spent(60), spent(60)),
        (0, NOW - 9999, Ok(401), Ok(401)),
    ] {
        for (urgency, expected) in [(Urgency::CanWait, mint), (Urgency::Removal, removal)] {
            let (governor, hub) = (Governor::default(), FakeHub::default());
            hub.set_rate(100, remaining, reset);
            assert_eq!(send(&governor, Urgency::CanWait, &hub, NOW), Ok(401), "nothing was known before");
            assert_eq!(send(&governor, urgency, &hub, NOW), expected, "{remaining} {urgency:?}");
            assert_eq!(governor.holds(urgency, NOW), expected.err());
            assert_eq!(governor.holds(urgency, NOW + RATE_WINDOW_SECONDS), None, "the window is over");
        }
    }
}

#[test]
fn an_answer_that_was_overtaken_changes_nothing() {
    let (governor, hub) = (Governor::default(), FakeHub::default());
    for (remaining, reset, held) in
        [(50, NOW + 30, false), (10, NOW + 30, true), (40, NOW + 30, true), (90, NOW + 20, true), (90, NOW + 40, false)]
    {
        hub.set_rate(100, remaining, reset);
        assert_eq!(send(&governor, Urgency::Removal, &hub, NOW), Ok(401));
        assert_eq!(governor.holds(Urgency::CanWait, NOW).is_some(), held, "{remaining} until {reset}");
    }
}

#[test]
fn a_clock_that_was_set_back_ends_what_it_would_never_reach() {
    let (governor, hub) = (Governor::default(), FakeHub::default());
    hub.trouble(LOOK, Trouble::Wait(429, 60));
    assert!(send(&governor, Urgency::CanWait, &hub, NOW).is_err());
    assert!(governor.holds(Urgency::CanWait, NOW - 60).is_some(), "a caller that waited has an old time");
    assert_eq!(governor.holds(Urgency::CanWait, NOW - 2 * MAX_RETRY_AFTER_SECONDS), None);
}

#[test]
fn only_so_many_calls_are_under_way_and_some_room_is_for_removals() {
    let governor = Governor::default();
    let admit = |urgency| governor.admit(urgency, NOW);
    let room = || [Urgency::CanWait, Urgency::Removal].map(|urgency| governor.lock().has_room(urgency));
    assert_eq!(room(), [true, true]);
    let mut held: Vec<_> = (0..HUB_CALLS_THAT_CAN_WAIT).map(|_| admit(Urgency::CanWait).ok().unwrap()).collect();
    assert_eq!(room(), [false, true], "a mint would wait, a removal goes on");
    held.extend((HUB_CALLS_THAT_CAN_WAIT..HUB_CALLS).map(|_| admit(Urgency::Removal).ok().unwrap()));
    assert_eq!(room(), [false, false]);
    // The next one waits for a place, which is given back by the end of a call.
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| admit(Urgency::Removal).is_ok());
        drop(held.pop());
        assert!(waiting.join().unwrap());
    });
    drop(held);
    assert_eq!(governor.lock().under_way, 0);
}
