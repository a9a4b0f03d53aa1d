//! Workflows and actions, ours and those in the documents: of the form that GitHub documents, and with nothing dangerous.
//!
//! A fenced `yaml` block with `jobs:` in a document is a complete workflow, unless it begins with CircleCI's `version:`. A
//! reader copies what stands there, so it is held to the same rules as ours.

use std::fs;
use std::path::{Path, PathBuf};

use super::linters::Linters;
use super::{Context, Outcome};
use crate::files::every_file;
use crate::process::Call;

/// What proposes new versions of everything that is pinned.
const DEPENDABOT: &str = ".github/dependabot.yml";

/// A workflow in a document: the line of its fence, and its text.
type Block = (usize, String);

pub(super) fn check(context: &Context<'_>) -> Outcome {
    let linters = Linters::install(context)?;
    let root = &context.workspace.root;
    let files = every_file(root)?;
    let actions: Vec<_> = files.iter().filter(|path| path.ends_with("action.yml") && !is_workflow(path)).collect();
    let ours: Vec<_> = files.iter().filter(|path| is_workflow(path)).collect();
    let documented = extract(root, &files, &context.workspace.target.join("xtask/workflows"))?;
    // A search that finds nothing would pass everything.
    for (found, what) in
        [(actions.len(), "action"), (ours.len(), "workflow"), (documented.len(), "workflow in a document")]
    {
        if found == 0 {
            return Err(format!("no {what} was found").into());
        }
    }
    let short = |path: &PathBuf| path.strip_prefix(root).unwrap_or(path).to_owned();
    let actions: Vec<_> = actions.into_iter().map(short).collect();
    let workflows: Vec<_> = ours.iter().copied().chain(&documented).map(short).collect();
    let run = |call: Call| call.directory(root).run(&context.log, context.terminal);
    run(linters.check_jsonschema("vendor.github-actions").arguments(&actions))?;
    run(linters.check_jsonschema("vendor.github-workflows").arguments(&workflows))?;
    run(linters.check_jsonschema("vendor.dependabot").argument(DEPENDABOT))?;
    run(linters.zizmor().arguments(&actions).arguments(&workflows))?;
    Ok(format!("{} actions, {} workflows, {} in documents", actions.len(), ours.len(), documented.len()))
}

fn is_workflow(path: &Path) -> bool {
    path.parent().is_some_and(|folder| folder.ends_with(".github/workflows"))
}

/// Writes every workflow of the documents to a file of its own, named after its place.
fn extract(root: &Path, files: &[PathBuf], folder: &Path) -> Result<Vec<PathBuf>, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(failed)?;
    }
    fs::create_dir_all(folder).map_err(failed)?;
    let mut written = Vec::new();
    for path in files.iter().filter(|path| path.extension().is_some_and(|ending| ending == "md")) {
        let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
        let name = path.strip_prefix(root).unwrap_or(path).with_extension("").display().to_string().replace('/', "-");
        for (line, workflow) in workflows(&text) {
            let file = folder.join(format!("{name}-{line}.yml"));
            fs::write(&file, workflow).map_err(failed)?;
            written.push(file);
        }
    }
    Ok(written)
}

fn workflows(document: &str) -> Vec<Block> {
    let mut found = Vec::new();
    let mut open: Option<(bool, Block)> = None;
    for (index, line) in document.lines().enumerate() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(_), Some(_)) => found.extend(open.take().filter(|(is_yaml, _)| *is_yaml).map(|(_, block)| block)),
            (Some(language), None) => open = Some((language == "yaml", (index + 1, String::new()))),
            (None, Some((_, (_, text)))) => *text += &format!("{line}\n"),
            (None, None) => {}
        }
    }
    let has = |text: &str, key: &str| text.lines().any(|line| line.starts_with(key));
    found.retain(|(_, text)| has(text, "jobs:") && !has(text, "version:"));
    found
}

#[cfg(test)]
mod tests {
    use super::workflows;

    #[test]
    fn a_yaml_block_with_jobs_is_a_workflow_unless_it_is_circlecis() {
        let block = |language: &str, text: &str| format!("text\n```{language}\n{text}```\n");
        for (text, count) in [
            (block("yaml", "on: push\njobs:\n  a:\n"), 1),
            (block("yaml", "jobs:\n") + &block("yaml", "on: push\njobs:\n"), 2),
            (block("yaml", "version: 2.1\njobs:\n"), 0),
            (block("yaml", "permissions:\n  id-token: write\n"), 0),
            (block("yaml", "steps:\n  jobs: 1\n"), 0),
            (block("sh", "jobs:\n"), 0),
            ("jobs:\n".to_owned(), 0),
        ] {
            assert_eq!(workflows(&text).len(), count, "{text}");
        }
        assert_eq!(workflows(&block("yaml", "jobs:\n  a\n")), [(2, "jobs:\n  a\n".to_owned())]);
    }
}
