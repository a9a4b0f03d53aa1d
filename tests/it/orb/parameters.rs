//! Parameters: how they are declared, and which arguments fit.
//!
//! Types and their rules are those of CircleCI's "Reusable configuration reference".

use std::collections::BTreeMap;

use serde_json::Value;

use super::expand::Executor;
use super::node::{Node, Place, Result, shown};
use super::step::Step;

/// What a parameter was given.
#[derive(Clone, Debug)]
pub enum Argument {
    Value(Value),
    /// Expanded where they were written, in the scope of the caller.
    Steps(Vec<Step>),
    Executor(Executor),
}

/// The type of a parameter.
#[derive(Clone, Debug)]
pub enum Kind {
    String,
    Boolean,
    Integer,
    Enum(Vec<String>),
    Executor,
    Steps,
    EnvVarName,
}

/// Who declares parameters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Element {
    Pipeline,
    Command,
    Job,
    Executor,
}

impl Element {
    /// The types that it may declare.
    fn types(self) -> &'static [&'static str] {
        match self {
            Self::Pipeline => &["string", "boolean", "integer", "enum"],
            Self::Executor => &["string", "boolean", "integer", "enum", "env_var_name"],
            Self::Command | Self::Job => &["string", "boolean", "integer", "enum", "executor", "steps", "env_var_name"],
        }
    }
}

/// One declaration.
#[derive(Clone, Debug)]
pub struct Parameter<'v> {
    pub kind: Kind,
    pub default: Option<Node<'v>>,
}

/// The declarations of an element.
#[derive(Clone, Debug, Default)]
pub struct Parameters<'v>(pub BTreeMap<&'v str, Parameter<'v>>);

impl<'v> Parameters<'v> {
    /// The declarations under the key `parameters`.
    pub fn of(element: &Node<'v>, kind: Element) -> Result<Self> {
        let Some(declarations) = element.get("parameters") else { return Ok(Self::default()) };
        let declarations = declarations.entries()?.into_iter();
        Ok(Self(declarations.map(|(name, node)| Ok((name, declared(name, &node, kind)?))).collect::<Result<_>>()?))
    }

    /// Whether these names are declared, and nothing is missing that has no default.
    pub fn fit(&self, names: &[&str], place: &Place) -> Result<()> {
        if let Some(name) = names.iter().find(|name| !self.0.contains_key(**name)) {
            let known = self.0.keys().copied().collect::<Vec<_>>().join(", ");
            let known = if known.is_empty() { "there are none".to_owned() } else { format!("there are {known}") };
            return place.refuse(format!("no parameter `{name}` is declared; {known}"));
        }
        let mut required = self.0.iter().filter(|(_, parameter)| parameter.default.is_none());
        match required.find(|(name, _)| !names.contains(*name)) {
            Some((name, _)) => place.refuse(format!("the argument `{name}` is missing, which has no default")),
            None => Ok(()),
        }
    }
}

fn declared<'v>(name: &str, node: &Node<'v>, element: Element) -> Result<Parameter<'v>> {
    let is_word = |text: &str| text.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter));
    if !name.starts_with(|first: char| first.is_ascii_alphabetic()) || !is_word(name) {
        return node.refuse("the name of a parameter is a letter, then letters, digits, `-` and `_`");
    }
    node.keys(&["type", "description", "default", "enum"], &["type"])?;
    node.optional_text("description")?;
    let kind = node.value["type"].as_str().unwrap_or_default();
    if !element.types().contains(&kind) {
        let types = element.types().join(", ");
        return node.refuse(format!("no type for a parameter here: {}; there are {types}", node.value["type"]));
    }
    let kind = match kind {
        "string" => Kind::String,
        "boolean" => Kind::Boolean,
        "integer" => Kind::Integer,
        "executor" => Kind::Executor,
        "steps" => Kind::Steps,
        "env_var_name" => Kind::EnvVarName,
        _ => {
            let Some(values) = node.get("enum") else { return node.refuse("the key `enum` is missing") };
            Kind::Enum(values.list()?.iter().map(|value| value.text().map(str::to_owned)).collect::<Result<_>>()?)
        }
    };
    if node.get("enum").is_some() && !matches!(kind, Kind::Enum(_)) {
        return node.refuse("the key `enum` belongs to the type enum");
    }
    let default = node.get("default");
    if let Some(default) = &default {
        kind.check(default)?;
    }
    Ok(Parameter { kind, default })
}

impl Kind {
    /// Whether a value that is known is one of this type.
    pub fn check(&self, node: &Node<'_>) -> Result<()> {
        let fits = match (self, node.value) {
            (Self::String, Value::String(_)) | (Self::Boolean, Value::Bool(_)) | (Self::Steps, Value::Array(_)) => true,
            (Self::Integer, Value::Number(number)) => number.is_i64(),
            (Self::Enum(values), Value::String(value)) => values.contains(value),
            (Self::EnvVarName, Value::String(name)) => is_variable(name),
            (Self::Executor, Value::String(name)) => !name.is_empty(),
            (Self::Executor, Value::Object(map)) => map.get("name").is_some_and(Value::is_string),
            _ => false,
        };
        if fits { Ok(()) } else { node.refuse(format!("expected {}, not {}", self.noun(), shown(node.value))) }
    }

    fn noun(&self) -> String {
        match self {
            Self::String => "a string".to_owned(),
            Self::Boolean => "a boolean".to_owned(),
            Self::Integer => "an integer".to_owned(),
            Self::Enum(values) => format!("one of {}", values.join(", ")),
            Self::Executor => "an executor".to_owned(),
            Self::Steps => "a list of steps".to_owned(),
            Self::EnvVarName => "the name of an environment variable".to_owned(),
        }
    }
}

/// A name as POSIX has it.
pub fn is_variable(name: &str) -> bool {
    let letters = name.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
    letters && !name.is_empty() && !name.starts_with(|first: char| first.is_ascii_digit())
}
