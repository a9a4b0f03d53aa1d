//! A job around the orb's steps, in a world of its own; and several at a time.

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

use serde_json::Value;

use super::documented::{NAME, packed};
use super::machine::Image;
use super::play::{Circleci, Played};
use super::source::Orb;
use super::yaml;
use crate::client::registry::{KNOWN, installed};
use crate::support::World;

/// Whether these programs and the released client are here. Without them the test fails, unless it was asked to do without.
pub fn ready(programs: &[&str]) -> bool {
    let known = std::env::var(KNOWN).unwrap_or_default();
    if std::env::var_os("HUBLEASE_STATIC").is_none() && known.split(',').any(|known| known == "static") {
        // Past the test harness, which keeps what a passing test prints.
        let _ = writeln!(std::io::stderr(), "not run: jobs with the orb (no static client was built)");
        return false;
    }
    installed(programs)
}

/// How many jobs run at a time: they wait for programs more than they work.
const AT_A_TIME: usize = 4;

/// Does the same with every case, several at a time; all that fail are named, and say on standard error why.
pub fn each<T: Sync>(cases: &[T], name: impl Fn(usize, &T) -> String, run: impl Fn(&T) + Sync) {
    let mut failed = Vec::new();
    for (chunk, some) in cases.chunks(AT_A_TIME).enumerate() {
        std::thread::scope(|scope| {
            let run = &run;
            let started = some.iter().map(|case| scope.spawn(|| catch_unwind(AssertUnwindSafe(|| run(case))).is_ok()));
            let started: Vec<_> = started.collect();
            for (index, thread) in started.into_iter().enumerate() {
                if !thread.join().unwrap() {
                    failed.push(name(chunk * AT_A_TIME + index, &some[index]));
                }
            }
        });
    }
    assert_eq!(failed, Vec::<String>::new());
}

/// A config with one job, which has these steps and these further keys.
pub fn config(keys: &str, steps: &str) -> Value {
    let indented =
        |text: &str, by: usize| -> String { text.trim().lines().map(|line| format!("{:by$}{line}\n", "")).collect() };
    let text = format!(
        "version: 2.1\norbs:\n  dockerhub: {NAME}@{}\njobs:\n  push:\n    machine: {{image: ubuntu-2404:current}}\n{}    \
         steps:\n{}workflows:\n  main:\n    jobs: [push]\n",
        env!("CARGO_PKG_VERSION"),
        indented(keys, 4),
        indented(steps, 6),
    );
    yaml::read(&text).unwrap_or_else(|error| panic!("{error}:\n{text}"))
}

/// A world, an image, and what is changed in both before the job begins.
pub struct Given<'a> {
    pub world: &'a World,
    pub image: Image,
    pub prepare: &'a (dyn Fn(&World) + Sync),
}

impl<'a> Given<'a> {
    pub fn usual(world: &'a World) -> Self {
        Self { world, image: Image::Bash, prepare: &|_| {} }
    }

    /// Plays a config in which `variables` are set for the project.
    pub fn play(&self, config: &Value, variables: &[(&str, &str)], under: Vec<String>) -> Vec<Played> {
        let orb = packed();
        let circleci = Circleci::new(self.world, self.image, vec![Orb { name: NAME, packed: &orb }]).under(under);
        let circleci = variables.iter().fold(circleci, |circleci, (name, value)| circleci.variable(name, value));
        (self.prepare)(self.world);
        circleci.play(config).unwrap_or_else(|refusal| panic!("{refusal}"))
    }

    /// The same with one job, run once.
    pub fn play_one(&self, config: &Value) -> Played {
        let mut played = self.play(config, &[], Vec::new());
        assert_eq!(played.len(), 1, "{played:#?}");
        played.remove(0)
    }
}
