//! From elements and arguments to steps: commands are opened up, references filled in, branches taken.

use std::collections::BTreeMap;

use serde_json::Value;

use super::condition;
use super::node::{Node, Place, Result};
use super::parameters::{Argument, Element, Kind, Parameters};
use super::scope::Scope;
use super::source::Source;
use super::step::{Form, Run, Step, environment};
use super::template::{resolve, sole_reference};

const JOB: [&str; 14] = [
    "docker",
    "machine",
    "macos",
    "executor",
    "steps",
    "parameters",
    "description",
    "environment",
    "shell",
    "working_directory",
    "resource_class",
    "parallelism",
    "circleci_ip_ranges",
    "type",
];
const EXECUTOR: [&str; 9] = [
    "docker",
    "machine",
    "macos",
    "parameters",
    "description",
    "environment",
    "shell",
    "working_directory",
    "resource_class",
];
const DOCKER: [&str; 9] =
    ["image", "name", "entrypoint", "command", "user", "environment", "auth", "aws_auth", "gcp_auth"];
const MACHINES: [&str; 3] = ["docker", "machine", "macos"];

/// Where the steps of a job run, and what they find there.
#[derive(Clone, Debug, Default)]
pub struct Executor {
    pub environment: Vec<(String, Value)>,
    pub shell: Option<String>,
    pub working_directory: Option<String>,
}

/// A job with everything filled in; its executor's settings are overlaid by its own.
#[derive(Clone, Debug)]
pub struct Job {
    pub executor: Executor,
    pub steps: Vec<Step>,
}

/// Opens up elements. `calls` are the commands that are being opened up, the innermost last.
pub struct Expander<'p> {
    pub pipeline: &'p BTreeMap<String, Value>,
}

/// A namespace, and what its references mean.
#[derive(Clone, Copy)]
pub struct Within<'a, 'v> {
    pub source: &'a Source<'v>,
    pub scope: &'a Scope<'a>,
    pub calls: &'a [String],
}

