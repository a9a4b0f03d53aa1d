//! `cargo xtask bench`: the client beside curl, on one machine, in one run; `bench action`: the Action beside a script;
//! `bench broker`: the broker under load.
//!
//! What is compared: the wall time of `hublease login --client none` and of the same number of curl processes, one after the
//! other, that make the same requests (methods, paths, headers, bodies) over TLS through the same proxy. The two take turns,
//! and the medians are compared. Timings decide nothing: the figures are printed, and the exit code is 0.

mod action;
mod broker;
mod curl;
mod figures;
mod memory;
mod roots;

use std::fs;
use std::path::Path;
use std::time::Duration;

use hublease_sandbox::BrokerLimits;

use self::curl::Replay;
use self::figures::Figure;
use self::roots::Roots;
use crate::binaries::{Binaries, Released, build_static, static_target};
use crate::failure::Failure;
use crate::terminal::Terminal;
use crate::test::LARGEST;
use crate::workspace::{Workspace, program};
use crate::world::{Provider, Shape, World};

/// What `cargo xtask bench --help` prints.
pub(crate) const HELP: &str = "\
usage: cargo xtask bench [action|broker]

Builds the released client (static, optimised) and compares a whole `login --client none`, through our broker
and through Vault, with the same requests made by one curl process each. Prints the ratio of the medians, the
client's peak memory, and its size. Needs curl and the target for the static build.

`action` compares a whole step of the GitHub Action, docker login included, with a plain script for Node that makes the
same requests and runs the same login. Needs npm, for Node 24, and the docker command line.

`broker` puts load on an optimised broker with a journal on disk, beside a Docker Hub that answers at once: exchanges and
removals per second, waiting times, memory, start. Says what the limit was.
";

/// Turns that are measured, and turns before them that are not.
const TURNS: usize = 30;
const WARM_UPS: usize = 3;
/// How often the peak of memory is looked for; the highest counts.
const MEMORY_RUNS: usize = 5;
/// The client's peak memory should stay under this, in bytes.
const MEMORY: u64 = 8_000_000;
/// Time of the client over the time of the same requests by curl; at most this.
const RATIO: f64 = 1.0;
/// Enough for every lease of the run.
const LIMITS: BrokerLimits = BrokerLimits { leases: 1000, quota: 1000 };
/// Requests per minute that the sandbox's Docker Hub takes.
const UNHINDERED: u64 = 1_000_000;

/// Builds, measures, prints.
pub(crate) fn run(options: &[String], workspace: &Workspace, terminal: &Terminal) -> Result<(), Failure> {
    match options {
        [] => client(workspace, terminal),
        [word] if word == "action" => action::run(workspace, terminal),
        [word] if word == "broker" => broker::run(workspace, terminal),
        _ => Err(Failure::Usage("`cargo xtask bench` takes `action`, `broker` or nothing".to_owned())),
    }
}

fn client(workspace: &Workspace, terminal: &Terminal) -> Result<(), Failure> {
    let curl = program("curl").ok_or_else(|| "curl is not installed".to_owned())?;
    let log = workspace.log("bench-build")?;
    terminal.begin("building ... ");
    let binaries = Binaries::build(workspace, &log, terminal)?;
    let client = build_static(workspace, Released::Client, &static_target(), &log, terminal)?;
    let size = fs::metadata(&client).map_err(|error| error.to_string())?.len();
    terminal.say("done");

    let world = World::start(&binaries, LIMITS)?.with_client(client);
    world.sandbox.hub().set_rate_limit(UNHINDERED);
    // The published plugin revokes nothing to its end, and what it leaves would grow from turn to turn.
    world.sandbox.vault().mend_docker_hub();
    let mut figures = Vec::new();
    for provider in [Provider::Broker, Provider::Vault] {
        for roots in [Roots::One, Roots::Machine] {
            terminal.begin(&format!("login through {provider}, {roots}, {TURNS} turns ... "));
            let comparison = compare(&world, provider, &roots.file(&world)?, &curl)?;
            terminal.say("done");
            figures.extend(comparison.figures(provider, roots));
        }
    }
    figures.push(Figure::bytes("size of the static build", size, LARGEST));
    figures::print(&figures, terminal);
    Ok(())
}

/// What was measured for one provider.
struct Comparison {
    client: Vec<Duration>,
    curl: Vec<Duration>,
    requests: usize,
    memory: u64,
}

impl Comparison {
    fn figures(&self, provider: Provider, roots: Roots) -> [Figure; 2] {
        let (client, curl) = (figures::median(&self.client), figures::median(&self.curl));
        let name = format!("login through {provider}, {roots}, beside {} curl processes", self.requests);
        let memory = format!("  its peak memory, highest of {MEMORY_RUNS}");
        [Figure::ratio(name, client, curl, RATIO), Figure::bytes(&memory, self.memory, MEMORY)]
    }
}

fn compare(world: &World, provider: Provider, certificates: &Path, curl: &Path) -> Result<Comparison, String> {
    // GitHub's jobs ask for their token by a request of its own; CircleCI's have it already.
    let shape = Shape::CircleCi;
    let mut job = world.job(shape, provider.audience());
    job.push(("SSL_CERT_FILE".to_owned(), certificates.display().to_string()));
    let home = world.home()?;
    let mut login = vec!["login".to_owned(), "--client".to_owned(), "none".to_owned()];
    login.extend(provider.login(shape));
    let mut logout = vec!["logout".to_owned()];
    logout.extend(provider.logout());
    let client = || {
        let said = world.run(&login, &home, &job)?;
        if said.code == 0 {
            Ok(said.time)
        } else {
            Err(format!("login ended with {}: {}", said.code, said.text.trim()))
        }
    };
    let undo = || {
        let said = world.run(&logout, &home, &job)?;
        if said.code == 0 { Ok(()) } else { Err(format!("logout ended with {}: {}", said.code, said.text.trim())) }
    };

    let before = world.sandbox.log().len();
    client()?;
    let mut replay = Replay::of(&world.sandbox.log()[before..], curl, world, certificates)?;
    undo()?;
    let mut comparison = Comparison { client: Vec::new(), curl: Vec::new(), requests: replay.requests(), memory: 0 };
    for turn in 0..WARM_UPS + TURNS {
        // Whoever comes second finds warmer caches; they take turns in that too.
        let (ours, theirs) = if turn % 2 == 0 {
            let ours = client()?;
            (ours, replay.run()?)
        } else {
            let theirs = replay.run()?;
            (client()?, theirs)
        };
        undo()?;
        if turn >= WARM_UPS {
            comparison.client.push(ours);
            comparison.curl.push(theirs);
        }
    }
    for _ in 0..MEMORY_RUNS {
        comparison.memory = comparison.memory.max(memory::peak(&mut world.command(&login, &home, &job))?);
        undo()?;
    }
    Ok(comparison)
}
