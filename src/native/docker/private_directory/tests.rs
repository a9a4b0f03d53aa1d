//! On real directories, and by the table that the Action is held to as well.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use hublease_protocol::secret::Secret;
use serde_json::Value;

use super::{Plan, make, origin_of, path};
use crate::effect::docker::{Made, Removed, Sharing};
use crate::native::docker::hand_over::tests::{fill, shown};

const ID: &str = "0123456789abcdef0123456789abcdef";

struct TestHome {
    root: tempfile::TempDir,
}

impl TestHome {
    /// A user's directory with contexts and plugins.
    fn new() -> Self {
        let world = Self { root: tempfile::tempdir().unwrap() };
        fs::create_dir_all(world.user().join("contexts/meta")).unwrap();
        fs::create_dir(world.user().join("cli-plugins")).unwrap();
        fs::write(world.user().join("cli-plugins/docker-buildx"), "plugin").unwrap();
        world
    }

    fn user(&self) -> PathBuf {
        self.root.path().join("user")
    }

    fn records(&self) -> PathBuf {
        self.root.path().join("records")
    }

    fn make(&self) -> PathBuf {
        PathBuf::from(self.try_to_make(Some(&self.user())).unwrap().path)
    }

    fn try_to_make(&self, origin: Option<&Path>) -> Result<Made, String> {
        let content = Secret::new("{ \"a\": 1 }");
        make(&self.records(), ID, Plan { origin, content: &content, sharing: &sharing() })
    }
}

fn sharing() -> Sharing {
    let apart = ["config.json", ".tmp-config.json", ".token_seed", ".hublease", ".user"].map(str::to_owned).to_vec();
    Sharing { linked: true, apart, seeds: Vec::new(), made: vec!["buildx".to_owned()] }
}

