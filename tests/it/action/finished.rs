//! What a stage has left: its log, its files, its requests and children, and what must hold for every one of them.

use std::collections::BTreeMap;

use hublease_sandbox::{Logged, Service};

use super::runner::BODY;
use crate::support::World;
use crate::support::job::Outcome;

/// What a stage has left.
pub struct Finished<'w> {
    pub(super) world: &'w World,
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    pub output: BTreeMap<String, String>,
    pub env: BTreeMap<String, String>,
    pub state: BTreeMap<String, String>,
    /// The delimiters in the file of the state.
    pub ends: Vec<String>,
    pub summary: String,
    pub requests: Vec<Logged>,
    pub children: Vec<String>,
}

impl Finished<'_> {
    #[track_caller]
    pub fn code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.shown().contains(text), "`{text}` is not in\n{}", self.shown());
        self
    }

    /// A single line for people, and no more.
    #[track_caller]
    pub fn says_only(self, line: &str) -> Self {
        assert_eq!(self.shown(), format!("{line}\n"));
        self
    }

    #[track_caller]
    pub fn does_not_say(self, text: &str) -> Self {
        assert!(!self.shown().contains(text), "`{text}` is in\n{}", self.shown());
        self
    }

    /// The lines that a person sees in the log.
    pub fn shown(&self) -> String {
        let hidden = |line: &&str| line.starts_with("::add-mask::") || line.starts_with("::debug::");
        let lines = self.stdout.lines().filter(|line| !hidden(line));
        lines.map(|line| format!("{line}\n")).collect()
    }

    /// Requests of the step and its children, in the order in which they arrived; what a broker or Vault asks Docker
    /// Hub and the issuer is left out.
    pub fn asked(&self) -> Vec<String> {
        let own = self.requests.iter().filter(|request| !matches!(request.service, Service::Hub | Service::Issuer));
        own.map(|request| format!("{} {}", request.method, request.path)).collect()
    }

    /// Every value that the runner was told to hide.
    pub fn masks(&self) -> Vec<String> {
        masks(&self.stdout)
    }

    /// What holds for every stage: its log has nothing but lines for people and our four commands, and no secret is
    /// anywhere but behind its mask, in the state, and in the output that was asked for.
    pub(super) fn check(&self) {
        for line in self.stdout.lines() {
            let is_command = ["add-mask", "debug", "warning", "error"]
                .iter()
                .any(|name| line.strip_prefix("::").is_some_and(|rest| rest.starts_with(&format!("{name}::"))));
            let rest = line.trim_start_matches("::").split_once("::").map_or(line, |(_, rest)| rest);
            assert!(is_command || !line.contains("::"), "{line}");
            assert!(line.starts_with("::add-mask::") || !(rest.contains("::") || line.contains("##[")), "{line}");
        }
        self.learn_handles();
        let token = self.output.get("token");
        assert!(token.is_none_or(|token| self.masks().contains(token)), "the output `token` has no mask");
        let lines = |pairs: &BTreeMap<String, String>| {
            let shown = pairs.iter().filter(|(name, _)| *name != "token");
            shown.map(|(name, value)| format!("{name}={value}\n")).collect::<String>()
        };
        let printed: Vec<&str> = self.stdout.lines().filter(|line| !line.starts_with("::add-mask::")).collect();
        let log = self.debug_log();
        self.world.search(&Outcome {
            code: self.code,
            stdout: [&printed.join("\n"), &lines(&self.output), &lines(&self.env), &self.summary, &log]
                .map(String::as_str)
                .join("\n"),
            stderr: self.stderr.clone(),
            requests: self.requests.clone(),
            prints_credential: false,
        });
        // Of somebody else not even what a mask hides, nor the state as it is.
        self.world.search_foreign(&[("the log", &self.stdout), ("the state", &lines(&self.state))], &[]);
    }

    /// The broker's handles are seen in the record first.
    fn learn_handles(&self) {
        if let Some(handle) = handle(&self.record(), "token") {
            self.world.add_secret("a revocation handle", &handle);
        }
    }

    /// The record in the state.
    pub fn record(&self) -> serde_json::Value {
        let body = self.state.get(BODY).map(String::as_str).unwrap_or_default();
        serde_json::from_str(body).unwrap_or_default()
    }

    /// What debug logging shows of the files: each line behind all the masks of the stage.
    fn debug_log(&self) -> String {
        let mut masks = self.masks();
        // The longest first, as the runner does.
        masks.sort_by_key(|mask| std::cmp::Reverse(mask.len()));
        let files = [("Save intra-action state", &self.state), ("Set output", &self.output), ("Set env", &self.env)];
        let lines = files.into_iter().flat_map(|(what, pairs)| {
            pairs.iter().map(move |(name, value)| format!("##[debug]{what} {name} = {value}\n"))
        });
        lines.map(|line| masks.iter().fold(line, |line, mask| line.replace(mask, "***"))).collect()
    }
}

/// A part of what revokes the lease of a record.
pub fn handle(record: &serde_json::Value, part: &str) -> Option<String> {
    let handle = record["leases"][0]["handle"].as_object()?.values().next()?;
    handle[part].as_str().map(str::to_owned)
}

/// The values that a log has told the runner to hide.
pub fn masks(stdout: &str) -> Vec<String> {
    stdout.lines().filter_map(|line| line.strip_prefix("::add-mask::")).map(unescaped).collect()
}

fn unescaped(text: &str) -> String {
    text.replace("%0D", "\r").replace("%0A", "\n").replace("%25", "%")
}

/// Names and values of one of the runner's files. A later one of the same name wins; a cut one is refused.
pub fn pairs(text: &str) -> BTreeMap<String, String> {
    let mut pairs = BTreeMap::new();
    let mut lines = text.split_inclusive('\n');
    while let Some(line) = lines.next() {
        let (name, end) = line.trim_end_matches('\n').split_once("<<").unwrap_or_else(|| panic!("no heredoc: {line}"));
        let mut value = String::new();
        loop {
            let line = lines.next().unwrap_or_else(|| panic!("{name} is cut"));
            if line.trim_end_matches('\n') == end {
                break;
            }
            assert!(line.ends_with('\n'), "{name} is cut");
            value.push_str(line);
        }
        pairs.insert(name.to_owned(), value.strip_suffix('\n').unwrap_or_default().to_owned());
    }
    pairs
}

/// The delimiter of each entry of a file.
pub fn delimiters(text: &str) -> Vec<String> {
    text.lines().filter_map(|line| line.split_once("<<")).map(|(_, end)| end.to_owned()).collect()
}
