//! What cargo and its companions check: format, lints, the client's tree, its minimum Rust, documentation.

use std::collections::BTreeMap;
use std::time::Duration;
use std::{env, fs};

use serde_json::Value;

use super::{Context, Outcome};
use crate::process::Call;
use crate::workspace::program;
use crate::{notices, wasm};

/// The crates that are published, and so promise a minimum; all others are built with the pinned toolchain.
const PROMISED: [&str; 2] = ["hublease", "hublease-protocol"];
/// Crates that must not come into the client: runtimes, second TLS stacks, big parsers.
const NOT_IN_THE_CLIENT: [&str; 8] =
    ["tokio", "async-std", "axum", "hyper", "reqwest", "openssl", "openssl-sys", "url"];
/// The workspace of libFuzzer's programs.
const FUZZ: &str = "tests/fuzz/Cargo.toml";
/// A download of a toolchain or a target takes seconds; a network that swallows packets takes for ever.
const DOWNLOAD: Duration = Duration::from_secs(10 * 60);

pub(super) fn format(context: &Context<'_>) -> Outcome {
    context
        .workspace
        .cargo(&["fmt", "--all", "--check", "--", "--color", "never"])
        .run(&context.log, context.terminal)?;
    // libFuzzer's programs are a workspace of their own. They are formatted, and nothing else: to build them takes a nightly
    // toolchain and a C++ compiler, and all that they call is compiled with the tests.
    let fuzz = ["fmt", "--manifest-path", FUZZ, "--all", "--check", "--", "--color", "never"];
    context.workspace.cargo(&fuzz).run(&context.log, context.terminal)?;
    Ok(String::new())
}

pub(super) fn clippy(context: &Context<'_>) -> Outcome {
    for arguments in [
        ["--workspace", "--all-targets", "--exclude", "hublease-action"].as_slice(),
        // Without sockets and files, as the broker and the module use it; its tests too.
        &["--package", "hublease", "--lib", "--no-default-features"],
    ] {
        let call = context.workspace.cargo(&["clippy", "--quiet", "--locked"]).arguments(arguments);
        call.arguments(["--", "-D", "warnings"]).run(&context.log, context.terminal)?;
    }
    Ok(String::new())
}

/// The committed module is what its source builds, and its source is clean.
pub(super) fn wasm(context: &Context<'_>) -> Outcome {
    add_target(context, wasm::TARGET)?;
    let lints = ["clippy", "--quiet", "--locked", "--package", "hublease-action", "--target", wasm::TARGET];
    let call = context.workspace.cargo(&lints).arguments(["--", "-D", "warnings"]);
    call.run(&context.log, context.terminal)?;
    Ok(wasm::check(context.workspace, &context.log, context.terminal)?)
}

pub(super) fn minimum(context: &Context<'_>) -> Outcome {
    let version = minimum_version(context)?;
    let Some(rustup) = program("rustup") else {
        return Err(context.missing(format!("rustup is not installed, and Rust {version} with it")));
    };
    let run = ["run", &version, "cargo"];
    let is_there = Call::new(&rustup).arguments(run).argument("--version").text().is_ok();
    if !is_there {
        let install = ["toolchain", "install", &version, "--profile", "minimal", "--no-self-update"];
        let install = Call::new(&rustup).arguments(install).limit(DOWNLOAD);
        if let Err(why) = install.run(&context.log, context.terminal) {
            return Err(context.missing(format!("Rust {version} cannot be installed: {why}")));
        }
    }
    // A directory of its own, because two compilers do not share what they built. `--lib --bins` keeps the tests and their
    // dependencies out: the minimum is promised to who builds the client from a registry. Broker, sandbox and this program are
    // built with the pinned toolchain alone, and promise nothing.
    let call = Call::new(&rustup).arguments(run).directory(&context.workspace.root);
    let call = call.arguments(["check", "--quiet", "--locked", "--lib", "--bins"]);
    let call = PROMISED.iter().fold(call, |call, package| call.arguments(["--package", package]));
    let call = call.without(|name| name == "CARGO").set("CARGO_TARGET_DIR", context.workspace.target.join("minimum"));
    call.run(&context.log, context.terminal)?;
    Ok(format!("Rust {version}: {}", PROMISED.join(", ")))
}

