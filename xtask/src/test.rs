//! `cargo xtask test`: everything that must hold before a change is merged, as a numbered plan.
//!
//! A step that passes says how long it took; a step that fails shows its whole output, and the next one begins.

mod bare;
mod companions;
mod deny;
mod deploy;
mod dockers;
mod lint;
mod linters;
mod load;
pub(crate) mod node;
mod options;
mod orb;
pub(crate) mod peers;
mod python;
mod rules;
mod rust;
mod scrub;
mod shell;
pub(crate) mod soak;
mod statically;
mod suite;
mod system;

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use self::load::Load;
use self::options::Options;
pub(crate) use self::statically::LARGEST;
pub(crate) use self::system::is_root;
use crate::beforehand;
use crate::binaries::Binaries;
use crate::failure::{Failure, no_options};
use crate::terminal::{Terminal, Tone, spell};
use crate::workspace::Workspace;

/// What `cargo xtask test --help` prints.
pub(crate) const HELP: &str = "\
usage: cargo xtask test [--without-system-tools] [--only STEP]... [--busy] [--list] [--accept]
       cargo xtask test --bare

  --only STEP             this step and what it needs; may be repeated
  --list                  the steps, and nothing else
  --busy                  keep every core busy with something else meanwhile
  --without-system-tools  install nothing on the system; leave out what is missing, and end by naming it
  --bare                  make a Debian in target/bare that has only what README.md asks for, and run both commands there
  --accept                write the lists in xtask/expected anew instead of comparing them

As root on Debian, missing system packages are installed. Elsewhere the command that would do it is printed,
and the step fails. Output of every step: target/xtask/STEP.txt
";

/// One step of the plan.
struct Step {
    name: &'static str,
    summary: &'static str,
    /// Steps whose failure makes this one pointless.
    needs: &'static [&'static str],
    run: fn(&Context<'_>) -> Outcome,
}

/// What a step may say when it passed; why it failed or was left out.
type Outcome = Result<String, Trouble>;

/// Why a step did not pass.
enum Trouble {
    Failed(String),
    /// Only under `--without-system-tools`: what is missing.
    LeftOut(String),
}

impl From<String> for Trouble {
    fn from(sentence: String) -> Self {
        Self::Failed(sentence)
    }
}

const STEPS: &[Step] = &[
    Step { name: "tools", summary: "programs that the tests need", needs: &[], run: system::tools },
    Step { name: "format", summary: "cargo fmt --check", needs: &[], run: rust::format },
    Step { name: "rules", summary: "rules of the source that no lint can see", needs: &[], run: rules::check },
    Step { name: "shell", summary: "shellcheck", needs: &[], run: shell::check },
    Step { name: "lint", summary: "workflows and actions, ours and the documents'", needs: &[], run: lint::check },
    Step { name: "orb", summary: "the orb, its examples, and CircleCI's configurations", needs: &[], run: orb::check },
    Step { name: "tree", summary: "the client's dependencies stay few and small", needs: &[], run: rust::tree },
    Step { name: "clippy", summary: "clippy, with and without `native`", needs: &[], run: rust::clippy },
    Step { name: "wasm", summary: "the committed module is what its source builds", needs: &[], run: rust::wasm },
    Step { name: "msrv", summary: "what is published builds with its minimum Rust", needs: &[], run: rust::minimum },
    Step { name: "doc", summary: "documentation without warnings", needs: &[], run: rust::documentation },
    Step {
        name: "build",
        summary: "client, broker, sandbox, and the component of the module",
        needs: &[],
        run: suite::build,
    },
    Step { name: "runner", summary: "the runner of the tests", needs: &[], run: companions::bring },
    Step { name: "node", summary: "Node 24, for the tests of the Action", needs: &[], run: node::install },
    Step { name: "static", summary: "static build of the client", needs: &[], run: statically::build },
    Step {
        name: "tests",
        summary: "every test, in a scrubbed environment",
        needs: &["build", "runner", "node", "static"],
        run: suite::tests,
    },
    Step {
        name: "peers",
        summary: "real servers that need no toolchain",
        needs: &["build", "runner"],
        run: peers::quick,
    },
    Step {
        name: "broker",
        summary: "static build of the broker, and a start of it",
        needs: &[],
        run: statically::broker,
    },
    Step {
        name: "deploy",
        summary: "the broker's image, Kubernetes manifests and systemd unit",
        needs: &["broker"],
        run: deploy::check,
    },
    Step { name: "arm", summary: "static build for arm, under an emulator", needs: &[], run: statically::arm },
    Step { name: "deny", summary: "licences, sources, bans, advisories of all members", needs: &[], run: deny::check },
    Step {
        name: "notices",
        summary: "the licences of what is linked in, as we ship them",
        needs: &[],
        run: rust::notices,
    },
];

/// What `cargo xtask check --help` prints.
pub(crate) const CHECK_HELP: &str = "\
usage: cargo xtask check

Format, rules of the source, clippy, and the unit tests of every crate: what is worth a minute before each commit.
";

/// The steps of `cargo xtask check`.
const CHECK: &[Step] = &[
    Step { name: "format", summary: "cargo fmt --check", needs: &[], run: rust::format },
    Step { name: "rules", summary: "rules of the source that no lint can see", needs: &[], run: rules::check },
    Step { name: "clippy", summary: "clippy, with and without `native`", needs: &[], run: rust::clippy },
    Step { name: "units", summary: "unit tests of every crate", needs: &[], run: suite::units },
];

