//! `cargo xtask soak NAME`: what needs more than the minutes of `cargo xtask test`. Each goes on for at most an hour, and goes on
//! where it stopped when it is called again.
//!
//! `suites` runs the integration tests of client and broker over and over while something else keeps every core busy. A test
//! that fails in some runs and not in others depends on who comes first, and is named.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::load::Load;
use super::options::Options;
use super::{Context, prepare, suite};
use crate::binaries::Binaries;
use crate::failure::Failure;
use crate::process::Call;
use crate::terminal::{Terminal, Tone, spell};
use crate::workspace::Workspace;

/// What `cargo xtask soak --help` prints.
pub(crate) const HELP: &str = "\
usage: cargo xtask soak suites [--runs N] [--again]

  suites      the integration tests of client and broker, N times (20), while every core is kept busy;
              names each test that failed, and in how many runs
  --again     forget the runs of this commit that were made before

A soak ends after an hour at the latest; the same command goes on from there. What it found is in target/soak.
";

/// No run is begun after this.
const LONGEST: Duration = Duration::from_secs(60 * 60);
/// The two suites that drive whole programs, in nextest's language of filters.
const SUITES: &str = "binary(it) & (package(hublease) | package(hublease-broker))";
/// How often, unless it is said.
const RUNS: usize = 20;
/// The steps whose results the suites drive.
const BEFORE: [&str; 4] = ["build", "runner", "node", "static"];

/// What has been found so far, as it lies in `target/soak`.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Found {
    /// The commit, and what is not committed, as a checksum by git.
    state: String,
    /// How many runs were finished.
    runs: usize,
    /// Each test that failed, and in how many of them.
    failed: BTreeMap<String, usize>,
}

/// Runs a soak to its end, or for an hour.
pub(crate) fn run(words: &[String], workspace: &Workspace, terminal: &Terminal) -> Result<(), Failure> {
    let (runs, again) = parse(words).map_err(Failure::Usage)?;
    let folder = workspace.target.join("soak");
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let file = folder.join("suites.json");
    let mut found = Found::of(&file, &state(workspace)?, again);
    let begun = Instant::now();
    let options = Options::default();
    prepare(&BEFORE, workspace, terminal, &options)?;
    let _load = Load::on_every_core();
    while found.runs < runs && begun.elapsed() < LONGEST {
        terminal.begin(&format!("run {} of {runs} ... ", found.runs + 1));
        let at = Instant::now();
        let log = workspace.log("soak")?;
        let context = Context { workspace, terminal, options: &options, binaries: Binaries::of(workspace), log };
        let result = suite::run_guarded(&context, &["--filterset", SUITES], &[]);
        let text = fs::read_to_string(&context.log).unwrap_or_default();
        let failed = failures(&text);
        if let Err(why) = result
            && failed.is_empty()
        {
            return Err(why.into());
        }
        terminal.say(&format!("{} failed ({})", failed.len(), spell(at.elapsed())));
        found.add(failed);
        found.keep(&file)?;
        if !found.failed.is_empty() {
            // The last output of a failure is worth keeping; the next run writes over it.
            drop(fs::copy(&context.log, folder.join(format!("run-{}.txt", found.runs))));
        }
    }
    conclude(&found, runs, terminal)
}

fn parse(words: &[String]) -> Result<(usize, bool), String> {
    let (name, options) = words.split_first().ok_or("which soak? `suites`")?;
    if name != "suites" {
        return Err(format!("there is no soak `{name}`"));
    }
    let (mut runs, mut again) = (RUNS, false);
    let mut options = options.iter().map(String::as_str);
    while let Some(option) = options.next() {
        match option {
            "--again" => again = true,
            "--runs" => {
                let number = options.next().and_then(|number| number.parse().ok());
                runs = number.filter(|runs| *runs > 0).ok_or("`--runs` needs a number above 0")?;
            }
            other => return Err(format!("there is no option `{other}`")),
        }
    }
    Ok((runs, again))
}

/// What the programs are built from: a commit, and the changes since.
fn state(workspace: &Workspace) -> Result<String, String> {
    let git = |words: &[&str]| Call::new("git").arguments(words).directory(&workspace.root).text();
    Ok(git(&["rev-parse", "HEAD"])?.trim().to_owned() + " " + git(&["stash", "create"])?.trim())
}

impl Found {
    /// What the file says of this state of the sources; nothing of another.
    fn of(file: &Path, state: &str, again: bool) -> Self {
        let kept = fs::read(file).ok().and_then(|bytes| serde_json::from_slice::<Self>(&bytes).ok());
        let kept = kept.filter(|kept| kept.state == state && !again);
        kept.unwrap_or_else(|| Self { state: state.to_owned(), ..Self::default() })
    }

