//! The table of parameters in docs/circleci.md, made from the source of the orb.
//!
//! Several commands have a parameter in common. It is one row, so it must be declared alike everywhere; but where a job
//! runs depends on what it does, so each default of an executor has a row.

use std::fmt::Write;

use super::pack::{Orb, Part};
use super::yaml::Yaml;

/// The type of a parameter that says where a job runs.
const EXECUTOR: &str = "executor";

/// A parameter, and the commands that take it.
struct ParameterRow {
    name: String,
    kind: String,
    default: String,
    description: String,
    commands: Vec<String>,
}

/// The table, as Markdown.
///
/// # Errors
/// A sentence: two commands declare a parameter differently.
pub(super) fn table(orb: &Orb<'_>) -> Result<String, String> {
    let mut rows: Vec<ParameterRow> = Vec::new();
    for part in orb.parts.iter().filter(|part| part.section == "commands" || part.section == "jobs") {
        for row in rows_of(part) {
            let is_same = |other: &&mut ParameterRow| {
                other.name == row.name && (row.kind != EXECUTOR || other.default == row.default)
            };
            match rows.iter_mut().find(is_same) {
                None => rows.push(row),
                Some(other) if (&other.kind, &other.default) != (&row.kind, &row.default) => {
                    return Err(format!(
                        "{}: `{}` is declared otherwise than in {}",
                        part.place(),
                        row.name,
                        other.commands[0]
                    ));
                }
                Some(other) if other.description != row.description => {
                    return Err(format!(
                        "{}: `{}` is described otherwise than in {}",
                        part.place(),
                        row.name,
                        other.commands[0]
                    ));
                }
                Some(other) => other.commands.extend(row.commands),
            }
        }
    }
    rows.sort_by(|one, other| one.name.cmp(&other.name));
    let mut text = "| parameter | what it is | type | default | of |\n| --- | --- | --- | --- | --- |\n".to_owned();
    for ParameterRow { name, kind, default, description, commands } in &rows {
        // Writing to a `String` cannot fail.
        let _ = writeln!(text, "| `{name}` | {description} | {kind} | {default} | {} |", commands.join(", "));
    }
    Ok(text)
}

fn rows_of(part: &Part<'_>) -> Vec<ParameterRow> {
    let parameters = part.value.as_mapping_get("parameters").and_then(|parameters| parameters.as_mapping());
    let text = |value: Option<&Yaml<'_>>| match value {
        Some(value) => value.as_str().map(str::to_owned).unwrap_or_else(|| plain(value)),
        None => "required".to_owned(),
    };
    let row = |(name, value): (&Yaml<'_>, &Yaml<'_>)| {
        let words = value.as_mapping_get("enum").and_then(|words| words.as_sequence());
        let words: Vec<_> = words.into_iter().flatten().filter_map(|word| word.as_str()).collect();
        let kind = value.as_mapping_get("type").and_then(|kind| kind.as_str()).unwrap_or_default();
        Some(ParameterRow {
            name: name.as_str()?.to_owned(),
            kind: if words.is_empty() { kind.to_owned() } else { words.join(", ") },
            default: text(value.as_mapping_get("default")),
            description: text(value.as_mapping_get("description")),
            commands: vec![part.name.clone()],
        })
    };
    parameters.into_iter().flatten().filter_map(row).collect()
}

/// A number or a boolean, as it is written.
fn plain(value: &Yaml<'_>) -> String {
    match (value.as_bool(), value.as_integer()) {
        (Some(value), _) => value.to_string(),
        (_, Some(value)) => value.to_string(),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::table;
    use crate::orb::pack::Orb;
    use crate::orb::source::OrbSource;

    fn made(b: &str) -> Result<String, String> {
        let a = "parameters:\n  wait:\n    type: boolean\n    default: true\n    description: Wait.\n  what:\n    \
                 type: enum\n    enum: [x, z]\n    description: What.\n";
        let source = OrbSource::of(&[("@orb.yml", "version: 2.1\n"), ("commands/a.yml", a), ("jobs/b.yml", b)]);
        table(&Orb::read(&source).unwrap())
    }

    #[test]
    fn a_parameter_is_one_row_however_many_commands_take_it() {
        let b = "parameters:\n  wait:\n    type: boolean\n    default: true\n    description: Wait.\n";
        let expected = "| parameter | what it is | type | default | of |\n| --- | --- | --- | --- | --- |\n\
                        | `wait` | Wait. | boolean | true | a, b |\n| `what` | What. | x, z | required | a |\n";
        assert_eq!(made(b).unwrap(), expected);
    }

    #[test]
    fn a_job_has_an_executor_of_its_own() {
        let b = |default: &str| {
            format!("parameters:\n  place:\n    type: executor\n    default: {default}\n    description: Where.\n")
        };
        let (machine, docker) = (b("machine"), b("docker"));
        let source =
            OrbSource::of(&[("@orb.yml", "version: 2.1\n"), ("jobs/a.yml", &machine), ("jobs/b.yml", &docker)]);
        let table = table(&Orb::read(&source).unwrap()).unwrap();
        let rows: Vec<_> = table.lines().skip(2).collect();
        let row = |default, job| format!("| `place` | Where. | executor | {default} | {job} |");
        assert_eq!(rows, [row("machine", "a"), row("docker", "b")]);
    }

    #[test]
    fn a_parameter_is_declared_alike_everywhere() {
        let b = "parameters:\n  wait:\n    type: boolean\n    default: false\n    description: Wait.\n";
        assert_eq!(made(b).unwrap_err(), "jobs/b: `wait` is declared otherwise than in a");
        let b = "parameters:\n  wait:\n    type: boolean\n    default: true\n    description: Hurry.\n";
        assert_eq!(made(b).unwrap_err(), "jobs/b: `wait` is described otherwise than in a");
    }
}
