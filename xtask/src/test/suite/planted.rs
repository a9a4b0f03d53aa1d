//! What the harness is for, planted: a test that hangs, one that leaves a process behind, one that fails and leaves one, and
//! one that depends on who comes first. The real runner runs them with our configuration, under the real guard.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::{env, fs};

use crate::test::soak::failures;

/// The configuration of the repository; only the deadline of the hanging test is shorter.
const CONFIG: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../.config/nextest.toml"));
const SHORT: &str = "
[[profile.default.overrides]]
filter = 'test(hangs)'
slow-timeout = { period = \"1s\", terminate-after = 1, grace-period = \"1s\" }
";

/// `sleep` in a session of its own, which no kill of a process group reaches; its number is how it is found again.
const TESTS: &str = r#"
use std::process::Command;

fn leave(seconds: &str) {
    let left = Command::new("setsid").args(["sleep", seconds]).spawn().unwrap();
    std::mem::forget(left);
}

#[test]
fn passes() {}

#[test]
fn hangs() {
    leave("@1");
    loop {
        std::thread::park();
    }
}

#[test]
fn passes_and_leaves_a_process() {
    leave("@2");
}

#[test]
fn fails_and_leaves_a_process() {
    leave("@3");
    panic!("planted");
}

#[test]
fn depends_on_who_comes_first() {
    let mark = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("somebody-was-here");
    let is_first = std::fs::OpenOptions::new().write(true).create_new(true).open(mark).is_ok();
    assert!(is_first, "somebody else came first");
}
"#;

/// The variable as `cargo xtask test` sets it.
fn path(variable: &str) -> PathBuf {
    let value = env::var_os(variable);
    value.map(PathBuf::from).unwrap_or_else(|| panic!("{variable} is not set: run the tests by `cargo xtask test`"))
}

fn run(folder: &Path) -> Output {
    let guard = serde_json::json!([path("HUBLEASE_XTASK"), "guard"]);
    Command::new(path("HUBLEASE_NEXTEST"))
        .args(["nextest", "run", "--offline", "--config", &format!("target.'cfg(all())'.runner={guard}")])
        .current_dir(folder)
        .env("CARGO_TARGET_DIR", folder.join("target"))
        .output()
        .unwrap()
}

/// The living processes that sleep for so long.
fn sleepers(seconds: &str) -> usize {
    let line = format!("sleep\0{seconds}\0");
    let lines = fs::read_dir("/proc").unwrap().flatten().map(|entry| fs::read(entry.path().join("cmdline")));
    lines.filter(|read| read.as_ref().is_ok_and(|bytes| bytes == line.as_bytes())).count()
}

#[test]
#[cfg(target_os = "linux")]
fn what_hangs_is_ended_and_named_and_no_process_is_left() {
    let folder = tempfile::tempdir().unwrap();
    // No two runs of this test sleep for as long.
    let base = 100_000_000 + u64::from(std::process::id()) * 10;
    let seconds = [1, 2, 3].map(|number| (base + number).to_string());
    let tests = (1..)
        .zip(&seconds)
        .fold(TESTS.to_owned(), |text, (number, seconds)| text.replace(&format!("@{number}"), seconds));
    let write = |name: &str, text: &str| {
        let file = folder.path().join(name);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    };
    write("Cargo.toml", "[package]\nname = \"planted\"\nedition = \"2024\"\n[workspace]\n");
    write("src/lib.rs", &tests);
    write(".config/nextest.toml", &format!("{CONFIG}{SHORT}"));

    let output = run(folder.path());
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{said}");
    let named = failures(&said);
    let expected = ["planted fails_and_leaves_a_process", "planted hangs", "planted passes_and_leaves_a_process"];
    assert_eq!(named, expected, "{said}");
    assert!(said.contains("TIMEOUT ["), "{said}");
    for seconds in &seconds[1..] {
        let left = format!("sleep {seconds}");
        assert!(said.lines().any(|line| line.contains("left a process behind") && line.ends_with(&left)), "{said}");
    }
    assert_eq!(seconds.each_ref().map(|seconds| sleepers(seconds)), [0; 3], "{said}");

    // The second run shows who depends on another: the same test passed before.
    let again = failures(&String::from_utf8_lossy(&run(folder.path()).stderr));
    let new: Vec<_> = again.iter().filter(|name| !named.contains(name)).collect();
    assert_eq!(new, ["planted depends_on_who_comes_first"]);
}
