//! The tests: downloads and builds first, in the caller's environment; then every test, offline and scrubbed.

use std::path::PathBuf;

use super::scrub::is_foreign;
use super::system::missing_names;
use super::{Context, Outcome, companions, dockers, node, peers, statically};
use crate::binaries::Binaries;
use crate::process::Call;
use crate::{guard, wasm};

/// Names the programs that tests must do without; set only under `--without-system-tools`.
const WITHOUT: &str = "HUBLEASE_TESTS_WITHOUT";

/// Tests of this program that drive the built ones, or the runner; they run with all others.
const DRIVING: [&str; 2] = ["demo::transcript::", "test::suite::planted::"];

pub(super) fn build(context: &Context<'_>) -> Outcome {
    context.workspace.cargo(&["fetch", "--quiet", "--locked"]).run(&context.log, context.terminal)?;
    Binaries::build(context.workspace, &context.log, context.terminal)?;
    wasm::wrap(context.workspace)?;
    Ok(String::new())
}

/// What runs a second time with Debian's docker, where that is another: the tests in which docker does something, in
/// nextest's language of filters.
const DOCKER_TESTS: &str = "package(hublease) & test(/^(client::(docker_traps|registry|isolated|check|story|exec)|action::places)::/) \
                            | package(hublease-sandbox) & test(/docker/)";

pub(super) fn tests(context: &Context<'_>) -> Outcome {
    nextest(context, &["--no-run"]).run(&context.log, context.terminal)?;
    // The peers' tests are those of another step, which brings their programs.
    run_guarded(context, &["--filterset", &format!("not ({})", peers::NEEDS_A_PEER)], &[])?;
    let examples = context.workspace.cargo(&["test", "--quiet", "--locked", "--offline", "--workspace", "--doc"]);
    scrubbed(context, examples)?.run(&context.log, context.terminal)?;
    let passed = count(context);
    let mut note = format!("{passed} tests passed");
    if let Some(docker) = dockers::fetched(context) {
        run_guarded(context, &["--filterset", DOCKER_TESTS], &[("HUBLEASE_DOCKER".to_owned(), docker.path)])?;
        note.push_str(&format!(", {} of them with docker {} too", count(context) - passed, docker.version));
    }
    let missing = missing(context);
    if !missing.is_empty() {
        note.push_str(&format!("; without {}", missing.join(", ")));
    }
    Ok(note)
}

/// The tests beside the code, of libraries and of programs such as this one, without the programs and peers that the others drive.
pub(super) fn units(context: &Context<'_>) -> Outcome {
    let call = context.workspace.cargo(&["test", "--quiet", "--locked", "--workspace", "--lib", "--bins"]);
    let call = DRIVING.iter().fold(call.argument("--"), |call, tests| call.arguments(["--skip", tests]));
    call.without(is_foreign).run(&context.log, context.terminal)?;
    Ok(format!("{} tests passed", count(context)))
}

/// Runs each test as a process of its own, under a guard where there are guards, with these programs by these variables.
pub(super) fn run_guarded(context: &Context<'_>, words: &[&str], programs: &[(String, PathBuf)]) -> Result<(), String> {
    let run = nextest(context, &["--offline"]).arguments(words);
    let run = guard::as_cargo_option().iter().fold(run, |run, option| run.arguments(["--config", option]));
    let run = scrubbed(context, run)?;
    let run = programs.iter().fold(run, |run, (variable, path)| run.set(variable, path));
    guard::watch(|| run.run(&context.log, context.terminal))
}

pub(super) fn nextest(context: &Context<'_>, words: &[&str]) -> Call {
    let call = Call::new(companions::nextest(context.workspace)).directory(&context.workspace.root);
    call.arguments(["nextest", "run", "--workspace", "--locked"]).arguments(words)
}

fn scrubbed(context: &Context<'_>, call: Call) -> Result<Call, String> {
    let mut call = call.without(is_foreign);
    for (name, path) in [
        ("HUBLEASE_BIN", &context.binaries.client),
        ("HUBLEASE_BROKER_BIN", &context.binaries.broker),
        ("HUBLEASE_SANDBOX_BIN", &context.binaries.sandbox),
        ("HUBLEASE_MODULE", &wasm::committed(context.workspace)),
        ("HUBLEASE_COMPONENT", &wasm::component_path(context.workspace)),
        ("HUBLEASE_NEXTEST", &companions::nextest(context.workspace)),
    ] {
        if !path.is_file() {
            return Err(format!("{} is not built", path.display()));
        }
        call = call.set(name, path);
    }
    if let Ok(itself) = std::env::current_exe() {
        call = call.set("HUBLEASE_XTASK", itself);
    }
    let node = node::path(context.workspace);
    if node.is_file() {
        call = call.set("HUBLEASE_NODE", node);
    }
    let client = statically::path(context);
    if client.is_file() {
        call = call.set("HUBLEASE_ORB", statically::pack_orb(context, &client)?).set("HUBLEASE_STATIC", client);
    }
    if context.options.without_system_tools {
        call = call.set(WITHOUT, missing(context).join(","));
    }
    Ok(call)
}

/// Names of the programs that the tests do without.
fn missing(context: &Context<'_>) -> Vec<&'static str> {
    let node = Some("node").filter(|_| !node::path(context.workspace).is_file());
    let client = Some("static").filter(|_| !statically::path(context).is_file());
    missing_names().into_iter().chain(node).chain(client).collect()
}

/// How many tests ran, by what the runner and the examples' own said at the end.
pub(super) fn count(context: &Context<'_>) -> usize {
    let text = std::fs::read_to_string(&context.log).unwrap_or_default();
    let number_before = |line: &str, word: &str| {
        let before = line.split(word).next()?;
        before.split_whitespace().last()?.parse::<usize>().ok()
    };
    text.lines()
        .filter(|line| line.starts_with("test result: ") || line.trim_start().starts_with("Summary ["))
        .filter_map(|line| number_before(line, " passed"))
        .sum()
}

#[cfg(test)]
mod planted;
