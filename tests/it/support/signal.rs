//! Signals, sent without a program: `kill` is a package of its own, and not every machine has it.

use std::fs;

use rustix::process::{Pid, Signal, kill_process};

use super::machine::until;

/// Sends a signal, by its name without `SIG`, to a process that is not yet waited for, and returns when it has been taken.
/// Of two signals that are sent at once the kernel may run the second's handler first.
pub fn send(process: u32, name: &str) {
    let signal = match name {
        "HUP" => Signal::HUP,
        "INT" => Signal::INT,
        "TERM" => Signal::TERM,
        other => panic!("no test sends {other} so far"),
    };
    let pid = i32::try_from(process).ok().and_then(Pid::from_raw).unwrap();
    kill_process(pid, signal).unwrap_or_else(|error| panic!("SIG{name} cannot be sent: {error}"));
    until("the signal is taken", || is_taken(process, signal));
}

/// Whether the signal is no longer pending and the process waits for something again, or is over: proc_pid_status(5), where
/// `ShdPnd` is a mask in hexadecimal. Systems without that file are not asked.
fn is_taken(process: u32, signal: Signal) -> bool {
    let Ok(status) = fs::read_to_string(format!("/proc/{process}/status")) else { return true };
    let field = |name: &str| status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default().trim();
    let pending = u64::from_str_radix(field("ShdPnd:"), 16).unwrap_or_default();
    let is_pending = pending & (1 << (signal.as_raw() - 1)) != 0;
    !is_pending && field("State:").starts_with(['S', 'Z', 'X'])
}
