//! cargo-deny: licences, sources and bans by the lock file; advisories when their database can be fetched.
//!
//! cargo-deny itself is a program of several hundred crates. It is built once into `target/tools`, barely optimised, beside
//! the other steps.

use std::{
    path::{Path, PathBuf},
    process::Child,
    thread,
    time::{Duration, Instant},
};

use super::{Context, Outcome, Trouble};
use crate::{
    process::ending,
    terminal::spell,
    workspace::{Workspace, program},
};

/// The version that `deny.toml` is written for.
const VERSION: &str = "0.20.2";
/// How long its build may take, from the moment that this step waits for it.
const BUILD: Duration = Duration::from_secs(30 * 60);
/// How long the advisory database may take to come.
const DATABASE: Duration = Duration::from_secs(60);
/// What cargo-deny's log says when the database did not come, as opposed to an advisory that was found.
const NO_DATABASE: [&str; 3] =
    ["failed to fetch advisory database", "failed to load advisory database", "failed to clone"];

/// The build of cargo-deny, if one is needed.
pub(super) struct Deny {
    building: Option<Child>,
    log: PathBuf,
}

impl Deny {
    /// Nothing is being built.
    pub(super) fn idle() -> Self {
        Self { building: None, log: PathBuf::new() }
    }

    /// Begins to build what is not there yet.
    pub(super) fn begin(&mut self, workspace: &Workspace) -> Result<(), String> {
        if installed(workspace).is_some() {
            return Ok(());
        }
        self.log = workspace.log("deny-build")?;
        let install =
            ["install", "cargo-deny", "--version", VERSION, "--locked", "--debug", "--no-default-features", "--quiet"];
        let call = workspace.cargo(&install).argument("--root").argument(workspace.tools());
        let call = call.set("CARGO_TARGET_DIR", workspace.tools().join("build"));
        let call = call.set("CARGO_PROFILE_DEV_DEBUG", "0").set("CARGO_PROFILE_DEV_OPT_LEVEL", "1");
        self.building = Some(call.spawn(&self.log)?);
        Ok(())
    }

    fn wait(&mut self, workspace: &Workspace) -> Result<PathBuf, String> {
        let begun = Instant::now();
        while let Some(child) = &mut self.building {
            if let Some(status) = child.try_wait().map_err(|error| error.to_string())? {
                self.building = None;
                if !status.success() {
                    return Err(format!(
                        "cargo-deny could not be built ({}): {}",
                        ending(status),
                        last_line(&self.log)
                    ));
                }
            } else if begun.elapsed() > BUILD {
                return Err(format!("cargo-deny was not built within {}", spell(BUILD)));
            }
            thread::sleep(Duration::from_millis(100));
        }
        installed(workspace).ok_or_else(|| "cargo-deny is not there".to_owned())
    }
}

impl Drop for Deny {
    fn drop(&mut self) {
        if let Some(mut child) = self.building.take() {
            // It ends now, or has ended.
            drop(child.kill());
            drop(child.wait());
        }
    }
}

pub(super) fn check(context: &Context<'_>) -> Outcome {
    let built = context.deny.borrow_mut().wait(context.workspace);
    let program = built.map_err(|why| context.missing(why))?;
    let call = |arguments: &[&str]| {
        let call = crate::process::Call::new(&program).directory(&context.workspace.root);
        call.arguments(["--color", "never", "--locked", "--all-features"]).arguments(arguments)
    };
    // `cargo fetch` has brought every crate already, unless this step runs alone.
    context.workspace.cargo(&["fetch", "--quiet", "--locked"]).run(&context.log, context.terminal)?;
    call(&["--offline", "check", "bans", "licenses", "sources"]).run(&context.log, context.terminal)?;
    match call(&["check", "advisories"]).limit(DATABASE).run(&context.log, context.terminal) {
        Ok(()) => Ok("advisories too".to_owned()),
        Err(why) if why.contains("was ended after") || has_no_database(&context.log) => {
            Ok("advisories not checked, their database cannot be fetched from here".to_owned())
        }
        Err(why) => Err(Trouble::Failed(why)),
    }
}

fn installed(workspace: &Workspace) -> Option<PathBuf> {
    let ours = workspace.tools().join("bin/cargo-deny");
    if ours.is_file() { Some(ours) } else { program("cargo-deny") }
}

fn has_no_database(log: &Path) -> bool {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    NO_DATABASE.iter().any(|words| text.contains(words))
}

fn last_line(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    text.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("it said nothing").trim().to_owned()
}
