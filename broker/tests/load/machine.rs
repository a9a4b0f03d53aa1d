//! What the machine says: processor time, memory, and what its disk and its arithmetic cost.

use std::fs::{self, OpenOptions};
use std::hint::black_box;
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};

use ring::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};

use super::Fallible;
use super::tokens::{Tokens, pair};

/// Linux counts processor time in hundredths of a second (`USER_HZ`).
const TICK: Duration = Duration::from_millis(10);

/// Processor time, of one process or of the machine.
#[derive(Clone, Copy, Default)]
pub(super) struct Processor {
    pub(super) busy: Duration,
    pub(super) idle: Duration,
    pub(super) capacity: Duration,
}

impl Processor {
    /// Of a process: user and system time.
    pub(super) fn of(process: u32) -> Fallible<Self> {
        let text = fs::read_to_string(format!("/proc/{process}/stat"))?;
        // The name, in parentheses, may hold spaces.
        let fields: Vec<&str> = text.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks: u32 =
            fields.get(11..13).ok_or("no times")?.iter().map(|field| field.parse::<u32>().unwrap_or(0)).sum();
        Ok(Self { busy: TICK * ticks, ..Self::default() })
    }

    /// Of all processors together.
    pub(super) fn all() -> Fallible<Self> {
        let text = fs::read_to_string("/proc/stat")?;
        let ticks: Vec<u32> =
            text.lines().next().unwrap_or_default().split_whitespace().skip(1).flat_map(str::parse).collect();
        let idle = ticks.get(3).copied().unwrap_or(0) + ticks.get(4).copied().unwrap_or(0);
        let capacity: u32 = ticks.iter().take(8).sum();
        Ok(Self { busy: TICK * (capacity - idle), idle: TICK * idle, capacity: TICK * capacity })
    }

    pub(super) fn since(self, earlier: Self) -> Self {
        Self {
            busy: self.busy.saturating_sub(earlier.busy),
            idle: self.idle.saturating_sub(earlier.idle),
            capacity: self.capacity.saturating_sub(earlier.capacity),
        }
    }
}

/// A field of `/proc/PID/status`, in bytes.
pub(super) fn memory(process: u32, field: &str) -> Fallible<f64> {
    let text = fs::read_to_string(format!("/proc/{process}/status"))?;
    let line = text.lines().find_map(|line| line.strip_prefix(field)).ok_or("no such field")?;
    Ok(line.trim().trim_end_matches("kB").trim().parse::<f64>()? * 1024.0)
}

/// What it costs to have one page on this disk for certain.
pub(super) fn synchronization(folder: &Path) -> Fallible<Duration> {
    const TIMES: u32 = 200;
    let mut file = OpenOptions::new().create(true).append(true).open(folder.join("disk"))?;
    let begun = Instant::now();
    for _ in 0..TIMES {
        file.write_all(&[0; 4096])?;
        file.sync_data()?;
    }
    Ok(begun.elapsed() / TIMES)
}

/// What one RS256 signature check costs.
pub(super) fn verification(tokens: &Tokens) -> Duration {
    const TIMES: u32 = 2000;
    let Ok(pair) = pair() else { return Duration::ZERO };
    let key = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public());
    let token = tokens.of(0);
    let (message, signature) = token.rsplit_once('.').unwrap_or_default();
    let signature = base64::Engine::decode(&base64::engine::general_purpose::URL_SAFE_NO_PAD, signature);
    let signature = signature.unwrap_or_default();
    let begun = Instant::now();
    for _ in 0..TIMES {
        let checked = key.verify(&RSA_PKCS1_2048_8192_SHA256, black_box(message.as_bytes()), &signature);
        assert!(checked.is_ok());
    }
    begun.elapsed() / TIMES
}
