//! `<< parameters.x >>`: what may be named, and what is put in its place.
//!
//! A value that is one reference and nothing else keeps its type; inside of a longer text it becomes text. What was put
//! in is not looked at again. `\<<` is `<<`, and an `<<` that does not end is refused.

use serde_json::Value;

use super::node::{Node, Place, Result};
use super::parameters::Argument;
use super::scope::Scope;

/// A piece of a text.
#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Reference(String),
}

/// The names of everything that a text refers to.
pub fn references(text: &str, place: &Place) -> Result<Vec<String>> {
    let pieces = pieces(text, place)?.into_iter();
    Ok(pieces
        .filter_map(|piece| match piece {
            Piece::Reference(name) => Some(name),
            Piece::Text(_) => None,
        })
        .collect())
}

/// The name that a value refers to, if it is one reference and nothing else.
pub fn sole_reference(node: &Node<'_>) -> Result<Option<String>> {
    let Value::String(text) = node.value else { return Ok(None) };
    let mut pieces = pieces(text, &node.place)?;
    match pieces.pop() {
        Some(Piece::Reference(name)) if pieces.is_empty() => Ok(Some(name)),
        _ => Ok(None),
    }
}

/// A value with every reference below it filled in.
pub fn resolve(node: &Node<'_>, scope: &Scope<'_>) -> Result<Value> {
    Ok(match node.value {
        Value::String(text) => resolve_text(text, &node.place, scope)?,
        Value::Array(_) => Value::Array(node.list()?.iter().map(|item| resolve(item, scope)).collect::<Result<_>>()?),
        Value::Object(_) => {
            let entries = node.entries()?.into_iter();
            Value::Object(
                entries.map(|(key, value)| Ok((key.to_owned(), resolve(&value, scope)?))).collect::<Result<_>>()?,
            )
        }
        other => other.clone(),
    })
}

fn resolve_text(text: &str, place: &Place, scope: &Scope<'_>) -> Result<Value> {
    let pieces = pieces(text, place)?;
    if let [Piece::Reference(name)] = pieces.as_slice() {
        return plain(name, scope.get(name, place)?, place);
    }
    let mut whole = String::new();
    for piece in pieces {
        match piece {
            Piece::Text(text) => whole.push_str(&text),
            Piece::Reference(name) => match plain(&name, scope.get(&name, place)?, place)? {
                Value::String(text) => whole.push_str(&text),
                other => whole.push_str(&other.to_string()),
            },
        }
    }
    Ok(Value::String(whole))
}

/// Steps and executors have places of their own, where they are looked up before it comes to this.
fn plain(name: &str, argument: Argument, place: &Place) -> Result<Value> {
    match argument {
        Argument::Value(value) => Ok(value),
        Argument::Steps(_) => place.refuse(format!("`{name}` is of type steps, which cannot stand here")),
        Argument::Executor(_) => place.refuse(format!("`{name}` is of type executor, which cannot stand here")),
    }
}

fn pieces(text: &str, place: &Place) -> Result<Vec<Piece>> {
    let mut pieces = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("<<") {
        let (before, after) = (&rest[..at], &rest[at + 2..]);
        if let Some(before) = before.strip_suffix('\\') {
            plain.push_str(before);
            plain.push_str("<<");
            rest = after;
            continue;
        }
        let Some((name, after)) = after.split_once(">>") else {
            return place.refuse("an `<<` that no `>>` ends; write `\\<<` if it is meant as it stands");
        };
        plain.push_str(before);
        if !plain.is_empty() {
            pieces.push(Piece::Text(std::mem::take(&mut plain)));
        }
        pieces.push(Piece::Reference(name.trim().to_owned()));
        rest = after;
    }
    plain.push_str(rest);
    if !plain.is_empty() || pieces.is_empty() {
        pieces.push(Piece::Text(plain));
    }
    Ok(pieces)
}

#[test]
fn a_text_falls_into_pieces() {
    let (text, reference) = (|text: &str| Piece::Text(text.into()), |name: &str| Piece::Reference(name.into()));
    for (given, expected) in [
        ("", vec![text("")]),
        ("a", vec![text("a")]),
        ("<<a.b>>", vec![reference("a.b")]),
        ("<< a.b >>", vec![reference("a.b")]),
        ("c<<  a.b>>d", vec![text("c"), reference("a.b"), text("d")]),
        ("<<a>><<b>>", vec![reference("a"), reference("b")]),
        (r"cat \<<EOF >> <<a>>", vec![text("cat <<EOF >> "), reference("a")]),
        (r"\<<\<<", vec![text("<<<<")]),
    ] {
        assert_eq!(pieces(given, &Place::new("x")).unwrap(), expected, "{given}");
    }
    let refusal = pieces("cat <<EOF", &Place::new("x")).unwrap_err();
    assert_eq!(refusal.to_string(), "x: an `<<` that no `>>` ends; write `\\<<` if it is meant as it stands");
}
