//! The orb as it would be published: packed, reviewed, and of the form that CircleCI's schema describes; and with it our
//! own configuration, the orb's examples, and the configurations in the documents.
//!
//! A fenced `yaml` block in a document that begins with `version: 2.1` is a complete configuration.

use std::fs;
use std::path::{Path, PathBuf};

use super::linters::Linters;
use super::{Context, Outcome};
use crate::files::every_file;
use crate::orb::{self, Packed, read, write};
use crate::process::Call;

/// The smallest configuration that holds an orb inline.
const AROUND: &str =
    "version: 2.1\norbs:\n  dockerhub: {}\nworkflows:\n  main:\n    jobs:\n      - dockerhub/run_with_login\n";
/// What stands around the table of parameters.
const BEGIN: &str = "<!-- parameters -->\n";
const END: &str = "<!-- end -->";
/// One name of the schema for all of them.
const SCHEMA: &str = "vendor.circle-ci";

pub(super) fn check(context: &Context<'_>) -> Outcome {
    let linters = Linters::install(context)?;
    let root = &context.workspace.root;
    let packed = orb::pack(context.workspace, None)?;
    if !packed.findings.is_empty() {
        return Err(packed.findings.join("; ").into());
    }
    compare_table(&root.join("docs/circleci.md"), &packed.table, context.options.accept)?;
    let whole = orb::keep(context.workspace, &packed.text)?;
    let ours: Vec<PathBuf> = every_file(&root.join(".circleci"))?;
    let folder = context.workspace.target.join("xtask/circleci");
    let configurations = configurations(root, &packed)?;
    let written = keep(&folder, &configurations)?;
    // A search that finds nothing would pass everything.
    if ours.is_empty() || packed.examples.is_empty() || configurations.len() == packed.examples.len() + 1 {
        return Err("no configuration of ours, no example, or none in the documents was found".to_owned().into());
    }
    let run = |call: Call| call.directory(root).run(&context.log, context.terminal);
    run(linters.check_jsonschema(SCHEMA).arguments(&ours).arguments(&written))?;
    run(linters.yamllint().arguments(["orb", ".circleci"]))?;
    // Nobody reads the packed file for its layout.
    run(linters
        .yamllint()
        .arguments(["--config-data", "{extends: default, rules: {line-length: disable, document-start: disable}}"])
        .argument(whole))?;
    let documented = written.len() - packed.examples.len() - 1;
    Ok(format!("{} bytes, {} examples, {documented} in documents", packed.text.len(), packed.examples.len()))
}

/// The table of parameters in a document is the one that the source of the orb makes.
fn compare_table(page: &Path, table: &str, accept: bool) -> Result<(), String> {
    let text = fs::read_to_string(page).map_err(|error| format!("{}: {error}", page.display()))?;
    let parts = text.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?)));
    let Some((before, (there, after))) = parts else {
        return Err(format!("{}: there is no place for the table of parameters", page.display()));
    };
    let wanted = format!("\n{table}\n");
    if there == wanted {
        return Ok(());
    }
    if accept {
        return fs::write(page, format!("{before}{BEGIN}{wanted}{END}{after}")).map_err(|error| error.to_string());
    }
    Err(format!("{}: the table of parameters is not the orb's; `--accept` writes it", page.display()))
}

/// Every complete configuration there is besides our own, with a name for its file.
fn configurations(root: &Path, packed: &Packed) -> Result<Vec<(String, String)>, String> {
    let mut found = vec![("packed".to_owned(), inline(&packed.text)?)];
    found.extend(packed.examples.iter().map(|(name, text)| (format!("example-{name}"), text.clone())));
    for path in every_file(root)?.iter().filter(|path| path.extension().is_some_and(|ending| ending == "md")) {
        let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let name = path.strip_prefix(root).unwrap_or(path).with_extension("").display().to_string().replace('/', "-");
        for (line, block) in documented(&text) {
            same_version(&block).map_err(|why| format!("{}:{line}: {why}", path.display()))?;
            found.push((format!("{name}-{line}"), block));
        }
    }
    Ok(found)
}

/// A configuration that is copied must work with the orb that it came with.
fn same_version(configuration: &str) -> Result<(), String> {
    let wanted = concat!("hublease/dockerhub@", env!("CARGO_PKG_VERSION"));
    let named = configuration.split_whitespace().find(|word| word.starts_with("hublease/dockerhub@"));
    if named.is_none_or(|name| name == wanted) { Ok(()) } else { Err(format!("it must use {wanted}")) }
}

/// The orb inside of a configuration: the schema knows no orbs alone.
fn inline(orb: &str) -> Result<String, String> {
    let orb = read("orb.yml", orb)?;
    let mut around = read("the configuration around it", AROUND)?;
    let slot = around.as_mapping_get_mut("orbs").and_then(|orbs| orbs.as_mapping_get_mut("dockerhub"));
    *slot.ok_or("the configuration around the orb has no place for it")? = orb;
    write(&around)
}

fn keep(folder: &Path, configurations: &[(String, String)]) -> Result<Vec<PathBuf>, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(failed)?;
    }
    fs::create_dir_all(folder).map_err(failed)?;
    let write = |(name, text): &(String, String)| {
        let path = folder.join(format!("{name}.yml"));
        fs::write(&path, text).map(|()| path).map_err(failed)
    };
    configurations.iter().map(write).collect()
}

/// The configurations in a document, with the lines of their fences.
fn documented(document: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let mut open: Option<(usize, String)> = None;
    for (index, line) in document.lines().enumerate() {
        match (line.starts_with("```"), &mut open) {
            (true, Some(_)) => found.extend(open.take().filter(|(_, text)| text.starts_with("version: 2.1\n"))),
            (true, None) => open = Some((index + 1, String::new())),
            (false, Some((_, text))) => *text += &format!("{line}\n"),
            (false, None) => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::{documented, inline, same_version};

    #[test]
    fn a_block_that_begins_with_the_version_is_a_configuration() {
        let document =
            "a\n```yaml\nversion: 2.1\njobs: {}\n```\n```yaml\n- step\n```\n```sh\nversion: 2.1\n```\nversion: 2.1\n";
        let found: Vec<_> = documented(document).into_iter().map(|(line, _)| line).collect();
        assert_eq!(found, [2, 9]);
        assert_eq!(documented(document)[0].1, "version: 2.1\njobs: {}\n");
    }

    #[test]
    fn a_configuration_names_this_version_or_no_orb_of_ours() {
        assert!(same_version("version: 2.1\n").is_ok());
        assert!(same_version(concat!("dockerhub: hublease/dockerhub@", env!("CARGO_PKG_VERSION"), "\n")).is_ok());
        assert!(same_version("dockerhub: hublease/dockerhub@0.0.1\n").is_err());
    }

    #[test]
    fn the_orb_stands_inside_of_a_configuration() {
        let text = inline("version: 2.1\ncommands:\n  a:\n    steps: []\n").unwrap();
        assert!(
            text.starts_with("version: 2.1\norbs:\n  dockerhub:\n    version: 2.1\n    commands:\n      a:\n"),
            "{text}"
        );
    }
}
