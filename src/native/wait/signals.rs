//! INT, TERM and HUP as events.
//!
//! A signal that our parent has made us ignore (`nohup`, a background job of a shell) stays ignored; Linux says so
//! in `/proc/self/status`, elsewhere this cannot be asked without unsafe code and every signal is taken.
//!
//! An interrupt counts as the terminal's if the kernel sent it; where the system does not tell (macOS), if our
//! process group is the one in front of the terminal.

use std::sync::mpsc::Sender;
use std::{fs, io, thread};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::SignalsInfo;
use signal_hook::iterator::exfiltrator::origin::WithOrigin;
use signal_hook::low_level::siginfo::{Cause, Origin};

use crate::native::wait::worker::{Event, Signal};

/// The number of the interrupt that a terminal sends to everybody in front of it.
pub(in crate::native) const INTERRUPT: u8 = 2;

/// Sends every signal that arrives from now on as an event.
///
/// # Errors
/// The system refuses a handler or a thread.
pub(in crate::native) fn watch(events: Sender<Event>) -> io::Result<()> {
    let ignored = ignored(&fs::read_to_string("/proc/self/status").unwrap_or_default());
    let watched = [SIGINT, SIGTERM, SIGHUP].into_iter().filter(|signal| ignored >> (signal - 1) & 1 == 0);
    let mut signals = SignalsInfo::<WithOrigin>::new(watched)?;
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for origin in &mut signals {
            let Ok(number) = u8::try_from(origin.signal) else { continue };
            let from_terminal = number == INTERRUPT && is_from_terminal(&origin);
            if events.send(Event::Signal(Signal { number, from_terminal })).is_err() {
                break;
            }
        }
    })?;
    Ok(())
}

/// The bits of `SigIgn`: bit n-1 stands for signal n.
fn ignored(status: &str) -> u64 {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or(0)
}

fn is_from_terminal(origin: &Origin) -> bool {
    match origin.cause {
        Cause::Kernel => true,
        Cause::Unknown => {
            rustix::termios::tcgetpgrp(io::stdin()).is_ok_and(|front| front == rustix::process::getpgrp())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::ignored;

    #[test]
    fn ignored_signals_are_read_from_the_status_of_the_process() {
        assert_eq!(ignored("Name:\tx\nSigIgn:\t0000000000001001\nSigCgt:\t1\n"), 0x1001);
        assert_eq!(ignored(""), 0);
        assert_eq!(ignored("SigIgn:\tx"), 0);
    }
}
