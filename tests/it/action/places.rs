//! Where the login is kept, and what of it later steps and other logins see.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::finished::Finished;
use super::runner::Step;
use crate::action::REVOKED;
use crate::client::network::plant_programs;
use crate::client::registry::installed;
use crate::support::World;
use crate::support::driven::leased;
use crate::support::job::Provider;

pub(super) const HUB: &str = "https://index.docker.io/v1/";
/// `alice:a-password-of-alice` and its base64 form.
pub(super) const ALICE: &str = "YWxpY2U6YS1wYXNzd29yZC1vZi1hbGljZQ==";

pub(super) fn private(world: &World, finished: &Finished<'_>) -> PathBuf {
    let path = PathBuf::from(&finished.env["DOCKER_CONFIG"]);
    assert_eq!(path.parent(), Some(world.path("tmp/hublease").as_path()));
    assert_eq!(finished.output["docker-config"], finished.env["DOCKER_CONFIG"]);
    path
}

pub(super) fn config_in(directory: &Path) -> serde_json::Value {
    serde_json::from_str(&fs::read_to_string(directory.join("config.json")).unwrap()).unwrap()
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_private_login_is_found_by_later_steps_and_taken_back() {
    for isolated in ["true", "True"] {
        let world = World::new();
        world.write_config(&format!(
            r#"{{"auths":{{"ghcr.io":{{"auth":"{ALICE}"}}}},"credsStore":"none-of-ours","proxies":{{"default":{{}}}}}}"#
        ));
        fs::create_dir_all(world.home().join(".docker/contexts/meta")).unwrap();
        let before = fs::read_to_string(world.config()).unwrap();
        let step = Step::new(&world, Provider::Vault).input("isolated", isolated);
        let main = step.main().code(0);
        let directory = private(&world, &main);
        let config = config_in(&directory);
        assert!(config["auths"][HUB]["auth"].is_string());
        assert!(config["auths"]["ghcr.io"].is_object() && config["proxies"].is_object());
        assert_eq!((&config["credsStore"], &config["credHelpers"][HUB]), (&"none-of-ours".into(), &"".into()));
        assert!(directory.join("contexts/meta").is_dir());
        assert_eq!((mode(&directory), mode(&directory.join("config.json"))), (0o700, 0o600));
        assert_eq!(fs::read_to_string(world.config()).unwrap(), before);

        // The runner gives later steps, and the post steps, what was written to GITHUB_ENV.
        let step = step.after(&main);
        let post = step.post(&main).code(0).says(REVOKED);
        assert_eq!(post.env["DOCKER_CONFIG"], world.home().join(".docker").display().to_string());
        assert!(!directory.exists() && world.home().join(".docker/contexts/meta").is_dir());
        assert_eq!(leased(&world), Vec::<String>::new());
    }
}

/// Docker before 27.2 takes a relative link for one from where it runs.
#[test]
fn a_file_that_is_a_link_stays_one_and_what_it_leads_to_is_changed() {
    for relative in [false, true] {
        let world = World::new();
        let target = world.home().join("dotfiles/config.json");
        fs::create_dir_all(world.home().join(".docker")).unwrap();
        fs::create_dir(target.parent().unwrap()).unwrap();
        fs::write(&target, r#"{"auths":{"ghcr.io":{}}}"#).unwrap();
        fs::set_permissions(&target, fs::Permissions::from_mode(0o600)).unwrap();
        symlink(if relative { "../dotfiles/config.json".into() } else { target.clone() }, world.config()).unwrap();
        let step = Step::new(&world, Provider::Vault);
        let main = step.main().code(0);
        assert!(config_in(target.parent().unwrap())["auths"][HUB]["auth"].is_string());
        step.after(&main).post(&main).code(0).says("revoked and confirmed");
        assert!(fs::symlink_metadata(world.config()).unwrap().is_symlink());
        assert_eq!(config_in(target.parent().unwrap()), serde_json::json!({"auths": {"ghcr.io": {}}}));
    }
}

#[test]
fn an_earlier_login_comes_back_and_is_in_no_log() {
    let world = World::new();
    world.add_secret("an earlier login", ALICE);
    world.write_config(&format!(r#"{{"auths":{{"{HUB}":{{"auth":"{ALICE}"}}}}}}"#));
    let step = Step::new(&world, Provider::Vault);
    let main = step.main().code(0);
    assert_eq!(main.record()["earlier"][0]["registry"], "docker.io");
    step.post(&main).code(0).says("docker.io: the earlier login is back");
    assert_eq!(world.read_config()["auths"][HUB]["auth"], ALICE);
}

#[test]
fn a_file_that_others_can_read_is_not_used() {
    let world = World::new();
    world.write_config("{}");
    fs::set_permissions(world.config(), fs::Permissions::from_mode(0o644)).unwrap();
    let step = Step::new(&world, Provider::Vault);
    let main = step.main().code(0).says("::warning::logging in to a private directory, because other users can read");
    private(&world, &main);
    assert_eq!(fs::read_to_string(world.config()).unwrap(), "{}");
    step.after(&main).post(&main).code(0);
}

#[test]
fn a_malformed_file_is_left_byte_for_byte_before_anything_is_minted() {
    for text in [
        "{".as_bytes(),
        br#"{"auths":{"ghcr.io":1}}"#,
        br#"{"auths":[]}"#,
        br#"{"auths":{"https://index.docker.io/v1/":1}}"#,
        b"\xef\xbb\xbf{}",
        b"{\"x\":\"\xff\"}",
    ] {
        let world = World::new();
        world.write_config("");
        fs::write(world.config(), text).unwrap();
        for client in ["docker", "none"] {
            let step = Step::new(&world, Provider::Vault).input("client", client);
            let main = step.main().code(6).says("::error::docker's config.json");
            assert!(main.requests.is_empty() && main.state.is_empty());
        }
        assert_eq!(fs::read(world.config()).unwrap(), text);
    }
}

/// What is not ours in the file stays as it was written, numbers and all.
#[test]
fn the_file_is_written_without_docker_where_that_is_asked_for() {
    let world = World::new();
    let kept = "{\n\t\"big\": 12345678901234567890123,\n\t\"auths\": {\n\t\t\"ghcr.io\": {\n\t\t\t\"auth\": \"YTpi\"\n\t\t}\n\t}\n}";
    let real = world.path("spare/elsewhere/config.json");
    fs::create_dir(world.path("spare/elsewhere")).unwrap();
    fs::write(&real, kept).unwrap();
    fs::set_permissions(&real, fs::Permissions::from_mode(0o600)).unwrap();
    fs::create_dir(world.home().join(".docker")).unwrap();
    symlink(&real, world.config()).unwrap();
    let step = Step::new(&world, Provider::Vault).input("client", "none");
    let main = step.main().code(0);
    assert!(main.children.is_empty() && world.has_login());
    assert!(fs::read_to_string(&real).unwrap().contains("12345678901234567890123"));
    step.post(&main).code(0);
    assert_eq!(fs::read_to_string(&real).unwrap(), kept);
    assert_eq!((mode(&real), fs::read_link(world.config()).unwrap()), (0o600, real));

    let world = World::new();
    let step = Step::new(&world, Provider::Vault).input("client", "none");
    let main = step.main().code(0);
    assert_eq!((mode(&world.config()), mode(&world.home().join(".docker"))), (0o600, 0o700));
    step.post(&main).code(0);
    assert!(!world.has_login());
}

/// The helper that docker would pick by itself: one that works keeps the login, and a broken one is not let near it.
#[test]
fn a_credential_helper_is_asked_before_it_is_trusted() {
    let list = r#"printf '{"https://index.docker.io/v1/":"acmebot"}'"#;
    for (script, says) in [
        ("exit 1", "the credential helper `test` does not answer"),
        ("cat >/dev/null; echo '[]'", "the credential helper `test` does not answer"),
        ("cat >/dev/null; head -c 2000000 /dev/zero", "the credential helper `test` does not answer"),
        (list, "the credential helper `test` holds another login to docker.io"),
    ] {
        let world = World::new();
        world.write_config(r#"{"credsStore":"test"}"#);
        world.program("docker-credential-test", &format!("#!/bin/sh\nPATH=/usr/bin:/bin\n{script}\n"));
        let step = Step::new(&world, Provider::Vault);
        let main = step.main().code(0).says(says);
        assert!(config_in(&private(&world, &main))["auths"][HUB]["auth"].is_string());
        step.after(&main).post(&main).code(0);
        assert_eq!(leased(&world), Vec::<String>::new());
    }
    let world = World::new();
    world.program("pass", "#!/bin/sh\nexit 1\n");
    world.program("docker-credential-pass", "#!/bin/sh\nexit 1\n");
    let step = Step::new(&world, Provider::Vault);
    let main = step.main().code(0).does_not_say("helper");
    assert!(world.has_login());
    step.post(&main).code(0);
}

#[test]
fn podman_keeps_the_login_in_its_own_file() {
    if !installed(&["podman"]) {
        return;
    }
    let world = World::new();
    world.wrap("podman");
    fs::remove_file(world.path("bin/docker")).unwrap();
    let store = world.path("spare/podman/auth.json");
    fs::create_dir(world.path("spare/podman")).unwrap();
    let step = Step::new(&world, Provider::Vault).input("client", "podman");
    let step = step.env("REGISTRY_AUTH_FILE", store.display().to_string());
    let main = step.main().code(0);
    let read = || -> serde_json::Value { serde_json::from_str(&fs::read_to_string(&store).unwrap()).unwrap() };
    assert!(read()["auths"]["docker.io"]["auth"].is_string() && !world.config().exists());
    step.post(&main).code(0).says_only(REVOKED);
    assert!(read()["auths"]["docker.io"].is_null());
    let login = "[podman] [login] [--username] [acmebot] [--password-stdin] [docker.io]";
    assert_eq!(world.children(), ["[podman] [--version]", login, "[podman] [logout] [docker.io]"]);
}

/// Everybody can write to a temporary directory; what lies there is not believed.
#[test]
fn a_planted_directory_is_not_used() {
    let plants: [fn(&World, &Path); 3] = [
        |world, place| symlink(world.path("spare"), place).unwrap(),
        |_, place| fs::write(place, "").unwrap(),
        |_, place| {
            fs::create_dir(place).unwrap();
            fs::set_permissions(place, fs::Permissions::from_mode(0o777)).unwrap();
        },
    ];
    for plant in plants {
        let world = World::new();
        plant(&world, &world.path("tmp/hublease"));
        let step = Step::new(&world, Provider::Vault).input("isolated", "true");
        step.main().code(6).says("::error::").says("hublease");
        assert_eq!(fs::read_dir(world.path("spare")).unwrap().count(), 0);
        assert_eq!(leased(&world), Vec::<String>::new());
    }
}

#[test]
fn what_others_put_into_a_private_directory_stays_without_the_login() {
    let world = World::new();
    let step = Step::new(&world, Provider::Vault).input("isolated", "true");
    let main = step.main().code(0);
    let directory = private(&world, &main);
    fs::write(directory.join("notes"), "mine").unwrap();
    fs::write(world.home().join(".docker/notes"), "theirs").unwrap();
    fs::write(directory.join("scan"), "made by a plugin").unwrap();
    fs::write(directory.join(".token_seed"), "left by a builder").unwrap();
    step.after(&main).post(&main).code(0).says("still there, without the login").says("left because of notes");
    assert_eq!(fs::read_to_string(world.home().join(".docker/scan")).unwrap(), "made by a plugin");
    let mut names: Vec<_> = fs::read_dir(&directory).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, [".hublease", ".user", "notes"]);
}

/// A checkout can hold anything, and PATH may lead into it.
#[test]
fn a_planted_program_is_never_run() {
    let world = World::new();
    let (planted, bad) = plant_programs(&world);
    // Nor does the workspace decide which of the system's programs is meant.
    let outside = world.path("work/outside");
    symlink("/usr/bin", &outside).unwrap();
    let bad = format!("{bad}:{}", outside.display());
    let good = world.path("bin").display().to_string();
    let step = Step::new(&world, Provider::Vault).env("PATH", format!("{bad}:{good}:"));
    let main = step.main().code(0);
    assert!(world.has_login());
    step.post(&main).code(0);
    let trace = fs::read_to_string(world.path("children.log")).unwrap();
    let paths: Vec<_> = trace.lines().filter(|line| line.starts_with("export PATH=")).collect();
    assert!(paths.iter().all(|line| *line == format!("export PATH='{good}'")), "{paths:?}");
    let step = Step::new(&world, Provider::Vault).env("PATH", &bad);
    let main = step.main().code(6).says("no docker program on PATH").says("give `client none`");
    main.says(&format!("because: {} was skipped", world.path("work/docker").display()));
    assert!(!planted.exists(), "{}", fs::read_to_string(planted).unwrap());
}

#[test]
fn an_entry_of_path_that_cannot_be_looked_at_is_passed_over() {
    let world = World::new();
    let (loops, file) = (world.path("spare/loops"), world.path("spare/file"));
    fs::create_dir(&loops).unwrap();
    symlink(loops.join("docker"), loops.join("docker")).unwrap();
    fs::write(&file, "").unwrap();
    let path = format!("{}:{}:{}", loops.display(), file.display(), world.path("bin").display());
    let step = Step::new(&world, Provider::Vault).env("PATH", path);
    let main = step.main().code(0);
    assert!(world.has_login());
    step.post(&main).code(0);
}
