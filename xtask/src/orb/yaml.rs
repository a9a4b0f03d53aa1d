//! YAML as far as an orb needs it: one mapping in a file, with nothing in it that two readers take for two things.

use saphyr::{LoadableYamlNode, YamlEmitter};
use saphyr_parser::{Event, Parser, ScalarStyle};

/// A value; the texts in it are those of the file.
pub(crate) type Yaml<'a> = saphyr::Yaml<'a>;
pub(super) type Mapping<'a> = saphyr::Mapping<'a>;

/// Booleans to readers of YAML 1.1, and words to readers of YAML 1.2.
const AMBIGUOUS: [&str; 4] = ["yes", "no", "on", "off"];

/// Reads a file that holds one mapping.
///
/// # Errors
/// A sentence with the line: it is no YAML, or something in it is ambiguous.
pub(crate) fn read<'a>(name: &str, text: &'a str) -> Result<Yaml<'a>, String> {
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| format!("{name}: {error}"))?;
        if let Some(what) = ambiguous(&event) {
            return Err(format!("{name}:{}: {what}", span.start.line()));
        }
    }
    let documents = Yaml::load_from_str(text).map_err(|error| format!("{name}: {error}"))?;
    let [document] = <[Yaml<'_>; 1]>::try_from(documents)
        .map_err(|documents| format!("{name}: {} documents, there must be one", documents.len()))?;
    if document.is_mapping() { Ok(document) } else { Err(format!("{name}: the file must hold a mapping")) }
}

/// What is wrong with an event, if anything is.
fn ambiguous(event: &Event<'_>) -> Option<String> {
    match event {
        Event::Alias(_) => Some("aliases are not used here, since anchors may or may not cross files".to_owned()),
        Event::Scalar(_, _, _, Some(_)) | Event::SequenceStart(_, Some(_)) | Event::MappingStart(_, Some(_)) => {
            Some("tags are not used here".to_owned())
        }
        Event::Scalar(word, ScalarStyle::Plain, ..) if word == "<<" => Some("merge keys are not used here".to_owned()),
        Event::Scalar(word, ScalarStyle::Plain, ..)
            if AMBIGUOUS.iter().any(|other| word.eq_ignore_ascii_case(other)) =>
        {
            Some(format!("`{word}` is a boolean to some and a word to others: quote it"))
        }
        Event::Scalar(word, ScalarStyle::Plain, ..) if word.is_empty() => {
            Some("there is no value here; write `\"\"`, `[]` or `{}`".to_owned())
        }
        _ => None,
    }
}

/// The text of a value: always the same for the same value, with texts of several lines as literal blocks.
pub(crate) fn write(value: &Yaml<'_>) -> Result<String, String> {
    let mut text = String::new();
    let mut emitter = YamlEmitter::new(&mut text);
    emitter.multiline(true);
    emitter.dump(value).map_err(|error| format!("the orb cannot be written: {error}"))?;
    let body = text.strip_prefix("---\n").unwrap_or(&text).trim_end();
    // The emitter indents the empty lines of a literal block; without the indentation they are the same value.
    Ok(body.lines().map(|line| if line.trim().is_empty() { "\n".to_owned() } else { format!("{line}\n") }).collect())
}

/// A text as a value.
pub(super) fn word<'a>(text: impl Into<String>) -> Yaml<'a> {
    Yaml::scalar_from_string(text.into())
}

#[cfg(test)]
mod tests {
    use super::{read, write};

    #[test]
    fn what_two_readers_take_for_two_things_is_refused() {
        for (text, reason) in [
            ("a: yes\n", "x.yml:1: `yes` is a boolean to some and a word to others: quote it"),
            ("a:\n  - Off\n", "x.yml:2: `Off` is a boolean to some and a word to others: quote it"),
            ("on: push\n", "x.yml:1: `on` is a boolean to some and a word to others: quote it"),
            ("a: &b 1\nc: *b\n", "x.yml:2: aliases are not used here, since anchors may or may not cross files"),
            ("a: !!str 1\n", "x.yml:1: tags are not used here"),
            ("<<: {a: b}\n", "x.yml:1: merge keys are not used here"),
            ("a:\n", "x.yml:1: there is no value here; write `\"\"`, `[]` or `{}`"),
            ("a: 1\n---\nb: 2\n", "x.yml: 2 documents, there must be one"),
            ("- a\n", "x.yml: the file must hold a mapping"),
            ("", "x.yml: 0 documents, there must be one"),
        ] {
            assert_eq!(read("x.yml", text).unwrap_err(), reason, "{text}");
        }
        for text in ["a: b\na: c\n", "a: [\n", "a: {b: 1, b: 2}\n"] {
            assert!(read("x.yml", text).unwrap_err().starts_with("x.yml: "), "{text}");
        }
    }

    #[test]
    fn what_is_written_reads_as_what_was_read() {
        let text = "b: 2.1\na: \"yes\"\nc:\n  - d: \"1\"\n    e: true\n  - |\n    first\n      second << x\n\n    third\nf: \"\"\n";
        let written = write(&read("x.yml", text).unwrap()).unwrap();
        assert_eq!(written, text);
        let script = "s: |\n  #!/bin/sh\n  \techo 'a' \"b\" \\<< $c\nlast: x\n";
        assert_eq!(write(&read("x.yml", script).unwrap()).unwrap(), script);
    }
}
