//! The rules of packing: which file becomes which key, and how a script gets into a step.
//!
//! Read from both generations of CircleCI's command line, 0.1 and 1. What they do alike is done here; where they differ,
//! the source is refused, with the reason.

use super::source::OrbSource;
use super::yaml::{Mapping, Yaml, read, word};

/// Directories that become keys of the orb.
pub(super) const SECTIONS: [&str; 4] = ["executors", "commands", "jobs", "examples"];
/// Keys of the root; generation 0.1 drops any other without a word.
const ROOT: [&str; 4] = ["version", "description", "display", "orbs"];
/// An include that neither generation would resolve stays in the text of a description, or of an example.
const WITHOUT_INCLUDES: &str = "examples";

/// The source, read but with its includes still in place.
pub(super) struct Orb<'a> {
    pub(super) root: Mapping<'a>,
    pub(super) parts: Vec<Part<'a>>,
}

/// A command, job, executor or example.
pub(super) struct Part<'a> {
    pub(super) section: &'static str,
    pub(super) name: String,
    pub(super) value: Yaml<'a>,
}

impl Part<'_> {
    /// Where it is, for a reader of messages.
    pub(super) fn place(&self) -> String {
        format!("{}/{}", self.section, self.name)
    }
}

impl<'a> Orb<'a> {
    /// # Errors
    /// A sentence that names the file.
    pub(super) fn read(source: &'a OrbSource) -> Result<Self, String> {
        if !source.files.contains_key("@orb.yml") {
            return Err("there is no @orb.yml".to_owned());
        }
        let mut orb = Self { root: Mapping::new(), parts: Vec::new() };
        let is_yaml = |path: &&String| path.ends_with(".yml") || path.ends_with(".yaml");
        for path in source.files.keys().filter(is_yaml) {
            let value = read(path, &source.files[path])?;
            match path.split('/').collect::<Vec<_>>().as_slice() {
                [file] if file.starts_with('@') => orb.add_root(path, value)?,
                [section, file] => orb.add_part(path, section, file, value)?,
                [_] => return Err(format!("{path}: only a file that begins with `@` is merged at the root by both")),
                _ => return Err(format!("{path}: one generation ignores what lies deeper, the other does not")),
            }
        }
        let order = |part: &Part<'_>| SECTIONS.iter().position(|section| *section == part.section);
        orb.parts.sort_by(|one, other| order(one).cmp(&order(other)).then_with(|| one.name.cmp(&other.name)));
        Ok(orb)
    }

    fn add_root(&mut self, path: &str, value: Yaml<'a>) -> Result<(), String> {
        let Yaml::Mapping(mapping) = value else { return Err(format!("{path}: no mapping")) };
        for (key, value) in mapping {
            let name = key.as_str().unwrap_or_default();
            if !ROOT.contains(&name) {
                return Err(format!("{path}: `{name}` is no key of the root; commands and the like have directories"));
            }
            refuse_includes(&value, path)?;
            if self.root.insert(key.clone(), value).is_some() {
                return Err(format!("{path}: `{name}` is there twice"));
            }
        }
        Ok(())
    }

    fn add_part(&mut self, path: &str, folder: &str, file: &str, value: Yaml<'a>) -> Result<(), String> {
        let Some(section) = SECTIONS.into_iter().find(|section| *section == folder) else {
            return Err(format!("{path}: one generation makes a key `{folder}` of it, the other ignores it"));
        };
        if file.starts_with(['@', '.']) {
            return Err(format!("{path}: one generation merges or skips it, the other makes a key of it"));
        }
        let name = file.rsplit_once('.').map_or(file, |(stem, _)| stem).to_owned();
        if self.parts.iter().any(|part| part.section == section && part.name == name) {
            return Err(format!("{path}: {section} has a `{name}` already"));
        }
        if section == WITHOUT_INCLUDES {
            refuse_includes(&value, path)?;
        }
        self.parts.push(Part { section, name, value });
        Ok(())
    }
}

/// The whole orb as one value, with every include replaced.
///
/// # Errors
/// A sentence that names the place.
pub(super) fn resolve<'a>(orb: &Orb<'a>, source: &OrbSource) -> Result<Yaml<'a>, String> {
    let mut packed = orb.root.clone();
    for section in SECTIONS {
        let mut entries = Mapping::new();
        for part in orb.parts.iter().filter(|part| part.section == section) {
            let mut value = part.value.clone();
            if section != WITHOUT_INCLUDES {
                replace(&mut value, source).map_err(|why| format!("{}: {why}", part.place()))?;
            }
            entries.insert(word(&part.name), value);
        }
        if !entries.is_empty() {
            packed.insert(word(section), Yaml::Mapping(entries));
        }
    }
    Ok(Yaml::Mapping(packed))
}

fn replace(value: &mut Yaml<'_>, source: &OrbSource) -> Result<(), String> {
    match value {
        Yaml::Mapping(mapping) => mapping.iter_mut().try_for_each(|(_, inner)| replace(inner, source)),
        Yaml::Sequence(list) => list.iter_mut().try_for_each(|inner| replace(inner, source)),
        other => {
            let Some(path) = other.as_str().map(included).transpose()?.flatten() else { return Ok(()) };
            let text = source.files.get(path).ok_or_else(|| format!("there is no file `{path}` to include"))?;
            // The configuration's own `<<` begins a parameter; a here-document must not.
            *other = word(text.replace("<<", "\\<<"));
            Ok(())
        }
    }
}

