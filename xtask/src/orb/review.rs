//! The rules of review that CircleCI's orb-tools apply to an orb, those that need no network: RC001 to RC005 and RC008 to
//! RC012. Two of them are held to more strictly than there: an example names this very version, and a parameter is used.

use super::pack::{Orb, Part};
use super::yaml::Yaml;

/// RC005: a shorter description does not help whoever searches.
const SHORTEST_DESCRIPTION: usize = 64;
/// RC009: a longer command belongs into a script.
const LONGEST_COMMAND: usize = 64;
/// What the examples call the orb.
const SLUG: &str = "hublease/dockerhub@";

/// What a reviewer would object to, each with its rule and place.
pub(super) fn check(orb: &Orb<'_>, version: &str) -> Vec<String> {
    let mut findings = root(orb);
    for part in &orb.parts {
        let of_part =
            [described(part), named(part), steps(part), versions(part, version), cache_keys(part), parameters(part)];
        findings.extend(of_part.into_iter().flatten().map(|finding| format!("{}: {finding}", part.place())));
    }
    findings
}

fn root(orb: &Orb<'_>) -> Vec<String> {
    let root = Yaml::Mapping(orb.root.clone());
    let source = root.as_mapping_get("display").and_then(|display| display.as_mapping_get("source_url"));
    let description = root.as_mapping_get("description").and_then(|text| text.as_str()).unwrap_or_default();
    let mut findings = Vec::new();
    if source.and_then(|url| url.as_str()).is_none_or(|url| !url.starts_with("https://")) {
        findings.push("RC001: display has no source_url".to_owned());
    }
    if !orb.parts.iter().any(|part| part.section == "examples") {
        findings.push("RC003: there is no example".to_owned());
    }
    if description.len() < SHORTEST_DESCRIPTION {
        findings.push(format!("RC005: the description is shorter than {SHORTEST_DESCRIPTION} characters"));
    }
    findings
}

/// RC002.
fn described(part: &Part<'_>) -> Vec<String> {
    let text = part.value.as_mapping_get("description").and_then(|text| text.as_str()).unwrap_or_default();
    if text.trim().is_empty() { vec!["RC002: there is no description".to_owned()] } else { Vec::new() }
}

/// RC004 and RC010.
fn named(part: &Part<'_>) -> Vec<String> {
    let is_snake = |name: &str| {
        name.starts_with(|first: char| first.is_ascii_lowercase())
            && name.chars().all(|other| other.is_ascii_lowercase() || other.is_ascii_digit() || other == '_')
    };
    let mut findings = Vec::new();
    if part.section == "examples" && part.name.contains("example") {
        findings.push("RC004: the name of an example says what it is for, not that it is one".to_owned());
    }
    if !is_snake(&part.name) {
        findings.push("RC010: the name is not in snake_case".to_owned());
    }
    let wrong = declared(part).into_iter().filter(|(name, _)| !is_snake(name));
    findings.extend(wrong.map(|(name, _)| format!("RC010: the parameter `{name}` is not in snake_case")));
    findings
}

/// RC008 and RC009, in every step of an orb, however deep.
fn steps(part: &Part<'_>) -> Vec<String> {
    let mut findings = Vec::new();
    if part.section == "examples" {
        return findings;
    }
    visit(&part.value, &mut |key, value| {
        if key != "run" {
            return;
        }
        let text = |key: &str| value.as_mapping_get(key).and_then(|text| text.as_str()).unwrap_or_default();
        if text("name").is_empty() {
            findings.push("RC008: a run step has no name".to_owned());
        }
        let command = value.as_str().unwrap_or_else(|| text("command"));
        if command.len() > LONGEST_COMMAND && !command.contains("include(") {
            findings.push(format!("RC009: a command is longer than {LONGEST_COMMAND} characters: include a script"));
        }
    });
    findings
}

/// RC011: an example that is copied must work with the orb that it came with.
fn versions(part: &Part<'_>, version: &str) -> Vec<String> {
    if part.section != "examples" {
        return Vec::new();
    }
    let orbs = part.value.as_mapping_get("usage").and_then(|usage| usage.as_mapping_get("orbs")?.as_mapping());
    let names: Vec<_> = orbs.into_iter().flatten().filter_map(|(_, orb)| orb.as_str()).collect();
    let wanted = format!("{SLUG}{version}");
    if names.contains(&wanted.as_str()) { Vec::new() } else { vec![format!("RC011: it does not use {wanted}")] }
}

/// RC012: the name of a cache is not expanded, so the default `$VAR` would be the same for everybody.
fn cache_keys(part: &Part<'_>) -> Vec<String> {
    let defaults = declared(part).into_iter().filter(|(_, value)| {
        value.as_mapping_get("default").and_then(|text| text.as_str()).is_some_and(|text| text.contains('$'))
    });
    let expanded: Vec<String> = defaults.map(|(name, _)| name).collect();
    let mut findings = Vec::new();
    visit(&part.value, &mut |key, value| {
        for name in references(value.as_str().unwrap_or_default()) {
            if key == "key" && expanded.iter().any(|other| other == name) {
                findings.push(format!("RC012: the default of `{name}` would reach a `key` unexpanded"));
            }
        }
    });
    findings
}

