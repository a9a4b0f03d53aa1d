//! `cargo xtask demo`: the story of a job, told with real programs against the sandbox.

mod machine;
mod paper;
mod story;
mod use_it;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use hublease_sandbox::BrokerLimits;

use self::machine::{Machine, Programs};
use self::paper::Paper;
use self::story::{Ended, Story};
use self::use_it::Use;
use crate::binaries::Binaries;
use crate::failure::Failure;
use crate::terminal::{Terminal, Tone, spell};
use crate::workspace::Workspace;
use crate::world::{Provider, Shape, World, said};

/// What `cargo xtask demo --help` prints.
pub(crate) const HELP: &str = "\
usage: cargo xtask demo [--real]

Builds client, broker and sandbox, starts the outside world on loopback, and tells the story of a CircleCI
job and of a GitHub Actions job: log in through our broker, through Vault and through Docker's own exchange,
use the credential, log out, be refused; each time also in a job that nothing was granted to. Vault is there
twice: with the Docker Hub plugin as it is published, and with one that was mended.

With a docker CLI on PATH the login is the real `docker login` to Docker Hub's real names, which a proxy on
loopback answers. Nothing leaves this machine once everything is built. NO_COLOR is honoured.

  --real   the first of these stories with a Docker Engine, as root on Linux: a private image is pushed to a real
           registry, pulled, run, and refused after logout. The engine is a second one with a socket and directories
           of its own, which ends with the demo; one that runs already is not touched. It is the `dockerd` on PATH,
           or Debian's package, which is fetched into the cache of `cargo xtask peers` and not installed. The
           registry is Debian's docker-registry, which is installed if it is not there.

HUBLEASE_BIN, HUBLEASE_BROKER_BIN and HUBLEASE_SANDBOX_BIN name programs that are there already; then nothing is built.
";

/// In this order: the first at Vault is told with the published plugin, the second with a mended one, and the last one moves the
/// sandbox's clock.
const STORIES: [(Shape, Provider); 6] = [
    (Shape::CircleCi, Provider::Broker),
    (Shape::CircleCi, Provider::Vault),
    (Shape::CircleCi, Provider::Docker),
    (Shape::GitHub, Provider::Broker),
    (Shape::GitHub, Provider::Vault),
    (Shape::GitHub, Provider::Docker),
];

/// The one that is told with an engine.
const REAL: [(Shape, Provider); 1] = [(Shape::CircleCi, Provider::Broker)];

/// Builds, starts, tells.
pub(crate) fn run(options: &[String], workspace: &Workspace, terminal: &Terminal) -> Result<(), Failure> {
    match options {
        [] => {
            let binaries = build(workspace, terminal)?;
            tell(&binaries, World::docker().as_deref(), terminal)
        }
        [word] if word == "--real" => {
            let programs = Programs::find(workspace, terminal)?;
            let binaries = build(workspace, terminal)?;
            tell_really(&binaries, &programs, terminal)
        }
        _ => Err(Failure::Usage("`cargo xtask demo` takes `--real` or nothing".to_owned())),
    }
}

fn tell(binaries: &Binaries, docker: Option<&Path>, terminal: &Terminal) -> Result<(), Failure> {
    let begun = Instant::now();
    let world = World::start(binaries, BrokerLimits::default())?;
    terminal.say(&format!("sandbox and broker are up ({})", spell(begun.elapsed())));
    match docker {
        Some(path) => {
            let version = said(Command::new(path).arg("--version").env_clear())?.text;
            terminal.say(&format!("logins by the real docker CLI: {} ({})", path.display(), version.trim()));
        }
        None => terminal.say("no docker CLI on PATH: logins by `--client none`, which writes docker's file itself"),
    }
    tell_each(&STORIES, &world, docker.map_or(Use::Ourselves, Use::CommandLine), terminal)
}

