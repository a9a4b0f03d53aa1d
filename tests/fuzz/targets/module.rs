//! The messages of the Action's module, read by the module itself: JSON of whoever runs it.

use hublease::action::Module;
use hublease::effect::Outcome;
use hublease_protocol::secret::Secret;
use serde_json::Value;

use super::{is_harmless, repeats};

/// How the secrets of the corpus begin; nothing of ours does.
const SECRET_START: &str = "s3cret-";

/// What `begin` is given, whole. Broken inputs end the session with a sentence that repeats nothing of them; others are
/// refused in words that hold no variable's value, or begin a story.
pub fn inputs(input: &[u8]) {
    let text = &*String::from_utf8_lossy(input);
    for stage in ["login", "logout"] {
        let mut module = Module::default();
        let answer = read(&module.begin(stage, &Secret::new(text)));
        let Some((code, error)) = over(&answer) else {
            assert!(
                answer["setup"].is_object() && answer["ask"]["effect"] != Value::Null,
                "a beginning of another form"
            );
            continue;
        };
        // Nothing ran, so nothing can have succeeded, failed elsewhere or been stopped.
        assert!([2, 3, 6, 70].contains(&code), "{code}: {error}");
        assert!(!error.is_empty());
        is_shown(code, &error, text);
        // A value that the input has twice may be a name as well.
        let values = text.match_indices(SECRET_START).map(|(at, _)| secret(&text[at..]));
        for value in values.filter(|value| text.matches(value).count() == 1) {
            assert!(!error.contains(value), "{error:?}");
        }
        over_for_good(&mut module);
    }
}

/// A story at a broker: the first line holds the inputs, and each line after it is the outcome of what was asked last.
/// Only an outcome of the contract's form is taken, and it comes back as it was written. What was masked is not shown.
pub fn outcome(input: &[u8]) {
    let text = &*String::from_utf8_lossy(input);
    let mut lines = text.lines();
    let mut module = Module::default();
    let mut answer = read(&module.begin("login", &Secret::new(lines.next().unwrap_or_default())));
    let mut masked = Vec::new();
    for line in lines {
        if over(&answer).is_some() {
            break;
        }
        let outcome = serde_json::from_str::<Outcome>(line).ok();
        if let Some(outcome) = &outcome {
            let again = serde_json::to_string(outcome).unwrap();
            assert_eq!(serde_json::from_str::<Outcome>(&again).ok().as_ref(), Some(outcome));
        }
        answer = read(&module.advance(&Secret::new(line)));
        let effect = &answer["ask"]["effect"];
        masked.extend(effect["mask"].as_str().filter(|value| value.starts_with(SECRET_START)).map(str::to_owned));
        let mut shown = [&effect["say"]["text"], &effect["output"]["logged_in"]["text"]]
            .map(|text| text.as_str().unwrap_or_default().to_owned())
            .to_vec();
        if let Some((code, error)) = over(&answer) {
            assert!(outcome.is_some() || code == 70, "{code}: {error}");
            is_shown(code, &error, line);
            over_for_good(&mut module);
            shown.extend(error.lines().map(str::to_owned));
        }
        for text in &shown {
            assert!(is_harmless(text), "{text:?}");
            assert!(!masked.iter().any(|value| text.contains(value.as_str())), "{text:?}");
        }
    }
}

fn read(answer: &Secret) -> Value {
    serde_json::from_str(answer.expose()).unwrap()
}

/// The code and the sentence of an end, which goes with nothing else.
fn over(answer: &Value) -> Option<(u64, String)> {
    let over = answer.get("over")?;
    assert!(answer.get("ask").is_none() && answer.get("setup").is_none(), "an end, and more");
    Some((over["code"].as_u64().unwrap(), over["error"].as_str().unwrap_or_default().to_owned()))
}

/// What an end says of a message.
fn is_shown(code: u64, error: &str, message: &str) {
    assert!(error.lines().all(is_harmless), "{error:?}");
    // Our own fault, or a message that we could not read: in both cases its text has no place in what is shown.
    assert!(code != 70 || !repeats(error, message), "{error:?}");
}

/// The word at the beginning of `text`.
fn secret(text: &str) -> &str {
    let end = text.find(|next: char| !next.is_ascii_alphanumeric() && next != '-').unwrap_or(text.len());
    &text[..end]
}

fn over_for_good(module: &mut Module) {
    for answer in [module.advance(&Secret::new("\"done\"")), module.begin("login", &Secret::new("{}"))] {
        assert_eq!(over(&read(&answer)).map(|(code, _)| code), Some(70));
    }
}
