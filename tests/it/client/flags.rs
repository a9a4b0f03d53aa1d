//! Every flag and every variable of the table with values that cannot be used.
//!
//! Whatever is wrong with a value, the answer is exit code 2 and a sentence that names the flag or the variable and
//! does not repeat the value, before anything is asked, started or written.

use std::os::unix::ffi::OsStringExt;
use std::process;

use hublease::cli::{Command, FLAGS, Flag, LONGEST_VALUE, MOST_VALUES, ProviderName, Value};

use crate::support::job::Job;
use crate::support::typed::{Bench, MARK, flag, good, wrong};
use crate::support::untouched::Untouched;
use crate::support::{World, binary};

/// What no value may hold: controls of both sets, and what ends or starts a line somewhere.
const CONTROLS: &[&str] = &["\n", "\r", "\t", "\u{7}", "\u{1b}[31m", "\u{7f}", "\u{85}", "\u{9b}2J"];

/// The values that no flag takes, whatever it means.
fn unusable() -> Vec<String> {
    let mut values = vec![format!("{MARK}{}", "x".repeat(100 * 1024)), "x".repeat(LONGEST_VALUE + 1)];
    values.extend(CONTROLS.iter().map(|control| format!("{MARK}{control}")));
    values
}

/// Runs it, and expects a usage error that names `label`.
#[track_caller]
fn refused(bench: &Bench<'_>, job: Job<'_>, label: &str, value: &str) {
    let before = Untouched::of(bench.world);
    let what = format!("{label} with {value:.60?}");
    let outcome = job.run();
    assert_eq!(outcome.code, 2, "{what}: {}", outcome.stderr);
    assert!(outcome.stderr.starts_with("error: ") && outcome.stderr.contains(label), "{what}: {}", outcome.stderr);
    assert!(!outcome.stderr.contains(MARK), "{what} is repeated: {}", outcome.stderr);
    assert_eq!(outcome.stdout, "", "{what}");
    before.still(bench.world, &what);
}

/// Every way to give a value: the flag and each of its variables, with the label that names it.
fn ways<'w>(bench: &Bench<'w>, command: Command, flag: &'static Flag, value: &str) -> Vec<(String, Job<'w>)> {
    let line = || bench.line_for(command, flag);
    let mut ways = vec![(format!("`--{}`", flag.name), line().arg(format!("--{}={value}", flag.name)))];
    for name in flag.variables {
        // Vault's own variable is read for Vault alone, and these ask no provider.
        if *name == "VAULT_CACERT" && matches!(command, Command::Whoami | Command::Check) {
            continue;
        }
        let line = match *name {
            "VAULT_CACERT" => bench.line(command, ProviderName::Vault, &[flag.name]),
            _ => line(),
        };
        ways.push((format!("`{name}`"), line.env(name, value)));
    }
    ways
}

/// One command: a few values for each of its flags, and all of them for the flags that no earlier command knows.
fn a_command_refuses(command: Command) {
    let world = World::new();
    let bench = Bench::new(&world);
    for flag in FLAGS.iter().filter(|flag| flag.commands.contains(&command)) {
        let all = flag.commands[0] == command;
        let (unusable, wrong) = (unusable(), wrong(flag.name));
        let wrong = if all { &wrong[..] } else { &wrong[..wrong.len().min(1)] };
        let unusable = if all { &unusable[..] } else { &unusable[..3] };
        for value in unusable.iter().chain(wrong) {
            for (label, job) in ways(&bench, command, flag, value) {
                refused(&bench, job, &label, value);
            }
        }
    }
}

#[test]
fn login_refuses_every_value_that_cannot_be_used() {
    a_command_refuses(Command::Login);
}

#[test]
fn logout_refuses_every_value_that_cannot_be_used() {
    a_command_refuses(Command::Logout);
}

#[test]
fn exec_refuses_every_value_that_cannot_be_used() {
    a_command_refuses(Command::Exec);
}

#[test]
fn token_refuses_every_value_that_cannot_be_used() {
    a_command_refuses(Command::Token);
}

#[test]
fn whoami_refuses_every_value_that_cannot_be_used() {
    a_command_refuses(Command::Whoami);
}

#[test]
fn check_refuses_every_value_that_cannot_be_used() {
    a_command_refuses(Command::Check);
}

