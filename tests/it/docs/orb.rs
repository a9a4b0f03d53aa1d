//! The parameters of the orb are the flags of the program: none is missing, none is made up, and the words of a choice are
//! the same.
//!
//! The sources are read as text: one parameter begins with two spaces and a name, its keys with four.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command as Process;

use hublease::cli::{Command, FLAGS, Flag, Value};

use super::markdown::root;
use crate::support::binary;

/// Commands that the orb and the program have in common.
const COMMANDS: [&str; 5] = ["login", "logout", "exec", "check", "whoami"];
/// Parameters that are no flags.
const OF_THE_ORB: [&str; 5] = ["install", "install_dir", "mirror", "command", "images"];

/// Flags that a job of CircleCI has no use for as parameters; their variables work all the same.
const LEFT_OUT: [&str; 7] = [
    // CircleCI gives the identity token.
    "identity-token-env",
    "identity-token-file",
    // Of a machine, not of a job.
    "all",
    // For a person who tries it out.
    "dry-run",
    "as",
    // For a program that reads what is printed; a log has no such reader.
    "output",
    // A log that says too little is of no use.
    "quiet",
];
/// The directory of `exec` is private anyhow.
const ISOLATED: &str = "isolated";

#[test]
fn a_parameter_of_the_orb_is_a_flag_of_the_command_and_the_other_way_round() {
    let with_flags = |command: &&Command| COMMANDS.contains(&command.name());
    for &command in Command::ALL.iter().filter(with_flags) {
        let parameters = parameters(command.name());
        let names: BTreeSet<String> = parameters.keys().map(|name| name.replace('_', "-")).collect();
        let extra = OF_THE_ORB.iter().map(|name| name.replace('_', "-"));
        let names: BTreeSet<String> = names.difference(&extra.collect()).cloned().collect();
        let wanted = FLAGS.iter().filter(|flag| flag.commands.contains(&command) && !is_left_out(flag, command));
        assert_eq!(names, wanted.map(|flag| flag.name.to_owned()).collect(), "{}", command.name());
        for flag in FLAGS {
            let (Value::Choice(words), Some(body)) = (flag.value, parameters.get(&flag.name.replace('-', "_"))) else {
                continue;
            };
            assert!(body.contains(&format!("enum: [{}]", words.join(", "))), "{}: {}", command.name(), flag.name);
        }
    }
}

#[test]
fn the_script_knows_every_flag_that_a_parameter_gives() {
    let script = std::fs::read_to_string(root().join("orb/src/scripts/hublease.sh")).unwrap();
    for command in COMMANDS {
        for parameter in parameters(command).keys().filter(|name| !OF_THE_ORB.contains(&name.as_str())) {
            let flag = format!("\"{}=", parameter.replace('_', "-"));
            let variable = format!("${{HUBLEASE_ORB_{}", parameter.to_uppercase());
            assert!(script.contains(&flag) && script.contains(&variable), "{command}: {parameter}");
        }
    }
}

const BROKER: (&str, &str) = ("HUBLEASE_ORB_BROKER_URL", "https://broker.example.com");
const STATIC: (&str, &str) = ("HUBLEASE_ORB_PROVIDER", "static");
const OURS: &str = "directory: docker's own, unless that would do harm";

