//! `cargo xtask bench broker`: what the broker's load (`broker/tests/load`) measured, beside the aims.
//!
//! Broker, jobs and Docker Hub share this machine's processors. The figures therefore also say what one exchange costs the
//! broker alone, and how many that makes when it has two processors to itself.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use super::figures::{self, Figure};
use crate::failure::Failure;
use crate::process::Call;
use crate::terminal::Terminal;
use crate::workspace::Workspace;

/// Exchanges per second on two processors.
const EXCHANGES: f64 = 2000.0;
/// The slowest of a hundred at 500 a second, in milliseconds.
const SLOWEST: f64 = 50.0;
/// Memory with 5 000 live leases, in bytes.
const MEMORY: u64 = 100_000_000;
/// From the start to readiness, in milliseconds.
const START: f64 = 1000.0;
/// The processors that the aim is about.
const PROCESSORS: f64 = 2.0;
/// How long the load may take; it ends by itself in about a minute.
const LOAD: Duration = Duration::from_secs(600);

/// Builds, measures, prints.
pub(super) fn run(workspace: &Workspace, terminal: &Terminal) -> Result<(), Failure> {
    let log = workspace.log("bench-build")?;
    terminal.begin("building ... ");
    let targets = ["--package", "hublease-broker", "--bin", "hublease-broker", "--example", "load"];
    workspace.cargo(&["build", "--locked", "--profile", "server"]).arguments(targets).run(&log, terminal)?;
    terminal.say("done");
    let built = workspace.target.join("server");
    // Beside the build, because a journal in memory would flatter the disk.
    let folder =
        tempfile::tempdir_in(&workspace.target).map_err(|error| format!("a folder for the journal: {error}"))?;
    terminal.begin("load ... ");
    let load = Call::new(built.join("examples/load")).argument(built.join("hublease-broker")).argument(folder.path());
    let said = load.limit(LOAD).text()?;
    terminal.say("done");
    let measured = read(&said)?;
    figures::print(&measured.figures()?, terminal);
    terminal.say(&format!("\nthe limit of the first: {}", measured.limit()?));
    Ok(())
}

/// Figures by name.
struct Measured(BTreeMap<String, f64>);

fn read(said: &str) -> Result<Measured, String> {
    let mut figures = BTreeMap::new();
    for line in said.lines() {
        let line: Value = serde_json::from_str(line).map_err(|_no_json| format!("the load said: {line}"))?;
        match (line["name"].as_str(), line["value"].as_f64()) {
            (Some(name), Some(value)) => drop(figures.insert(name.to_owned(), value)),
            _ => return Err(format!("the load failed: {}", line["error"])),
        }
    }
    Ok(Measured(figures))
}

impl Measured {
    fn get(&self, name: &str) -> Result<f64, String> {
        self.0.get(name).copied().ok_or_else(|| format!("the load did not measure {name}"))
    }

    fn figures(&self) -> Result<Vec<Figure>, String> {
        let cost = self.get("broker_processor_us_per_exchange")?;
        let alone = PROCESSORS * 1e6 / cost;
        Ok(vec![
            Figure::rate("exchanges, broker beside its load", self.get("exchanges_per_second")?, EXCHANGES),
            Figure::rate("  by the broker's own processor time, on two processors", alone, EXCHANGES),
            Figure::time("99 of 100 exchanges, at 500/s", self.get("p99_ms_at_500")?, SLOWEST),
            Figure::plain(
                "  half of them, and the slowest",
                format!("{:.1} ms, {:.1} ms", self.get("p50_ms_at_500")?, self.get("longest_ms_at_500")?),
            ),
            Figure::time("ready after the start, 5 000 leases, 50 accounts", self.get("ready_ms")?, START),
            Figure::bytes("  its memory then", self.get("memory_at_start_bytes")? as u64, MEMORY),
            Figure::bytes("  its highest memory under load", self.get("memory_peak_bytes")? as u64, MEMORY),
            Figure::plain("removals by the sweeper", format!("{:.0}/s", self.get("removals_per_second")?)),
        ])
    }

    /// Where the time of an exchange went.
    fn limit(&self) -> Result<String, String> {
        let percent = |name: &str| self.get(name).map(|share| share * 100.0);
        let (idle, broker) = (percent("idle_share_of_processors")?, percent("broker_share_of_processors")?);
        let cost = self.get("broker_processor_us_per_exchange")?;
        let signature = self.get("signature_check_us")? / cost * 100.0;
        let disk = self.get("disk_synchronization_us")? / 1000.0;
        let beside = 100.0 - idle - broker;
        let verdict = match (idle, broker) {
            (15.0.., _) => "waiting for the disk",
            (_, broker) if broker < beside => "the load and its Docker Hub, on the same processors",
            _ if signature >= 50.0 => "the signature checks",
            _ => "the broker's own work, not its signature checks",
        };
        Ok(format!(
            "{verdict}: processors {broker:.0} % broker, {beside:.0} % load and Docker Hub, {idle:.0} % idle; an exchange is \
             {cost:.0} us of the broker's time, {signature:.0} % of it the signature; a synchronization of the disk {disk:.1} ms"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn every_figure_is_asked_for_and_a_failure_is_one() {
        let names = [
            "exchanges_per_second",
            "broker_processor_us_per_exchange",
            "idle_share_of_processors",
            "broker_share_of_processors",
            "signature_check_us",
            "disk_synchronization_us",
            "p99_ms_at_500",
            "p50_ms_at_500",
            "longest_ms_at_500",
            "ready_ms",
            "memory_at_start_bytes",
            "memory_peak_bytes",
            "removals_per_second",
        ];
        let said: Vec<String> = names.iter().map(|name| format!(r#"{{"name":"{name}","value":1.5}}"#)).collect();
        assert_eq!(read(&said.join("\n")).unwrap().figures().unwrap().len(), 8);
        for (missing, name) in names.iter().enumerate() {
            let mut some = said.clone();
            some.remove(missing);
            let measured = read(&some.join("\n")).unwrap();
            assert!(measured.figures().is_err() || measured.limit().is_err(), "{name}");
        }
        assert!(read(r#"{"error":"x"}"#).is_err());
        assert!(read("panicked").is_err());
    }
}
