//! A guest that uses up what it was given is dropped, and what it said at its death is a place and no more.

use std::time::Duration;

use super::{MARK, begun, given};
use crate::support::module::{Answer, Code, Core, Instance, Limits, Trapped};

#[track_caller]
fn tells_nothing(trapped: &Trapped) {
    assert!(!trapped.why.contains(MARK) && !trapped.printed.contains(MARK), "{trapped:?}");
}

#[test]
fn a_guest_that_uses_up_its_fuel_its_time_or_its_memory_is_dropped() {
    let most = Limits::default();
    // A message that is read needs room for itself and for what is made of it.
    let large = format!("{{\"text\": \"{}\"}}", MARK.repeat(500_000));
    for code in Code::both() {
        for (limits, why) in [
            (Limits { fuel: 5000, ..most }, "all fuel consumed"),
            (Limits { time: Duration::ZERO, ..most }, "interrupt"),
        ] {
            let mut guest = code.start(limits);
            let trapped = guest.begin("login", &given().json()).unwrap_err();
            assert!(trapped.why.contains(why), "{trapped:?}");
            tells_nothing(&trapped);
            assert_eq!(trapped.printed, "");
            assert!(guest.is_dropped());
        }
        for memory in [4, 8, 10, 12] {
            let mut guest = begun(&code, Limits { memory: memory * 1024 * 1024, ..most });
            let trapped = guest.advance(&large).unwrap_err();
            tells_nothing(&trapped);
            assert!(guest.is_dropped());
            // Nobody is asked any more.
            let trapped = guest.advance("{\"docker\": \"slow\"}").unwrap_err();
            assert_eq!(trapped.why, "the instance was dropped");
        }
    }
}

/// Why a host has to drop an instance that trapped: it would go on where its own code is not prepared for it. Here it
/// does go on, which shows what the module prints when it panics.
#[test]
fn a_panic_tells_its_place_and_nothing_else() {
    let code = Code::compile(crate::support::module::Form::Core);
    let Code::Core(module) = &code else { panic!("another form") };
    let mut whole = Core::start(module, Limits::default()).unwrap();
    whole.begin("login", &given().json()).unwrap();
    let fuel = whole.used();
    let mut places = 0;
    for tenth in 1..10 {
        let mut torn = Core::start(module, Limits { fuel: fuel * tenth / 10, ..Limits::default() }).unwrap();
        torn.begin("login", &given().json()).unwrap_err();
        torn.set_fuel(Limits::default().fuel);
        match torn.advance(&format!("{{\"text\": \"{MARK}\"}}")) {
            Ok(answer) => assert!(!answer.contains(MARK) && Answer::read(&answer).over().code == 70),
            Err(error) => {
                let trapped = Trapped { why: format!("{error:?}"), printed: torn.printed() };
                tells_nothing(&trapped);
                places += usize::from(is_place(&trapped.printed));
                assert!(trapped.printed.is_empty() || is_place(&trapped.printed), "{trapped:?}");
            }
        }
    }
    assert!(places > 0, "no instance panicked");
}

/// `internal error at FILE:LINE`, on one line.
fn is_place(text: &str) -> bool {
    let place = text.strip_prefix("internal error at ").and_then(|rest| rest.strip_suffix('\n'));
    place.and_then(|place| place.rsplit_once(".rs:")).is_some_and(|(path, line)| {
        let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
        path.bytes().all(is_part) && line.parse::<u32>().is_ok()
    })
}
