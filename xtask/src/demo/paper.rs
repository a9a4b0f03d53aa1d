//! How the story is printed: commands as they would be typed, what was said below them, no secret anywhere.

use std::mem;

use crate::terminal::{Terminal, Tone, spell};
use crate::world::{Said, World};

/// What GitHub's runner reads to hide a value; the one line that may hold a secret.
const MASK: &str = "::add-mask::";

/// The page that the story is printed on.
pub(super) struct Paper<'a> {
    terminal: &'a Terminal,
    world: &'a World,
}

impl<'a> Paper<'a> {
    pub(super) fn new(terminal: &'a Terminal, world: &'a World) -> Self {
        Self { terminal, world }
    }

    pub(super) fn title(&self, text: &str) {
        self.terminal.say("");
        self.terminal.say(&self.terminal.paint(Tone::Strong, text));
    }

    pub(super) fn remark(&self, text: &str) {
        self.terminal.say(&format!("  {text}"));
    }

    /// A command, which stands there while it runs, and how long it took.
    ///
    /// # Errors
    /// The sentence of a command that could not run.
    pub(super) fn command(&self, command: &str, run: impl FnOnce() -> Result<Said, String>) -> Result<Said, String> {
        self.terminal.begin(&format!("  $ {command}"));
        let said = run();
        let time = said.as_ref().map_or(String::new(), |said| format!("  ({})", spell(said.time)));
        self.terminal.say(&self.terminal.paint(Tone::Faint, &time));
        said
    }

    /// What a program said, line by line.
    ///
    /// # Errors
    /// A sentence, when there was a secret in it.
    pub(super) fn output(&self, text: &str) -> Result<(), String> {
        let secrets: Vec<String> = self.world.sandbox.secrets().into_iter().map(|secret| secret.value).collect();
        let mut masked = 0;
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            if line.starts_with(MASK) {
                masked += 1;
                continue;
            }
            self.masked(mem::take(&mut masked));
            if let Some(secret) = secrets.iter().find(|secret| line.contains(secret.as_str())) {
                return Err(format!("a secret was printed: {}", hidden(secret)));
            }
            self.terminal.say(&format!("    {line}"));
        }
        self.masked(masked);
        Ok(())
    }

    /// Lines of their own would only repeat themselves: each is the command and a secret.
    fn masked(&self, values: usize) {
        if values > 0 {
            let text = format!("{MASK}…  ({values} times: the runner now hides these values in the log)");
            self.terminal.say(&format!("    {}", self.terminal.paint(Tone::Faint, &text)));
        }
    }

    pub(super) fn good(&self, text: &str) {
        self.terminal.say(&format!("    {}", self.terminal.paint(Tone::Good, text)));
    }

    pub(super) fn bad(&self, text: &str) {
        self.terminal.say(&format!("  {}", self.terminal.paint(Tone::Bad, &format!("failed: {text}"))));
    }
}

/// A secret as it may be shown: of what family it is, and how long.
pub(super) fn hidden(secret: &str) -> String {
    let family = if secret.starts_with("dckr_") { "dckr_" } else { "" };
    format!("{family}… ({} characters)", secret.chars().count())
}

#[cfg(test)]
mod tests {
    use super::hidden;

    #[test]
    fn a_secret_shows_its_family_and_its_length() {
        assert_eq!(hidden("dckr_pat_abcdef"), "dckr_… (15 characters)");
        assert_eq!(hidden("s3cret"), "… (6 characters)");
    }
}