/// Every parameter that is used is declared, and every one that is declared is described and used.
fn parameters(part: &Part<'_>) -> Vec<String> {
    if part.section == "examples" {
        return Vec::new();
    }
    let declared = declared(part);
    let mut used = Vec::new();
    visit(&part.value, &mut |_, value| used.extend(references(value.as_str().unwrap_or_default()).map(str::to_owned)));
    let undeclared = used.iter().filter(|name| !declared.iter().any(|(other, _)| other == *name));
    let mut findings: Vec<_> = undeclared.map(|name| format!("the parameter `{name}` is not declared")).collect();
    for (name, value) in &declared {
        if !used.contains(name) {
            findings.push(format!("the parameter `{name}` is not used"));
        }
        if value.as_mapping_get("description").is_none() {
            findings.push(format!("the parameter `{name}` has no description"));
        }
    }
    findings
}

fn declared<'a>(part: &'a Part<'_>) -> Vec<(String, &'a Yaml<'a>)> {
    let parameters = part.value.as_mapping_get("parameters").and_then(|parameters| parameters.as_mapping());
    let parameters = parameters.into_iter().flatten();
    parameters.filter_map(|(name, value)| Some((name.as_str()?.to_owned(), value))).collect()
}

/// Names in `<< parameters.NAME >>`.
fn references(text: &str) -> impl Iterator<Item = &str> {
    text.split("<<").skip(1).filter_map(|rest| {
        let (inner, _) = rest.split_once(">>")?;
        inner.trim().strip_prefix("parameters.")
    })
}

/// Shows every key with its value, and every entry of a list with an empty key.
fn visit(value: &Yaml<'_>, look: &mut impl FnMut(&str, &Yaml<'_>)) {
    match value {
        Yaml::Mapping(mapping) => {
            for (key, inner) in mapping {
                look(key.as_str().unwrap_or_default(), inner);
                visit(inner, look);
            }
        }
        Yaml::Sequence(list) => {
            for inner in list {
                look("", inner);
                visit(inner, look);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::check;
    use crate::orb::pack::Orb;
    use crate::orb::source::OrbSource;

    const ROOT: &str = "version: 2.1\ndescription: An orb that is here for a test, and says so in more than enough words.\n\
                        display:\n  source_url: https://example.com\n";
    const COMMAND: &str = "description: d\nsteps:\n  - run:\n      name: n\n      command: c\n";
    const EXAMPLE: &str = "description: d\nusage:\n  orbs:\n    dockerhub: hublease/dockerhub@1.2.3\n";

    /// An orb without a fault, and one file in place of its own.
    fn findings(path: &str, text: &str) -> Vec<String> {
        let mut source =
            OrbSource::of(&[("@orb.yml", ROOT), ("commands/a.yml", COMMAND), ("examples/push.yml", EXAMPLE)]);
        source.files.insert(path.to_owned(), text.to_owned());
        check(&Orb::read(&source).unwrap(), "1.2.3")
    }

    #[test]
    fn each_rule_finds_its_fault() {
        let run = |step: &str| format!("description: d\nsteps:\n  - when:\n      steps:\n        - run: {step}\n");
        let long = "x".repeat(65);
        let parameter = |name: &str, rest: &str| {
            format!(
                "description: d\nparameters:\n  {name}:\n    description: d\n    type: string\n    default: $A\n{rest}"
            )
        };
        let cached = "steps:\n  - save_cache:\n      key: v1-<< parameters.p >>\n";
        for (path, text, finding) in [
            ("commands/a.yml", COMMAND.to_owned(), None),
            ("@orb.yml", ROOT.replace("source_url", "home_url"), Some("RC001: ")),
            ("commands/a.yml", COMMAND.replace("description: d\n", ""), Some("commands/a: RC002: ")),
            ("examples/push.yml", EXAMPLE.replace("description: d\n", ""), Some("examples/push: RC002: ")),
            ("examples/an_example.yml", EXAMPLE.to_owned(), Some("examples/an_example: RC004: ")),
            ("@orb.yml", ROOT.replace("in more than enough words", ""), Some("RC005: ")),
            ("commands/a.yml", run("{command: c}"), Some("commands/a: RC008: ")),
            ("commands/a.yml", run("c"), Some("commands/a: RC008: ")),
            ("commands/a.yml", run(&format!("{{name: n, command: {long}}}")), Some("commands/a: RC009: ")),
            ("commands/a-b.yml", COMMAND.to_owned(), Some("commands/a-b: RC010: ")),
            ("commands/a.yml", parameter("a-b", "x: << parameters.a-b >>\n"), Some("commands/a: RC010: ")),
            ("examples/push.yml", EXAMPLE.replace("1.2.3", "1.2.2"), Some("examples/push: RC011: ")),
            ("examples/push.yml", EXAMPLE.replace("1.2.3", "1.2"), Some("examples/push: RC011: ")),
            ("commands/a.yml", parameter("p", cached), Some("commands/a: RC012: ")),
            ("commands/a.yml", parameter("p", ""), Some("commands/a: the parameter `p` is not used")),
            (
                "commands/a.yml",
                COMMAND.to_owned() + "x: << parameters.p >>\n",
                Some("commands/a: the parameter `p` is not declared"),
            ),
        ] {
            let found = findings(path, &text);
            match finding {
                Some(start) => assert!(found.len() == 1 && found[0].starts_with(start), "{path}: {text}: {found:?}"),
                None => assert!(found.is_empty(), "{found:?}"),
            }
        }
    }

    #[test]
    fn an_orb_without_an_example_is_found() {
        let source = OrbSource::of(&[("@orb.yml", ROOT), ("commands/a.yml", COMMAND)]);
        assert_eq!(check(&Orb::read(&source).unwrap(), "1.2.3"), ["RC003: there is no example"]);
    }
}
