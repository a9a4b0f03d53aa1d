//! The stand-in itself: an orb of its own, and jobs that show what CircleCI documents about steps, shells, variables,
//! conditions and workflows.

use serde_json::Value;

use crate::orb::around::ready;
use crate::orb::machine::Image;
use crate::orb::play::{Booleans, Circleci, Played};
use crate::orb::source::Orb;
use crate::orb::workflow::Status;
use crate::orb::yaml;
use crate::support::World;

/// An orb with one of everything.
pub const ORB: &str = r#"
version: 2.1
description: For the tests of the stand-in
executors:
  box:
    parameters:
      tag: {type: string, default: current}
    docker:
      - image: cimg/base:<< parameters.tag >>
        environment: {IMAGE: image, OVER: image}
    environment: {EXECUTOR: "<< parameters.tag >>", OVER: executor}
commands:
  say:
    parameters:
      what: {type: string}
      times: {type: integer, default: 1}
      loud: {type: boolean, default: false}
      how: {type: enum, enum: [plain, quoted], default: plain}
      variable: {type: env_var_name, default: NOBODY}
      before: {type: steps, default: []}
    steps:
      - steps: << parameters.before >>
      - run:
          name: say << parameters.what >>
          environment:
            PARAM_WHAT: << parameters.what >>
            PARAM_TIMES: << parameters.times >>
            PARAM_LOUD: << parameters.loud >>
            PARAM_VARIABLE: << parameters.variable >>
          command: |
            echo "$PARAM_WHAT $PARAM_TIMES $PARAM_LOUD << parameters.loud >> $PARAM_VARIABLE"
            cat \<<END
            << parameters.how >>
            END
      - when:
          condition: {and: [<< parameters.loud >>, {equal: [quoted, << parameters.how >>]}]}
          steps:
            - run: echo loud and quoted
      - unless:
          condition: << parameters.loud >>
          steps:
            - run: echo quiet
jobs:
  around:
    parameters:
      executor: {type: executor, default: box}
      steps: {type: steps}
    executor: << parameters.executor >>
    steps:
      - run: {name: first, command: 'echo "$IMAGE $EXECUTOR $OVER"'}
      - steps: << parameters.steps >>
      - run: {name: last, command: 'true', when: always}
"#;

const NEEDS: [&str; 2] = ["docker-registry", "skopeo"];

/// One job with these steps.
fn job(steps: &str) -> Value {
    let steps: String = steps.trim().lines().map(|line| format!("      {line}\n")).collect();
    let text = format!(
        "version: 2.1\norbs: {{t: acme/t@1.0.0}}\njobs:\n  a:\n    docker: [{{image: cimg/base:current}}]\n    \
         environment: {{OF: job}}\n    steps:\n{steps}workflows: {{main: {{jobs: [a]}}}}\n"
    );
    yaml::read(&text).unwrap_or_else(|error| panic!("{error}:\n{text}"))
}

