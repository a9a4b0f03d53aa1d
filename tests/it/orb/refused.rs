//! What CircleCI refuses is refused here, in a sentence that names the place.

use super::{played::ORB, source::Orb, workflow, yaml};

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
    for (from, to, expected) in CASES {
        assert_eq!(GOOD.matches(from).count(), 1, "{from}");
        assert_eq!(refusal(&GOOD.replace(from, to)), *expected, "{to}");
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
const IN_THE_ORB: &[(&str, &str, &str)] = &[
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

/// What is replaced, by what, and the refusal.
const CASES: &[(&str, &str, &str)] = &[
    ("version: 2.1", "version: 2", "version: orbs and parameters need version 2.1"),
    (
        "
version: 2.1",
        "
x: 1",
        "",
    ),
    ("parameters: {word", "parameter: {word", "config: unknown key `parameter`"),
    ("acme/t@1.0.0", "acme/u@1.0.0", "orbs.t: no orb `acme/u` is to be had here"),
    ("acme/t@1.0.0", "acme/t@volatile", "orbs.t: name a whole version, as in 1.2.3"),
    (
        "{word: {type: string, default: w}}",
        "{word: {type: string}}",
        "parameters.word: a parameter of the pipeline needs a default",
    ),
    (
        "{word: {type: string, default: w}}",
        "{word: {type: steps, default: []}}",
        r#"parameters.word: no type for a parameter here: "steps"; there are string, boolean, integer, enum"#,
    ),
    (
        "flag: {type: boolean, default: false}",
        "flag: {type: boolean, default: 'false'}",
        r#"commands.own.parameters.flag.default: expected a boolean, not the string "false""#,
    ),
    (
        "flag: {type: boolean, default: false}",
        "flag: {type: bool, default: false}",
        r#"commands.own.parameters.flag: no type for a parameter here: "bool"; there are string, boolean, integer, enum, executor, steps, env_var_name"#,
    ),
    (
        "flag: {type: boolean, default: false}",
        "flag: {default: false}",
        "commands.own.parameters.flag: the key `type` is missing",
    ),
    (
        "flag: {type: boolean, default: false}",
        "flag: {type: boolean, default: false, required: true}",
        "commands.own.parameters.flag: unknown key `required`",
    ),
    (
        "flag: {type: boolean, default: false}",
        "flag: {type: enum, default: a, enum: [b]}",
        r#"commands.own.parameters.flag.default: expected one of b, not the string "a""#,
    ),
    (
        "flag: {type: boolean, default: false}",
        "flag: {type: enum, default: a}",
        "commands.own.parameters.flag: the key `enum` is missing",
    ),
    (
        "n: {type: integer, default: 1}",
        "n: {type: integer, default: 1.5}",
        "jobs.a.parameters.n.default: expected an integer, not the number 1.5",
    ),
    (
        "n: {type: integer, default: 1}",
        "n x: {type: integer, default: 1}",
        "jobs.a.parameters.n x: the name of a parameter is a letter, then letters, digits, `-` and `_`",
    ),
    (
        "{what: w, times: << parameters.n >>}",
        "{what: w, time: 1}",
        "jobs.a.steps[1]: no parameter `time` is declared; there are before, how, loud, times, variable, what",
    ),
    (
        "{what: w, times: << parameters.n >>}",
        "{times: 1}",
        "jobs.a.steps[1]: the argument `what` is missing, which has no default",
    ),
    (
        "- t/say: {what: w, times: << parameters.n >>}",
        "- t/say",
        "jobs.a.steps[1]: the argument `what` is missing, which has no default",
    ),
    (
        "{what: w, times: << parameters.n >>}",
        "{what: 1}",
        "jobs.a.steps[1].t/say.what: expected a string, not the number 1",
    ),
    (
        "{what: w, times: << parameters.n >>}",
        "{what: w, times: '2'}",
        r#"jobs.a.steps[1].t/say.times: expected an integer, not the string "2""#,
    ),
    (
        "{what: w, times: << parameters.n >>}",
        "{what: w, times: x << parameters.n >>}",
        r#"jobs.a.steps[1].t/say.times: expected an integer, not the string "x 2""#,
    ),
    (
        "{what: w, times: << parameters.n >>}",
        "{what: w, loud: 1}",
        "jobs.a.steps[1].t/say.loud: expected a boolean, not the number 1",
    ),
    (
        "{what: w, times: << parameters.n >>}",
        "{what: w, how: loud}",
        r#"jobs.a.steps[1].t/say.how: expected one of plain, quoted, not the string "loud""#,
    ),
    (
        "{what: w, times: << parameters.n >>}",
        "{what: w, variable: $TOKEN}",
        r#"jobs.a.steps[1].t/say.variable: expected the name of an environment variable, not the string "$TOKEN""#,
    ),
    (
        "{what: w, times: << parameters.n >>}",
        "{what: w, variable: 2ND}",
        r#"jobs.a.steps[1].t/say.variable: expected the name of an environment variable, not the string "2ND""#,
    ),
    (
        "{what: w, times: << parameters.n >>}",
        "{what: w, before: checkout}",
        r#"jobs.a.steps[1].t/say.before: expected a list, not the string "checkout""#,
    ),
    (
        "{what: w, times: << parameters.n >>}",
        "{what: w, before: [check]}",
        "jobs.a.steps[1].t/say.before[0]: there is no command `check`",
    ),
    (
        "{what: w, times: << parameters.n >>}",
        "{what: [w]}",
        "jobs.a.steps[1].t/say.what: expected a string, not a list",
    ),
    ("- a: {n: 2,", "- a: {n: two,", r#"workflows.main.jobs[0].a.n: expected an integer, not the string "two""#),
    ("- a: {n: 2,", "- a: {m: 2,", "workflows.main.jobs[0]: no parameter `m` is declared; there are n"),
    ("executor: t/box,", "executor: t/bag,", "workflows.main.jobs[1].t/around.executor: there is no executor `t/bag`"),
    (
        "executor: t/box,",
        "executor: {tag: '1'},",
        "workflows.main.jobs[1].t/around.executor: expected an executor, not a map",
    ),
    (
        "executor: t/box,",
        "executor: {name: t/box, tags: '1'},",
        "workflows.main.jobs[1].t/around.executor: no parameter `tags` is declared; there are tag",
    ),
    (
        "executor: t/box,",
        "executor: {name: t/box, tag: 1},",
        "workflows.main.jobs[1].t/around.executor.tag: expected a string, not the number 1",
    ),
    (
        "executor: t/box, steps: [run: 'true'],",
        "executor: t/box,",
        "workflows.main.jobs[1]: the argument `steps` is missing, which has no default",
    ),
    (
        "echo << parameters.text >>",
        "echo << parameters.test >>",
        "commands.own.steps[2].run.command: the parameter `test` is not declared",
    ),
    (
        "echo << parameters.text >>",
        "echo << parameter.text >>",
        "commands.own.steps[2].run.command: `<< parameter.text >>` names nothing that is known here",
    ),
    (
        "echo << parameters.text >>",
        "echo << pipeline.parameters.words >>",
        "commands.own.steps[2].run.command: the parameter `words` is not declared",
    ),
    (
        "echo << parameters.text >>",
        "echo << pipeline.branch >>",
        "commands.own.steps[2].run.command: `<< pipeline.branch >>` names nothing that is known here",
    ),
    (
        "echo << parameters.text >>",
        "echo << parameters.text",
        "commands.own.steps[2].run.command: an `<<` that no `>>` ends; write `\\<<` if it is meant as it stands",
    ),
    (
        "echo << parameters.text >>",
        "echo << parameters.inner >>",
        "commands.own.steps[2].run.command: `parameters.inner` is of type steps, which cannot stand here",
    ),
    (
        "echo << parameters.text >>",
        "echo << matrix.text >>",
        "commands.own.steps[2].run.command: `<< matrix.text >>` names nothing that is known here",
    ),
    (
        "- steps: << parameters.inner >>",
        "- steps: << parameters.text >>",
        "commands.own.steps[1].steps: `parameters.text` is not a parameter of type steps",
    ),
    (
        "- steps: << parameters.inner >>",
        "- steps: []",
        "commands.own.steps[1].steps: here stands `<< parameters.x >>` with a parameter of type steps",
    ),
    (
        "- steps: << parameters.inner >>",
        "- << parameters.inner >>",
        "commands.own.steps[1]: a reference cannot name a step",
    ),
    (
        "steps: [t/say: {what: never}]",
        "steps: [t/say: {what: never, << parameters.text >>: 1}]",
        "commands.own.steps[0].when.steps[0].t/say: a reference cannot be a key: `<< parameters.text >>`",
    ),
    (
        "steps: [t/say: {what: never}]",
        "steps: [t/say: {what: << parameters.who >>}]",
        "commands.own.steps[0].when.steps[0].t/say.what: the parameter `who` is not declared",
    ),
    (
        "steps: [t/say: {what: never}]",
        "steps: [t/say: {who: never}]",
        "commands.own.steps[0].when.steps[0]: no parameter `who` is declared; there are before, how, loud, times, variable, what",
    ),
    (
        "steps: [t/say: {what: never}]",
        "steps: [t/sing: {what: never}]",
        "commands.own.steps[0].when.steps[0]: there is no command `t/sing`",
    ),
    (
        "steps: [t/say: {what: never}]",
        "steps: [own]",
        "commands.own.steps[0].when.steps[0]: the command calls itself: commands.own -> commands.own",
    ),
    ("- t/say: {what: w,", "- say: {what: w,", "jobs.a.steps[1]: there is no command `say`"),
    ("- t/say: {what: w,", "- u/say: {what: w,", "jobs.a.steps[1]: no orb `u` is declared under `orbs`"),
    ("{name: r, command:", "{nam: r, command:", "commands.own.steps[2].run: unknown key `nam`"),
    (
        "{name: r, command: echo << parameters.text >>}",
        "{name: r}",
        "commands.own.steps[2].run: the key `command` is missing",
    ),
    (
        "{name: r, command:",
        "{name: r, when: sometimes, command:",
        r#"commands.own.steps[2].run.when: expected on_success, on_fail or always, not the string "sometimes""#,
    ),
    (
        "{name: r, command:",
        "{name: r, max_auto_reruns: 6, command:",
        "commands.own.steps[2].run.max_auto_reruns: expected a number from 1 to 5, not the number 6",
    ),
    (
        "{name: r, command:",
        "{name: r, max_auto_reruns: '1', command:",
        r#"commands.own.steps[2].run.max_auto_reruns: expected a number from 1 to 5, not the string "1""#,
    ),
    (
        "{name: r, command:",
        "{name: r, background: true, command:",
        "commands.own.steps[2].run.background: this stand-in runs nothing in the background",
    ),
    (
        "{name: r, command:",
        "{name: r, no_output_timeout: soon, command:",
        r#"commands.own.steps[2].run.no_output_timeout: expected a duration, as in `10m`, not the string "soon""#,
    ),
    (
        "{name: r, command:",
        "{name: r, environment: {A: [b]}, command:",
        "commands.own.steps[2].run.environment.A: expected a string, a number or a boolean, not a list",
    ),
    ("[checkout]", "[checkout: {paths: x}]", "jobs.a.steps[0].own.inner[0].checkout: unknown key `paths`"),
    ("[checkout]", "[run]", "jobs.a.steps[0].own.inner[0]: `run` alone is no step"),
    ("[checkout]", "[{run: a, checkout: {}}]", "jobs.a.steps[0].own.inner[0]: a step is a name, or a map of one name"),
    ("[checkout]", "[restore_cache, store_artifacts]", "jobs.a.steps[0].own.inner[1]: `store_artifacts` needs path"),
    (
        "{condition: << parameters.flag >>,",
        "{condition: {nand: [a]},",
        "commands.own.steps[0].when.condition: no operator `nand`; there are and, or, not, equal, matches",
    ),
    (
        "{condition: << parameters.flag >>,",
        "{condition: {and: true},",
        "commands.own.steps[0].when.condition.and: expected a list, not the boolean true",
    ),
    (
        "{condition: << parameters.flag >>,",
        "{condition: {matches: {pattern: a}},",
        "commands.own.steps[0].when.condition.matches: the key `value` is missing",
    ),
    (
        "{condition: << parameters.flag >>,",
        "{condition: pipeline.git.branch == main,",
        "commands.own.steps[0].when.condition: a text that refers to nothing: this stand-in reads logic statements, and no expressions",
    ),
    (
        "{condition: << parameters.flag >>,",
        "{if: << parameters.flag >>,",
        "commands.own.steps[0].when: unknown key `if`",
    ),
    (
        "docker: [{image: cimg/base:current, auth",
        "dockers: [{image: cimg/base:current, auth",
        "jobs.a: unknown key `dockers`",
    ),
    (
        "docker: [{image: cimg/base:current, auth",
        "docker: [{images: cimg/base:current, auth",
        "jobs.a.docker[0]: unknown key `images`",
    ),
    ("{username: $U, password: $P}", "{username: $U, token: $P}", "jobs.a.docker[0].auth: unknown key `token`"),
    (
        "    docker: [{image: cimg/base:current, auth: {username: $U, password: $P}}]
",
        "",
        "",
    ),
    ("requires: [a]", "requires: [c]", "workflows.main.jobs[1]: `requires` names no job of this workflow: `c`"),
    ("requires: [a]", "requires: [b]", "workflows.main: `requires` goes round in a circle at `b`"),
    ("requires: [a]", "requires: [a: done]", "workflows.main.jobs[1].t/around.requires[0].a: no status of a job"),
    (
        "requires: [a]",
        "require: [a]",
        "workflows.main.jobs[1]: no parameter `require` is declared; there are executor, steps",
    ),
    ("name: b,", "name: a,", "workflows.main.jobs[1]: two jobs are called `a`; give one a `name`"),
    ("- t/around: {name", "- t/round: {name", "workflows.main.jobs[1]: there is no job `t/round`"),
    ("- t/around: {name", "- around: {name", "workflows.main.jobs[1]: there is no job `around`"),
    (
        "filters: {branches: {only: main}}",
        "matrix: {parameters: {n: [1]}}",
        "workflows.main.jobs[0].a.matrix: this stand-in knows no `matrix`",
    ),
    (
        "  main:
    jobs",
        "  main:
    job",
        "",
    ),
];
