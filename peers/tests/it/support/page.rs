//! The blocks of the documentation's pages, as a reader would copy them.

use std::fs;
use std::path::Path;

/// The blocks of `docs/PAGE` in this language, each with its last line break.
pub fn blocks(page: &str, language: &str) -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let text = fs::read_to_string(root.join("docs").join(page)).unwrap();
    let begin = format!("\n```{language}\n");
    let blocks = text.split(&begin).skip(1).filter_map(|rest| rest.split("\n```\n").next());
    blocks.map(|block| format!("{block}\n")).collect()
}