/// The path that a text includes; none if it includes nothing.
fn included(text: &str) -> Result<Option<&str>, String> {
    if !mentions_include(text) {
        return Ok(None);
    }
    let inner = text.strip_prefix("<<").and_then(|rest| rest.strip_suffix(">>")).map(str::trim);
    let path = inner.and_then(|inner| inner.strip_prefix("include(")?.strip_suffix(')'));
    let Some(path) = path.filter(|path| !path.contains("include(")) else {
        return Err(format!("one generation takes an include as a whole value only: `{text}`"));
    };
    let is_known = |character: char| character.is_ascii_alphanumeric() || "-_/.".contains(character);
    if !path.chars().all(is_known)
        || path.starts_with('/')
        || path.split('/').any(|step| matches!(step, "" | "." | ".."))
    {
        return Err(format!("`{path}` leads out of the source, or is no plain path"));
    }
    Ok(Some(path))
}

/// Whether a text has an include anywhere, `<< include(` with any white space.
fn mentions_include(text: &str) -> bool {
    text.split("<<").skip(1).any(|rest| rest.trim_start().starts_with("include("))
}

fn refuse_includes(value: &Yaml<'_>, path: &str) -> Result<(), String> {
    match value {
        Yaml::Mapping(mapping) => mapping.values().try_for_each(|inner| refuse_includes(inner, path)),
        Yaml::Sequence(list) => list.iter().try_for_each(|inner| refuse_includes(inner, path)),
        other if other.as_str().is_some_and(mentions_include) => {
            Err(format!("{path}: includes are resolved in executors, commands and jobs only"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::{Orb, resolve};
    use crate::orb::source::OrbSource;
    use crate::orb::yaml::write;

    fn pack(files: &[(&str, &str)]) -> Result<String, String> {
        let root = [("@orb.yml", "version: 2.1\n")];
        let has_root = files.iter().any(|(name, _)| name.starts_with("@orb"));
        let files = if has_root { files.to_vec() } else { [&root, files].concat() };
        let source = OrbSource::of(&files);
        write(&resolve(&Orb::read(&source)?, &source)?)
    }

    #[test]
    fn a_file_becomes_a_key_and_the_order_is_always_the_same() {
        let files = [
            ("@orb.yml", "version: 2.1\ndescription: d\n"),
            ("@more.yml", "display:\n  home_url: h\n"),
            ("README.md", "not YAML"),
            ("commands/b.yml", "steps: []\n"),
            ("commands/a.yaml", "steps: []\n"),
            ("executors/x.yml", "machine: true\n"),
        ];
        let expected = "display:\n  home_url: h\nversion: 2.1\ndescription: d\nexecutors:\n  x:\n    machine: true\n\
                        commands:\n  a:\n    steps: []\n  b:\n    steps: []\n";
        assert_eq!(pack(&files).unwrap(), expected);
    }

    #[test]
    fn a_script_is_included_with_its_double_angles_escaped() {
        let script = "cat <<'END'\nx << parameters.y >>\nEND\n";
        for include in ["<<include(scripts/a.sh)>>", "<< include(scripts/a.sh) >>"] {
            let command = format!("steps:\n  - run:\n      command: {include}\n");
            let packed = pack(&[("commands/a.yml", &command), ("scripts/a.sh", script)]).unwrap();
            let expected = "version: 2.1\ncommands:\n  a:\n    steps:\n      - run:\n          command: |\n            \
                            cat \\<<'END'\n            x \\<< parameters.y >>\n            END\n";
            assert_eq!(packed, expected);
        }
    }

    #[test]
    fn what_the_generations_take_differently_is_refused() {
        let include = |text: &str| format!("steps:\n  - run: \"{text}\"\n");
        let whole = "one generation takes an include as a whole value only: ";
        let out = "leads out of the source, or is no plain path";
        for (path, text, reason) in [
            ("tests/a.yml", "a: 1\n".to_owned(), "one generation makes a key `tests` of it, the other ignores it"),
            ("more.yml", "a: 1\n".to_owned(), "only a file that begins with `@` is merged at the root by both"),
            ("commands/aws/a.yml", "a: 1\n".to_owned(), "one generation ignores what lies deeper, the other does not"),
            ("commands/@a.yml", "a: 1\n".to_owned(), "one generation merges or skips it, the other makes a key of it"),
            ("commands/.a.yml", "a: 1\n".to_owned(), "one generation merges or skips it, the other makes a key of it"),
            ("@more.yml", "commands: {}\n".to_owned(), "is no key of the root; commands and the like have directories"),
            ("@more.yml", "version: 2.1\n".to_owned(), "`version` is there twice"),
            ("@more.yml", "description: << include(a) >>\n".to_owned(), "in executors, commands and jobs only"),
            ("examples/a.yml", include("<<include(s.sh)>>"), "in executors, commands and jobs only"),
            ("commands/a.yml", include("x <<include(s.sh)>>"), whole),
            ("commands/a.yml", include("<<include(s.sh)>> <<include(s.sh)>>"), whole),
            ("commands/a.yml", include("<<include(s.sh>>"), whole),
            ("commands/a.yml", include("<<include(../s.sh)>>"), out),
            ("commands/a.yml", include("<<include(/s.sh)>>"), out),
            ("commands/a.yml", include("<<include(a b)>>"), out),
            ("commands/a.yml", include("<<include(missing.sh)>>"), "there is no file `missing.sh` to include"),
        ] {
            let error = pack(&[(path, &text), ("s.sh", "true\n")]).unwrap_err();
            assert!(error.contains(reason), "{path}: {text}: {error}");
        }
    }

    #[test]
    fn a_name_is_there_once_and_the_root_is_there() {
        let twice = pack(&[("jobs/a.yml", "steps: []\n"), ("jobs/a.yaml", "steps: []\n")]).unwrap_err();
        assert_eq!(twice, "jobs/a.yml: jobs has a `a` already");
        assert_eq!(pack(&[("@orb.yaml", "version: 2.1\n")]).unwrap_err(), "there is no @orb.yml");
    }
}
