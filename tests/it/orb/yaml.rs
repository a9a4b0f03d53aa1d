//! YAML as CircleCI reads it, as far as configs here go: one document, no anchors, no tags.
//!
//! What different readers understand differently is refused: a key that is there twice, and words that are booleans to
//! YAML 1.1 and texts to YAML 1.2.

use saphyr_parser::{Event, Parser, ScalarStyle, Span};
use serde_json::{Map, Value, json};

/// Plain words that some readers take for booleans.
const DOUBTFUL: [&str; 4] = ["yes", "no", "on", "off"];

/// Reads one document; the error says in which line it is wrong.
pub fn read(text: &str) -> Result<Value, String> {
    let mut open: Vec<Open> = Vec::new();
    let mut read = None;
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(|error| format!("line {}: {}", error.marker().line(), error.info()))?;
        let wrong = |why: String| Err(format!("line {}: {why}", span.start.line()));
        let value = match event {
            Event::Scalar(text, style, 0, None) => scalar(&text, style).or_else(wrong)?,
            Event::SequenceStart(0, None) => {
                open.push(Open::List(Vec::new()));
                continue;
            }
            Event::MappingStart(0, None) => {
                open.push(Open::Map(Map::new(), None));
                continue;
            }
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(Open::List(list)) => Value::Array(list),
                Some(Open::Map(map, _)) => Value::Object(map),
                None => return wrong("an end without a beginning".to_owned()),
            },
            Event::DocumentStart(_) if read.is_some() => return wrong("a second document".to_owned()),
            Event::StreamStart | Event::StreamEnd | Event::DocumentStart(_) | Event::DocumentEnd | Event::Nothing => {
                continue;
            }
            Event::Scalar(..) | Event::SequenceStart(..) | Event::MappingStart(..) | Event::Alias(_) => {
                return wrong("an anchor or a tag, which this stand-in does not read".to_owned());
            }
        };
        match open.last_mut() {
            Some(within) => within.take(value, span)?,
            None => read = Some(value),
        }
    }
    read.ok_or_else(|| "nothing is there".to_owned())
}

/// What has begun and not ended.
enum Open {
    List(Vec<Value>),
    /// With the key that waits for its value.
    Map(Map<String, Value>, Option<String>),
}

impl Open {
    fn take(&mut self, value: Value, span: Span) -> Result<(), String> {
        match self {
            Self::List(list) => list.push(value),
            Self::Map(map, waiting) => match (waiting.take(), value) {
                (Some(key), value) => {
                    if map.insert(key.clone(), value).is_some() {
                        return Err(format!("line {}: the key `{key}` is there twice", span.start.line()));
                    }
                }
                (None, Value::String(key)) => *waiting = Some(key),
                (None, _) => return Err(format!("line {}: a key that is no text", span.start.line())),
            },
        }
        Ok(())
    }
}

fn scalar(text: &str, style: ScalarStyle) -> Result<Value, String> {
    if style != ScalarStyle::Plain {
        return Ok(json!(text));
    }
    if DOUBTFUL.contains(&text.to_ascii_lowercase().as_str()) {
        return Err(format!("`{text}` is a boolean to some and a text to others; put it in quotes"));
    }
    let is_number = text.starts_with(|first: char| first.is_ascii_digit() || first == '-');
    Ok(match text {
        "" | "~" | "null" => Value::Null,
        "true" => json!(true),
        "false" => json!(false),
        _ => match (text.parse::<i64>(), text.parse::<f64>()) {
            (Ok(number), _) if is_number => json!(number),
            (_, Ok(number)) if is_number => json!(number),
            _ => json!(text),
        },
    })
}

#[test]
fn values_have_the_types_that_circleci_gives_them() {
    let text = "a: [1, -2, 2.1, true, ~, 'true', \"2\", x y, 1.2.3, .5]\nb:\n  c: |\n    d\n    <<e\n  f: >-\n    g\n    h\ni:\n";
    let expected = json!({
        "a": [1, -2, 2.1, true, null, "true", "2", "x y", "1.2.3", ".5"],
        "b": { "c": "d\n<<e\n", "f": "g h" },
        "i": null,
    });
    assert_eq!(read(text).unwrap(), expected);
}

#[test]
fn what_is_doubtful_is_refused() {
    for (text, expected) in [
        ("a: 1\na: 2\n", "line 2: the key `a` is there twice"),
        ("a: yes\n", "line 1: `yes` is a boolean to some and a text to others; put it in quotes"),
        ("a: &b c\n", "line 1: an anchor or a tag, which this stand-in does not read"),
        ("a: !!str 1\n", "line 1: an anchor or a tag, which this stand-in does not read"),
        ("a: 1\n---\nb: 2\n", "line 2: a second document"),
        ("", "nothing is there"),
    ] {
        assert_eq!(read(text).unwrap_err(), expected, "{text}");
    }
    assert!(read("a: [1\n").unwrap_err().starts_with("line "));
}