/// The tables above would prove nothing if a value were refused for another reason.
#[test]
fn every_flag_has_a_good_value_that_is_accepted() {
    let world = World::new();
    let bench = Bench::new(&world);
    for flag in FLAGS.iter().filter(|flag| !matches!(flag.name, "verbose" | "quiet" | "dry-run")) {
        for command in flag.commands.iter().filter(|command| **command != Command::Whoami) {
            for (label, job) in ways(&bench, *command, flag, good(flag.name)) {
                let outcome = job.arg("--dry-run").run();
                // Without a named provider and without a connection nothing is selected.
                assert_eq!(outcome.code, 0, "{} {label}: {}", command.name(), outcome.stderr);
            }
        }
    }
}

#[test]
fn an_empty_flag_is_a_usage_error_everywhere() {
    let world = World::new();
    let bench = Bench::new(&world);
    for flag in FLAGS {
        for command in flag.commands {
            let line = || bench.line_for(*command, flag);
            let label = format!("`--{}`", flag.name);
            refused(&bench, line().arg(format!("--{}=", flag.name)), &label, "");
            if !matches!(flag.value, Value::Switch) {
                refused(&bench, line().arg(format!("--{}", flag.name)).arg(""), &label, "");
            }
        }
    }
}

#[test]
fn an_empty_variable_is_an_unset_one() {
    let world = World::new();
    let bench = Bench::new(&world);
    for command in Command::ALL.iter().filter(|command| **command != Command::Whoami) {
        for provider in ProviderName::ALL {
            let line = || bench.line(*command, *provider, &[]).arg("--dry-run").arg("--output=json");
            let plan = line().run().code(0).stdout;
            let empty = FLAGS.iter().flat_map(|flag| flag.variables);
            let all = empty.fold(line(), |job, name| job.env(name, "")).env("DOCKER_AUTH_CONFIG", "");
            assert_eq!(all.run().code(0).stdout, plan, "{} {}", command.name(), provider.name());
        }
    }
    let whoami = || world.job("whoami").env("HUBLEASE_BROKER_URL", "").env("VAULT_ADDR", "");
    assert_eq!(whoami().run().code(3).stderr, world.job("whoami").run().code(3).stderr);
}

#[test]
fn a_variable_that_is_not_utf8_is_refused_and_not_ignored() {
    let world = World::new();
    let bench = Bench::new(&world);
    for flag in FLAGS {
        let command = flag.commands[0];
        let job = bench.line_for(command, flag);
        for name in flag.variables {
            let before = Untouched::of(&world);
            let output = process::Command::new(binary("HUBLEASE_BIN"))
                .args(job.words())
                .env_clear()
                .envs(job.variables())
                .env(name, std::ffi::OsString::from_vec(b"team\xff".to_vec()))
                .output()
                .unwrap();
            let stderr = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(2), "{name}: {stderr}");
            assert!(stderr.contains(&format!("`{name}`")), "{stderr}");
            before.still(&world, name);
        }
    }
}

#[test]
fn a_repeatable_flag_has_its_limit_and_every_other_one_comes_once() {
    let world = World::new();
    let bench = Bench::new(&world);
    for flag in FLAGS.iter().filter(|flag| !matches!(flag.value, Value::Switch)) {
        let command = flag.commands[0];
        let is_many = matches!(flag.value, Value::Many(_));
        let times = if is_many { MOST_VALUES + 1 } else { 2 };
        let word = format!("--{}={}", flag.name, good(flag.name));
        let job = (0..times).fold(bench.line_for(command, flag), |job, _| job.arg(&word));
        refused(&bench, job, &format!("--{}", flag.name), good(flag.name));
    }
}

#[test]
fn a_value_of_ours_wins_over_a_neighbour_and_a_flag_over_both() {
    let world = World::new();
    let bench = Bench::new(&world);
    let line = || {
        bench
            .line(Command::Login, ProviderName::Vault, &["vault-addr"])
            .args(&["--dry-run", "--output=json"])
            .env("VAULT_ADDR", "https://neighbour.example.com")
    };
    let address = |job: Job<'_>| {
        let plan: serde_json::Value = serde_json::from_str(&job.run().code(0).stdout).unwrap();
        plan["address"].as_str().unwrap().to_owned()
    };
    assert_eq!(flag("vault-addr").variables, ["HUBLEASE_VAULT_ADDR", "VAULT_ADDR"]);
    assert_eq!(address(line()), "https://neighbour.example.com");
    let ours = || line().env("HUBLEASE_VAULT_ADDR", "https://ours.example.com");
    assert_eq!(address(ours()), "https://ours.example.com");
    assert_eq!(address(ours().arg("--vault-addr=https://typed.example.com")), "https://typed.example.com");
}
