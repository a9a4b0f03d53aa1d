//! Declarations, arguments and references.

use super::Case;

pub const CASES: &[Case] = &[
    ("version: 2.1", "version: 2", "version: orbs and parameters need version 2.1"),
    ("\nversion: 2.1", "\nx: 1", "config: unknown key `x`"),
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
];