fn remove(records: &Path, id: &str) -> Result<Removed, String> {
    super::remove(records, id, &sharing())
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn it_holds_what_it_shall_and_links_the_rest() {
    let world = TestHome::new();
    let made = world.make();
    assert_eq!((made.clone(), path(&world.records(), ID)), (world.records().join(ID), Ok(made.clone())));
    assert_eq!(fs::read_to_string(made.join("config.json")).unwrap(), "{ \"a\": 1 }");
    assert_eq!((mode(&made), mode(&made.join("config.json"))), (0o700, 0o600));
    assert_eq!(fs::read_to_string(made.join("cli-plugins/docker-buildx")).unwrap(), "plugin");
    assert!(fs::symlink_metadata(made.join("contexts")).unwrap().is_symlink());
    // The user's own got it first.
    assert_eq!(fs::read_link(made.join("buildx")).unwrap(), world.user().join("buildx"));
    assert_eq!(mode(&world.user().join("buildx")), 0o700);
    assert_eq!(origin_of(&world.records(), &made), Some(Some(world.user())));
    assert!(world.try_to_make(None).is_err());
}

#[test]
fn removing_takes_what_docker_and_we_made_and_follows_no_link() {
    let world = TestHome::new();
    let made = world.make();
    fs::write(made.join("config.json123"), "left by docker").unwrap();
    fs::write(made.join(".token_seed"), "left by its builder").unwrap();
    remove(&world.records(), ID).unwrap();
    assert!(!made.exists());
    assert_eq!(fs::read_to_string(world.user().join("cli-plugins/docker-buildx")).unwrap(), "plugin");
    assert!(world.user().join("contexts/meta").is_dir());
    assert_eq!(remove(&world.records(), ID), Ok(Removed::default()));
    assert!(path(&world.records(), ID).is_err());
}

#[test]
fn it_is_made_of_nothing_where_there_is_nothing() {
    let world = TestHome::new();
    let file = world.root.path().join("file");
    fs::write(&file, "").unwrap();
    let missing = world.root.path().join("missing");
    for (origin, unlinked) in [(None, false), (Some(file), true), (Some(missing.clone()), false)] {
        let made = world.try_to_make(origin.as_deref()).unwrap();
        assert_eq!(made.unlinked.is_some(), unlinked, "{origin:?}");
        assert_eq!(origin_of(&world.records(), Path::new(&made.path)), Some(origin));
        assert_eq!(remove(&world.records(), ID).unwrap().left, [""; 0]);
        assert!(!Path::new(&made.path).exists());
    }
    assert_eq!(mode(&missing.join("buildx")), 0o700);
}

#[test]
fn what_cannot_be_handed_over_stays_and_is_reported_but_the_login_goes() {
    let world = TestHome::new();
    let made = world.make();
    fs::write(world.user().join("notes"), "theirs").unwrap();
    for name in ["notes", "new"] {
        fs::write(made.join(name), "mine").unwrap();
    }
    let removed = remove(&world.records(), ID).unwrap();
    assert_eq!((removed.moved, removed.left), (vec!["new".to_owned()], vec!["notes".to_owned()]));
    assert!(!made.join("config.json").exists() && !made.join("new").exists() && made.join("notes").exists());
    assert_eq!(fs::read_to_string(world.user().join("new")).unwrap(), "mine");
    // As soon as there is room for it, the next one hands it over.
    fs::remove_file(world.user().join("notes")).unwrap();
    assert_eq!(remove(&world.records(), ID).unwrap().moved, ["notes"]);
    assert!(!made.exists());
}

#[test]
fn a_planted_directory_is_neither_used_nor_removed() {
    let world = TestHome::new();
    let made = world.make();
    let other = "f".repeat(32);
    fs::create_dir(world.records().join(&other)).unwrap();
    fs::set_permissions(world.records().join(&other), fs::Permissions::from_mode(0o700)).unwrap();
    let link = "e".repeat(32);
    symlink(&made, world.records().join(&link)).unwrap();
    let mut ids = vec![other.as_str(), &link, "..", "", "../user", "0123456789ABCDEF0123456789ABCDEF"];
    // Somebody else's marker does not make it ours either.
    fs::write(world.records().join(&other).join(".hublease"), ID).unwrap();
    fs::set_permissions(world.records().join(&other).join(".hublease"), fs::Permissions::from_mode(0o600)).unwrap();
    fs::write(made.join(".hublease"), "x").unwrap();
    ids.push(ID);
    for id in ids {
        assert!(path(&world.records(), id).is_err(), "{id}");
        assert!(remove(&world.records(), id).is_err(), "{id}");
    }
    assert!(made.join("config.json").exists());
}

fn lines(value: &Value) -> Vec<&str> {
    value.as_array().into_iter().flatten().map(|line| line.as_str().unwrap()).collect()
}

#[test]
fn every_case_of_the_table() {
    every_case(&tempfile::tempdir().unwrap());
}

/// A user's directory on another file system is reached by copies alone, and everything else stays as the table says.
#[test]
#[cfg(target_os = "linux")]
fn every_case_of_the_table_across_file_systems() {
    use std::os::unix::fs::MetadataExt;

    // Every Linux has it, as a file system of its own.
    let elsewhere = tempfile::tempdir_in("/dev/shm").unwrap();
    let here = tempfile::tempdir().unwrap();
    let device = |directory: &Path| fs::metadata(directory).unwrap().dev();
    assert_ne!(device(elsewhere.path()), device(here.path()), "temporary files lie in /dev/shm: name another TMPDIR");
    every_case(&elsewhere);
}

/// The user's directories are below `users`.
fn every_case(users: &tempfile::TempDir) {
    let table = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/private-directory.json"));
    let table: Value = serde_json::from_str(table).unwrap();
    for (number, case) in table["cases"].as_array().unwrap().iter().enumerate() {
        let name = case["name"].as_str().unwrap();
        let root = tempfile::tempdir().unwrap();
        let (records, user) = (root.path().join("records"), users.path().join(number.to_string()));
        if !case["user"].is_null() {
            fill(&user, &lines(&case["user"]));
        }
        let plan = Plan { origin: Some(&user), content: &Secret::new("{}"), sharing: &sharing() };
        let made = make(&records, ID, plan).unwrap();
        let private = Path::new(&made.path);
        let links = shown(private).into_iter().filter_map(|line| Some(line.split_once(" -> ")?.0.to_owned()));
        let links: Vec<_> = links.filter(|name| name != ".user").collect();
        assert_eq!((links, made.unlinked), (strings(&case["linked"]), None), "{name}");
        fill(private, &lines(&case["done"]));
        fill(&user, &lines(&case["theirs"]));
        let Removed { moved, left, .. } = remove(&records, ID).unwrap();
        assert_eq!((&moved, &left), (&strings(&case["moved"]), &strings(&case["left"])), "{name}");
        assert_eq!(shown(&user), strings(&case["after"]), "{name}");
        assert_eq!((private.exists(), private.join("config.json").exists()), (!left.is_empty(), false), "{name}");
    }
}

fn strings(value: &Value) -> Vec<String> {
    lines(value).into_iter().map(str::to_owned).collect()
}
