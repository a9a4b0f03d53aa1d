//! Whatever is out of turn, not of the contract's form or too large ends the session with 70 and a sentence.

use std::fs;

use hublease::action::Module;
use hublease_protocol::secret::Secret;

use super::{MARK, TEN_MEGABYTES, begun, given, is_refused};
use crate::support::module::{Code, Limits};

/// Outcomes, none of which answers the first effect, and what is said of each. `MARK` in them is a secret.
fn outcomes() -> Vec<(String, &'static str)> {
    let mut outcomes: Vec<(String, _)> = [
        ("", "line 1, column 0"),
        ("\0", "line 1"),
        ("{", "line 1"),
        ("\"MARK\"", "line 1, column"),
        ("{\"docker\": {\"MARK\": 1}}", "line 1"),
        ("{\"docker\": {\"exit\": {\"code\": \"MARK\", \"message\": \"\"}}}", "line 1"),
        ("{\"docker\": {\"exit\": {\"code\": 99999999999, \"message\": \"MARK\"}}}", "line 1"),
        ("{\n\"now\": \"MARK\"}", "line 2"),
        ("{\"now\": -1}", "line 1"),
        ("{\"now\": 1}{\"now\": 1}", "line 1"),
        // Of another host.
        ("{\"child\": \"running\"}", "line 1"),
        // Of the form, but no answer to what was asked.
        ("\"done\"", "answers nothing"),
        ("{\"now\": 5}", "answers nothing"),
        ("{\"text\": \"MARK\"}", "answers nothing"),
        ("{\"token\": {\"Ok\": \"MARK\"}}", "answers nothing"),
        ("{\"token\": {\"Err\": \"MARK\"}}", "answers nothing"),
        ("{\"http\": {\"Err\": \"cut\"}}", "answers nothing"),
        ("{\"http\": {\"Ok\": {\"status\": 200, \"body\": \"MARK\"}}}", "answers nothing"),
        ("{\"config\": {\"Err\": \"malformed\"}}", "answers nothing"),
        ("{\"record\": {\"Ok\": []}}", "answers nothing"),
    ]
    .map(|(outcome, text)| (outcome.replace("MARK", MARK), text))
    .to_vec();
    outcomes.push(("[".repeat(200_000), "line 1"));
    outcomes.push((format!("\"{}\"", MARK.repeat(TEN_MEGABYTES / MARK.len())), "larger than 8 MiB"));
    // As large as may be, and no more than text.
    outcomes.push((format!("{{\"text\": \"{}\"}}", MARK.repeat(500_000)), "answers nothing"));
    outcomes
}

#[test]
fn nonsense_ends_the_session_with_a_sentence() {
    for code in Code::both() {
        let mut idle = code.start(Limits::default());
        let answer = idle.advance("\"done\"");
        is_refused(&idle, answer, "out of turn");
        let answer = idle.begin("login", &given().json());
        is_refused(&idle, answer, "a second beginning");
        for (inputs, text) in [
            (String::new(), "line 1, column 0"),
            (format!("{{\"inputs\": \"{MARK}\"}}"), "line 1, column"),
            (format!("{{\"inputs\": {{}}, \"environment\": {{}}, \"{MARK}\": 1}}"), "line 1, column"),
            (" ".repeat(TEN_MEGABYTES), "larger than 8 MiB"),
        ] {
            let mut guest = code.start(Limits::default());
            let answer = guest.begin("login", &inputs);
            is_refused(&guest, answer, text);
        }
        for stage in ["", "exec", MARK] {
            let mut guest = code.start(Limits::default());
            let answer = guest.begin(stage, &given().json());
            is_refused(&guest, answer, "stage");
        }
        for (outcome, text) in outcomes() {
            let mut guest = begun(&code, Limits::default());
            let answer = guest.advance(&outcome);
            is_refused(&guest, answer, text);
            // The end is the end, whatever comes then.
            let answer = guest.advance("{\"docker\": \"slow\"}");
            is_refused(&guest, answer, "out of turn");
            let answer = guest.begin("login", &given().json());
            is_refused(&guest, answer, "a second beginning");
        }
    }
}

/// The corpora of the fuzz targets, which break the library's own module in every way that is known.
#[test]
fn it_answers_every_message_of_the_corpora_as_the_library_does() {
    let codes = Code::both();
    let corpus = |name: &str| {
        let folder = format!("{}/tests/fuzz/corpus/{name}", env!("CARGO_MANIFEST_DIR"));
        let files = fs::read_dir(folder).unwrap().map(|entry| fs::read_to_string(entry.unwrap().path()).unwrap());
        files.collect::<Vec<String>>()
    };
    let inputs = corpus("inputs").into_iter().map(|inputs| (inputs, Vec::new()));
    let outcomes = corpus("outcome").into_iter().map(|text| {
        let (inputs, outcomes) = text.split_once('\n').unwrap();
        (inputs.to_owned(), outcomes.lines().map(str::to_owned).collect())
    });
    for (inputs, outcomes) in inputs.chain(outcomes) {
        for stage in ["login", "logout"] {
            let mut library = Module::default();
            let mut guests = codes.each_ref().map(|code| code.start(Limits::default()));
            let expected = library.begin(stage, &Secret::new(inputs.as_str()));
            for guest in &mut guests {
                assert_eq!(guest.begin(stage, &inputs).unwrap(), expected.expose());
            }
            for outcome in &outcomes {
                let expected = library.advance(&Secret::new(outcome.as_str()));
                for guest in &mut guests {
                    assert_eq!(guest.advance(outcome).unwrap(), expected.expose(), "{inputs}\n{outcome}");
                }
            }
        }
    }
}
