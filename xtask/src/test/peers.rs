//! `cargo xtask peers`: fetches real servers and clients, and runs their tests.
//!
//! `hublease_peers::PEERS` says where each comes from and what its tests show. What was fetched or built lies by version in the
//! user's cache, outside of the clone, because CI begins in a fresh one. Nothing is left out in silence: the last line counts.

mod cache;
mod elsewhere;
mod fetch;
mod ledger;
mod options;
mod schedule;

use std::fs;
use std::time::{Duration, Instant};

use hublease_peers::{NODE, PEERS, Peer, REPORT, Source};

use self::cache::Cache;
pub(crate) use self::elsewhere::program;
use self::ledger::Ledger;
use self::options::Options;
use self::schedule::Candidate;
use super::{Context, Outcome, Trouble, node, prepare, suite};
use crate::beforehand;
use crate::binaries::Binaries;
use crate::failure::Failure;
use crate::terminal::{Terminal, Tone, spell};
use crate::workspace::Workspace;

/// What `cargo xtask peers --help` prints.
pub(crate) const HELP: &str = "\
usage: cargo xtask peers [NAME...] [--long] [--cache DIR] [--list]

Fetches real servers and clients and holds hublease and its sandbox against them: all, or those that are named.
For example: cargo xtask peers openbao

  --list        name, version, source, what it needs, and what its tests show; nothing else is done
  --long        the tests that need real minutes as well
  --cache DIR   where programs are kept, by version; else $XDG_CACHE_HOME/hublease/peers or ~/.cache/hublease/peers

Programs of Go modules are built within 25 minutes: first those whose part of the source has changed, then the one that was
not run for longest, then the cheapest. What had no turn, or needs what is not installed, is named and counted at the end.
Output of each peer: target/xtask/peer-NAME.txt; what was tried: target/xtask/peer-NAME-report.txt
";

/// Builds take no longer than this together; one that is named is built whatever it takes.
const BUDGET: Duration = Duration::from_secs(25 * 60);
/// The steps whose results the tests drive.
const BEFORE: [&str; 2] = ["build", "runner"];

/// What came of all.
#[derive(Default)]
struct Counts {
    tests: usize,
    run: Vec<&'static str>,
    failed: Vec<(&'static str, String)>,
    /// With the reason.
    not_run: Vec<(&'static str, String)>,
}

/// Why a peer's tests did not pass.
enum Setback {
    /// What it needs is not on this machine, or it had no turn.
    NotRun(String),
    Failed(String),
}

impl From<String> for Setback {
    fn from(sentence: String) -> Self {
        Self::Failed(sentence)
    }
}

/// Fetches, builds and runs.
pub(crate) fn run(words: &[String], workspace: &Workspace, terminal: &Terminal) -> Result<(), Failure> {
    let options = Options::parse(words, PEERS).map_err(Failure::Usage)?;
    if options.list {
        PEERS.iter().for_each(|peer| terminal.say(&describe(peer)));
        return Ok(());
    }
    beforehand::check("peers", beforehand::TEST)?;
    let begun = Instant::now();
    let cache = Cache::at(options.cache.as_deref())?;
    let test_options = super::Options::default();
    prepare(&BEFORE, workspace, terminal, &test_options)?;
    let mut round = Round {
        workspace,
        terminal,
        options: &test_options,
        is_long: options.long,
        cache: &cache,
        counts: Counts::default(),
    };
    let chosen: Vec<&'static Peer> = PEERS.iter().copied().filter(|peer| options.wants(peer.name)).collect();
    let (at_hand, to_build): (Vec<_>, Vec<_>) = chosen.into_iter().partition(|peer| cache.is_at_hand(workspace, peer));
    at_hand.into_iter().for_each(|peer| round.take(peer));
    round.build_in_turn(to_build, if options.names_some() { Duration::MAX } else { BUDGET })?;
    conclude(&round.counts, &spell(begun.elapsed()), terminal)
}

/// The step of `cargo xtask test`: what needs no toolchain and takes seconds.
pub(super) fn quick(context: &Context<'_>) -> Outcome {
    let cache = Cache::at(None)?;
    let mut tests = 0;
    let mut names = Vec::new();
    for peer in PEERS.iter().filter(|peer| peer.quick) {
        let passed = try_peer(context, peer, &cache, false).map_err(|setback| match setback {
            Setback::NotRun(why) => context.missing(format!("{}: {why}", peer.name)),
            Setback::Failed(why) => Trouble::Failed(format!("{}: {why}", peer.name)),
        })?;
        tests += passed.tests;
        names.push(peer.name);
    }
    Ok(format!("{tests} tests passed at {}", names.join(", ")))
}

/// A call of `cargo xtask peers`.
struct Round<'a> {
    workspace: &'a Workspace,
    terminal: &'a Terminal,
    options: &'a super::Options,
    is_long: bool,
    cache: &'a Cache,
    counts: Counts,
}

impl Round<'_> {
    /// Runs a peer's tests, and says what came of it.
    fn take(&mut self, peer: &'static Peer) {
        let (terminal, begun) = (self.terminal, Instant::now());
        terminal.begin(&format!("{:16} {:10} ... ", peer.name, peer.version));
        let outcome = self.try_peer(peer);
        let time = spell(begun.elapsed());
        match outcome {
            Ok(Passed { tests, report }) => {
                let good = terminal.paint(Tone::Good, "ok");
                terminal.say(&format!("{good} ({time}): {tests} tests passed: {}", peer.proves));
                report
                    .lines()
                    .filter(|line| !line.starts_with(' '))
                    .for_each(|line| terminal.say(&format!("{:16} {line}", "")));
                self.counts.tests += tests;
                self.counts.run.push(peer.name);
            }
            Err(Setback::NotRun(why)) => {
                terminal.say(&format!("{}: {why}", terminal.paint(Tone::Strong, "not run")));
                self.counts.not_run.push((peer.name, why));
            }
            Err(Setback::Failed(why)) => {
                terminal.say(&format!("{} ({time}): {why}", terminal.paint(Tone::Bad, "FAILED")));
                self.counts.failed.push((peer.name, why));
            }
        }
    }

