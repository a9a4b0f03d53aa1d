//! As much of Markdown as our documents use: headings, fenced blocks and links.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// The directory of the workspace: the package's own, or the one around it, since the broker's tests read documents too.
pub fn root() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.ancestors().find(|folder| folder.join("docs").is_dir()).unwrap().to_owned()
}

/// One document.
pub struct Document {
    /// Its path from [`root`].
    pub name: String,
    pub text: String,
}

/// A fenced block.
pub struct Block {
    /// What stands behind the fence.
    pub language: String,
    /// Where it begins, counted from 1.
    pub line: usize,
    pub lines: Vec<String>,
}

/// Directories that hold what was generated or downloaded.
const NOT_OURS: [&str; 3] = ["target", ".git", "node_modules"];

/// Every document of the repository, wherever it is.
pub fn documents() -> Vec<Document> {
    let (mut names, mut folders) = (Vec::new(), vec![String::new()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(root().join(&folder)).unwrap().map(Result::unwrap) {
            let name = entry.file_name().into_string().unwrap();
            if entry.file_type().unwrap().is_dir() && !NOT_OURS.contains(&name.as_str()) {
                folders.push(format!("{folder}{name}/"));
            } else if name.ends_with(".md") {
                names.push(format!("{folder}{name}"));
            }
        }
    }
    names.sort();
    names.iter().map(|name| Document::read(name)).collect()
}

/// The path that a link in the file `from` means.
pub fn beside(from: &Path, link: &str) -> PathBuf {
    let mut path = from.parent().unwrap().to_owned();
    for component in Path::new(link).components() {
        match component {
            Component::ParentDir => drop(path.pop()),
            other => path.push(other),
        }
    }
    path
}

impl Document {
    pub fn read(name: &str) -> Self {
        let text = fs::read_to_string(root().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        Self { name: name.to_owned(), text }
    }

    /// The headings of this level, each with the lines up to the next heading of any level.
    pub fn sections(&self, level: usize) -> Vec<(String, Vec<String>)> {
        let mut sections: Vec<(usize, String, Vec<String>)> = Vec::new();
        let mut fenced = false;
        for line in self.text.lines() {
            fenced ^= line.trim_start().starts_with("```");
            match heading(line).filter(|_| !fenced) {
                Some((level, title)) => sections.push((level, title.to_owned(), Vec::new())),
                None => {
                    if let Some((_, _, body)) = sections.last_mut() {
                        body.push(line.to_owned());
                    }
                }
            }
        }
        sections.into_iter().filter(|(at, ..)| *at == level).map(|(_, title, body)| (title, body)).collect()
    }

    pub fn blocks(&self) -> Vec<Block> {
        let mut blocks: Vec<Block> = Vec::new();
        let mut open = false;
        for (index, line) in self.text.lines().enumerate() {
            match line.trim_start().strip_prefix("```") {
                Some(_) if open => open = false,
                Some(language) => {
                    open = true;
                    blocks.push(Block { language: language.to_owned(), line: index + 1, lines: Vec::new() });
                }
                None if open => blocks.last_mut().unwrap().lines.push(line.to_owned()),
                None => {}
            }
        }
        assert!(!open, "{}: a block is not closed", self.name);
        blocks
    }

    /// The targets of inline links outside of blocks.
    pub fn links(&self) -> Vec<String> {
        let prose = self.text.split("```").step_by(2).flat_map(|prose| prose.split("](").skip(1));
        prose.filter_map(|rest| rest.split_once(')')).map(|(target, _)| target.to_owned()).collect()
    }

    /// What the headings are called in a link.
    pub fn anchors(&self) -> BTreeSet<String> {
        (1..=6).flat_map(|level| self.sections(level)).map(|(title, _)| anchor(&title)).collect()
    }
}

fn heading(line: &str) -> Option<(usize, &str)> {
    let title = line.trim_start_matches('#');
    let level = line.len() - title.len();
    title.strip_prefix(' ').filter(|_| (1..=6).contains(&level)).map(|title| (level, title))
}

/// As GitHub makes it: lower case, spaces to dashes, no other punctuation than `-` and `_`.
fn anchor(title: &str) -> String {
    let kept = title.chars().filter(|character| character.is_alphanumeric() || matches!(character, ' ' | '-' | '_'));
    kept.map(|character| if character == ' ' { '-' } else { character }).collect::<String>().to_lowercase()
}

#[test]
fn headings_blocks_and_links_are_told_apart() {
    let text = "# A `b`: c\n[x](y.md#z) [u](https://u)\n```sh\n# no heading\n[n](no)\n```\n## … D\nd\n".to_owned();
    let document = Document { name: "x".to_owned(), text };
    assert_eq!(document.anchors(), ["-d", "a-b-c"].map(str::to_owned).into());
    assert_eq!(document.links(), ["y.md#z", "https://u"]);
    assert_eq!(document.sections(2), [("… D".to_owned(), vec!["d".to_owned()])]);
    let blocks = document.blocks();
    assert_eq!((blocks.len(), blocks[0].language.as_str(), blocks[0].line), (1, "sh", 3));
}
