//! A whole config: its workflows with their jobs, in the order in which they run.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::orb::expand::{Expander, Job, NONE, Within};
use crate::orb::node::{Node, Place, Result};
use crate::orb::parameters::{Element, Parameters};
use crate::orb::scope::{self, Scope};
use crate::orb::source::{Orb, Source};
use crate::orb::step::reruns;
use crate::orb::template::resolve;
use crate::orb::{check, condition};

/// Keys of an invocation that are not arguments of the job.
const INVOCATION: [&str; 9] =
    ["name", "requires", "context", "filters", "type", "matrix", "pre-steps", "post-steps", "serial-group"];

/// How a job ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    Success,
    Failed,
    Canceled,
    NotRun,
}

/// What `requires` takes: every status that this stand-in can bring about, and the one that it cannot.
const STATUSES: [(&str, &[Status]); 6] = [
    ("success", &[Status::Success]),
    ("failed", &[Status::Failed]),
    ("not_run", &[Status::NotRun]),
    ("terminal", &[Status::Success, Status::Failed, Status::Canceled, Status::NotRun]),
    ("canceled", &[Status::Canceled]),
    ("unauthorized", &[]),
];

/// A workflow.
#[derive(Debug)]
pub struct Workflow {
    pub jobs: Vec<Invocation>,
    pub reruns: u64,
}

/// A job of a workflow.
#[derive(Debug)]
pub struct Invocation {
    pub name: String,
    pub job: Job,
    pub requires: Vec<(String, Vec<Status>)>,
}

impl Invocation {
    /// Whether it runs, by how those before it ended.
    pub fn is_due(&self, ended: &BTreeMap<String, Status>) -> bool {
        self.requires.iter().all(|(name, wanted)| ended.get(name).is_some_and(|status| wanted.contains(status)))
    }
}

