//! cargo-deny over every member of the workspace: licences, sources and bans by the lock file; advisories when their database
//! can be fetched.
//!
//! The fuzz targets of libFuzzer are a workspace with a lock file of its own, which is not looked at: it is never shipped, and
//! needs a toolchain that this does not have.

use std::path::Path;
use std::time::Duration;

use super::{Context, Outcome, Trouble, companions};
use crate::process::Call;

/// How long the advisory database may take to come.
const DATABASE: Duration = Duration::from_secs(60);
/// What cargo-deny's log says when the database did not come, as opposed to an advisory that was found.
const NO_DATABASE: [&str; 3] =
    ["failed to fetch advisory database", "failed to load advisory database", "failed to clone"];

pub(super) fn check(context: &Context<'_>) -> Outcome {
    let program = companions::install(context)?.program("cargo-deny");
    let call = |arguments: &[&str]| {
        let call = Call::new(&program).directory(&context.workspace.root);
        call.arguments(["--color", "never", "--locked", "--workspace", "--all-features"]).arguments(arguments)
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

fn has_no_database(log: &Path) -> bool {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    NO_DATABASE.iter().any(|words| text.contains(words))
}
