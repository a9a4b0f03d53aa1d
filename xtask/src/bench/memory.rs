//! The highest resident memory of a process, as Linux counts it (`VmHWM` in `/proc/PID/status`).
//!
//! It is read again and again while the process runs; the mark never falls, so the last reading is the peak up to a fraction
//! of a millisecond before the end. Before the program was loaded the line tells of our own memory, hence the look at the name.

use std::{
    fs,
    path::Path,
    process::{Command, Stdio},
};

use crate::outside::Outside;

/// Bytes at the peak of one run of the client.
pub(super) fn peak(outside: &Outside, words: &[String], home: &Path, job: &[(String, String)]) -> Result<u64, String> {
    let mut command = Command::new(outside.client());
    command.args(words).env_clear().envs(outside.variables(home)).envs(job.iter().map(|(name, value)| (name, value)));
    command.current_dir(home).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().map_err(|error| format!("the client cannot start: {error}"))?;
    let name = outside.client().file_name().unwrap_or_default().to_string_lossy().into_owned();
    let status = format!("/proc/{}/status", child.id());
    let mut highest = 0;
    let ended = loop {
        let text = fs::read_to_string(&status).unwrap_or_default();
        highest = highest.max(mark(&text, &name).unwrap_or(0));
        if let Some(ended) = child.try_wait().map_err(|error| error.to_string())? {
            break ended;
        }
    };
    if !ended.success() || highest == 0 {
        return Err(format!("no peak of memory: the client ended with {ended}"));
    }
    Ok(highest)
}

/// The mark in bytes, if this is the program of that name.
fn mark(status: &str, name: &str) -> Option<u64> {
    let field = |wanted: &str| status.lines().find_map(|line| Some(line.strip_prefix(wanted)?.trim()));
    let kibibytes: u64 = field("VmHWM:")?.strip_suffix("kB")?.trim().parse().ok()?;
    // The kernel keeps fifteen bytes of a name.
    (field("Name:")? == name.get(..15).unwrap_or(name)).then_some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::mark;

    #[test]
    fn the_mark_counts_for_the_program_only() {
        let status = "Name:\thublease\nVmPeak:\t   9000 kB\nVmHWM:\t    5120 kB\n";
        assert_eq!(mark(status, "hublease"), Some(5120 * 1024));
        assert_eq!(mark(status, "xtask"), None);
        assert_eq!(mark("Name:\thublease\n", "hublease"), None);
    }
}