/// Reads a config as CircleCI would: everything in it is checked, its workflows are opened up.
pub fn read(config: &Value, published: &[Orb<'_>]) -> Result<Vec<Workflow>> {
    let source = Source::config(config, published)?;
    let pipeline = defaults(&source.root)?;
    check::elements(&source, &pipeline)?;
    let Some(workflows) = source.root.get("workflows") else { return source.root.refuse("there are no workflows") };
    let scope = Scope { arguments: BTreeMap::new(), pipeline: &pipeline };
    let within = Within { source: &source, scope: &scope, calls: &[] };
    let mut found = Vec::new();
    for (_, node) in workflows.entries()?.into_iter().filter(|(name, _)| *name != "version") {
        scope::check(&node, &Parameters::default(), &pipeline)?;
        node.keys(&["jobs", "when", "unless", "max_auto_reruns", "triggers"], &["jobs"])?;
        let workflow = workflow(&node, within)?;
        if is_wanted(&node, &scope)? {
            found.push(workflow);
        }
    }
    Ok(found)
}

/// The parameters of the pipeline, which nobody changes here.
fn defaults(root: &Node<'_>) -> Result<BTreeMap<String, Value>> {
    let parameters = Parameters::of(root, Element::Pipeline)?;
    let defaults = parameters.0.into_iter().map(|(name, parameter)| {
        let default = parameter.default.ok_or_else(|| {
            root.place.key("parameters").key(name).refusal("a parameter of the pipeline needs a default")
        })?;
        Ok((name.to_owned(), default.value.clone()))
    });
    defaults.collect()
}

fn is_wanted(node: &Node<'_>, scope: &Scope<'_>) -> Result<bool> {
    for (key, wanted) in [("when", true), ("unless", false)] {
        if let Some(statement) = node.get(key) {
            condition::check(&statement)?;
            let value = resolve(&statement, scope)?;
            if condition::holds(&Node::new(&value, statement.place))? != wanted {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

fn workflow(node: &Node<'_>, within: Within<'_, '_>) -> Result<Workflow> {
    let list = node.get("jobs").map_or(Ok(Vec::new()), |jobs| jobs.list())?;
    let jobs = list.iter().map(|item| invocation(item, within)).collect::<Result<Vec<_>>>()?;
    for (index, job) in jobs.iter().enumerate() {
        if jobs[..index].iter().any(|other| other.name == job.name) {
            return list[index].refuse(format!("two jobs are called `{}`; give one a `name`", job.name));
        }
        if let Some((required, _)) = job.requires.iter().find(|(name, _)| jobs.iter().all(|job| job.name != *name)) {
            return list[index].refuse(format!("`requires` names no job of this workflow: `{required}`"));
        }
    }
    let reruns = node.get("max_auto_reruns").map_or(Ok(0), |node| reruns(&node))?;
    Ok(Workflow { jobs: in_order(jobs, &node.place)?, reruns })
}

/// Each job after those that it requires.
fn in_order(mut waiting: Vec<Invocation>, place: &Place) -> Result<Vec<Invocation>> {
    let mut ordered: Vec<Invocation> = Vec::new();
    while !waiting.is_empty() {
        let is_ready =
            |job: &Invocation| job.requires.iter().all(|(name, _)| ordered.iter().any(|before| before.name == *name));
        let Some(next) = waiting.iter().position(is_ready) else {
            return place.refuse(format!("`requires` goes round in a circle at `{}`", waiting[0].name));
        };
        ordered.push(waiting.remove(next));
    }
    Ok(ordered)
}

fn invocation(item: &Node<'_>, within: Within<'_, '_>) -> Result<Invocation> {
    let (job, given) = match item.value {
        Value::String(name) => (name.as_str(), None),
        _ => match item.entries()?.as_slice() {
            [(name, node)] => (*name, Some(node.clone()).filter(|node| !node.value.is_null())),
            _ => return item.refuse("a job of a workflow is a name, or a map of one name"),
        },
    };
    let mut arguments: BTreeMap<_, _> = given.as_ref().map_or(Ok(Vec::new()), Node::entries)?.into_iter().collect();
    let mut own: BTreeMap<_, _> = INVOCATION.iter().filter_map(|key| Some((*key, arguments.remove(key)?))).collect();
    for key in ["matrix", "type", "serial-group"] {
        if let Some(node) = own.remove(key) {
            return node.refuse(format!("this stand-in knows no `{key}`"));
        }
    }
    let expander = Expander { pipeline: if within.source.is_orb { NONE } else { within.scope.pipeline } };
    let mut opened = expander.job(job, &arguments, within, &item.place)?;
    if let Some(list) = own.get("pre-steps") {
        check::steps(list, within.source, &Parameters::default())?;
        opened.steps.splice(..0, expander.steps(list, within)?);
    }
    if let Some(list) = own.get("post-steps") {
        check::steps(list, within.source, &Parameters::default())?;
        opened.steps.extend(expander.steps(list, within)?);
    }
    let name = own.get("name").map_or(Ok(job), Node::text)?.to_owned();
    Ok(Invocation { name, job: opened, requires: own.get("requires").map_or(Ok(Vec::new()), requires)? })
}

fn requires(node: &Node<'_>) -> Result<Vec<(String, Vec<Status>)>> {
    let mut required = Vec::new();
    for item in node.list()? {
        if let Value::String(name) = item.value {
            required.push((name.clone(), vec![Status::Success]));
            continue;
        }
        for (name, wanted) in item.entries()? {
            let one = vec![wanted.clone()];
            let words = if wanted.value.is_array() { wanted.list()? } else { one };
            let mut statuses = Vec::new();
            for word in words {
                let known = STATUSES.iter().find(|(known, _)| word.value == *known);
                statuses.extend(known.map_or_else(|| word.refuse("no status of a job"), |(_, known)| Ok(*known))?);
            }
            required.push((name.to_owned(), statuses));
        }
    }
    Ok(required)
}