    fn try_peer(&self, peer: &'static Peer) -> Result<Passed, Setback> {
        let log = self.workspace.log(&format!("peer-{}", peer.name))?;
        let binaries = Binaries::of(self.workspace);
        let context =
            Context { workspace: self.workspace, terminal: self.terminal, options: self.options, binaries, log };
        let outcome = try_peer(&context, peer, self.cache, self.is_long);
        if let Err(Setback::Failed(_)) = &outcome {
            self.terminal.say("");
            self.terminal.quote(peer.name, &fs::read_to_string(&context.log).unwrap_or_default());
        }
        outcome
    }

    /// Builds one after the other while there is time, and runs each at once.
    fn build_in_turn(&mut self, mut waiting: Vec<&'static Peer>, budget: Duration) -> Result<(), String> {
        let begun = Instant::now();
        let ledger = Ledger::read(self.cache);
        while !waiting.is_empty() {
            let candidates = waiting.iter().map(|peer| candidate(peer, &ledger, self.workspace)).collect::<Vec<_>>();
            let Some(next) = schedule::next(&candidates, budget.saturating_sub(begun.elapsed())) else { break };
            self.take(waiting.remove(next));
        }
        let minutes = BUDGET.as_secs() / 60;
        let no_turn = || format!("no turn within {minutes} minutes of building");
        self.counts.not_run.extend(waiting.iter().map(|peer| (peer.name, no_turn())));
        Ok(())
    }
}

/// What passed, and what the tests report of it.
struct Passed {
    tests: usize,
    report: String,
}