fn tell_really(binaries: &Binaries, programs: &Programs, terminal: &Terminal) -> Result<(), Failure> {
    let begun = Instant::now();
    let world = World::start(binaries, BrokerLimits::default())?;
    terminal.say(&format!("sandbox and broker are up ({})", spell(begun.elapsed())));
    terminal.begin(&format!("starting a registry, and an engine of its own ({}) ... ", programs.engine.display()));
    let machine = Machine::start(programs, &world);
    terminal.say(&machine.as_ref().map_or(String::new(), |_| spell(begun.elapsed())));
    let machine = machine?;
    let world = world.with_variables(machine.variables());
    terminal.say(&format!("docker's command line and engine: {}", machine.versions(&world)?));
    tell_each(&REAL, &world, Use::Engine(&machine), terminal)
}

fn tell_each(stories: &[(Shape, Provider)], world: &World, using: Use<'_>, terminal: &Terminal) -> Result<(), Failure> {
    let paper = Paper::new(terminal, world);
    let (mut sum, mut failed) = (Ended::default(), Vec::new());
    for (index, (shape, provider)) in stories.iter().copied().enumerate() {
        let name = format!("a {shape} job, through {provider}");
        let is_as_published = shape == Shape::CircleCi;
        if !is_as_published {
            world.sandbox.vault().mend_docker_hub();
        }
        let plugin = match (provider, is_as_published) {
            (Provider::Vault, true) => " and the plugin as published",
            (Provider::Vault, false) => " and a plugin that was mended",
            _ => "",
        };
        paper.title(&format!("{}. A {shape} job, through {provider}{plugin}", index + 1));
        let story = Story { world, paper: &paper, using, shape, provider, is_as_published };
        match story.tell() {
            Ok(ended) => {
                sum.logins += ended.logins;
                sum.refused += ended.refused;
                sum.confirmed += ended.confirmed;
            }
            Err(why) => {
                paper.bad(&why);
                failed.push(format!("{name}: {why}"));
            }
        }
    }
    failed.extend(world.sandbox.unexpected().into_iter().map(|host| format!("reached for another host: {host}")));
    let (leases, alive): (Vec<_>, Vec<_>) =
        world.sandbox.live().into_iter().partition(|left| left.kind.ends_with("lease"));
    failed.extend(alive.into_iter().map(|left| format!("still alive: {} {}", left.kind, left.id)));
    let unconfirmed = sum.refused - sum.confirmed;
    if leases.len() != unconfirmed {
        failed.push(format!("Vault keeps {} leases instead of {unconfirmed}", leases.len()));
    }
    end(&sum, &failed, terminal)
}

fn build(workspace: &Workspace, terminal: &Terminal) -> Result<Binaries, Failure> {
    if let Some(named) = Binaries::named() {
        return Ok(named);
    }
    let (log, begun) = (workspace.log("demo-build")?, Instant::now());
    terminal.begin("building client, broker and sandbox ... ");
    let built = Binaries::build(workspace, &log, terminal);
    match built {
        Ok(binaries) => {
            terminal.say(&spell(begun.elapsed()));
            Ok(binaries)
        }
        Err(why) => {
            terminal.say(&terminal.paint(Tone::Bad, "FAILED"));
            terminal.quote("build", &fs::read_to_string(&log).unwrap_or_default());
            Err(Failure::Broken(why))
        }
    }
}

fn end(sum: &Ended, failed: &[String], terminal: &Terminal) -> Result<(), Failure> {
    terminal.say("");
    if failed.is_empty() {
        let Ended { logins, refused, confirmed } = sum;
        let line = format!("demo: ok, {logins} logins, {refused} refused after logout, {confirmed} of them confirmed");
        terminal.say(&line);
        return Ok(());
    }
    for what in failed {
        terminal.say(&terminal.paint(Tone::Bad, &format!("demo: failed: {what}")));
    }
    Err(Failure::Told)
}

#[cfg(test)]
mod transcript;
