//! Logic statements, as `when` and `unless` take them: `and`, `or`, `not`, `equal`, `matches`, or a plain value.

use std::process::{Command, Stdio};

use serde_json::Value;

use super::node::{Node, Result};
use super::template;
use crate::support::machine::which;

const OPERATORS: [&str; 5] = ["and", "or", "not", "equal", "matches"];

/// Whether it is a statement at all, before its references are filled in.
pub fn check(node: &Node<'_>) -> Result<()> {
    match node.value {
        // CircleCI also reads expressions there (`pipeline.git.branch == "main"`).
        Value::String(text) if !text.is_empty() && template::references(text, &node.place)?.is_empty() => {
            node.refuse("a text that refers to nothing: this stand-in reads logic statements, and no expressions")
        }
        Value::Object(_) => {
            let entries = node.entries()?;
            let [(operator, operand)] = entries.as_slice() else {
                return node.refuse(format!("a logic statement has one operator of {}", OPERATORS.join(", ")));
            };
            match *operator {
                "and" | "or" => operand.list()?.iter().try_for_each(check),
                "not" => check(operand),
                "equal" => operand.list().map(drop),
                "matches" => operand.keys(&["pattern", "value"], &["pattern", "value"]),
                _ => node.refuse(format!("no operator `{operator}`; there are {}", OPERATORS.join(", "))),
            }
        }
        Value::Array(_) => node.expected("a logic statement"),
        _ => Ok(()),
    }
}

/// What a statement comes to, all references filled in.
pub fn holds(node: &Node<'_>) -> Result<bool> {
    let Value::Object(_) = node.value else { return Ok(is_true(node.value)) };
    let entries = node.entries()?;
    let [(operator, operand)] = entries.as_slice() else { return check(node).map(|()| false) };
    let each = || operand.list()?.iter().map(holds).collect::<Result<Vec<_>>>();
    Ok(match *operator {
        // Without an operand every operator is false.
        "and" => each().map(|all| !all.is_empty() && all.iter().all(|holds| *holds))?,
        "or" => each()?.contains(&true),
        "not" => !holds(operand)?,
        "equal" => {
            let all = operand.list()?;
            all.first().is_some_and(|first| all.iter().all(|other| other.value == first.value))
        }
        "matches" => {
            let text =
                |key: &str| operand.get(key).map_or_else(|| operand.refuse("a key is missing"), |node| node.text());
            matches(text("pattern")?, text("value")?)
        }
        _ => return check(node).map(|()| false),
    })
}

/// The whole value, by the system's extended regular expressions; CircleCI's are Java's.
fn matches(pattern: &str, value: &str) -> bool {
    let mut grep = Command::new(which("grep").unwrap());
    let grep = grep.args(["-Eqxe", pattern]).env_clear().stdin(Stdio::piped()).stderr(Stdio::null());
    let mut child = grep.spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), value.as_bytes()).unwrap();
    child.wait().unwrap().success()
}

fn is_true(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(value) => *value,
        Value::Number(number) => number.as_f64().is_some_and(|number| number != 0.0),
        Value::String(text) => !text.is_empty(),
        Value::Array(_) | Value::Object(_) => true,
    }
}

#[test]
fn a_statement_is_true_or_false() {
    use super::node::Place;
    use super::yaml;

    for (statement, expected) in [
        ("true", true),
        ("false", false),
        ("~", false),
        ("''", false),
        ("0", false),
        ("3", true),
        ("x", true),
        ("and: []", false),
        ("or: []", false),
        ("equal: []", false),
        ("and: [true, x, 1]", true),
        ("and: [true, '']", false),
        ("or: [false, x]", true),
        ("or: [false, 0]", false),
        ("not: ''", true),
        ("not: {and: [true, true]}", false),
        ("equal: [a, a, a]", true),
        ("equal: [a, b]", false),
        ("equal: ['1', 1]", false),
        ("matches: {pattern: '^v[0-9]+$', value: v12}", true),
        ("matches: {pattern: 'v[0-9]', value: v12}", false),
        ("or: [{equal: [a, b]}, {not: {matches: {pattern: a, value: b}}}]", true),
    ] {
        let value = yaml::read(statement).unwrap();
        assert_eq!(holds(&Node::new(&value, Place::new("x"))).unwrap(), expected, "{statement}");
    }
}