/// Fetches what a peer's tests start, and runs them.
fn try_peer(context: &Context<'_>, peer: &'static Peer, cache: &Cache, is_long: bool) -> Result<Passed, Setback> {
    if peer.with.contains(&NODE) {
        let installed = node::installed(context.workspace, &context.log, context.terminal);
        installed.map_err(|why| Setback::NotRun(format!("needs Node: {why}")))?;
    }
    let mut programs = Vec::new();
    let companions = peer.with.iter().filter_map(|name| PEERS.iter().find(|other| other.name == *name));
    for needed in companions.chain(std::iter::once(&peer)) {
        programs.push((needed.variable(), fetch::program(context, needed, cache)?));
    }
    let quick_only = if is_long { "" } else { " & not test(/::long::/)" };
    let filter = format!("binary_id({TESTS}) & test(/^{}::/){quick_only}", peer.module());
    let report = context.workspace.log(&format!("peer-{}-report", peer.name))?;
    programs.push((REPORT.to_owned(), report.clone()));
    // The log may be another peer's, too.
    let before = suite::count(context);
    let result = suite::run_guarded(context, &["--filterset", &filter], &programs);
    Ledger::note_run(cache, peer.name, context.workspace)?;
    // The runner's command line is no news; what it printed is shown.
    result.map_err(|why| if why.starts_with("`cargo-nextest") { "its tests do not pass".to_owned() } else { why })?;
    Ok(Passed { tests: suite::count(context) - before, report: fs::read_to_string(report).unwrap_or_default() })
}

/// The tests of all peers, as the runner names the binary.
const TESTS: &str = "hublease-peers::it";
/// What needs a peer's program, in nextest's language of filters: all of them but for what they stand on.
pub(super) const NEEDS_A_PEER: &str = "binary_id(hublease-peers::it) & not test(/^support::/)";

fn candidate(peer: &Peer, ledger: &Ledger, workspace: &Workspace) -> Candidate {
    let declared = match peer.source {
        Source::Go { minutes, .. } => Duration::from_secs(minutes * 60),
        _ => Duration::ZERO,
    };
    Candidate {
        is_touched: ledger.is_touched(peer, workspace),
        last_run: ledger.last_run(peer.name),
        cost: ledger.build_time(peer.name).unwrap_or(declared),
    }
}

fn describe(peer: &Peer) -> String {
    let needs = std::iter::once(peer.source.needs()).chain(peer.with.iter().copied()).collect::<Vec<_>>().join(", ");
    format!(
        "{:16} {:10} {:7} needs {needs}\n{:16} {}",
        peer.name,
        peer.version,
        peer.source.registry(),
        "",
        peer.proves
    )
}

fn conclude(counts: &Counts, elapsed: &str, terminal: &Terminal) -> Result<(), Failure> {
    terminal.say("");
    for (name, why) in &counts.not_run {
        terminal.say(&format!("not run: {name}: {why}"));
    }
    for (name, why) in &counts.failed {
        terminal.say(&terminal.paint(Tone::Bad, &format!("failed: {name}: {why}")));
    }
    terminal.say(&last_line(counts, elapsed));
    if counts.failed.is_empty() { Ok(()) } else { Err(Failure::Told) }
}

/// `3 peers run (12 tests), 1 failed, 4 not run (3 needs Go, 1 no turn ...) in 40 s`.
fn last_line(counts: &Counts, elapsed: &str) -> String {
    let mut reasons: Vec<(&str, usize)> = Vec::new();
    for (_, why) in &counts.not_run {
        match reasons.iter_mut().find(|(known, _)| known == why) {
            Some((_, count)) => *count += 1,
            None => reasons.push((why, 1)),
        }
    }
    let reasons: Vec<_> = reasons.into_iter().map(|(why, count)| format!("{count} {why}")).collect();
    let reasons = if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join("; ")) };
    let (run, failed) = (counts.run.len(), counts.failed.len());
    format!(
        "{run} peers run ({} tests passed), {failed} failed, {} not run{reasons}, in {elapsed}",
        counts.tests,
        counts.not_run.len()
    )
}

#[cfg(test)]
mod tests {
    use super::{Counts, last_line};

    #[test]
    fn the_last_line_counts_by_reason() {
        let not_run = [("crane", "needs Go"), ("buildkit", "no turn"), ("buildx", "needs Go")];
        let counts = Counts {
            tests: 12,
            run: vec!["openbao", "postgresql"],
            failed: vec![("squid", "x".to_owned())],
            not_run: not_run.map(|(name, why)| (name, why.to_owned())).to_vec(),
        };
        let expected = "2 peers run (12 tests passed), 1 failed, 3 not run (2 needs Go; 1 no turn), in 4 s";
        assert_eq!(last_line(&counts, "4 s"), expected);
        assert_eq!(last_line(&Counts::default(), "0 s"), "0 peers run (0 tests passed), 0 failed, 0 not run, in 0 s");
    }
}
