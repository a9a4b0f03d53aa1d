//! The highest resident memory of a process, as Linux counts it (`VmHWM` in `/proc/PID/status`).
//!
//! It is read again and again while the process runs; the mark never falls, so the last reading is the peak up to a fraction
//! of a millisecond before the end. Before the program was loaded the line tells of our own memory, hence the look at the
//! name; afterwards a program may call itself what it likes.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// Bytes at the peak of one run.
pub(super) fn peak(command: &mut Command) -> Result<u64, String> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let name = Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut child = command.spawn().map_err(|error| format!("{name} cannot start: {error}"))?;
    let status = format!("/proc/{}/status", child.id());
    let mut highest = 0;
    let ended = loop {
        let text = fs::read_to_string(&status).unwrap_or_default();
        highest = highest.max(mark(&text).unwrap_or(0));
        if let Some(ended) = child.try_wait().map_err(|error| error.to_string())? {
            break ended;
        }
    };
    if !ended.success() || highest == 0 {
        return Err(format!("no peak of memory: {name} ended with {ended}"));
    }
    Ok(highest)
}

/// The mark in bytes, unless this is still ourselves.
fn mark(status: &str) -> Option<u64> {
    let field = |wanted: &str| status.lines().find_map(|line| Some(line.strip_prefix(wanted)?.trim()));
    let kibibytes: u64 = field("VmHWM:")?.strip_suffix("kB")?.trim().parse().ok()?;
    (field("Name:")? != env!("CARGO_PKG_NAME")).then_some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::mark;

    #[test]
    fn the_mark_counts_for_the_program_only() {
        let status = "Name:\thublease\nVmPeak:\t   9000 kB\nVmHWM:\t    5120 kB\n";
        assert_eq!(mark(status), Some(5120 * 1024));
        assert_eq!(mark(&status.replace("hublease", "xtask")), None);
        assert_eq!(mark("Name:\thublease\n"), None);
    }
}
