//! Rules of the source that no lint can see. Each finding is one line: `path:line: what is wrong`.
//!
//! The code is read as text with comments and literals blanked out; that is enough for what is asked here, and quick.

mod blank;
mod dialect;
mod expected;
mod layers;
mod machine;
mod size;
mod source;
mod words;

use std::fs;
use std::path::Path;

use self::source::Source;
use super::{Context, Outcome};
use crate::files::every_file;

pub(super) fn check(context: &Context<'_>) -> Outcome {
    let root = &context.workspace.root;
    let sources = read(root)?;
    let mut findings: Vec<String> = sources
        .iter()
        .flat_map(|source| [size::check(source), words::check(source), dialect::check(source)].concat())
        .chain(machine::check(root)?)
        .collect();
    findings.extend(layers::check(&sources));
    findings.extend(expected::check(root, &sources, context.options.accept)?);
    if findings.is_empty() {
        return Ok(format!("{} files", sources.len()));
    }
    let text = findings.join("\n") + "\n";
    fs::write(&context.log, &text).map_err(|error| error.to_string())?;
    Err(format!("{} findings", findings.len()).into())
}

fn read(root: &Path) -> Result<Vec<Source>, String> {
    let files = every_file(root)?;
    let rust = files.into_iter().filter(|path| path.extension().is_some_and(|ending| ending == "rs"));
    rust.map(|path| {
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
        Ok(Source::new(&name, &text))
    })
    .collect()
}
