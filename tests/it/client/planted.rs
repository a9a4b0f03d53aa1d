//! What somebody else may have put in our way: records and directories.
//!
//! A planted record steers no token, is left as it is, and is said.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};

use hublease::effect::record::{MAXIMUM_RECORD, MAXIMUM_RECORDS};
use serde_json::{Value, json};

use crate::support::World;
use crate::support::job::{Job, Provider};
use crate::support::untouched::Untouched;

/// Somebody else.
const NOBODY: u32 = 65534;

/// A login that needs no docker, and its record.
fn record(world: &World, provider: Provider) -> (PathBuf, Value) {
    world.job("login").usual(provider).arg("--client=none").run().code(0);
    let [path] = world.record_files().try_into().unwrap();
    let record = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
    (path, record)
}

fn plant(path: &Path, content: impl AsRef<[u8]>) {
    fs::write(path, content).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

fn logout(world: &World, provider: Provider) -> Job<'_> {
    world.job("logout").usual(provider)
}

#[test]
fn a_record_never_says_where_a_token_is_sent() {
    for provider in [Provider::Vault, Provider::Broker] {
        for origin in [
            "https://vault-standby.example.com",
            "https://identity.docker.com",
            "https://evil.example.com",
            "http://127.0.0.1:1",
            "\n::add-mask::x",
        ] {
            let world = World::new();
            let (path, mut record) = record(&world, provider);
            record["leases"][0]["origin"] = json!(origin);
            plant(&path, record.to_string());
            let outcome =
                logout(&world, provider).run().code(0).says("not revoked").says("because: the login was made at");
            assert_eq!(outcome.requests.len(), 0, "{origin}");
            crate::support::hostile::is_harmless(&outcome.stderr);
            let kept: Value = serde_json::from_str(&fs::read_to_string(&path).unwrap()).unwrap();
            assert_eq!(kept["leases"], record["leases"]);
            logout(&world, provider).arg("--strict-revoke").run().code(7);
        }
    }
}

#[test]
fn a_logout_that_knows_no_address_sends_nothing() {
    for provider in [Provider::Vault, Provider::Broker] {
        let world = World::new();
        let (path, _) = record(&world, provider);
        let job = logout(&world, provider);
        // The same job, without the flag that names the provider.
        let bare = job.variables().iter().fold(world.job("logout"), |job, (name, value)| job.env(name, value));
        let outcome = bare.run().code(0).says("not told the address");
        assert_eq!(outcome.requests.len(), 0);
        assert!(path.exists());
        logout(&world, provider).run().code(0).says("revoked and confirmed");
    }
}

#[test]
fn another_job_s_record_is_not_ours() {
    let world = World::new();
    let (path, _) = record(&world, Provider::Vault);
    let before = Untouched::of(&world);
    for job in [
        logout(&world, Provider::Vault).env("CIRCLE_WORKFLOW_JOB_ID", "another"),
        logout(&world, Provider::Vault).env("CIRCLE_WORKFLOW_JOB_ID", ""),
        logout(&world, Provider::Vault).env("CIRCLE_WORKFLOW_JOB_ID", "").env("GITHUB_RUN_ID", "1"),
        logout(&world, Provider::Vault).env("CIRCLE_WORKFLOW_JOB_ID", "").env("CI_JOB_ID", "1"),
    ] {
        job.run().code(0).says("nothing to undo here");
        before.still(&world, "the logout of another job");
    }
    logout(&world, Provider::Vault).env("CIRCLE_WORKFLOW_JOB_ID", "another").arg("--all").run().code(0).says("revoked");
    assert!(!path.exists());
}

