//! Somebody else's logins: they are in docker's own store, which hublease reads and writes, and may be nowhere else.
//!
//! Stricter than the search for secrets of our own: no service may see one, no mask may repeat one, and neither the record nor
//! what docker is given on standard input may hold one.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use hublease_sandbox::Logged;

use super::World;
use super::machine::{executable, which};
use super::search::{Needles, Place, is_the_client};

/// What every run is searched for.
#[derive(Default)]
pub struct Foreign {
    needles: RefCell<Needles>,
    stores: RefCell<BTreeSet<PathBuf>>,
}

impl World {
    /// Remembers a secret part of somebody else's login, which is in docker's store at home.
    pub fn add_foreign(&self, name: &str, value: &str) {
        self.foreign.needles.borrow_mut().add(name, value);
        self.foreign.stores.borrow_mut().insert(self.home().join(".docker"));
    }

    /// A directory to which somebody else's logins may come along.
    pub fn foreign_may_be_in(&self, directory: PathBuf) {
        self.foreign.stores.borrow_mut().insert(directory);
    }

    /// The docker of this world, with a copy of all that it is given on standard input.
    pub fn copy_stdin_of_docker(&self) {
        let real = self.path("bin/docker");
        let inner = self.path("bin/docker-itself");
        fs::rename(&real, &inner).unwrap();
        let (tee, copy) = (which("tee").unwrap(), self.path("docker-stdin.log"));
        let script = format!("#!/bin/sh\n'{}' -a '{}' | '{}' \"$@\"\n", tee.display(), copy.display(), inner.display());
        executable(&real, &script);
    }

    /// All that docker was given on standard input.
    pub fn stdin_of_docker(&self) -> String {
        fs::read_to_string(self.path("docker-stdin.log")).unwrap_or_default()
    }

    /// Searches what a run printed, every file that it could have written, and what it sent.
    #[track_caller]
    pub fn search_foreign(&self, printed: &[(&str, &str)], requests: &[Logged]) {
        let mut places: Vec<Place> = printed.iter().map(|(name, text)| Place::new(*name, *text)).collect();
        for name in ["children.log", "docker-stdin.log"] {
            places.push(Place::new(name, fs::read(self.path(name)).unwrap_or_default()));
        }
        for name in ["home", "tmp", "work", "spare"] {
            self.collect_foreign(&self.path(name), &mut places);
        }
        for request in requests {
            let mut bytes = format!("{} {}?{}\n", request.method, request.path, request.query).into_bytes();
            request.headers.iter().for_each(|(name, value)| bytes.extend(format!("{name}: {value}\n").bytes()));
            bytes.extend(&request.body);
            places.push(Place::new(format!("a request to {:?} {}", request.service, request.path), bytes));
        }
        let needles = self.foreign.needles.borrow();
        for place in &places {
            let found = needles.found_in(place);
            assert!(found.is_empty(), "{found:?} of somebody else in {}", place.name);
        }
    }

    fn collect_foreign(&self, directory: &Path, places: &mut Vec<Place>) {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            let path = entry.path();
            let Ok(kind) = entry.file_type() else { continue };
            if kind.is_dir() && !self.foreign.stores.borrow().contains(&path) {
                self.collect_foreign(&path, places);
            } else if kind.is_file() && !is_the_client(&path) {
                places.push(Place::new(path.display().to_string(), fs::read(&path).unwrap_or_default()));
            }
        }
    }
}

/// Without this the search proves nothing.
#[test]
#[should_panic(expected = "of somebody else in a mask")]
fn a_foreign_login_that_a_mask_repeats_is_found() {
    let world = World::new();
    world.add_foreign("a token", "Zp7-identity-token-of-somebody-else");
    world.search_foreign(&[("a mask", "::add-mask::{\"identitytoken\":\"Zp7-identity-token-of-somebody-else\"}")], &[]);
}

#[test]
#[should_panic(expected = "of somebody else in")]
fn a_foreign_login_that_lies_beside_the_store_is_found() {
    let world = World::new();
    world.add_foreign("a token", "Zp7-identity-token-of-somebody-else");
    fs::write(world.home().join("config.json"), "Zp7-identity-token-of-somebody-else").unwrap();
    world.search_foreign(&[], &[]);
}