/// What CircleCI hands over, and a line of the plan that the program makes of it.
const CASES: [(&[(&str, &str)], &str); 15] = [
    (&[BROKER], "address: https://broker.example.com"),
    (
        &[BROKER, ("HUBLEASE_ORB_PROVIDER", "auto"), ("HUBLEASE_ORB_EXPIRES_IN", "0"), ("HUBLEASE_ORB_SCOPE", "")],
        "provider: broker",
    ),
    (&[BROKER, ("HUBLEASE_ORB_EXPIRES_IN", "600")], "life: 10 min"),
    (
        &[BROKER, ("HUBLEASE_ORB_SCOPE", "repository:a/b:pull\nrepository:a/c:pull,push\n")],
        "scope: repository:a/b:pull repository:a/c:pull,push",
    ),
    (&[BROKER, ("HUBLEASE_ORB_REGISTRY", "docker.io\ndhi.io")], "registries: docker.io, dhi.io"),
    (&[BROKER, ("HUBLEASE_ORB_AUDIENCE", "a * b"), ("HUBLEASE_ORB_AUDIENCE_ELSEWHERE", "1")], "audience: a * b"),
    (&[BROKER, ("HUBLEASE_ORB_ISOLATED", "1")], "directory: a private one with the other registries' logins"),
    (&[BROKER, ("HUBLEASE_ORB_ISOLATED", "true")], "directory: a private one with the other registries' logins"),
    (&[BROKER, ("HUBLEASE_ORB_ISOLATED", "0")], OURS),
    (
        &[BROKER, ("HUBLEASE_ORB_SECRET_ENV", "DOCKER_PASSWORD"), ("HUBLEASE_ORB_USERNAME_ENV", "DOCKER_LOGIN")],
        "provider: broker",
    ),
    (
        &[
            STATIC,
            ("HUBLEASE_ORB_SECRET_ENV", "TOKEN"),
            ("HUBLEASE_ORB_USERNAME_ENV", "WHO"),
            ("TOKEN", "t"),
            ("WHO", "me"),
        ],
        "username: me",
    ),
    // A word of digits is a word, and no switch.
    (&[STATIC, ("HUBLEASE_ORB_SECRET_ENV", "TOKEN"), ("HUBLEASE_ORB_USERNAME", "1"), ("TOKEN", "t")], "username: 1"),
    // A variable of the job is no parameter, whatever it is called.
    (&[BROKER, ("PARAM_ISOLATED", "1"), ("PARAM_CLIENT", "none"), ("ISOLATED", "1"), ("PROVIDER", "static")], OURS),
    (&[BROKER, ("PARAM_SCOPE", "repository:a/b:pull"), ("PARAM_BROKER_URL", "x")], "scope: what the rule grants"),
    // The variable of a flag counts where the parameter is left empty.
    (
        &[("HUBLEASE_ORB_BROKER_URL", ""), ("HUBLEASE_BROKER_URL", "https://other.example.com")],
        "address: https://other.example.com",
    ),
];

#[test]
fn a_parameter_reaches_the_program_as_it_was_written() {
    let program = binary("HUBLEASE_BIN");
    for (variables, line) in CASES {
        let mut script = Process::new("/bin/sh");
        script.arg(root().join("orb/src/scripts/hublease.sh")).env_clear();
        script.envs([("PATH", "/usr/bin:/bin"), ("HOME", "/nonexistent"), ("HUBLEASE_DRY_RUN", "true")]);
        script.env("HUBLEASE_ORB_ACTION", "login").env("HUBLEASE_ORB_INSTALL_DIR", program.parent().unwrap());
        let output = script.envs(variables.iter().copied()).output().unwrap();
        let plan = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(
            plan.lines().any(|other| other.strip_prefix("# ") == Some(line)),
            "{variables:?}: {line}\n{plan}{errors}"
        );
        assert!(output.status.success(), "{variables:?}: {errors}");
    }
}

fn is_left_out(flag: &Flag, command: Command) -> bool {
    LEFT_OUT.contains(&flag.name) || (flag.name == ISOLATED && command == Command::Exec)
}

/// The parameters of a command of the orb, each with its declaration.
fn parameters(command: &str) -> BTreeMap<String, String> {
    let text = std::fs::read_to_string(root().join(format!("orb/src/commands/{command}.yml"))).unwrap();
    let (_, rest) = text.split_once("\nparameters:\n").unwrap();
    let mut found: BTreeMap<String, String> = BTreeMap::new();
    let mut name = String::new();
    for line in rest.lines().take_while(|line| line.starts_with("  ")) {
        match line.strip_prefix("  ").filter(|line| !line.starts_with(' ')) {
            Some(key) => name = key.trim_end_matches(':').to_owned(),
            None => *found.entry(name.clone()).or_default() += &format!("{}\n", line.trim()),
        }
    }
    assert!(found.len() > 2, "{command}: a reader that finds nothing would pass everything");
    found
}
