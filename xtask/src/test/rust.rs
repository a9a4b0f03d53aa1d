//! What cargo and its companions check: format, lints, the client's tree, its minimum Rust, documentation.

use std::time::Duration;
use std::{env, fs};

use super::{Context, Outcome};
use crate::process::Call;
use crate::wasm;
use crate::workspace::program;

/// Crates that must not come into the client: runtimes, second TLS stacks, big parsers.
const NOT_IN_THE_CLIENT: [&str; 8] =
    ["tokio", "async-std", "axum", "hyper", "reqwest", "openssl", "openssl-sys", "url"];
/// A download of a toolchain or a target takes seconds; a network that swallows packets takes for ever.
const DOWNLOAD: Duration = Duration::from_secs(10 * 60);

pub(super) fn format(context: &Context<'_>) -> Outcome {
    context
        .workspace
        .cargo(&["fmt", "--all", "--check", "--", "--color", "never"])
        .run(&context.log, context.terminal)?;
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
    // dependencies out: the minimum is the client's alone.
    let call = Call::new(&rustup).arguments(run).directory(&context.workspace.root);
    let call = call.arguments(["check", "--quiet", "--locked", "--package", "hublease", "--lib", "--bins"]);
    let call = call.without(|name| name == "CARGO").set("CARGO_TARGET_DIR", context.workspace.target.join("minimum"));
    call.run(&context.log, context.terminal)?;
    Ok(format!("Rust {version}"))
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

/// `rust-version` of the client, with all three numbers, as rustup wants it.
fn minimum_version(context: &Context<'_>) -> Result<String, String> {
    let text = context.workspace.cargo(&["metadata", "--no-deps", "--offline", "--format-version", "1"]).text()?;
    let metadata: serde_json::Value = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    let packages = metadata["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
    let client = packages.iter().find(|package| package["name"] == "hublease");
    let version =
        client.and_then(|package| package["rust_version"].as_str()).ok_or("the client states no `rust-version`")?;
    Ok(if version.matches('.').count() == 1 { format!("{version}.0") } else { version.to_owned() })
}
