//! One step, as it is written and as it is run.

use serde_json::Value;

use super::node::{Node, Result};

/// The keys of `run`.
const RUN: [&str; 10] = [
    "command",
    "name",
    "shell",
    "environment",
    "background",
    "working_directory",
    "no_output_timeout",
    "when",
    "max_auto_reruns",
    "auto_rerun_delay",
];

/// Most reruns of a step that CircleCI takes.
const MOST_RERUNS: u64 = 5;

/// Steps of CircleCI's own which do nothing here, and their keys: allowed, then required.
const BUILTIN: [(&str, &[&str], &[&str]); 9] = [
    ("checkout", &["path", "method", "name"], &[]),
    ("setup_remote_docker", &["version", "docker_layer_caching", "prefer_same_region", "name"], &[]),
    ("save_cache", &["paths", "key", "name", "when"], &["paths", "key"]),
    ("restore_cache", &["key", "keys", "name"], &[]),
    ("store_artifacts", &["path", "destination", "name", "when"], &["path"]),
    ("store_test_results", &["path", "name", "when"], &["path"]),
    ("persist_to_workspace", &["root", "paths", "name"], &["root", "paths"]),
    ("attach_workspace", &["at", "name"], &["at"]),
    ("add_ssh_keys", &["fingerprints", "name"], &[]),
];

/// What runs.
#[derive(Clone, Debug)]
pub enum Step {
    Run(Run),
    /// A step of CircleCI's own.
    Builtin(String),
}

/// When a step runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    OnSuccess,
    OnFail,
    Always,
}

/// A `run` step with everything filled in.
#[derive(Clone, Debug)]
pub struct Run {
    pub name: String,
    pub command: String,
    pub shell: Option<String>,
    pub environment: Vec<(String, Value)>,
    pub working_directory: Option<String>,
    pub when: When,
    pub reruns: u64,
}

/// The form of an item of `steps`.
pub enum Form<'v> {
    Run(Node<'v>),
    Builtin(&'v str, Option<Node<'v>>),
    /// `when` (true) or `unless`, with condition and steps.
    Branch(bool, Node<'v>, Node<'v>),
    /// `steps: << parameters.x >>`.
    Inner(Node<'v>),
    Call(&'v str, Option<Node<'v>>),
}

impl<'v> Form<'v> {
    pub fn of(item: &Node<'v>) -> Result<Self> {
        if let Value::String(name) = item.value {
            return match name.as_str() {
                "run" | "when" | "unless" | "steps" => item.refuse(format!("`{name}` alone is no step")),
                name if name.contains("<<") => item.refuse("a reference cannot name a step"),
                name => named(name, item, None),
            };
        }
        let entries = item.entries()?;
        let [(key, value)] = entries.as_slice() else {
            return item.refuse("a step is a name, or a map of one name");
        };
        match *key {
            "run" => {
                if value.value.is_object() {
                    value.keys(&RUN, &["command"])?;
                } else {
                    value.text()?;
                }
                Ok(Self::Run(value.clone()))
            }
            "when" | "unless" => {
                value.keys(&["condition", "steps"], &["condition", "steps"])?;
                let part = |key| value.get(key).ok_or_else(|| value.place.refusal("a key is missing"));
                Ok(Self::Branch(*key == "when", part("condition")?, part("steps")?))
            }
            "steps" => Ok(Self::Inner(value.clone())),
            name => named(name, item, Some(value.clone()).filter(|value| !value.value.is_null())),
        }
    }
}

fn named<'v>(name: &'v str, item: &Node<'v>, arguments: Option<Node<'v>>) -> Result<Form<'v>> {
    let Some((_, allowed, required)) = BUILTIN.iter().find(|(known, ..)| *known == name) else {
        return Ok(Form::Call(name, arguments));
    };
    match &arguments {
        Some(arguments) => arguments.keys(allowed, required)?,
        None if required.is_empty() => {}
        None => return item.refuse(format!("`{name}` needs {}", required.join(", "))),
    }
    Ok(Form::Builtin(name, arguments))
}

impl Run {
    /// Reads a `run` whose references are filled in.
    pub fn read(node: &Node<'_>) -> Result<Self> {
        let plain = |command: &str| Self {
            name: command.lines().next().unwrap_or_default().to_owned(),
            command: command.to_owned(),
            shell: None,
            environment: Vec::new(),
            working_directory: None,
            when: When::OnSuccess,
            reruns: 0,
        };
        if let Value::String(command) = node.value {
            return Ok(plain(command));
        }
        let command = node.optional_text("command")?.unwrap_or_default();
        if command.trim().is_empty() {
            return node.refuse("the command is empty");
        }
        if let Some(background) = node.get("background") {
            match background.value {
                Value::Bool(false) => {}
                Value::Bool(true) => return background.refuse("this stand-in runs nothing in the background"),
                _ => return background.expected("a boolean"),
            }
        }
        for key in ["no_output_timeout", "auto_rerun_delay"] {
            node.get(key).map_or(Ok(()), |duration| is_duration(&duration))?;
        }
        let usual = plain(&command);
        Ok(Self {
            name: node.optional_text("name")?.unwrap_or(usual.name),
            shell: node.optional_text("shell")?,
            environment: node.get("environment").map_or(Ok(Vec::new()), |node| environment(&node))?,
            working_directory: node.optional_text("working_directory")?,
            when: node.get("when").map_or(Ok(When::OnSuccess), |node| When::read(&node))?,
            reruns: node.get("max_auto_reruns").map_or(Ok(0), |node| reruns(&node))?,
            command,
        })
    }
}

impl When {
    fn read(node: &Node<'_>) -> Result<Self> {
        match node.text()? {
            "on_success" => Ok(Self::OnSuccess),
            "on_fail" => Ok(Self::OnFail),
            "always" => Ok(Self::Always),
            _ => node.expected("on_success, on_fail or always"),
        }
    }
}

/// A number of automatic reruns, of a step or of a workflow's failed jobs.
pub fn reruns(node: &Node<'_>) -> Result<u64> {
    match node.value.as_u64() {
        Some(count) if (1..=MOST_RERUNS).contains(&count) => Ok(count),
        _ => node.expected(&format!("a number from 1 to {MOST_RERUNS}")),
    }
}

fn is_duration(node: &Node<'_>) -> Result<()> {
    let text = node.text()?;
    let number = text.trim_end_matches(['s', 'm', 'h']);
    if !number.is_empty() && number.len() + 1 >= text.len() && number.chars().all(|digit| digit.is_ascii_digit()) {
        return Ok(());
    }
    node.expected("a duration, as in `10m`")
}

/// A map of variables; values are texts, numbers or booleans.
pub fn environment(node: &Node<'_>) -> Result<Vec<(String, Value)>> {
    let entries = node.entries()?.into_iter();
    entries
        .map(|(name, value)| match value.value {
            Value::String(_) | Value::Number(_) | Value::Bool(_) => Ok((name.to_owned(), value.value.clone())),
            _ => value.expected("a string, a number or a boolean"),
        })
        .collect()
}
