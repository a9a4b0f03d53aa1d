//! On real files.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use hublease_protocol::secret::Secret;

use crate::effect::docker::{Client, Directory, LARGEST_FILE, Registry, Trouble};
use crate::environment::Environment;
use crate::native::docker::file::{read, write};
use crate::native::docker::places::Places;

const KEY: &str = "https://index.docker.io/v1/";

fn places(variables: &[(&str, &str)]) -> Places {
    let environment = Environment::new(variables.iter().map(|(name, value)| ((*name).into(), (*value).into())));
    Places::new(environment, PathBuf::from("/checkout"), PathBuf::from("/nonexistent"))
}

/// What a story does: it reads and writes.
fn store(path: &Path) -> Result<(), Trouble> {
    write(path, &read(path)?.content, &Secret::new("{ \"a\" : 1 }"))
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_new_file_is_private_and_holds_what_was_asked_for() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("a/.docker/config.json");
    store(&path).unwrap();
    assert_eq!(fs::read_to_string(&path).unwrap(), "{ \"a\" : 1 }");
    assert_eq!((mode(&path), mode(path.parent().unwrap())), (0o600, 0o700));
    assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
}

#[test]
fn an_existing_file_keeps_its_mode_and_others_count_as_exposure() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("config.json");
    for (bits, exposed) in [(0o600, false), (0o400, false), (0o640, true), (0o604, true), (0o666, true)] {
        fs::write(&path, "{}").unwrap();
        set_mode(&path, bits);
        store(&path).unwrap();
        assert_eq!((mode(&path), read(&path).unwrap().exposed), (bits, exposed));
        fs::remove_file(&path).unwrap();
    }
    assert!(!read(&path).unwrap().exposed);
}

#[test]
fn a_link_stays_and_what_it_leads_to_is_written() {
    let root = tempfile::tempdir().unwrap();
    let (link, real) = (root.path().join("config.json"), root.path().join("real/docker.json"));
    fs::create_dir(root.path().join("real")).unwrap();
    symlink("real/docker.json", &link).unwrap();
    for content in [None, Some("{}")] {
        content.inspect(|content| fs::write(&real, content).unwrap());
        store(&link).unwrap();
        assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        assert_eq!(fs::read_to_string(&real).unwrap(), "{ \"a\" : 1 }");
    }
}

#[test]
fn whatever_is_text_comes_as_it_is() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("config.json");
    for content in ["", " \n", "{", "{} {}", "\u{feff}{}\r\n\0"] {
        fs::write(&path, content).unwrap();
        assert_eq!(read(&path).unwrap().content.expose(), content);
    }
    fs::write(&path, b"{\"x\":\"\xff\"}").unwrap();
    assert_eq!(read(&path), Err(Trouble::Malformed));
}

#[test]
fn a_file_that_somebody_has_written_meanwhile_is_left_to_them() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("config.json");
    let over = |over: &str| write(&path, &Secret::new(over), &Secret::new("ours"));
    assert_eq!(over("what was there"), Err(Trouble::Changed));
    assert!(!path.exists());
    for (theirs, trouble) in
        [(&b"theirs"[..], Trouble::Changed), (b"", Trouble::Changed), (b"\xff", Trouble::Malformed)]
    {
        fs::write(&path, theirs).unwrap();
        assert_eq!(over("what was there"), Err(trouble));
        assert_eq!(fs::read(&path).unwrap(), theirs);
    }
    fs::write(&path, "").unwrap();
    // An empty file and none are the same.
    assert_eq!(over(""), Ok(()));
    assert_eq!((fs::read_to_string(&path).unwrap().as_str(), over("ours")), ("ours", Ok(())));
    assert_eq!(fs::read_dir(root.path()).unwrap().count(), 1);
}

#[test]
fn what_is_no_file_or_too_large_cannot_be_used() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("large"), " ".repeat(LARGEST_FILE + 1)).unwrap();
    fs::write(root.path().join("file"), "").unwrap();
    for path in [root.path().to_owned(), root.path().join("large"), root.path().join("file/config.json")] {
        assert!(matches!(store(&path), Err(Trouble::Unusable(_))), "{path:?}");
    }
}

#[test]
fn where_docker_and_podman_keep_their_logins() {
    let file = |client, variables: &[(&str, &str)]| {
        places(variables).file(client, &Directory::User).map(|path| path.display().to_string())
    };
    let all = [("REGISTRY_AUTH_FILE", "/r"), ("DOCKER_CONFIG", "/d"), ("XDG_RUNTIME_DIR", "/usr"), ("HOME", "/nobody")];
    for (client, variables, expected) in [
        (Client::Docker, &all[..], "/d/config.json"),
        (Client::Docker, &all[2..], "/nobody/.docker/config.json"),
        (Client::None, &[("DOCKER_CONFIG", "relative")], "/checkout/relative/config.json"),
        (Client::Podman, &all[..], "/r"),
        (Client::Podman, &all[1..], "/d/config.json"),
        (Client::Podman, &all[2..], "/usr/containers/auth.json"),
    ] {
        assert_eq!(file(client, variables).as_deref(), Ok(expected));
    }
    let nowhere = [("XDG_RUNTIME_DIR", "/nowhere"), ("HOME", "/nobody")];
    assert!(matches!(file(Client::Podman, &nowhere), Err(Trouble::Unusable(_))));
    let runtime = format!("/run/containers/{}/auth.json", rustix::process::geteuid().as_raw());
    assert_eq!(file(Client::Podman, &all[3..]), Ok(runtime));
    assert!(matches!(file(Client::Docker, &[]), Err(Trouble::Unusable(_))));
    let private = Directory::Private("0".repeat(32));
    assert!(matches!(places(&all).file(Client::Podman, &private), Err(Trouble::Unusable(_))));
    assert_eq!(Registry::Hub.key(Client::Docker), KEY);
}
