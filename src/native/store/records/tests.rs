//! On real directories: what is written, read, refused, and where it is.

use std::fs::{self, File};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use hublease_protocol::secret::Secret;

use super::{Access, Folder, MAXIMUM_RECORD, MAXIMUM_RECORDS, Over, access, directory, locked};
use crate::environment::Environment;

fn write(name: &str, body: &str) -> Access {
    Access::Write { name: name.to_owned(), body: Secret::new(body), over: Over::Anything }
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o7777
}

/// A name of 64 hexadecimal digits.
fn name(number: usize) -> String {
    format!("{number:064x}")
}

fn bodies(path: &Path) -> Vec<(String, Result<String, ()>)> {
    let mut stored = access(path, &Access::Read { first: None }).unwrap();
    stored.sort_by(|one, other| one.name.cmp(&other.name));
    let stored = stored.into_iter();
    stored.map(|stored| (stored.name, stored.body.map(|body| body.expose().to_owned()).map_err(drop))).collect()
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_record_is_written_replaced_read_and_erased() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("hublease");
    assert_eq!(bodies(&path), []);
    assert!(access(&path, &Access::Erase { name: name(1) }).is_ok());
    assert!(!path.exists());
    access(&path, &Access::Prepare).unwrap();
    assert_eq!((mode(&path), fs::read_dir(&path).unwrap().count()), (0o700, 0));
    for body in ["one", "two"] {
        access(&path, &write(&name(1), body)).unwrap();
    }
    assert_eq!(mode(&path.join(format!("{}.json", name(1)))), 0o600);
    assert_eq!(bodies(&path), [(name(1), Ok("two".to_owned()))]);
    access(&path, &Access::Erase { name: name(1) }).unwrap();
    assert!(!path.exists());
}

#[test]
fn a_directory_that_others_could_have_made_is_refused() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("hublease");
    fs::create_dir(&path).unwrap();
    set_mode(&path, 0o755);
    let trouble = access(&path, &Access::Prepare).unwrap_err().0;
    assert!(trouble.ends_with("its mode is 0755, not 0700"), "{trouble}");
    set_mode(&path, 0o700);
    let link = root.path().join("link");
    symlink(&path, &link).unwrap();
    for what in [Access::Prepare, Access::Read { first: None }, write(&name(1), "x"), Access::Erase { name: name(1) }] {
        assert!(access(&link, &what).is_err(), "{what:?}");
    }
    fs::write(root.path().join("file"), "").unwrap();
    assert!(access(&root.path().join("file"), &Access::Prepare).is_err());
    assert!(access(&root.path().join("missing/hublease"), &Access::Prepare).is_err());
    assert_eq!(fs::read_dir(&path).unwrap().count(), 0);
}

#[test]
fn what_is_not_a_record_of_ours_is_not_read() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("hublease");
    access(&path, &Access::Prepare).unwrap();
    let file = |number| path.join(format!("{}.json", name(number)));
    symlink("/etc/hostname", file(1)).unwrap();
    fs::create_dir(file(2)).unwrap();
    for (number, content) in [(3, vec![b'x'; MAXIMUM_RECORD + 1]), (4, vec![0xff]), (5, b"wide".to_vec())] {
        fs::write(file(number), content).unwrap();
        set_mode(&file(number), 0o600);
    }
    set_mode(&file(5), 0o640);
    assert!(std::process::Command::new("mkfifo").arg(file(6)).status().unwrap().success());
    access(&path, &write(&name(7), "good")).unwrap();
    for other in ["README", "short.json", &format!("{}.json", "G".repeat(64))] {
        fs::write(path.join(other), "").unwrap();
    }
    let mut expected: Vec<_> = (1..7).map(|number| (name(number), Err(()))).collect();
    expected.push((name(7), Ok("good".to_owned())));
    assert_eq!(bodies(&path), expected);
}

#[test]
fn names_and_sizes_have_limits() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("hublease");
    for name in ["", "../x", &"A".repeat(64), &"a".repeat(63)] {
        assert!(access(&path, &write(name, "x")).is_err());
        assert!(access(&path, &Access::Erase { name: name.to_owned() }).is_err());
    }
    assert!(access(&path, &write(&name(1), &"x".repeat(MAXIMUM_RECORD + 1))).is_err());
    access(&path, &Access::Prepare).unwrap();
}

