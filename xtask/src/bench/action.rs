//! `cargo xtask bench action`: the Action's step beside the floor, on one machine, in one run.
//!
//! Three whole processes take turns: `node -e 0`; `floor.mjs`, which makes the same requests and runs the same
//! `docker login` without a single check; and `action/main.mjs`, as GitHub's runner starts it. All three see the same
//! environment. Between the turns the post step undoes what the step did.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::figures::Figure;
use super::{LIMITS, MEMORY_RUNS, TURNS, UNHINDERED, WARM_UPS, figures, memory};
use crate::binaries::Binaries;
use crate::failure::Failure;
use crate::terminal::Terminal;
use crate::test::node;
use crate::wasm;
use crate::workspace::Workspace;
use crate::world::{BROKER_URL, Shape, World, said};

/// Time of the step over the time of the floor; at most this.
const RATIO: f64 = 1.15;
/// The module should stay under this, in bytes.
const MODULE: u64 = 300_000;
/// The step's peak memory should stay within this of the floor's, in bytes.
const MEMORY: u64 = 20_000_000;
/// Rejected by no shell and no runner; the runner replaces the hyphen by nothing either.
const INPUT: &str = "INPUT_BROKER-URL";

/// Builds, measures, prints.
pub(super) fn run(workspace: &Workspace, terminal: &Terminal) -> Result<(), Failure> {
    let log = workspace.log("bench-build")?;
    terminal.begin("building ... ");
    let binaries = Binaries::build(workspace, &log, terminal)?;
    let node = node::installed(workspace, &log, terminal)?;
    terminal.say("done");
    World::docker().ok_or_else(|| "docker is not installed; only its command line is needed".to_owned())?;
    let world = World::start(&binaries, LIMITS)?;
    world.sandbox.hub().set_rate_limit(UNHINDERED);
    let race = Race { world: &world, node, root: &workspace.root };
    terminal.begin(&format!("a step of the Action through our broker, {TURNS} turns ... "));
    let figures = race.run()?;
    terminal.say("done");
    let module = wasm::committed(workspace);
    let size = fs::metadata(&module).map_err(|error| format!("{}: {error}", module.display()))?.len();
    let size = Figure::bytes("size of hublease.wasm", size, MODULE);
    figures::print(&figures.into_iter().chain([size]).collect::<Vec<_>>(), terminal);
    Ok(())
}

struct Race<'a> {
    world: &'a World,
    node: PathBuf,
    root: &'a Path,
}

/// One of those that take turns.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Runner {
    Nothing,
    Floor,
    Step,
}

impl Race<'_> {
    fn run(&self) -> Result<Vec<Figure>, String> {
        let all = [Runner::Nothing, Runner::Floor, Runner::Step];
        let mut times: [Vec<Duration>; 3] = Default::default();
        for turn in 0..WARM_UPS + TURNS {
            // Whoever comes later finds warmer caches; they take turns in that too.
            for place in 0..all.len() {
                let index = (place + turn) % all.len();
                let time = self.turn(all[index])?;
                if turn >= WARM_UPS {
                    times[index].push(time);
                }
            }
        }
        let [nothing, floor, step] = times.map(|times| figures::median(&times));
        let mut peaks = [0, 0];
        for _ in 0..MEMORY_RUNS {
            for (peak, runner) in peaks.iter_mut().zip([Runner::Floor, Runner::Step]) {
                *peak = (*peak).max(self.peak(runner)?);
            }
        }
        let [floor_peak, step_peak] = peaks;
        Ok(vec![
            Figure::ratio("a step of the Action, beside the floor".to_owned(), step, floor, RATIO),
            Figure::note("  `node -e 0`, in the same turns", nothing),
            Figure::bytes("  its peak memory above the floor's", step_peak.saturating_sub(floor_peak), MEMORY),
            Figure::memory("  the floor's peak memory", floor_peak),
        ])
    }

    fn turn(&self, runner: Runner) -> Result<Duration, String> {
        let job = Job::new(self)?;
        let ended = said(&mut job.command(self, runner))?;
        if ended.code != 0 {
            return Err(format!("it ended with {}: {}", ended.code, ended.text.trim()));
        }
        self.undo(&job, runner)?;
        Ok(ended.time)
    }

    fn peak(&self, runner: Runner) -> Result<u64, String> {
        let job = Job::new(self)?;
        let peak = memory::peak(&mut job.command(self, runner))?;
        self.undo(&job, runner)?;
        Ok(peak)
    }

    /// The post step, with the state as the runner hands it on.
    fn undo(&self, job: &Job, runner: Runner) -> Result<(), String> {
        if runner != Runner::Step {
            return Ok(());
        }
        let mut command = job.node(self);
        command.arg(self.root.join("action/post.mjs")).envs(job.state()?);
        let ended = said(&mut command)?;
        if ended.text.contains("revoked and confirmed") { Ok(()) } else { Err(format!("post: {}", ended.text.trim())) }
    }
}

/// A job's home and the runner's files in it.
struct Job {
    home: PathBuf,
}

impl Job {
    fn new(race: &Race<'_>) -> Result<Self, String> {
        let home = race.world.home()?;
        for name in ["state", "output", "env", "summary"] {
            fs::write(home.join(name), "").map_err(|error| format!("{name}: {error}"))?;
        }
        Ok(Self { home })
    }

    fn node(&self, race: &Race<'_>) -> Command {
        let mut command = Command::new(&race.node);
        let world = race.world;
        command.env_clear().envs(world.variables(&self.home)).envs(world.job(Shape::GitHub, BROKER_URL));
        // A plain script has only Node's own roots and these.
        let roots = world.sandbox.environment().into_iter().find(|(name, _)| name == "SSL_CERT_FILE");
        command.envs(roots.map(|(_, path)| ("NODE_EXTRA_CA_CERTS", path)));
        command.env(INPUT, BROKER_URL).env("BROKER", BROKER_URL).env("RUNNER_TEMP", self.home.join("tmp"));
        for (name, file) in [("STATE", "state"), ("OUTPUT", "output"), ("ENV", "env"), ("STEP_SUMMARY", "summary")] {
            command.env(format!("GITHUB_{name}"), self.home.join(file));
        }
        command.current_dir(&self.home);
        command
    }

    fn command(&self, race: &Race<'_>, runner: Runner) -> Command {
        let mut command = self.node(race);
        match runner {
            Runner::Nothing => command.args(["-e", "0"]),
            Runner::Floor => command.arg(race.root.join("xtask/src/bench/floor.mjs")),
            Runner::Step => command.arg(race.root.join("action/main.mjs")),
        };
        command
    }

    /// The last value of every key, as the runner reads `KEY<<END` blocks.
    fn state(&self) -> Result<Vec<(String, String)>, String> {
        let text = fs::read_to_string(self.home.join("state")).map_err(|error| format!("the state: {error}"))?;
        let mut lines = text.lines();
        let mut state = Vec::new();
        while let Some((name, end)) = lines.next().and_then(|line| line.split_once("<<")) {
            let value: Vec<&str> = lines.by_ref().take_while(|line| *line != end).collect();
            state.push((format!("STATE_{name}"), value.join("\n")));
        }
        Ok(state)
    }
}
