//! What CircleCI refuses is refused here, in a sentence that names the place.

mod elements;
mod parameters;

use crate::orb::played::ORB;
use crate::orb::source::Orb;
use crate::orb::{workflow, yaml};

/// What is replaced, by what, and the refusal.
type Case = (&'static str, &'static str, &'static str);

/// A config that is fine, and in which each case below puts one thing wrong.
const GOOD: &str = r#"
version: 2.1
orbs: {t: acme/t@1.0.0}
parameters: {word: {type: string, default: w}}
commands:
  own:
    parameters:
      inner: {type: steps, default: []}
      flag: {type: boolean, default: false}
      text: {type: string, default: ""}
    steps:
      - when: {condition: << parameters.flag >>, steps: [t/say: {what: never}]}
      - steps: << parameters.inner >>
      - run: {name: r, command: echo << parameters.text >>}
jobs:
  a:
    parameters: {n: {type: integer, default: 1}}
    docker: [{image: cimg/base:current, auth: {username: $U, password: $P}}]
    steps:
      - own: {inner: [checkout], flag: true, text: t}
      - t/say: {what: w, times: << parameters.n >>}
workflows:
  main:
    jobs:
      - a: {n: 2, context: c, filters: {branches: {only: main}}}
      - t/around: {name: b, executor: t/box, steps: [run: 'true'], requires: [a]}
"#;

#[track_caller]
fn refusal(config: &str) -> String {
    refusal_of(config, ORB)
}

#[track_caller]
fn refusal_of(config: &str, orb: &str) -> String {
    let [config, orb] = [config, orb].map(|text| yaml::read(text).unwrap_or_else(|error| panic!("{error}: {text}")));
    let read = workflow::read(&config, &[Orb { name: "acme/t", packed: &orb }]);
    read.err().map(|refusal| refusal.to_string()).unwrap_or_default()
}

#[test]
fn what_is_fine_is_read() {
    assert_eq!(refusal(GOOD), "");
}

#[test]
fn what_circleci_refuses_is_refused() {
    for (from, to, expected) in [parameters::CASES, elements::CASES].concat() {
        assert_eq!(GOOD.matches(from).count(), 1, "{from}");
        assert_eq!(refusal(&GOOD.replace(from, to)), expected, "{to}");
    }
}

#[test]
fn what_circleci_refuses_in_an_orb_is_refused() {
    for (from, to, expected) in IN_THE_ORB {
        assert_eq!(ORB.matches(from).count(), 1, "{from}");
        assert_eq!(refusal_of(GOOD, &ORB.replace(from, to)), *expected, "{to}");
    }
}

/// The same in the orb.
const IN_THE_ORB: &[Case] = &[
    (
        "echo quiet",
        "echo << pipeline.parameters.word >>",
        "t: commands.say.steps[3].unless.steps[0].run: the parameter `word` is not declared",
    ),
    (
        "echo loud and quoted",
        "echo << parameters.volume >>",
        "t: commands.say.steps[2].when.steps[0].run: the parameter `volume` is not declared",
    ),
    (
        "executor: << parameters.executor >>",
        "executor: << parameters.steps >>",
        "t: jobs.around.executor: `parameters.steps` is of type steps, which cannot stand here",
    ),
    (
        "executor: << parameters.executor >>",
        "executor: << parameters.machine >>",
        "t: jobs.around.executor: the parameter `machine` is not declared",
    ),
    (
        "{type: executor, default: box}",
        "{type: executor, default: bag}",
        "t: jobs.around.parameters.executor.default: there is no executor `bag`",
    ),
    (
        "cimg/base:<< parameters.tag >>",
        "cimg/base:<< parameters.version >>",
        "t: executors.box.docker[0].image: the parameter `version` is not declared",
    ),
    (
        "    docker:\n",
        "    machine: true\n    docker:\n",
        "t: executors.box: an executor is one of `docker`, `machine` and `macos`",
    ),
    ("jobs:\n", "job: {}\njobs:\n", "t: unknown key `job`"),
];
