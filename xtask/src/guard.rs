//! `xtask guard PROGRAM ARGUMENT...`: runs one test, and sees to it that no process outlives it.
//!
//! The runner of the tests starts each of them under a guard. On Linux the guard adopts whatever the test leaves behind, be
//! it in another process group or session: what has not ended by itself shortly after the test is named, killed, and makes
//! the test fail. When the guard is told to end (a deadline, an interrupt), it kills all that the test has started and then
//! ends. `cargo xtask test` adopts in the same way what a killed guard would leave.
//!
//! Elsewhere the kernel offers no adoption, and the tests run without guards.

use std::collections::HashMap;
use std::io::{self, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitCode, ExitStatus};
use std::time::{Duration, Instant};
use std::{env, fs, thread};

use rustix::io::Errno;
use rustix::process::{Pid, Signal, WaitOptions, kill_process, wait};
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// What was begun to end when the test ended has this long to be gone; nothing waits for it in vain, whatever the load.
const GRACE: Duration = Duration::from_secs(5);
/// How often the processes are looked at meanwhile.
const GLANCE: Duration = Duration::from_millis(10);
/// So much of a command line is shown.
const SHOWN: usize = 200;
/// The exit code of a test that failed only because it left something; libtest's own is 101.
const LEFT_SOMETHING: u8 = 102;

/// Runs the command line to its end, and then ends what is left of it. The exit code is the program's own.
///
/// # Errors
/// A sentence: there is no command line, or it cannot be started.
pub(crate) fn run(words: &[String]) -> Result<ExitCode, String> {
    let (program, arguments) = words.split_first().ok_or("usage: xtask guard PROGRAM ARGUMENT...")?;
    adopt()?;
    let mut signals = Signals::new([SIGHUP, SIGINT, SIGTERM]).map_err(|error| format!("signals: {error}"))?;
    thread::spawn(move || {
        for signal in &mut signals {
            end_all();
            signal_hook::low_level::emulate_default_handler(signal).ok();
        }
    });
    let child = Command::new(program).args(arguments).spawn().map_err(|error| format!("{program}: {error}"))?;
    let status = reap_until(Pid::from_child(&child)).map_err(|error| format!("{program}: {error}"))?;
    let left = end_orphans();
    for process in &left {
        drop(writeln!(io::stderr(), "the test left a process behind, which was killed: {process}"));
    }
    let code = status.code().unwrap_or_else(|| 128 + status.signal().unwrap_or_default());
    let code = u8::try_from(code).unwrap_or(u8::MAX);
    Ok(ExitCode::from(if code == 0 && !left.is_empty() { LEFT_SOMETHING } else { code }))
}

/// From now on every process that a descendant leaves behind becomes our own child.
///
/// # Errors
/// A sentence, from a kernel before 3.4.
#[cfg(target_os = "linux")]
fn adopt() -> Result<(), String> {
    // Any process id says yes (prctl(2), PR_SET_CHILD_SUBREAPER).
    rustix::process::set_child_subreaper(Some(Pid::INIT)).map_err(|error| format!("orphans cannot be adopted: {error}"))
}

#[cfg(not(target_os = "linux"))]
fn adopt() -> Result<(), String> {
    Err("orphans cannot be adopted on this system".to_owned())
}

/// Runs something whose processes all have to be gone afterwards.
///
/// # Errors
/// What went wrong, or a sentence that names what was left.
pub(crate) fn watch(run: impl FnOnce() -> Result<(), String>) -> Result<(), String> {
    if !cfg!(target_os = "linux") {
        return run();
    }
    adopt()?;
    let result = run();
    let left = end_orphans();
    if result.is_ok() && !left.is_empty() {
        return Err(format!("processes were left behind, and killed: {}", left.join("; ")));
    }
    result
}

/// Ends every descendant, and names those that did not go by themselves. Called when none is meant to be there.
fn end_orphans() -> Vec<String> {
    let begun = Instant::now();
    loop {
        reap_the_dead();
        let alive = descendants();
        if alive.is_empty() {
            return Vec::new();
        }
        if begun.elapsed() > GRACE {
            let names = alive.into_iter().map(|pid| format!("{pid} {}", command_line(pid))).collect();
            end_all();
            return names;
        }
        thread::sleep(GLANCE);
    }
}

/// Kills until nobody is left: a process may start another while it is being looked at. One that the kernel holds on to is
/// given up after a while.
fn end_all() {
    let begun = Instant::now();
    while begun.elapsed() < GRACE {
        let alive = descendants();
        if alive.is_empty() {
            return;
        }
        for pid in alive.into_iter().filter_map(Pid::from_raw) {
            // Gone already, or about to be.
            kill_process(pid, Signal::KILL).ok();
        }
        reap_the_dead();
        thread::sleep(GLANCE);
    }
}

/// Waits for one child, and for every orphan that ends before it.
fn reap_until(child: Pid) -> io::Result<ExitStatus> {
    loop {
        match wait(WaitOptions::empty()) {
            Ok(Some((pid, status))) if pid == child => return Ok(ExitStatus::from_raw(status.as_raw())),
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn reap_the_dead() {
    while let Ok(Some(_)) = wait(WaitOptions::NOHANG) {}
}

/// The living processes below this one, by `/proc/PID/stat` (proc(5): state and parent follow the name in parentheses).
fn descendants() -> Vec<i32> {
    let mut parents = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok()) else { continue };
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let Some((_, rest)) = stat.rsplit_once(')') else { continue };
        let mut fields = rest.split_whitespace();
        let (state, parent) = (fields.next(), fields.next().and_then(|parent| parent.parse::<i32>().ok()));
        if let (Some(state), Some(parent)) = (state, parent) {
            parents.insert(pid, (parent, state == "Z" || state == "X"));
        }
    }
    let own = i32::try_from(std::process::id()).unwrap_or_default();
    let is_below = |pid: i32| {
        let mut at = pid;
        // Longer chains than there are processes would be circles, which a changing table may show.
        for _ in 0..parents.len() {
            match parents.get(&at) {
                Some((parent, _)) if *parent == own => return true,
                Some((parent, _)) => at = *parent,
                None => return false,
            }
        }
        false
    };
    parents.iter().filter(|(pid, (_, is_dead))| !is_dead && is_below(**pid)).map(|(pid, _)| *pid).collect()
}

fn command_line(pid: i32) -> String {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let line = String::from_utf8_lossy(&bytes).replace('\0', " ");
    line.trim().chars().take(SHOWN).collect()
}

/// How cargo and cargo-nextest are told to run each test of this platform under a guard, if that is possible here.
pub(crate) fn as_cargo_option() -> Option<String> {
    if !cfg!(target_os = "linux") {
        return None;
    }
    let itself = env::current_exe().ok()?;
    let words = serde_json::json!([itself.to_str()?, "guard"]);
    // JSON's strings in a list are TOML's. `cfg(all())` is every target.
    Some(format!("target.'cfg(all())'.runner={words}"))
}
