//! What `action.yml` promises: its inputs are the flags, its outputs are written, and the host's lists are complete.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use hublease::action::{INPUTS_OF_OTHERS, OWN_INPUTS, is_input};
use hublease::cli::{self, FLAGS};
use hublease_protocol::ci::{Ci, TokenSource};

use super::runner::Step;
use crate::support::job::Provider;
use crate::support::{World, binary};

fn file(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// The names below one of the top keys of `action.yml`.
fn names(section: &str) -> Vec<String> {
    let text = file("action.yml");
    let lines = text.lines().skip_while(|line| *line != format!("{section}:")).skip(1);
    let lines = lines.take_while(|line| line.is_empty() || line.starts_with(' '));
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.map(|line| line.trim().trim_end_matches(':').to_owned()).collect()
}

/// The inputs of the Action.
pub fn inputs() -> Vec<String> {
    names("inputs")
}

#[test]
fn the_inputs_are_the_flags_of_login_and_logout() {
    let flags = FLAGS
        .iter()
        .filter(|flag| flag.commands.contains(&cli::Command::Login) || flag.commands.contains(&cli::Command::Logout));
    let flags = flags.map(|flag| flag.name).filter(|name| !INPUTS_OF_OTHERS.contains(name));
    let expected: Vec<_> = flags.chain(OWN_INPUTS.iter().copied()).collect();
    let (mut found, mut expected) = (inputs(), expected);
    found.sort();
    expected.sort_unstable();
    assert_eq!(found, expected);
    assert!(found.iter().all(|name| is_input(name)));
}

/// A default would win over the variable of the same meaning.
#[test]
fn no_input_has_a_default_and_each_is_described() {
    let text = file("action.yml");
    assert!(!text.lines().any(|line| line.trim_start().starts_with("default:")));
    assert_eq!(text.matches("    description: ").count(), inputs().len() + names("outputs").len());
    for switch in FLAGS.iter().filter(|flag| is_input(flag.name) && matches!(flag.value, cli::Value::Switch)) {
        let line = text.lines().skip_while(|line| *line != format!("  {}:", switch.name)).nth(1).unwrap();
        assert!(line.ends_with("true or false. Default: false\""), "{line}");
    }
}

#[test]
fn the_outputs_are_those_that_a_step_writes() {
    let world = World::new();
    let main =
        Step::new(&world, Provider::Vault).input("expose-token", "true").input("isolated", "true").main().code(0);
    let mut promised = names("outputs");
    promised.sort();
    assert!(main.output.keys().eq(&promised), "{:?}", main.output.keys());
    assert!(main.output.values().all(|value| !value.is_empty()));
}

#[test]
fn requests_name_the_version_of_this_crate() {
    let world = World::new();
    let main = Step::new(&world, Provider::Vault).input("client", "none").main().code(0);
    let agent = format!("hublease/{}", env!("CARGO_PKG_VERSION"));
    let asked = main.requests.iter().filter(|request| request.service != hublease_sandbox::Service::Hub);
    assert!(
        asked
            .flat_map(|request| &request.headers)
            .filter(|(name, _)| name == "user-agent")
            .all(|(_, value)| *value == agent)
    );
}

/// The story sees exact names only, so the host's list must have every name that the story looks for.
#[test]
fn the_story_is_given_every_variable_that_it_looks_for() {
    let host = file("action/host.mjs");
    let known = |name: &str| name.starts_with("HUBLEASE_") || host.contains(name);
    for name in FLAGS.iter().filter(|flag| is_input(flag.name)).flat_map(|flag| flag.variables) {
        assert!(known(name), "{name}");
    }
    // Of the CI systems' variables only GitHub's: no other has a part in it.
    let job = Ci::Github.job();
    let TokenSource::Endpoint { url, bearer } = job.source else { panic!("{:?}", job.source) };
    let of_github = job.key.iter().chain(&job.marker).copied().chain([url, bearer]);
    let mut seen: BTreeSet<String> = of_github.map(str::to_owned).collect();
    let elsewhere = |name: &&str| *name == "CI_JOB_ID";
    for source in ["src/plan/identity.rs", "src/plan/resolve.rs", "src/plan/provider.rs"] {
        let text = file(source);
        // Names stand in quotes; constants of the source do not.
        let words = text.split('"').skip(1).step_by(2);
        let is_name =
            |word: &&str| word.contains('_') && word.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_');
        seen.extend(words.filter(is_name).filter(|name| !elsewhere(name)).map(str::to_owned));
    }
    assert!(seen.len() > 5, "{seen:?}");
    assert!(seen.iter().all(|name| known(name)), "{seen:?}");
}

#[test]
fn the_tests_of_the_hosts_own_functions_pass() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/action");
    let files = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let files: Vec<_> = files.filter(|path| path.to_string_lossy().ends_with(".test.mjs")).collect();
    assert!(!files.is_empty());
    let output = Command::new(binary("HUBLEASE_NODE")).arg("--test").args(files).env_clear().output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("fail 0"), "{said}");
}
