//! The whole demo, as it is told where there is no docker CLI, whose own words would differ from version to version. It is
//! compared with `xtask/expected/demo.txt`.

#[path = "../../../tests/it/transcripts/golden.rs"]
mod golden;
#[path = "../../../tests/it/transcripts/variable.rs"]
mod variable;

use std::env;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use hublease_sandbox::CONNECTION_ID;

use self::golden::Said;
use super::tell;
use crate::binaries::Binaries;
use crate::terminal::Terminal;

/// The variable as `cargo xtask test` sets it.
fn program(variable: &str) -> PathBuf {
    let value = env::var_os(variable);
    value.map(PathBuf::from).unwrap_or_else(|| panic!("{variable} is not set: run the tests by `cargo xtask test`"))
}

/// A line without the time that it took, as `spell` writes it.
fn untimed(line: &str) -> String {
    let is_number = |word: &str| word.parse::<f64>().is_ok();
    let is_time = |text: &str| match text.split(' ').collect::<Vec<_>>()[..] {
        [number, "ms" | "s"] => is_number(number),
        [minutes, "min", seconds, "s"] => is_number(minutes) && is_number(seconds),
        _ => false,
    };
    match line.strip_suffix(')').and_then(|line| line.rsplit_once('(')) {
        Some((before, text)) if is_time(text) => format!("{before}(<duration>)"),
        _ => line.to_owned(),
    }
}

#[test]
fn the_demo_says_what_its_file_holds() {
    let binaries = Binaries {
        client: program("HUBLEASE_BIN"),
        broker: program("HUBLEASE_BROKER_BIN"),
        sandbox: program("HUBLEASE_SANDBOX_BIN"),
    };
    let said = Arc::new(Mutex::new(String::new()));
    let page = Arc::clone(&said);
    let terminal = Terminal::to(move |text| page.lock().unwrap().push_str(text));
    let told = tell(&binaries, None, &terminal);
    let stdout: String = said.lock().unwrap().lines().map(|line| untimed(line) + "\n").collect();
    let code = i32::from(told.is_err());
    let said = Said { line: "cargo xtask demo".to_owned(), stdout, stderr: String::new(), code };
    let known = vec![(CONNECTION_ID.to_owned(), "<connection-id>".to_owned())];
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("expected/demo.txt");
    let difference = golden::difference(&file, &variable::named(known, &said.transcript()));
    let differs = difference.is_some();
    assert!(!differs, "{}\nIf that is meant: HUBLEASE_BLESS=1 writes the file anew.", difference.unwrap_or_default());
}

#[test]
fn only_a_time_at_the_end_is_left_out() {
    for (line, left) in [
        ("  $ hublease login  (412 ms)", "  $ hublease login  (<duration>)"),
        ("up (8.3 s)", "up (<duration>)"),
        ("up (2 min 05 s)", "up (<duration>)"),
        ("until then (15 min)", "until then (15 min)"),
        ("dckr_… (36 characters)", "dckr_… (36 characters)"),
        ("(412 ms) later", "(412 ms) later"),
    ] {
        assert_eq!(untimed(line), left);
    }
}