    fn add(&mut self, failed: Vec<String>) {
        self.runs += 1;
        failed.into_iter().for_each(|name| *self.failed.entry(name).or_default() += 1);
    }

    fn keep(&self, file: &Path) -> Result<(), String> {
        let text = serde_json::to_vec_pretty(self).map_err(|error| error.to_string())?;
        fs::write(file, text).map_err(|error| format!("{}: {error}", file.display()))
    }

    /// One line for each test that failed.
    fn verdicts(&self) -> Vec<String> {
        let verdict = |(name, times): (&String, &usize)| {
            if *times == self.runs {
                format!("{name}: failed in each of {} runs", self.runs)
            } else {
                format!("{name}: failed in {times} of {} runs, so it depends on who comes first", self.runs)
            }
        };
        self.failed.iter().map(verdict).collect()
    }
}

fn conclude(found: &Found, runs: usize, terminal: &Terminal) -> Result<(), Failure> {
    found.verdicts().iter().for_each(|verdict| terminal.say(&terminal.paint(Tone::Bad, verdict)));
    if found.runs < runs {
        terminal.say(&format!("{} of {runs} runs were made; the same command goes on", found.runs));
    } else {
        terminal.say(&format!("{runs} runs, {} tests failed in one or more", found.failed.len()));
    }
    if found.failed.is_empty() { Ok(()) } else { Err(Failure::Told) }
}

/// The tests that the runner names as failed, ended or killed, without repetition.
pub(super) fn failures(output: &str) -> Vec<String> {
    let mut names: Vec<String> = output.lines().filter_map(failure).collect();
    names.sort();
    names.dedup();
    names
}

/// A line such as `TIMEOUT [ 240.002s] (3/9) hublease::it exec::name`.
fn failure(line: &str) -> Option<String> {
    let (status, rest) = line.trim_start().split_once(" [")?;
    let is_failure = ["FAIL", "TIMEOUT", "ABORT", "LEAK-FAIL"].contains(&status) || status.starts_with("SIG");
    let (_, rest) = rest.split_once(']')?;
    let words: Vec<_> = rest.split_whitespace().filter(|word| !word.contains('/')).collect();
    match words.as_slice() {
        [binary, name] if is_failure => Some(format!("{binary} {name}")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Found, failures, parse};

    #[test]
    fn the_runners_list_of_failures_is_read() {
        let output = "\
    Starting 3 tests across 1 binary
        SLOW [> 60.000s] (----) a::it slow
        FAIL [   0.010s] (1/3) a::it room::fails
        PASS [   0.010s] (2/3) a::it room::passes
     TIMEOUT [ 240.002s] (3/3) a::it hangs
     SIGSEGV [   0.010s] (3/3) b broken
────────────
     Summary [   0.020s] 3 tests run: 1 passed, 1 failed, 1 timed out, 0 skipped
        FAIL [   0.010s] (1/3) a::it room::fails
     TIMEOUT [ 240.002s] (3/3) a::it hangs
error: test run failed
";
        assert_eq!(failures(output), ["a::it hangs", "a::it room::fails", "b broken"]);
    }

    #[test]
    fn who_fails_sometimes_depends_on_who_comes_first() {
        let mut found = Found::default();
        for failed in [vec!["a::it broken".to_owned()], vec!["a::it broken".to_owned(), "a::it race".to_owned()]] {
            found.add(failed);
        }
        assert_eq!(
            found.verdicts(),
            [
                "a::it broken: failed in each of 2 runs",
                "a::it race: failed in 1 of 2 runs, so it depends on who comes first",
            ]
        );
    }

    #[test]
    fn what_was_found_is_kept_for_the_same_sources_only() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("suites.json");
        let mut found = Found::of(&file, "one", false);
        found.add(vec!["a::it race".to_owned()]);
        found.keep(&file).unwrap();
        let runs = |state, again| Found::of(&file, state, again).runs;
        assert_eq!((runs("one", false), runs("one", true), runs("another", false)), (1, 0, 0));
    }

    #[test]
    fn nonsense_is_refused() {
        let parse = |line: &str| parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>());
        assert_eq!(parse("suites"), Ok((20, false)));
        assert_eq!(parse("suites --runs 3 --again"), Ok((3, true)));
        for (line, why) in [
            ("", "which soak? `suites`"),
            ("rest", "there is no soak `rest`"),
            ("suites --runs", "`--runs` needs a number above 0"),
            ("suites --runs 0", "`--runs` needs a number above 0"),
            ("suites --fast", "there is no option `--fast`"),
        ] {
            assert_eq!(parse(line).unwrap_err(), why);
        }
    }
}