/// A bound shortens work, and keeps nobody from an undo.
#[test]
fn the_newest_are_read_and_one_that_is_wanted_and_of_the_others_the_names_are_told() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("hublease");
    access(&path, &Access::Prepare).unwrap();
    for number in 0..MAXIMUM_RECORDS + 3 {
        access(&path, &write(&name(number), "x")).unwrap();
        let file = File::open(path.join(format!("{}.json", name(number)))).unwrap();
        file.set_modified(UNIX_EPOCH + Duration::from_secs(1_000_000 + number as u64)).unwrap();
    }
    for (first, oldest) in [(None, [2, 1, 0]), (Some(0), [3, 2, 1]), (Some(1026), [2, 1, 0]), (Some(4000), [2, 1, 0])] {
        let first = first.map(name);
        let stored = access(&path, &Access::Read { first: first.clone() }).unwrap();
        let (read, told) = stored.split_at(MAXIMUM_RECORDS);
        assert!(read.iter().all(|stored| stored.body.is_ok()));
        let told: Vec<_> = told.iter().map(|stored| (stored.name.clone(), stored.body.clone().unwrap_err())).collect();
        let why = "1024 records are newer, and were read".to_owned();
        assert_eq!(told, oldest.map(|number| (name(number), why.clone())), "{first:?}");
    }
}

#[test]
fn an_empty_directory_goes_and_one_in_use_stays() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("hublease");
    for number in [1, 2] {
        access(&path, &write(&name(number), "x")).unwrap();
    }
    access(&path, &Access::Erase { name: name(1) }).unwrap();
    assert!(path.exists());
    access(&path, &Access::Erase { name: name(2) }).unwrap();
    assert!(!path.exists());
    // Whoever has waited for it meanwhile makes it anew.
    let folder = Folder::open(&path, true).unwrap().unwrap();
    fs::remove_dir(&path).unwrap();
    assert!(!folder.is_linked());
    assert_eq!(locked(&path).unwrap().path(), path);
}

/// Jobs that begin and end at the same moment take the directory away from under each other, and none fails of it.
#[test]
fn jobs_that_come_and_go_at_once_find_a_directory() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("hublease");
    std::thread::scope(|scope| {
        for number in 0..8 {
            let path = &path;
            scope.spawn(move || {
                for _ in 0..200 {
                    access(path, &Access::Prepare).unwrap();
                    access(path, &write(&name(number), "x")).unwrap();
                    access(path, &Access::Read { first: None }).unwrap();
                    access(path, &Access::Erase { name: name(number) }).unwrap();
                }
            });
        }
    });
    assert!(!path.exists());
}

#[test]
fn where_somebody_else_has_the_usual_place_there_is_another() {
    let me = rustix::process::geteuid().as_raw();
    for (user, there, expected) in [
        (me, &[][..], "hublease"),
        (me, &["hublease"], "hublease"),
        (me + 1, &["hublease"], "hublease-{user}"),
        (me + 1, &[], "hublease"),
        // It was begun when the usual one was root's.
        (me, &["hublease-{user}"], "hublease-{user}"),
        (me, &["hublease", "hublease-{user}"], "hublease-{user}"),
    ] {
        let root = tempfile::tempdir().unwrap();
        let named = |name: &str| root.path().join(name.replace("{user}", &user.to_string()));
        there.iter().for_each(|name| fs::create_dir(named(name)).unwrap());
        for variable in ["RUNNER_TEMP", "XDG_RUNTIME_DIR"] {
            let variables = [(variable.to_owned(), root.path().display().to_string())];
            let found = super::directory_of(&Environment::new(variables), user);
            assert_eq!(found, named(expected), "{variable}: {there:?}");
        }
    }
}

#[test]
fn the_place_follows_the_environment() {
    let root = tempfile::tempdir().unwrap();
    let here = root.path().display().to_string();
    let place = |variables: &[(&str, &str)]| {
        directory(&Environment::new(variables.iter().map(|(name, value)| ((*name).into(), (*value).into()))))
    };
    let uid = rustix::process::geteuid().as_raw();
    assert_eq!(place(&[("RUNNER_TEMP", &here), ("XDG_RUNTIME_DIR", "/")]), root.path().join("hublease"));
    assert_eq!(place(&[("XDG_RUNTIME_DIR", &here), ("TMPDIR", "/")]), root.path().join("hublease"));
    assert_eq!(place(&[("TMPDIR", &here)]), root.path().join(format!("hublease-{uid}")));
    for variables in [&[][..], &[("RUNNER_TEMP", "relative")], &[("XDG_RUNTIME_DIR", "/nonexistent")]] {
        assert_eq!(place(variables), PathBuf::from(format!("/tmp/hublease-{uid}")));
    }
}
