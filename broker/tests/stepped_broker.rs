//! `hublease-broker` for the kill tests: the same program, but its time is the machine's plus the seconds that a file says, it
//! sweeps without a pause to speak of, and it kills itself (SIGKILL) at one thing that its journal does.
//!
//! `HUBLEASE_TEST_CLOCK` names the file; `HUBLEASE_TEST_KILL` is `before N`, `after N` or not there.

mod stopping;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use hublease_broker::clock::{Clock, SystemClock};
use hublease_broker::operator::{Machine, run};

use self::stopping::{Side, Stop, Stopping};

struct FileClock(PathBuf);

impl Clock for FileClock {
    fn now(&self) -> u64 {
        // Absent, or in the middle of being written: no time has passed.
        let offset = std::fs::read_to_string(&self.0).ok().and_then(|text| text.trim().parse().ok());
        SystemClock.now() + offset.unwrap_or(0)
    }
}

fn stop() -> Stop {
    let wish = std::env::var("HUBLEASE_TEST_KILL").unwrap_or_default();
    let (side, at) = wish.split_once(' ').unwrap_or(("before", "never"));
    Stop {
        passed: AtomicUsize::new(0),
        at: at.parse().unwrap_or(usize::MAX),
        side: if side == "after" { Side::After } else { Side::Before },
        end: || {
            let _never_comes_back =
                rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
            loop {
                std::thread::park();
            }
        },
    }
}

fn main() -> ExitCode {
    let machine = Machine {
        clock: Arc::new(FileClock(std::env::var_os("HUBLEASE_TEST_CLOCK").unwrap_or_default().into())),
        open_journal: |location, now| Ok(Box::new(Stopping { inner: location.serve(now)?, stop: Arc::new(stop()) })),
        sweep_interval: Duration::from_millis(20),
    };
    run(std::env::args_os(), &machine)
}
