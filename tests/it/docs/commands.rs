//! The `hublease …` command lines in the `sh` and `yaml` blocks of a document, with the variables of their block.

use std::fmt;

use hublease::cli::{self, FLAGS};

use super::markdown::{Block, Document};
use super::shell::{logical_lines, simple_commands};

/// One command line.
#[derive(Debug)]
pub struct CommandLine {
    /// File and line of the block.
    place: String,
    /// Without the program's name.
    pub arguments: Vec<String>,
    /// What its block sets.
    pub variables: Vec<(String, String)>,
}

/// Every command line of a document.
pub fn found(document: &Document) -> Vec<CommandLine> {
    let blocks = document.blocks();
    let ours = blocks.iter().filter(|block| matches!(block.language.as_str(), "sh" | "yaml"));
    ours.flat_map(|block| of_block(block, &format!("{}:{}", document.name, block.line))).collect()
}

impl CommandLine {
    /// The same with `--dry-run`; none if the command has no such flag.
    pub fn dry(&self) -> Option<Self> {
        let (name, rest) = self.arguments.split_first()?;
        let command = cli::Command::ALL.iter().find(|command| command.name() == name)?;
        let flag = FLAGS.iter().find(|flag| flag.name == "dry-run")?;
        let is_dry = rest.iter().take_while(|word| *word != "--").any(|word| word == "--dry-run");
        let added = Some("--dry-run".to_owned()).filter(|_| !is_dry);
        let arguments = [name.clone()].into_iter().chain(added).chain(rest.iter().cloned()).collect();
        flag.commands.contains(command).then(|| Self {
            arguments,
            place: self.place.clone(),
            variables: self.variables.clone(),
        })
    }
}

impl fmt::Display for CommandLine {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: hublease {}", self.place, self.arguments.join(" "))
    }
}

fn of_block(block: &Block, place: &str) -> Vec<CommandLine> {
    let lines = logical_lines(&block.lines);
    let variables: Vec<_> = lines.iter().filter_map(|line| variable(line)).collect();
    let commands = lines.iter().flat_map(|line| simple_commands(line, "hublease", place));
    commands
        .filter_map(|words| {
            let (program, arguments) = words.split_first()?;
            (program == "hublease").then(|| CommandLine {
                place: place.to_owned(),
                arguments: arguments.to_vec(),
                variables: variables.clone(),
            })
        })
        .collect()
}

/// `export NAME=value`, `NAME=value`, or YAML's `NAME: value`.
fn variable(line: &str) -> Option<(String, String)> {
    let line = line.strip_prefix("export ").unwrap_or(line);
    let (name, value) = line.split_once('=').filter(|(name, _)| is_name(name)).or_else(|| line.split_once(": "))?;
    is_name(name).then(|| (name.to_owned(), value.trim_matches(['\'', '"']).to_owned()))
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
}

#[test]
fn commands_are_found_with_their_words_and_variables() {
    let lines = "\
export VAULT_ADDR=https://v
cat <<'END' | x
hublease not this
END
- run: |
    hublease exec --a 'b c' \\
      -- d | e && hublease logout # hublease f
HUBLEASE_ROLE: \"r\"
sudo hublease g";
    let block = Block { language: "sh".to_owned(), line: 1, lines: lines.lines().map(str::to_owned).collect() };
    let found = of_block(&block, "x:1");
    let arguments: Vec<_> = found.iter().map(|line| line.arguments.join("/")).collect();
    assert_eq!(arguments, ["exec/--a/b c/--/d", "logout"]);
    let variables = [("VAULT_ADDR", "https://v"), ("HUBLEASE_ROLE", "r")];
    assert_eq!(found[0].variables, variables.map(|(name, value)| (name.to_owned(), value.to_owned())));
    assert_eq!(found[1].dry().unwrap().arguments, ["logout", "--dry-run"]);
}
