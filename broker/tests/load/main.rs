//! Load for `cargo xtask bench broker`: the real program beside a Docker Hub that answers at once, on this machine.
//!
//! `load BROKER FOLDER` prints one line of JSON for each figure. Everything that the broker talks to is in this process, so both
//! share the processors: the figures say how much of them the broker had.

#![expect(clippy::print_stdout, reason = "its figures are what it is for")]

mod clients;
mod hub;
mod journal;
mod machine;
mod program;
mod tokens;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;

use self::clients::{closed_loop, open_loop};
use self::hub::Hub;
use self::journal::Filling;
use self::machine::{Processor, synchronization, verification};
use self::program::Program;
use self::tokens::Tokens;

type Fallible<T> = Result<T, Box<dyn std::error::Error>>;

/// Organizations, each with an account and a rule.
const ACCOUNTS: usize = 50;
/// Leases that are alive at the start, and rows of leases that are over.
const LIVE: usize = 5_000;
const CLOSED: usize = 100_000;
/// Exchanges of the closed loop, and clients that make them.
const EXCHANGES: usize = 15_000;
const CLIENTS: usize = 64;
/// The open loop: exchanges per second, and for how long.
const RATE: usize = 500;
const SECONDS: usize = 10;
/// Exchanges before anything is measured.
const WARM_UP: usize = 1_000;

fn main() -> ExitCode {
    let arguments: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let [broker, folder] = arguments.as_slice() else {
        return ExitCode::from(2);
    };
    match run(broker, folder) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            println!("{}", json!({"error": error.to_string()}));
            ExitCode::FAILURE
        }
    }
}

fn run(broker: &Path, folder: &Path) -> Fallible<()> {
    let hub = Hub::start(folder)?;
    figure("disk_synchronization_us", synchronization(folder)?.as_secs_f64() * 1e6);
    let tokens = Arc::new(Tokens::sign(EXCHANGES + WARM_UP + RATE * SECONDS)?);
    figure("signature_check_us", verification(&tokens).as_secs_f64() * 1e6);
    exchanges(broker, folder, &hub, &tokens)?;
    sweeper(broker, folder, &hub)
}

/// The start with a full journal, then as many exchanges as go, then some each second.
fn exchanges(broker: &Path, folder: &Path, hub: &Hub, tokens: &Arc<Tokens>) -> Fallible<()> {
    let mut program = Program::configured(broker, folder, "busy", hub)?;
    program.fill(&Filling { live: LIVE, closed: CLOSED, expired: false })?;
    let begun = Instant::now();
    program.start()?;
    program.wait_until_ready()?;
    figure("ready_ms", begun.elapsed().as_secs_f64() * 1e3);
    figure("memory_at_start_bytes", program.memory("VmRSS:")?);

    let address = program.address()?;
    closed_loop(&address, tokens, 0..1, 1)?;
    closed_loop(&address, tokens, 1..WARM_UP, CLIENTS)?;
    let (before, all_before) = (program.processor()?, Processor::all()?);
    let begun = Instant::now();
    closed_loop(&address, tokens, WARM_UP..WARM_UP + EXCHANGES, CLIENTS)?;
    let took = begun.elapsed();
    let (used, all) = (program.processor()?.since(before), Processor::all()?.since(all_before));
    figure("exchanges_per_second", EXCHANGES as f64 / took.as_secs_f64());
    figure("broker_processor_us_per_exchange", used.busy.as_secs_f64() * 1e6 / EXCHANGES as f64);
    figure("broker_share_of_processors", used.busy.as_secs_f64() / all.capacity.as_secs_f64());
    figure("idle_share_of_processors", all.idle.as_secs_f64() / all.capacity.as_secs_f64());

    let first = WARM_UP + EXCHANGES;
    let mut times = open_loop(&address, tokens, first..first + RATE * SECONDS, RATE)?;
    times.sort();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    figure("p50_ms_at_500", at(0.5));
    figure("p99_ms_at_500", at(0.99));
    figure("longest_ms_at_500", at(1.0));
    figure("memory_peak_bytes", program.memory("VmHWM:")?);
    Ok(())
}

/// A journal full of leases that have ended, and how fast they are removed.
fn sweeper(broker: &Path, folder: &Path, hub: &Hub) -> Fallible<()> {
    let mut program = Program::configured(broker, folder, "swept", hub)?;
    program.fill(&Filling { live: LIVE, closed: 0, expired: true })?;
    let before = hub.deleted();
    let begun = Instant::now();
    program.start()?;
    while hub.deleted() < before + LIVE {
        if begun.elapsed() > Duration::from_secs(120) {
            return Err(format!("{} of {LIVE} were removed in two minutes", hub.deleted() - before).into());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    figure("removals_per_second", LIVE as f64 / begun.elapsed().as_secs_f64());
    Ok(())
}

fn figure(name: &str, value: f64) {
    println!("{}", json!({"name": name, "value": value}));
}