/// What every step may look at.
struct Context<'a> {
    workspace: &'a Workspace,
    terminal: &'a Terminal,
    options: &'a Options,
    binaries: Binaries,
    /// Where the output of the step that runs now goes.
    log: PathBuf,
}

impl Context<'_> {
    /// Something that the machine lacks: a failure, or left out if that was asked for.
    fn missing(&self, what: impl Into<String>) -> Trouble {
        if self.options.without_system_tools { Trouble::LeftOut(what.into()) } else { Trouble::Failed(what.into()) }
    }
}

/// What has happened so far.
#[derive(Default)]
struct Tally {
    passed: usize,
    failed: Vec<(&'static str, String)>,
    left_out: Vec<(&'static str, String)>,
}

/// Runs the plan.
pub(crate) fn run(words: &[String], workspace: &Workspace, terminal: &Terminal) -> Result<(), Failure> {
    let options = Options::parse(words, STEPS).map_err(Failure::Usage)?;
    if options.list {
        STEPS.iter().for_each(|step| terminal.say(&format!("{:8} {}", step.name, step.summary)));
        return Ok(());
    }
    beforehand::check("test", beforehand::TEST)?;
    if options.bare {
        return bare::run(workspace, terminal);
    }
    let plan: Vec<&Step> = STEPS.iter().filter(|step| options.wants(step.name)).collect();
    follow(&plan, &options, workspace, terminal)
}

/// Runs the quick plan.
pub(crate) fn check(words: &[String], workspace: &Workspace, terminal: &Terminal) -> Result<(), Failure> {
    no_options(words)?;
    follow(&CHECK.iter().collect::<Vec<_>>(), &Options::default(), workspace, terminal)
}

fn follow(plan: &[&Step], options: &Options, workspace: &Workspace, terminal: &Terminal) -> Result<(), Failure> {
    let begun = Instant::now();
    let _load = options.busy.then(Load::on_every_core);
    let mut tally = Tally::default();
    for (index, step) in plan.iter().enumerate() {
        let context =
            Context { workspace, terminal, options, binaries: Binaries::of(workspace), log: workspace.log(step.name)? };
        terminal.begin(&format!("{:>2}/{} {:8} {} ... ", index + 1, plan.len(), step.name, step.summary));
        take(step, &context, &mut tally);
    }
    let elapsed = spell(begun.elapsed());
    sum_up(&tally, &elapsed, terminal)
}

/// Takes the named steps for whoever needs what they make.
fn prepare(names: &[&str], workspace: &Workspace, terminal: &Terminal, options: &Options) -> Result<(), Failure> {
    let mut tally = Tally::default();
    for step in STEPS.iter().filter(|step| names.contains(&step.name)) {
        terminal.begin(&format!("{:8} {} ... ", step.name, step.summary));
        let (binaries, log) = (Binaries::of(workspace), workspace.log(step.name)?);
        take(step, &Context { workspace, terminal, options, binaries, log }, &mut tally);
    }
    if tally.failed.is_empty() { Ok(()) } else { Err(Failure::Told) }
}

fn take(step: &Step, context: &Context<'_>, tally: &mut Tally) {
    let (terminal, begun) = (context.terminal, Instant::now());
    let broken = step.needs.iter().find(|needed| tally.failed.iter().any(|(name, _)| name == *needed));
    let outcome = match broken {
        Some(needed) => Err(Trouble::Failed(format!("not run, because `{needed}` failed"))),
        None => (step.run)(context),
    };
    let time = spell(begun.elapsed());
    match outcome {
        Ok(note) => {
            let note = if note.is_empty() { String::new() } else { format!(": {note}") };
            terminal.say(&format!("{} ({time}){note}", terminal.paint(Tone::Good, "ok")));
            tally.passed += 1;
        }
        Err(Trouble::LeftOut(what)) => {
            terminal.say(&format!("{}: {what}", terminal.paint(Tone::Strong, "left out")));
            tally.left_out.push((step.name, what));
        }
        Err(Trouble::Failed(why)) => {
            terminal.say(&format!("{} ({time})", terminal.paint(Tone::Bad, "FAILED")));
            let output = fs::read_to_string(&context.log).unwrap_or_default();
            if !output.is_empty() {
                terminal.quote(step.name, &output);
            }
            terminal.say(&format!("{}: {why}", terminal.paint(Tone::Bad, step.name)));
            tally.failed.push((step.name, why));
        }
    }
}

fn sum_up(tally: &Tally, elapsed: &str, terminal: &Terminal) -> Result<(), Failure> {
    terminal.say("");
    for (name, what) in &tally.left_out {
        terminal.say(&format!("not run: {name}: {what}"));
    }
    for (name, why) in &tally.failed {
        terminal.say(&terminal.paint(Tone::Bad, &format!("failed: {name}: {why}")));
    }
    let mut line = format!("{} passed, {} failed", tally.passed, tally.failed.len());
    if !tally.left_out.is_empty() {
        line.push_str(&format!(", {} skipped", tally.left_out.len()));
    }
    terminal.say(&terminal.paint(Tone::Faint, &format!("in {elapsed}")));
    terminal.say(&line);
    if tally.failed.is_empty() { Ok(()) } else { Err(Failure::Told) }
}