/// What a file in the record directory may be instead of a record of ours. `valid` is one, under `name`.
fn impostors(valid: &Value, name: &str) -> Vec<(&'static str, String, Vec<u8>)> {
    let change = |field: &str, value: Value| {
        let mut changed = valid.clone();
        changed[field] = value;
        changed.to_string().into_bytes()
    };
    let name = || name.to_owned();
    let mut lease = valid["leases"].clone();
    lease[0]["handle"] = json!({"shell": {"token": "x", "own": true}});
    let deep = "[".repeat(30_000);
    vec![
        ("empty", name(), Vec::new()),
        ("not JSON", name(), b"hello \x1b[31m".to_vec()),
        ("an empty object", name(), b"{}".to_vec()),
        ("a list", name(), valid_list(valid)),
        ("nested without end", name(), deep.into_bytes()),
        ("not UTF-8", name(), b"\xff\xfe{}".to_vec()),
        ("of another version", name(), change("version", json!(2))),
        ("of no version", name(), change("version", json!("1"))),
        ("with an unknown field", name(), change("run", json!("rm -rf /"))),
        ("with a path for an id", name(), change("id", json!("../../../../home"))),
        (
            "of another owner",
            name(),
            change("owner", json!({"job": null, "registries": [], "directory": "/", "kind": "login"})),
        ),
        ("with an unknown handle", name(), change("leases", lease)),
        ("under another name", format!("{:064x}", 7), valid.to_string().into_bytes()),
        ("too large", name(), vec![b' '; MAXIMUM_RECORD + 1]),
    ]
}

fn valid_list(valid: &Value) -> Vec<u8> {
    json!([valid]).to_string().into_bytes()
}

#[test]
fn what_is_no_record_of_ours_is_left_alone_and_said() {
    let world = World::new();
    let (path, valid) = record(&world, Provider::Vault);
    let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
    let valid_text = fs::read(&path).unwrap();
    for (what, name, content) in impostors(&valid, &name) {
        fs::remove_file(&path).unwrap();
        let planted = world.records().join(format!("{name}.json"));
        plant(&planted, content);
        left_alone(&world, &planted, what);
        fs::remove_file(planted).unwrap();
        plant(&path, &valid_text);
    }
    logout(&world, Provider::Vault).run().code(0).says("revoked and confirmed");
}

/// A logout says so and succeeds, a strict one does not; neither asks, starts or changes anything. A login whose
/// record belongs there is refused before anything is minted.
#[track_caller]
fn left_alone(world: &World, planted: &Path, what: &str) {
    let before = Untouched::of(world);
    let name = planted.file_stem().unwrap().to_str().unwrap();
    let outcome = logout(world, Provider::Vault).run().code(0).says(&format!("the record {name} is left alone: "));
    crate::support::hostile::is_harmless(&outcome.stderr);
    logout(world, Provider::Vault).arg("--strict-revoke").run().code(7).says("is left alone");
    before.still(world, what);
    if what != "under another name" {
        let login = world.job("login").usual(Provider::Vault).arg("--client=none").run().code(6);
        assert_eq!(login.says("it is left alone").requests.len(), 0, "{what}");
    }
}

#[test]
fn what_is_no_file_of_ours_is_left_alone_and_said() {
    let world = World::new();
    let (path, _) = record(&world, Provider::Vault);
    let (text, victim) = (fs::read(&path).unwrap(), world.path("spare/config.json"));
    plant(&victim, &text);
    fs::remove_file(&path).unwrap();

    symlink(&victim, &path).unwrap();
    left_alone(&world, &path, "a link to a record");
    fs::remove_file(&path).unwrap();
    symlink("/dev/zero", &path).unwrap();
    left_alone(&world, &path, "a link to a device");
    fs::remove_file(&path).unwrap();

    fs::create_dir(&path).unwrap();
    left_alone(&world, &path, "a directory");
    fs::remove_dir(&path).unwrap();

    assert!(std::process::Command::new("/usr/bin/mkfifo").arg(&path).status().unwrap().success());
    left_alone(&world, &path, "a pipe");
    fs::remove_file(&path).unwrap();

    if chown(&victim, Some(NOBODY), None).is_ok() {
        fs::rename(&victim, &path).unwrap();
        left_alone(&world, &path, "somebody else's file");
        chown(&path, Some(world.uid()), None).unwrap();
    } else {
        plant(&path, &text);
        not_run("a record of another user");
    }
    logout(&world, Provider::Vault).run().code(0).says("revoked and confirmed");
}

/// Said past the capture of the test harness.
fn not_run(what: &str) {
    drop(writeln!(io::stderr(), "not run: {what}, because only root can give files away"));
}

