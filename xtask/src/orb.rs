//! `cargo xtask orb`: the source of the orb, packed into the one file that CircleCI publishes.
//!
//! CircleCI's own command line has two generations, and they differ in what they take. This packer gives what both give,
//! and refuses what only one of them would take; so a reader may use theirs, and the tests need no download.

mod pack;
mod review;
mod scripts;
mod source;
mod sums;
mod table;
mod yaml;

use std::fs;
use std::path::{Path, PathBuf};

use self::pack::{Orb, resolve};
use self::source::OrbSource;
pub(crate) use self::yaml::{read, write};
use crate::failure::Failure;
use crate::terminal::Terminal;
use crate::workspace::Workspace;

/// What `cargo xtask orb --help` prints.
pub(crate) const HELP: &str = "\
usage: cargo xtask orb [--sums FILE] [--check]

Packs orb/src to target/orb/orb.yml, and looks at it as a reviewer of orbs would.

  --sums FILE   checksums of the released programs, in lines of `SHA256  NAME`
  --check       refuse an orb that cannot install anything, because a checksum is missing
";

/// A packed orb.
pub(crate) struct Packed {
    /// What is published.
    pub(crate) text: String,
    /// The configurations that its examples show, by the name of the example.
    pub(crate) examples: Vec<(String, String)>,
    /// The table of its parameters, for the documents.
    pub(crate) table: String,
    /// What a reviewer would object to.
    pub(crate) findings: Vec<String>,
}

/// What was typed.
#[derive(Default)]
struct OrbOptions {
    sums: Option<PathBuf>,
    check: bool,
}

/// Packs, reviews, and writes the result.
pub(crate) fn run(words: &[String], workspace: &Workspace, terminal: &Terminal) -> Result<(), Failure> {
    let options = parse(words).map_err(Failure::Usage)?;
    let packed = pack(workspace, options.sums.as_deref())?;
    for finding in &packed.findings {
        terminal.complain(finding);
    }
    if options.check {
        sums::complete(&packed.text)?;
    }
    if !packed.findings.is_empty() {
        return Err(Failure::Told);
    }
    let path = keep(workspace, &packed.text)?;
    terminal.say(&format!("{} ({} bytes)", path.display(), packed.text.len()));
    Ok(())
}

/// Packs the orb of this checkout, with the checksums of a file if there is one.
pub(crate) fn pack(workspace: &Workspace, sums: Option<&Path>) -> Result<Packed, String> {
    let version = env!("CARGO_PKG_VERSION");
    let source = OrbSource::read(&workspace.root.join("orb/src"))?;
    let orb = Orb::read(&source)?;
    let findings = [review::check(&orb, version), scripts::check(&source)].concat();
    let sums = match sums {
        Some(path) => Some(fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?),
        None => None,
    };
    let text = sums::fill(&write(&resolve(&orb, &source)?)?, version, sums.as_deref())?;
    let usages = orb.parts.iter().filter(|part| part.section == "examples");
    let examples = usages.filter_map(|part| Some((part.name.clone(), part.value.as_mapping_get("usage")?)));
    let examples = examples.map(|(name, usage)| Ok((name, write(usage)?))).collect::<Result<_, String>>()?;
    Ok(Packed { text, examples, table: table::table(&orb)?, findings })
}

/// Writes it to where the tests and the release look for it.
pub(crate) fn keep(workspace: &Workspace, text: &str) -> Result<PathBuf, String> {
    let folder = workspace.target.join("orb");
    let path = folder.join("orb.yml");
    fs::create_dir_all(&folder)
        .and_then(|()| fs::write(&path, text))
        .map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(path)
}

fn parse(words: &[String]) -> Result<OrbOptions, String> {
    let mut options = OrbOptions::default();
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--check" => options.check = true,
            "--sums" => options.sums = Some(words.next().ok_or("`--sums` needs a file")?.into()),
            other => return Err(format!("there is no option `{other}`")),
        }
    }
    Ok(options)
}