pub(super) fn tree(context: &Context<'_>) -> Outcome {
    let arguments = ["tree", "--locked", "--package", "hublease", "--edges", "normal", "--prefix", "none"];
    let text = context.workspace.cargo(&arguments).arguments(["--target", "all", "--format", "{p}"]).text()?;
    fs::write(&context.log, &text).map_err(|error| error.to_string())?;
    let mut names: Vec<&str> = text.lines().filter_map(|line| line.split(' ').next()).collect();
    names.sort_unstable();
    names.dedup();
    let unwanted: Vec<&str> = names.iter().filter(|name| NOT_IN_THE_CLIENT.contains(name)).copied().collect();
    if !unwanted.is_empty() {
        return Err(format!("the client depends on {}", unwanted.join(", ")).into());
    }
    let count = |target: &[&str]| -> Result<usize, String> {
        let text = context.workspace.cargo(&arguments).arguments(["--format", "{p}"]).arguments(target).text()?;
        let mut lines: Vec<&str> = text.lines().map(|line| line.trim_end_matches(" (*)")).collect();
        lines.sort_unstable();
        lines.dedup();
        Ok(lines.len().saturating_sub(1))
    };
    Ok(format!("{} crates besides the client on this platform, {} on all", count(&[])?, count(&["--target", "all"])?))
}

/// The notices that are committed are those of what is linked in today.
pub(super) fn notices(context: &Context<'_>) -> Outcome {
    Ok(notices::check(context.workspace)?)
}

/// Private items too: whoever reads the documentation of this repository works on it.
pub(super) fn documentation(context: &Context<'_>) -> Outcome {
    // Links from public to private items resolve here, because private items are documented too.
    let flags =
        format!("{} -D warnings -A rustdoc::private-intra-doc-links", env::var("RUSTDOCFLAGS").unwrap_or_default());
    let call = context.workspace.cargo(&[
        "doc",
        "--quiet",
        "--locked",
        "--no-deps",
        "--workspace",
        "--document-private-items",
    ]);
    call.set("RUSTDOCFLAGS", flags.trim()).run(&context.log, context.terminal)?;
    Ok(String::new())
}

/// Adds a target to the pinned toolchain; without rustup it must be there already, and the build will tell.
pub(super) fn add_target(context: &Context<'_>, target: &str) -> Result<(), super::Trouble> {
    let Some(rustup) = program("rustup") else { return Ok(()) };
    let call = Call::new(rustup).arguments(["target", "add", target]).directory(&context.workspace.root);
    call.limit(DOWNLOAD)
        .run(&context.log, context.terminal)
        .map_err(|why| context.missing(format!("target {target} cannot be installed: {why}")))
}

/// The one `rust-version` of all members that state one, with all three numbers, as rustup wants it.
fn minimum_version(context: &Context<'_>) -> Result<String, String> {
    let text = context.workspace.cargo(&["metadata", "--no-deps", "--offline", "--format-version", "1"]).text()?;
    let metadata: Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let stated =
        |package: &Value| Some((package["name"].as_str()?.to_owned(), package["rust_version"].as_str()?.to_owned()));
    let stated: BTreeMap<String, String> = packages.iter().filter_map(stated).collect();
    let version = stated.values().next().ok_or("nobody states a `rust-version`")?;
    if !stated.keys().eq(PROMISED) || stated.values().any(|other| other != version) {
        return Err(format!(
            "one `rust-version` is to be stated by {}, and it is by {stated:?}",
            PROMISED.join(" and ")
        ));
    }
    Ok(if version.matches('.').count() == 1 { format!("{version}.0") } else { version.clone() })
}
