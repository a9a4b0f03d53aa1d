//! Steps, conditions, jobs and workflows.

use super::Case;

pub const CASES: &[Case] = &[
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
        "docker: [{image: cimg/base:current, auth: {username: $U, password: $P}}]",
        "description: no machine",
        "jobs.a: a job needs `docker`, `machine`, `macos` or `executor`",
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
    ("main:\n    jobs", "main:\n    job", "workflows.main: unknown key `job`"),
];
