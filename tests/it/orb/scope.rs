//! What `<< … >>` may name in one element: its own parameters, and the values of the pipeline.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::node::{Node, Place, Result};
use super::parameters::{Argument, Parameters};
use super::template;

/// The values of a pipeline that this stand-in has, under the names that CircleCI gives them.
pub const PIPELINE: [(&str, &str); 7] = [
    ("pipeline.id", "3e9f40b2-5d7a-402e-ac60-9f3d4cbe6004"),
    ("pipeline.project.git_url", "https://github.com/acme/app"),
    ("pipeline.project.type", "github"),
    ("pipeline.git.branch", "main"),
    ("pipeline.git.tag", ""),
    ("pipeline.git.revision", "5f3a1c0de2b4968778695a4b3c2d1e0f9a8b7c6d"),
    ("pipeline.trigger_source", "webhook"),
];

/// The one that is a number.
const NUMBER: &str = "pipeline.number";

const PARAMETER: &str = "parameters.";
const PIPELINE_PARAMETER: &str = "pipeline.parameters.";

/// Everything that has a value.
#[derive(Debug)]
pub struct Scope<'p> {
    pub arguments: BTreeMap<String, Argument>,
    /// Parameters of the pipeline; none inside of an orb, which cannot see them.
    pub pipeline: &'p BTreeMap<String, Value>,
}

impl Scope<'_> {
    pub fn get(&self, name: &str, place: &Place) -> Result<Argument> {
        let value = if let Some(name) = name.strip_prefix(PARAMETER) {
            return self.arguments.get(name).cloned().ok_or_else(|| undeclared(name, place));
        } else if let Some(name) = name.strip_prefix(PIPELINE_PARAMETER) {
            self.pipeline.get(name).cloned().ok_or_else(|| undeclared(name, place))?
        } else if name == NUMBER {
            json!(42)
        } else {
            let known = PIPELINE.iter().find(|(known, _)| *known == name);
            known.map(|(_, value)| json!(value)).ok_or_else(|| unknown(name, place))?
        };
        Ok(Argument::Value(value))
    }
}

/// Every reference below a node is to something that is there, in branches that are not taken as well.
pub fn check(node: &Node<'_>, parameters: &Parameters<'_>, pipeline: &BTreeMap<String, Value>) -> Result<()> {
    match node.value {
        Value::String(text) => template::references(text, &node.place)?.iter().try_for_each(|name| {
            let found = if let Some(name) = name.strip_prefix(PARAMETER) {
                return if parameters.0.contains_key(name) { Ok(()) } else { Err(undeclared(name, &node.place)) };
            } else if let Some(name) = name.strip_prefix(PIPELINE_PARAMETER) {
                return if pipeline.contains_key(name) { Ok(()) } else { Err(undeclared(name, &node.place)) };
            } else {
                name == NUMBER || PIPELINE.iter().any(|(known, _)| known == name)
            };
            if found { Ok(()) } else { Err(unknown(name, &node.place)) }
        }),
        Value::Array(_) => node.list()?.iter().try_for_each(|item| check(item, parameters, pipeline)),
        Value::Object(_) => node.entries()?.into_iter().try_for_each(|(key, value)| {
            if key.contains("<<") {
                return node.refuse(format!("a reference cannot be a key: `{key}`"));
            }
            check(&value, parameters, pipeline)
        }),
        _ => Ok(()),
    }
}

fn undeclared(name: &str, place: &Place) -> super::node::Refusal {
    place.refusal(format!("the parameter `{name}` is not declared"))
}

fn unknown(name: &str, place: &Place) -> super::node::Refusal {
    place.refusal(format!("`<< {name} >>` names nothing that is known here"))
}
