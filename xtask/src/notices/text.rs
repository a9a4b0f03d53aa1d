//! The text for one product: what is linked in, and each licence once.

use std::fs;
use std::path::Path;

use super::crates::Crate;
use super::files;
use super::licence::one_line;

/// What is linked in and is no crate, by files of `xtask/notices`.
const BESIDES: [&str; 2] = ["rust.txt", "musl.txt"];
/// Apache 2.0, as this repository has it.
const APACHE: &str = "LICENSE-APACHE";
/// Between two texts.
const LINE: &str = "================================================================================";

/// Makes it.
///
/// # Errors
/// A sentence: a text that is needed is not there.
pub(super) fn of(product: &str, linked: &[Crate], root: &Path) -> Result<String, String> {
    let read = |path: &Path| fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()));
    let mut text = format!(
        "What is linked into {product}, and its licences. Made by `cargo xtask notices`.\n\
         Of a choice of licences the one that is named here was taken.\n\n"
    );
    // Each text once, with the crates that have it.
    let mut groups: Vec<(String, Vec<String>)> = Vec::new();
    for found in linked {
        let texts = files::of(found)?;
        let licences: Vec<_> = texts.licences.iter().map(|licence| licence.name()).collect();
        let name = format!("{} {}", found.name, found.version);
        line(&mut text, &[&name, &licences.join(" AND "), &found.repository]);
        for own in texts.texts {
            match groups.iter_mut().find(|(known, _)| one_line(known) == one_line(&own)) {
                Some((_, names)) => names.push(name.clone()),
                None => groups.push((own, vec![name.clone()])),
            }
        }
    }
    for name in BESIDES {
        section(&mut text, &read(&root.join("xtask/notices").join(name))?);
    }
    for (own, names) in groups {
        section(&mut text, &format!("{}\n\n{own}", names.join(", ")));
    }
    section(&mut text, &read(&root.join(APACHE))?);
    // Texts come with the line ends of their authors.
    let lines = text.lines().map(str::trim_end);
    Ok(lines.fold(String::new(), |text, line| text + line + "\n"))
}

fn line(text: &mut String, words: &[&str]) {
    *text += &words.join("  ");
    text.push('\n');
}

fn section(text: &mut String, content: &str) {
    line(text, &[""]);
    line(text, &[LINE]);
    line(text, &[""]);
    line(text, &[content.trim_matches('\n')]);
}
