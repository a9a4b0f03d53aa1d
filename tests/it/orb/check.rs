//! What can be said about elements before anybody uses them, the branches that nobody takes included.

use std::collections::BTreeMap;

use serde_json::Value;

use super::expand::NONE;
use super::node::{Node, Result};
use super::parameters::{Element, Kind, Parameters};
use super::source::{SECTIONS, Source};
use super::step::Form;
use super::template::{references, sole_reference};
use super::{condition, scope};

/// Every element of a namespace, and of the orbs that it uses.
pub fn elements(source: &Source<'_>, pipeline: &BTreeMap<String, Value>) -> Result<()> {
    let pipeline = if source.is_orb { NONE } else { pipeline };
    for section in SECTIONS {
        let kind = match section {
            "commands" => Element::Command,
            "jobs" => Element::Job,
            _ => Element::Executor,
        };
        for (_, element) in source.elements(section)? {
            let parameters = Parameters::of(&element, kind)?;
            for (key, value) in element.entries()? {
                if !matches!(key, "parameters" | "description") {
                    scope::check(&value, &parameters, pipeline)?;
                }
            }
            if let Some(list) = element.get("steps") {
                steps(&list, source, &parameters)?;
            }
            element.get("executor").map_or(Ok(()), |node| executor(&node, source))?;
            for parameter in parameters.0.values() {
                match (&parameter.kind, &parameter.default) {
                    (Kind::Steps, Some(default)) => steps(default, source, &Parameters::default())?,
                    (Kind::Executor, Some(default)) => executor(default, source)?,
                    _ => {}
                }
            }
        }
    }
    source.orbs.values().try_for_each(|orb| elements(orb, pipeline))
}

/// The steps of a list: names, keys, and arguments that are known already.
pub fn steps(list: &Node<'_>, source: &Source<'_>, parameters: &Parameters<'_>) -> Result<()> {
    if is_steps_parameter(list, parameters)? {
        return Ok(());
    }
    for item in list.list()? {
        match Form::of(&item)? {
            Form::Run(_) | Form::Builtin(..) => {}
            Form::Branch(_, statement, inner) => {
                condition::check(&statement)?;
                steps(&inner, source, parameters)?;
            }
            Form::Inner(inner) => {
                if !is_steps_parameter(&inner, parameters)? {
                    return inner.refuse("here stands `<< parameters.x >>` with a parameter of type steps");
                }
            }
            Form::Call(name, arguments) => {
                let (_, command) = source.find("commands", name, &item.place)?;
                let declared = Parameters::of(&command, Element::Command)?;
                let given = arguments.map_or(Ok(Vec::new()), |arguments| arguments.entries())?;
                declared.fit(&given.iter().map(|(name, _)| *name).collect::<Vec<_>>(), &item.place)?;
                for (name, argument) in given {
                    match &declared.0[name].kind {
                        Kind::Steps => steps(&argument, source, parameters)?,
                        kind if is_known(&argument)? => kind.check(&argument)?,
                        _ => {}
                    }
                }
            }
        }
    }
    Ok(())
}

/// An executor that is named is there.
fn executor(node: &Node<'_>, source: &Source<'_>) -> Result<()> {
    match node.value.as_str().or_else(|| node.value["name"].as_str()) {
        Some(name) if references(name, &node.place)?.is_empty() => {
            source.find("executors", name, &node.place).map(drop)
        }
        _ => Ok(()),
    }
}

fn is_steps_parameter(node: &Node<'_>, parameters: &Parameters<'_>) -> Result<bool> {
    let Some(name) = sole_reference(node)? else { return Ok(false) };
    let parameter = name.strip_prefix("parameters.").and_then(|name| parameters.0.get(name));
    match parameter {
        Some(parameter) if matches!(parameter.kind, Kind::Steps) => Ok(true),
        _ => node.refuse(format!("`{name}` is not a parameter of type steps")),
    }
}

fn is_known(node: &Node<'_>) -> Result<bool> {
    match node.value {
        Value::String(text) => Ok(references(text, &node.place)?.is_empty()),
        Value::Array(_) | Value::Object(_) => Ok(false),
        _ => Ok(true),
    }
}
