//! Several runners on one machine: each has its own place for records, and all have one home.
//!
//! A runner sees the records of its own jobs only, so what it knows of the others is what lies beside docker's file. Each row is
//! played by the program and by the Action.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::action::finished::Finished;
use crate::action::runner::Step;
use crate::support::World;
use crate::support::driven::leased;
use crate::support::job::Provider;

/// `alice:a-password-of-alice` in docker's form.
const ALICE: &str = r#"{"auths":{"https://index.docker.io/v1/":{"auth":"YWxpY2U6YS1wYXNzd29yZC1vZi1hbGljZQ=="}}}"#;
const NOBODY: &str = r#"{"auths":{"ghcr.io":{}}}"#;

/// Because of whom a login is private.
const SHARED: &str = "logging in to a private directory, because a job of another runner uses docker's file in ";

/// What one runner does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Act {
    /// It logs in, in the user's own file or in a private directory.
    In(char, Place),
    /// It logs out.
    Out(char),
    /// Its machine is taken away from it: what it knows is gone, and nobody logs out.
    Crash(char),
    /// Time passes, until every credential has ended.
    End,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Place {
    Users,
    Private,
}

use Act::{Crash, End, In, Out};
use Place::{Private, Users};

/// What the row is about, docker's file before, what happens, and docker's file afterwards.
type Row = (&'static str, &'static str, &'static [Act], &'static str);

const ROWS: &[Row] = &[
    ("one after the other", ALICE, &[In('a', Users), Out('a'), In('b', Users), Out('b')], ALICE),
    ("the first leaves first", ALICE, &[In('a', Users), In('b', Private), Out('a'), Out('b')], ALICE),
    ("the first leaves last", ALICE, &[In('a', Users), In('b', Private), Out('b'), Out('a')], ALICE),
    ("nobody was there", NOBODY, &[In('a', Users), In('b', Private), Out('a'), Out('b')], NOBODY),
    (
        "three at once",
        ALICE,
        &[In('a', Users), In('b', Private), In('c', Private), Out('c'), Out('a'), Out('b')],
        ALICE,
    ),
    (
        "the file is free again",
        ALICE,
        &[In('a', Users), In('b', Private), Out('a'), In('c', Users), Out('b'), Out('c')],
        ALICE,
    ),
    ("one that crashed may still be at work", ALICE, &[In('a', Users), Crash('a'), In('b', Private), Out('b')], "a's"),
    (
        "one that crashed is over by any clock, and nobody takes it for a person's",
        NOBODY,
        &[In('a', Users), Crash('a'), End, In('b', Users), Out('b')],
        NOBODY,
    ),
    (
        "a login by the same job again",
        ALICE,
        &[In('a', Users), In('a', Users), Out('a'), In('b', Users), Out('b')],
        ALICE,
    ),
];

/// How a runner's job logs in and out.
trait Runner<'w> {
    fn log_in(&mut self) -> String;
    fn log_out(&mut self) -> String;
}

/// The program, which finds its record where the runner has its temporary files.
struct Program<'w> {
    world: &'w World,
    temp: PathBuf,
    name: char,
}

impl Program<'_> {
    fn run(&self, command: &str) -> String {
        let job = self.world.job(command).usual(Provider::Broker).env("RUNNER_TEMP", self.temp.display().to_string());
        job.env("CIRCLE_WORKFLOW_JOB_ID", format!("job {}", self.name)).run().code(0).stderr
    }
}

impl<'w> Runner<'w> for Program<'w> {
    fn log_in(&mut self) -> String {
        self.run("login")
    }

    fn log_out(&mut self) -> String {
        self.run("logout")
    }
}

/// The Action, whose record is in the state of its step.
struct Action<'w> {
    step: Step<'w>,
    done: Vec<Finished<'w>>,
}

impl<'w> Runner<'w> for Action<'w> {
    fn log_in(&mut self) -> String {
        let main = self.step.main().code(0);
        let shown = main.shown();
        self.done.push(main);
        shown
    }

    /// The post steps of a job come in the reverse order of its steps.
    fn log_out(&mut self) -> String {
        let mut shown = String::new();
        while let Some(main) = self.done.pop() {
            shown += &self.step.clone().after(&main).post(&main).code(0).shown();
        }
        shown
    }
}