impl Expander<'_> {
    /// A job as it is invoked, without the steps that the invocation adds.
    pub fn job(
        &self,
        name: &str,
        arguments: &BTreeMap<&str, Node<'_>>,
        within: Within<'_, '_>,
        place: &Place,
    ) -> Result<Job> {
        let (source, element) = within.source.find("jobs", name, place)?;
        element.keys(&JOB, &["steps"])?;
        let parameters = Parameters::of(&element, Element::Job)?;
        let scope = self.bind(&parameters, arguments, within, source, place)?;
        let inside = Within { source, scope: &scope, calls: within.calls };
        let mut executor = match element.get("executor") {
            Some(node) => self.executor(&node, inside)?,
            None if MACHINES.iter().any(|key| element.get(key).is_some()) => Executor::default(),
            None => return element.refuse("a job needs `docker`, `machine`, `macos` or `executor`"),
        };
        let own = settings(&element, &scope)?;
        executor.environment.extend(own.environment);
        executor.shell = own.shell.or(executor.shell);
        executor.working_directory = own.working_directory.or(executor.working_directory);
        let steps = element.get("steps").map_or(Ok(Vec::new()), |steps| self.steps(&steps, inside))?;
        if steps.is_empty() { element.refuse("no steps are left to run") } else { Ok(Job { executor, steps }) }
    }

    /// The steps of a list, one after another.
    pub fn steps(&self, list: &Node<'_>, within: Within<'_, '_>) -> Result<Vec<Step>> {
        if let Some(steps) = self.handed_in(list, within)? {
            return Ok(steps);
        }
        let mut steps = Vec::new();
        for item in list.list()? {
            match Form::of(&item)? {
                Form::Run(run) => {
                    let run_here = resolve(&run, within.scope)?;
                    steps.push(Step::Run(Run::read(&Node::new(&run_here, run.place))?));
                }
                Form::Builtin(name, arguments) => {
                    arguments.map(|arguments| resolve(&arguments, within.scope)).transpose()?;
                    steps.push(Step::Builtin(name.to_owned()));
                }
                Form::Branch(wanted, statement, inner) => {
                    condition::check(&statement)?;
                    let value = resolve(&statement, within.scope)?;
                    if condition::holds(&Node::new(&value, statement.place))? == wanted {
                        steps.extend(self.steps(&inner, within)?);
                    }
                }
                Form::Inner(inner) => match self.handed_in(&inner, within)? {
                    Some(inner) => steps.extend(inner),
                    None => return inner.refuse("here stands `<< parameters.x >>` with a parameter of type steps"),
                },
                Form::Call(name, arguments) => {
                    steps.extend(self.call(name, arguments.as_ref(), within, &item.place)?);
                }
            }
        }
        Ok(steps)
    }

    /// The steps that a parameter was given, if the node is one reference to such a parameter.
    fn handed_in(&self, node: &Node<'_>, within: Within<'_, '_>) -> Result<Option<Vec<Step>>> {
        let Some(name) = sole_reference(node)? else { return Ok(None) };
        match within.scope.get(&name, &node.place)? {
            Argument::Steps(steps) => Ok(Some(steps)),
            _ => node.refuse(format!("`{name}` is not of type steps")),
        }
    }

    fn call(
        &self,
        name: &str,
        arguments: Option<&Node<'_>>,
        within: Within<'_, '_>,
        place: &Place,
    ) -> Result<Vec<Step>> {
        let (source, element) = within.source.find("commands", name, place)?;
        let calls = [within.calls, &[element.place.to_string()]].concat();
        if within.calls.contains(&element.place.to_string()) {
            return place.refuse(format!("the command calls itself: {}", calls.join(" -> ")));
        }
        element.keys(&["description", "parameters", "steps"], &["steps"])?;
        let parameters = Parameters::of(&element, Element::Command)?;
        let arguments = arguments.map_or(Ok(Vec::new()), Node::entries)?.into_iter().collect();
        let scope = self.bind(&parameters, &arguments, within, source, place)?;
        let steps = element.get("steps").ok_or_else(|| element.place.refusal("no steps"))?;
        self.steps(&steps, Within { source, scope: &scope, calls: &calls })
    }

    /// Gives each parameter its argument, read where it was written, or its default, read where that is declared.
    fn bind<'s>(
        &'s self,
        parameters: &Parameters<'_>,
        given: &BTreeMap<&str, Node<'_>>,
        caller: Within<'_, '_>,
        callee: &Source<'_>,
        place: &Place,
    ) -> Result<Scope<'s>> {
        parameters.fit(&given.keys().copied().collect::<Vec<_>>(), place)?;
        let nothing = Scope { arguments: BTreeMap::new(), pipeline: caller.scope.pipeline };
        let at_home = Within { source: callee, scope: &nothing, calls: caller.calls };
        let mut arguments = BTreeMap::new();
        for (name, parameter) in &parameters.0 {
            let (node, within) = match (given.get(name), &parameter.default) {
                (Some(node), _) => (node, caller),
                (None, Some(default)) => (default, at_home),
                (None, None) => return place.refuse(format!("the argument `{name}` is missing")),
            };
            let argument = match parameter.kind {
                Kind::Steps => Argument::Steps(self.steps(node, within)?),
                Kind::Executor => Argument::Executor(self.executor(node, within)?),
                _ => {
                    let value = resolve(node, within.scope)?;
                    // What an author leaves open is checked once somebody gives it.
                    parameter.kind.check(&Node::new(&value, node.place.clone()))?;
                    Argument::Value(value)
                }
            };
            arguments.insert((*name).to_owned(), argument);
        }
        let pipeline = if callee.is_orb { NONE } else { self.pipeline };
        Ok(Scope { arguments, pipeline })
    }

    /// An executor by its name, by a map with its name and arguments, or by a parameter of that type.
    pub fn executor(&self, node: &Node<'_>, within: Within<'_, '_>) -> Result<Executor> {
        if let Some(name) = sole_reference(node)?
            && let Argument::Executor(executor) = within.scope.get(&name, &node.place)?
        {
            return Ok(executor);
        }
        let value = resolve(node, within.scope)?;
        let node = Node::new(&value, node.place.clone());
        Kind::Executor.check(&node)?;
        let name = value.as_str().or_else(|| value["name"].as_str()).unwrap_or_default();
        let (source, element) = within.source.find("executors", name, &node.place)?;
        element.keys(&EXECUTOR, &[])?;
        if MACHINES.iter().filter(|key| element.get(key).is_some()).count() != 1 {
            return element.refuse("an executor is one of `docker`, `machine` and `macos`");
        }
        let parameters = Parameters::of(&element, Element::Executor)?;
        let mut given: BTreeMap<_, _> =
            if value.is_object() { node.entries()?.into_iter().collect() } else { BTreeMap::new() };
        given.remove("name");
        let scope = self.bind(&parameters, &given, within, source, &node.place)?;
        settings(&element, &scope)
    }
}

/// No parameters of a pipeline.
pub const NONE: &BTreeMap<String, Value> = &BTreeMap::new();

/// What a job and an executor have in common, with its machine looked at.
fn settings(element: &Node<'_>, scope: &Scope<'_>) -> Result<Executor> {
    let mut filled = element.value.clone();
    if let Value::Object(map) = &mut filled {
        ["steps", "parameters", "executor", "description"].iter().for_each(|key| drop(map.remove(*key)));
    }
    let filled = resolve(&Node::new(&filled, element.place.clone()), scope)?;
    let filled = Node::new(&filled, element.place.clone());
    let mut variables = Vec::new();
    for (index, image) in filled.get("docker").map_or(Ok(Vec::new()), |images| images.list())?.iter().enumerate() {
        image.keys(&DOCKER, &["image"])?;
        if let Some(auth) = image.get("auth") {
            auth.keys(&["username", "password"], &["username", "password"])?;
        }
        // Steps run in the first one; the others are services beside it.
        if let Some(node) = image.get("environment").filter(|_| index == 0) {
            variables.extend(environment(&node)?);
        }
    }
    if let Some(machine) = filled.get("machine").filter(|machine| !machine.value.is_boolean()) {
        machine.keys(&["image", "docker_layer_caching", "resource_class"], &["image"])?;
    }
    variables.extend(filled.get("environment").map_or(Ok(Vec::new()), |node| environment(&node))?);
    Ok(Executor {
        environment: variables,
        shell: filled.optional_text("shell")?,
        working_directory: filled.optional_text("working_directory")?,
    })
}
