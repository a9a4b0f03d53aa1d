//! A whole run as text, and its comparison with the file that keeps it.
//!
//! Of no use to a test that looks for one sentence: here a line that comes, goes or changes is seen, wherever it stands.

use std::fs;
use std::path::Path;

/// How many lines of what is equal are shown around a difference.
const AROUND: usize = 2;

/// What a run printed, and how it ended.
pub(crate) struct Said {
    pub(crate) line: String,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: i32,
}

impl Said {
    /// As it stands in a file: the command line, what was printed, and the exit code.
    pub(crate) fn transcript(&self) -> String {
        let (out, err) = (block("stdout", &self.stdout), block("stderr", &self.stderr));
        format!("$ {}\n{out}{err}exit code {}\n", self.line, self.code)
    }
}

fn block(name: &str, text: &str) -> String {
    let lines: String = text.lines().map(|line| format!("    {line}\n")).collect();
    let end = if text.is_empty() || text.ends_with('\n') { "" } else { "    (no line end)\n" };
    if text.is_empty() { String::new() } else { format!("{name}:\n{lines}{end}") }
}

/// How the run differs from its file, if it does. With `HUBLEASE_BLESS=1` the file is written anew first.
pub(crate) fn difference(file: &Path, run: &str) -> Option<String> {
    if std::env::var_os("HUBLEASE_BLESS").is_some() {
        fs::write(file, run).unwrap();
    }
    // A file that is not there holds nothing.
    let kept = fs::read_to_string(file).unwrap_or_default();
    (kept != run).then(|| {
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        format!("{name} (- the file, + the run)\n{}", changes(&kept, run))
    })
}

/// The lines that differ, with what stands around them.
fn changes(file: &str, run: &str) -> String {
    let lines = aligned(&file.lines().collect::<Vec<_>>(), &run.lines().collect::<Vec<_>>());
    let is_near = |at: usize| {
        let near = at.saturating_sub(AROUND)..lines.len().min(at + AROUND + 1);
        lines[near].iter().any(|(mark, _)| *mark != ' ')
    };
    let near = (0..lines.len()).filter(|at| is_near(*at));
    near.map(|at| format!("{} {}\n", lines[at].0, lines[at].1)).collect()
}

/// Both texts as one: each line is of both, of the file alone (`-`) or of the run alone (`+`), and as many as can be are
/// of both.
fn aligned<'a>(file: &[&'a str], run: &[&'a str]) -> Vec<(char, &'a str)> {
    // How many lines are common to what follows in the file and in the run.
    let mut common = vec![vec![0_usize; run.len() + 1]; file.len() + 1];
    for left in (0..file.len()).rev() {
        for right in (0..run.len()).rev() {
            common[left][right] = if file[left] == run[right] {
                common[left + 1][right + 1] + 1
            } else {
                common[left + 1][right].max(common[left][right + 1])
            };
        }
    }
    let (mut left, mut right, mut lines) = (0, 0, Vec::new());
    while left < file.len() || right < run.len() {
        let is_same = left < file.len() && right < run.len() && file[left] == run[right];
        let is_of_the_file =
            right == run.len() || (left < file.len() && common[left + 1][right] >= common[left][right + 1]);
        let (mark, line) = match (is_same, is_of_the_file) {
            (true, _) => (' ', file[left]),
            (false, true) => ('-', file[left]),
            (false, false) => ('+', run[right]),
        };
        lines.push((mark, line));
        left += usize::from(mark != '+');
        right += usize::from(mark != '-');
    }
    lines
}

#[test]
fn a_difference_shows_the_lines_that_differ_and_their_neighbours() {
    for (file, run, shown) in [
        ("a\nb\nc\nd\ne\nf\n", "a\nb\nc\nd\ne\nx\nf\n", "  d\n  e\n+ x\n  f\n"),
        ("a\nb\nc\n", "b\nc\n", "- a\n  b\n  c\n"),
        ("a\nb\n", "a\nB\n", "  a\n- b\n+ B\n"),
        ("", "a\n", "+ a\n"),
        ("a\n", "", "- a\n"),
    ] {
        assert_eq!(changes(file, run), shown);
    }
}
