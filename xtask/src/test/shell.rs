//! shellcheck over every shell script of the repository.

use std::fs;
use std::path::PathBuf;

use super::{Context, Outcome};
use crate::files::every_file;
use crate::process::Call;
use crate::workspace::program;

/// First lines by which a script without an ending is known.
const SHELLS: [&str; 4] = ["#!/bin/sh", "#!/bin/bash", "#!/usr/bin/env bash", "#!/usr/bin/env sh"];

pub(super) fn check(context: &Context<'_>) -> Outcome {
    let Some(shellcheck) = program("shellcheck") else { return Err(context.missing("shellcheck is not installed")) };
    let scripts: Vec<PathBuf> = every_file(&context.workspace.root)?.into_iter().filter(is_script).collect();
    if scripts.is_empty() {
        return Err("no script was found, not even `.ci/run`".to_owned().into());
    }
    let call = Call::new(shellcheck).directory(&context.workspace.root);
    call.arguments(&scripts).run(&context.log, context.terminal)?;
    Ok(format!("{} scripts", scripts.len()))
}

fn is_script(path: &PathBuf) -> bool {
    let named = path.extension().is_some_and(|ending| ending == "sh" || ending == "bash");
    let begins = || fs::read_to_string(path).is_ok_and(|text| SHELLS.iter().any(|shell| text.starts_with(shell)));
    named || (path.extension().is_none() && begins())
}
