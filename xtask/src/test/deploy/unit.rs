//! The unit, as systemd reads it, and how much of the machine it leaves open to the broker.

use std::fs;
use std::path::Path;

use super::super::{Context, Trouble};
use super::kubernetes::read_file;
use crate::process::Call;
use crate::workspace::program;

/// Reads units; part of systemd.
const ANALYZER: &str = "systemd-analyze";
/// Where the unit expects the program.
const INSTALLED: &str = "/usr/local/bin/hublease-broker";
/// By systemd's own count, in tenths: 100 is a service without any protection.
const MOST_EXPOSED: &str = "15";

pub(super) fn check(context: &Context<'_>, broker: &Path) -> Result<String, Trouble> {
    let Some(analyzer) = program(ANALYZER) else {
        return Err(context.missing(format!("{ANALYZER} is not installed")));
    };
    let text = read_file(&context.workspace.root.join("deploy/systemd/hublease-broker.service"))?;
    if !text.contains(INSTALLED) {
        return Err(format!("the unit does not start {INSTALLED}").into());
    }
    let folder = tempfile::tempdir().map_err(|error| format!("a directory for the unit: {error}"))?;
    let unit = folder.path().join("hublease-broker.service");
    // A program that is not there would be all that systemd speaks of.
    fs::write(&unit, text.replace(INSTALLED, &broker.display().to_string()))
        .map_err(|error| format!("{}: {error}", unit.display()))?;
    let log = context.workspace.log("deploy-unit")?;
    Call::new(&analyzer).arguments(["verify", "--man=no"]).argument(&unit).run(&log, context.terminal)?;
    // It ends well even where it ignores a key that it does not know.
    if let Some(finding) = read_file(&log)?.lines().nth(1) {
        return Err(format!("{ANALYZER}: {finding}").into());
    }
    let call =
        Call::new(&analyzer).arguments(["security", "--no-pager", "--offline=true", "--threshold", MOST_EXPOSED]);
    let said = call.argument(&unit).text()?;
    let overall = said.lines().find_map(|line| line.split_once("exposure level for ")?.1.split_once(": "));
    let level = overall.and_then(|(_, level)| level.split_whitespace().next());
    let level = level.ok_or_else(|| format!("{ANALYZER} does not say how exposed the unit is"))?;
    Ok(format!("exposure {level} of 10"))
}
