//! No file names a directory of the machine that it was written on.

use std::path::{Path, PathBuf};
use std::{env, fs};

use crate::files::every_file;

pub(super) fn check(root: &Path) -> Result<Vec<String>, String> {
    let machine = directories(root);
    let mut findings = Vec::new();
    for path in every_file(root)? {
        // What is not text has no lines to look at.
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        findings.extend(lines(&text, &machine).map(|line| format!("{name}:{line}: names a directory of this machine")));
    }
    Ok(findings)
}

/// Where this checkout and cargo's own files are.
fn directories(root: &Path) -> Vec<String> {
    let above = root.parent().filter(|above| above.components().count() > 2).map(Path::to_owned);
    let cargo = env::var_os("CARGO_HOME").map(PathBuf::from);
    let all = [Some(root.to_owned()), above, cargo].into_iter().flatten();
    all.map(|path| path.display().to_string()).filter(|path| path.len() > 1).collect()
}

fn lines(text: &str, machine: &[String]) -> impl Iterator<Item = usize> {
    text.lines()
        .enumerate()
        .filter(|(_, line)| machine.iter().any(|path| names(line, path)))
        .map(|(index, _)| index + 1)
}

/// Whether the line holds the path as a whole, not as the middle of another.
fn names(line: &str, path: &str) -> bool {
    let goes_on = |character: char| character.is_alphanumeric() || "-_.".contains(character);
    line.match_indices(path).any(|(at, _)| {
        !line[..at].ends_with(goes_on) && !line[at + path.len()..].starts_with(|next: char| next.is_alphanumeric())
    })
}

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn a_directory_is_found_as_a_whole() {
        let machine = ["/srv/checkout".to_owned()];
        let text = "a /srv/checkout/x\nb /srv/checkouts\nc /other/srv/checkout\n(/srv/checkout)";
        assert_eq!(lines(text, &machine).collect::<Vec<_>>(), [1, 4]);
    }
}
