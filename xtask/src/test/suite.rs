//! The tests: downloads and builds first, in the caller's environment; then every test, offline and scrubbed.

use super::{Context, Outcome, node, scrub::is_foreign, statically, system::missing_names};
use crate::{binaries::Binaries, process::Call, wasm, workspace::program};

/// Names the programs that tests must do without; set only under `--without-system-tools`.
const WITHOUT: &str = "HUBLEASE_TESTS_WITHOUT";

pub(super) fn build(context: &Context<'_>) -> Outcome {
    context.workspace.cargo(&["fetch", "--quiet", "--locked"]).run(&context.log, context.terminal)?;
    Binaries::build(context.workspace, &context.log, context.terminal)?;
    wasm::wrap(context.workspace)?;
    Ok(String::new())
}

pub(super) fn tests(context: &Context<'_>) -> Outcome {
    let everything = ["--workspace", "--all-targets", "--locked"];
    let runner = if program("cargo-nextest").is_some() { "nextest" } else { "cargo test" };
    if runner == "nextest" {
        let nextest =
            |words: &[&str]| context.workspace.cargo(&["nextest", "run", "--workspace", "--locked"]).arguments(words);
        nextest(&["--no-run"]).run(&context.log, context.terminal)?;
        scrubbed(context, nextest(&["--offline"]))?.run(&context.log, context.terminal)?;
    } else {
        let test =
            |words: &[&str]| context.workspace.cargo(&["test", "--quiet"]).arguments(everything).arguments(words);
        test(&["--no-run"]).run(&context.log, context.terminal)?;
        scrubbed(context, test(&["--offline", "--no-fail-fast"]))?.run(&context.log, context.terminal)?;
    }
    let examples = context.workspace.cargo(&["test", "--quiet", "--locked", "--offline", "--workspace", "--doc"]);
    scrubbed(context, examples)?.run(&context.log, context.terminal)?;
    let missing = missing(context);
    let without = if missing.is_empty() { String::new() } else { format!(", without {}", missing.join(", ")) };
    Ok(format!("by {runner}{}{without}", count(context)))
}

fn scrubbed(context: &Context<'_>, call: Call) -> Result<Call, String> {
    let mut call = call.without(is_foreign);
    for (name, path) in [
        ("HUBLEASE_BIN", &context.binaries.client),
        ("HUBLEASE_BROKER_BIN", &context.binaries.broker),
        ("HUBLEASE_SANDBOX_BIN", &context.binaries.sandbox),
        ("HUBLEASE_MODULE", &wasm::committed(context.workspace)),
        ("HUBLEASE_COMPONENT", &wasm::component_path(context.workspace)),
    ] {
        if !path.is_file() {
            return Err(format!("{} is not built", path.display()));
        }
        call = call.set(name, path);
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

/// How many tests ran, by what the runners said at the end.
fn count(context: &Context<'_>) -> String {
    let text = std::fs::read_to_string(&context.log).unwrap_or_default();
    let number_before = |line: &str, word: &str| {
        let before = line.split(word).next()?;
        before.split_whitespace().last()?.parse::<usize>().ok()
    };
    let passed: usize = text
        .lines()
        .filter(|line| line.starts_with("test result: ") || line.trim_start().starts_with("Summary ["))
        .filter_map(|line| number_before(line, " passed"))
        .sum();
    if passed == 0 { String::new() } else { format!(", {passed} tests passed") }
}
