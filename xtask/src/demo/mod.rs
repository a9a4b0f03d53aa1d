//! placeholder
use crate::{Failure, terminal::Terminal, workspace::Workspace};
pub(crate) const HELP: &str = "";
pub(crate) fn run(_: &[String], _: &Workspace, _: &Terminal) -> Result<(), Failure> {
    Ok(())
}
