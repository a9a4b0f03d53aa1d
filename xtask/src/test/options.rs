//! What was typed after `cargo xtask test`.

use super::Step;

/// The options, with the prerequisites of the wanted steps worked out.
#[derive(Debug, Default)]
pub(super) struct Options {
    pub(super) without_system_tools: bool,
    pub(super) list: bool,
    pub(super) accept: bool,
    pub(super) busy: bool,
    /// Nothing else goes with it: a bare machine runs everything.
    pub(super) bare: bool,
    /// Empty means all.
    only: Vec<&'static str>,
}

impl Options {
    pub(super) fn parse(words: &[String], steps: &'static [Step]) -> Result<Self, String> {
        if words.len() > 1 && words.iter().any(|word| word == "--bare") {
            return Err("`--bare` goes with no other option".to_owned());
        }
        let mut options = Self::default();
        let mut words = words.iter().map(String::as_str);
        while let Some(word) = words.next() {
            match (word, word.strip_prefix("--only=")) {
                ("--without-system-tools", _) => options.without_system_tools = true,
                ("--list", _) => options.list = true,
                ("--bare", _) => options.bare = true,
                ("--busy", _) => options.busy = true,
                ("--accept", _) => options.accept = true,
                ("--only", _) => {
                    let name = words.next().ok_or("`--only` needs the name of a step")?;
                    options.add(name, steps)?;
                }
                (_, Some(name)) => options.add(name, steps)?,
                _ => return Err(format!("there is no option `{word}`")),
            }
        }
        Ok(options)
    }

    pub(super) fn wants(&self, name: &str) -> bool {
        self.only.is_empty() || self.only.contains(&name)
    }

    fn add(&mut self, name: &str, steps: &'static [Step]) -> Result<(), String> {
        let step = steps.iter().find(|step| step.name == name);
        let step = step.ok_or_else(|| format!("there is no step `{name}`; `--list` shows them"))?;
        self.only.push(step.name);
        self.only.extend(step.needs);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Options;
    use crate::test::STEPS;

    fn parse(words: &[&str]) -> Result<Options, String> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        Options::parse(&words, STEPS)
    }

    #[test]
    fn a_step_brings_what_it_needs() {
        let options = parse(&["--only", "tests", "--only=format"]).unwrap();
        let wanted: Vec<_> = STEPS.iter().map(|step| step.name).filter(|name| options.wants(name)).collect();
        assert_eq!(wanted, ["format", "build", "runner", "node", "static", "tests"]);
        assert!(STEPS.iter().all(|step| parse(&[]).unwrap().wants(step.name)));
    }

    #[test]
    fn nonsense_is_refused() {
        assert_eq!(parse(&["--only"]).unwrap_err(), "`--only` needs the name of a step");
        assert_eq!(parse(&["--only", "x"]).unwrap_err(), "there is no step `x`; `--list` shows them");
        assert_eq!(parse(&["--bare", "--list"]).unwrap_err(), "`--bare` goes with no other option");
        assert_eq!(parse(&["--fast"]).unwrap_err(), "there is no option `--fast`");
    }
}