type Host = for<'w> fn(&'w World, PathBuf, char) -> Box<dyn Runner<'w> + 'w>;

const HOSTS: [(&str, Host); 2] = [
    ("the program", |world, temp, name| Box::new(Program { world, temp, name })),
    ("the Action", |world, temp, name| {
        let step = Step::new(world, Provider::Broker).env("RUNNER_TEMP", temp.display().to_string());
        Box::new(Action { step: step.env("GITHUB_RUN_ID", format!("{}", u32::from(name))), done: Vec::new() })
    }),
];

#[test]
fn no_runner_takes_another_ones_login_for_a_persons() {
    for (host, start) in HOSTS {
        for (what, before, acts, after) in ROWS {
            let world = World::new();
            let what = format!("{host}: {what}");
            world.write_config(before);
            let mut runners: Vec<(char, Box<dyn Runner<'_>>)> = Vec::new();
            for act in *acts {
                match act {
                    In(name, place) => {
                        let at = runners.iter().position(|(known, _)| known == name).unwrap_or_else(|| {
                            let temp = world.path(&format!("runner-{name}"));
                            fs::create_dir_all(&temp).unwrap();
                            runners.push((*name, start(&world, temp, *name)));
                            runners.len() - 1
                        });
                        let said = runners[at].1.log_in();
                        assert_eq!(said.contains(SHARED), *place == Private, "{what}: {act:?}\n{said}");
                    }
                    Out(name) => {
                        let (_, mut runner) =
                            runners.remove(runners.iter().position(|(known, _)| known == name).unwrap());
                        let said = runner.log_out();
                        assert!(said.contains("revoked and confirmed"), "{what}: {act:?}\n{said}");
                    }
                    Crash(name) => {
                        runners.retain(|(known, _)| known != name);
                        fs::remove_dir_all(world.path(&format!("runner-{name}"))).unwrap();
                    }
                    End => age_marks(&world),
                }
            }
            // docker writes its file in a form of its own.
            let is = |text: &str| world.read_config() == serde_json::from_str::<serde_json::Value>(text).unwrap();
            if *after == "a's" {
                assert!(!is(before) && marks(&world).len() == 1, "{what}");
                continue;
            }
            assert!(is(after), "{what}: {}", world.read_config());
            assert_eq!(marks(&world), Vec::<PathBuf>::new(), "{what}");
            let crashed = acts.iter().filter(|act| matches!(act, Crash(_))).count();
            assert_eq!(leased(&world).len(), crashed, "{what}");
        }
    }
}

/// A note that nobody can read says that somebody is there, and no more.
#[test]
fn a_mark_that_cannot_be_read_counts_as_a_login_that_lives() {
    for (host, start) in HOSTS {
        for note in ["", "{", "[]", "{\"mark\":1}", "{\"mark\":\"x\",\"new\":1}", "\u{0}"] {
            let world = World::new();
            world.write_config(ALICE);
            let mark = world.home().join(format!(".docker/.hublease-{}", "a".repeat(32)));
            fs::write(&mark, note).unwrap();
            fs::set_permissions(&mark, fs::Permissions::from_mode(0o600)).unwrap();
            let temp = world.path("runner-b");
            fs::create_dir_all(&temp).unwrap();
            let mut runner = start(&world, temp, 'b');
            assert!(runner.log_in().contains(SHARED), "{host}: {note}");
            runner.log_out();
            assert_eq!(fs::read_to_string(world.config()).unwrap(), ALICE, "{host}: {note}");
            assert!(mark.exists(), "{host}: {note}");
        }
    }
}

/// What logins have left beside docker's file.
fn marks(world: &World) -> Vec<PathBuf> {
    let names = fs::read_dir(world.home().join(".docker")).unwrap().map(|entry| entry.unwrap().path());
    names.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with(".hublease-")).collect()
}

/// The clock of the program is the machine's, so it is the end that moves.
fn age_marks(world: &World) {
    for path in marks(world) {
        let mut note: serde_json::Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
        note["expires_at"] = 1.into();
        fs::write(path, note.to_string()).unwrap();
    }
}