fn play_as(config: &Value, prepare: impl FnOnce(Circleci<'_>) -> Circleci<'_>) -> Vec<Played> {
    let (world, orb) = (World::new(), yaml::read(ORB).unwrap());
    let circleci = Circleci::new(&world, Image::Bash, vec![Orb { name: "acme/t", packed: &orb }]);
    prepare(circleci).play(config).unwrap()
}

fn play(config: &Value) -> Vec<Played> {
    play_as(config, |circleci| circleci)
}

/// What the steps of the only job said, with names and codes.
fn told(played: &[Played]) -> Vec<(&str, i32, &str)> {
    let [played] = played else { panic!("{played:#?}") };
    played.steps.iter().map(|ran| (ran.name.as_str(), ran.code, ran.output.as_str())).collect()
}

#[test]
fn a_step_is_a_new_shell_which_ends_at_the_first_failure_of_a_pipe() {
    if !ready(&NEEDS) {
        return;
    }
    let played = play(&job("
- run: {name: sets, command: 'here=1; echo \"export LATER=later\" >> \"$BASH_ENV\"; pwd'}
- run: {name: bash, command: 'echo \"${here-unset} $LATER\"'}
- run: {name: sh, shell: sh -e, command: 'echo \"${LATER-unset}\"'}
- run: {name: elsewhere, working_directory: .., command: 'pwd'}
- run: {name: fails, command: \"false | true\\necho not here\"}
- run: {name: skipped, command: 'true'}
- run: {name: failed, command: echo it failed, when: on_fail}
- run: {name: always, command: exit 3, when: always}
"));
    let told = told(&played);
    let (project, home) = (told[0].2, told[3].2);
    assert_eq!(project.trim_end(), format!("{}/project", home.trim_end()));
    assert_eq!(
        told,
        [
            ("sets", 0, project),
            ("bash", 0, "unset later\n"),
            ("sh", 0, "unset\n"),
            ("elsewhere", 0, home),
            ("fails", 1, ""),
            ("failed", 0, "it failed\n"),
            ("always", 3, ""),
        ]
    );
    assert_eq!(played[0].status, Status::Failed);
}

#[test]
fn a_step_that_fails_is_tried_again_as_often_as_it_says() {
    if !ready(&NEEDS) {
        return;
    }
    let played = play(&job("
- run: {name: second time, max_auto_reruns: 3, auto_rerun_delay: 10s, command: 'mkdir once && exit 4 || ls'}
- run: {name: never, max_auto_reruns: 2, command: exit 5}
"));
    assert_eq!(played[0].codes(), [("second time", 4), ("second time", 0), ("never", 5), ("never", 5), ("never", 5)]);
}

#[test]
fn the_nearest_variable_wins_and_nothing_in_it_is_filled_in() {
    if !ready(&NEEDS) {
        return;
    }
    let config = job("
- run:
    name: shown
    environment: {OF: step, RAW: '$OF', TRUE: true, FALSE: false, COUNT: 3}
    command: echo \"$OF $RAW $TRUE $FALSE $COUNT $CIRCLE_JOB $PROJECT\"
- run: {name: job's, command: 'echo \"$OF\"'}
");
    let digits = play_as(&config, |circleci| set_all(circleci, Booleans::Digits));
    assert_eq!(told(&digits)[0].2, "step $OF 1 0 3 a p\n");
    assert_eq!(told(&digits)[1].2, "job\n");
    let words = play_as(&config, |circleci| set_all(circleci, Booleans::Words));
    assert_eq!(told(&words)[0].2, "step $OF true false 3 a p\n");
}

fn set_all(circleci: Circleci<'_>, booleans: Booleans) -> Circleci<'_> {
    circleci.variable("PROJECT", "p").variable("OF", "project").booleans(booleans)
}

#[test]
fn a_command_is_opened_up_with_its_arguments_defaults_and_conditions() {
    if !ready(&NEEDS) {
        return;
    }
    let played = play(&job("
- checkout
- setup_remote_docker: {docker_layer_caching: false}
- t/say: {what: hello}
- t/say:
    what: << pipeline.git.branch >>-<< pipeline.number >>
    times: 2
    loud: true
    how: quoted
    variable: TOKEN
    before:
      - run: echo before
"));
    assert_eq!(
        told(&played),
        [
            ("checkout", 0, "stand-in: `checkout` does nothing here\n"),
            ("setup_remote_docker", 0, "stand-in: `setup_remote_docker` does nothing here\n"),
            ("say hello", 0, "hello 1 0 false NOBODY\nplain\n"),
            ("echo quiet", 0, "quiet\n"),
            ("echo before", 0, "before\n"),
            ("say main-42", 0, "main-42 2 1 true TOKEN\nquoted\n"),
            ("echo loud and quoted", 0, "loud and quoted\n"),
        ]
    );
}

#[test]
fn a_job_of_the_orb_runs_what_its_invocation_hands_in_before_and_after() {
    if !ready(&NEEDS) {
        return;
    }
    let config = yaml::read(
        "
version: 2.1
orbs: {t: acme/t@1.0.0}
parameters:
  word: {type: string, default: given}
executors:
  mine: {machine: {image: ubuntu-2404:current}, environment: {EXECUTOR: mine, IMAGE: none, OVER: none}}
workflows:
  main:
    jobs:
      - t/around:
          name: theirs
          executor: {name: t/box, tag: '1'}
          pre-steps: [run: echo pre]
          steps: [run: echo << pipeline.parameters.word >>, t/say: {what: inside}]
          post-steps: [run: {command: echo post, when: always}]
      - t/around: {name: ours, executor: mine, steps: [run: exit 1], requires: [theirs]}
      - t/around: {name: not run, steps: [run: 'true'], requires: [ours]}
      - t/around: {name: cleanup, steps: [run: 'true'], requires: [ours: [failed, canceled]]}
  other:
    unless: {equal: [main, << pipeline.git.branch >>]}
    jobs: [t/around: {steps: [run: 'true']}]
",
    )
    .unwrap();
    let played = play(&config);
    let names: Vec<_> = played.iter().map(|played| (played.name.as_str(), played.status)).collect();
    assert_eq!(names, [("theirs", Status::Success), ("ours", Status::Failed), ("cleanup", Status::Success)]);
    let codes = |index: usize| played[index].codes().into_iter().map(|(name, _)| name).collect::<Vec<_>>();
    assert_eq!(codes(0), ["echo pre", "first", "echo given", "say inside", "echo quiet", "last", "echo post"]);
    assert_eq!(played[0].step("first").output, "image 1 executor\n");
    assert_eq!(codes(1), ["first", "exit 1", "last"]);
    assert_eq!(played[1].step("first").output, "none mine none\n");
}

#[test]
fn a_workflow_tries_its_failed_jobs_again_on_a_new_machine() {
    if !ready(&NEEDS) {
        return;
    }
    let config = yaml::read(
        "
version: 2.1
jobs:
  a:
    machine: {image: ubuntu-2404:current}
    steps: [run: {name: b, command: 'ls -A; touch here; exit 1'}]
workflows: {main: {max_auto_reruns: 1, jobs: [a]}}
",
    )
    .unwrap();
    let played = play(&config);
    assert_eq!(played.iter().map(|played| played.status).collect::<Vec<_>>(), [Status::Failed; 2]);
    assert!(played.iter().all(|played| played.step("b").output.is_empty()));
}

/// Without this, the search after each job would prove nothing.
#[test]
fn a_step_that_prints_or_writes_a_secret_is_found_out() {
    if !ready(&NEEDS) {
        return;
    }
    for command in ["echo \"$CIRCLE_OIDC_TOKEN\"", "echo \"$CIRCLE_OIDC_TOKEN_V2\" > kept", "echo \"$PATH\""] {
        let config = job(&format!("- run: '{command}'"));
        let is_found = std::panic::catch_unwind(|| play(&config)).is_err();
        assert_eq!(is_found, command.contains("TOKEN"), "{command}");
    }
}