#[test]
fn a_record_that_others_can_read_is_not_trusted() {
    let world = World::new();
    let (path, _) = record(&world, Provider::Vault);
    for mode in [0o644, 0o620, 0o606] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        // The secret search insists on 0600, so it has to be so again before the run is searched.
        let mut running = logout(&world, Provider::Vault).spawn();
        running.process.child.wait().unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        running.wait().code(0).says(&format!("the record {name} is left alone: ")).says("others may read or write it");
    }
    logout(&world, Provider::Vault).run().code(0).says("revoked and confirmed");
}

/// Spoils the record directory; the second path is a directory that is there.
type Spoil = fn(&Path, &Path);

#[test]
fn a_record_directory_that_others_could_have_made_is_refused_before_anything_is_minted() {
    let spoil: [(&str, Spoil); 6] = [
        ("anybody may write", |path, _| mode(path, 0o777)),
        ("anybody may look", |path, _| mode(path, 0o755)),
        ("the group may write", |path, _| mode(path, 0o770)),
        ("a link", |path, spare| symlink(spare, path).unwrap()),
        ("a file", |path, _| fs::write(path, "").unwrap()),
        ("somebody else's", |path, _| {
            mode(path, 0o700);
            if chown(path, Some(NOBODY), None).is_err() {
                not_run("a record directory of another user");
                mode(path, 0o777);
            }
        }),
    ];
    for (what, spoil) in spoil {
        let world = World::new();
        mode(&world.path("spare"), 0o700);
        spoil(&world.records(), &world.path("spare"));
        let before = Untouched::of(&world);
        for (command, code) in [("login", 6), ("token", 6), ("exec", 125), ("logout", 6)] {
            let job = world.job(command).usual(Provider::Vault);
            let job = if matches!(command, "login" | "exec") { job.arg("--client=none") } else { job };
            let job = if command == "exec" { job.then(&["/bin/touch", "must-not-run"]) } else { job };
            job.run().code(code).says("the record that `logout` needs cannot be kept").says("mode 0700");
            before.still(&world, &format!("{command}: {what}"));
        }
    }
}

fn mode(path: &Path, mode: u32) {
    fs::create_dir_all(path).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// A bound shortens work; it keeps nobody from a login or from an undo, and what it leaves out is named.
#[test]
fn more_records_than_a_machine_can_have_keep_no_job_from_its_own() {
    let world = World::new();
    let (_, valid) = record(&world, Provider::Vault);
    for number in 0..MAXIMUM_RECORDS + 44 {
        plant(&world.records().join(format!("{number:064x}.json")), valid.to_string());
    }
    let files = || -> BTreeMap<_, _> {
        let planted = world.record_files().into_iter().filter(|path| path.to_string_lossy().contains("/00000000"));
        planted.map(|path| (path.clone(), fs::read_to_string(path).unwrap())).collect()
    };
    let planted = files();
    world.job("login").usual(Provider::Vault).arg("--client=none").run().code(0);
    assert!(world.has_login());
    let out = logout(&world, Provider::Vault).run().code(0).says("revoked and confirmed");
    let told: Vec<_> = out.stderr.lines().filter(|line| line.contains("left alone")).collect();
    let more =
        told.iter().filter(|line| line.contains(" and 42 more are left alone: 1024 records are newer, and were read"));
    assert_eq!(more.count(), 1, "{told:?}");
    assert!(!world.has_login());
    assert!(files() == planted);
}

/// A private directory that was exchanged for a link must not lead the removal to somebody else's files.
#[test]
fn the_removal_of_a_private_directory_follows_no_link() {
    let world = World::new();
    let login = world.job("login").usual(Provider::Vault).args(&["--client=none", "--isolated"]).run().code(0);
    let line = login.stdout.lines().find_map(|line| line.strip_prefix("export DOCKER_CONFIG='")).unwrap();
    let private = PathBuf::from(line.strip_suffix('\'').unwrap());
    let victim = world.path("spare/victim");
    mode(&victim, 0o700);
    plant(&victim.join("config.json"), "{}");
    fs::rename(&private, world.path("spare/moved")).unwrap();
    symlink(&victim, &private).unwrap();
    logout(&world, Provider::Vault).run().code(0).says("the private directory is still there");
    assert_eq!(fs::read_to_string(victim.join("config.json")).unwrap(), "{}");
    assert!(fs::symlink_metadata(private).unwrap().is_symlink());
}
