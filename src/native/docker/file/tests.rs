//! On real files.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use hublease_protocol::secret::Secret;

use crate::effect::docker::{Client, Directory, Registry, Trouble};
use crate::environment::Environment;
use crate::native::docker::file::{change, read};
use crate::native::docker::places::Places;

const KEY: &str = "https://index.docker.io/v1/";

fn places(variables: &[(&str, &str)]) -> Places {
    let environment = Environment::new(variables.iter().map(|(name, value)| ((*name).into(), (*value).into())));
    Places::new(environment, PathBuf::from("/checkout"), PathBuf::from("/nonexistent"))
}

fn store(path: &Path) -> Result<(), Trouble> {
    change(path, |config| {
        config.store_login(KEY, "acme", &Secret::new("x"));
        Ok(())
    })
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_new_file_is_private_and_indented_as_docker_does() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("a/.docker/config.json");
    store(&path).unwrap();
    let expected =
        "{\n\t\"auths\": {\n\t\t\"https://index.docker.io/v1/\": {\n\t\t\t\"auth\": \"YWNtZTp4\"\n\t\t}\n\t}\n}";
    assert_eq!(fs::read_to_string(&path).unwrap(), expected);
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
        assert!(fs::read_to_string(&real).unwrap().contains("YWNtZTp4"));
    }
}

#[test]
fn a_malformed_file_is_left_byte_for_byte() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("config.json");
    for content in ["{", "[]", r#"{"auths":[]}"#, r#"{"auths":{},"auths":{}}"#, "{} {}", "\u{feff}{}"] {
        fs::write(&path, content).unwrap();
        assert_eq!(store(&path), Err(Trouble::Malformed), "{content}");
        assert_eq!(fs::read_to_string(&path).unwrap(), content);
    }
}

#[test]
fn an_empty_file_counts_as_an_empty_object() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("config.json");
    fs::write(&path, " \n").unwrap();
    assert_eq!(store(&path), Ok(()));
}

#[test]
fn a_file_that_would_stay_the_same_is_not_touched() {
    let root = tempfile::tempdir().unwrap();
    let path = root.path().join("config.json");
    let erase = || {
        change(&path, |config| {
            config.erase(KEY);
            Ok(())
        })
    };
    assert_eq!(erase(), Ok(()));
    assert!(!path.exists());
    fs::write(&path, r#"{ "auths" : { "ghcr.io" : {} } }"#).unwrap();
    assert_eq!(erase(), Ok(()));
    assert_eq!(fs::read_to_string(&path).unwrap(), r#"{ "auths" : { "ghcr.io" : {} } }"#);
}

#[test]
fn what_is_no_file_or_too_large_cannot_be_used() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("large"), " ".repeat(crate::native::docker::file::MAXIMUM_FILE + 1)).unwrap();
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
    let all = [("REGISTRY_AUTH_FILE", "/r"), ("DOCKER_CONFIG", "/d"), ("XDG_RUNTIME_DIR", "/x"), ("HOME", "/nobody")];
    for (client, variables, expected) in [
        (Client::Docker, &all[..], "/d/config.json"),
        (Client::Docker, &all[2..], "/nobody/.docker/config.json"),
        (Client::None, &[("DOCKER_CONFIG", "relative")], "/checkout/relative/config.json"),
        (Client::Podman, &all[..], "/r"),
        (Client::Podman, &all[1..], "/d/config.json"),
        (Client::Podman, &all[2..], "/x/containers/auth.json"),
    ] {
        assert_eq!(file(client, variables).as_deref(), Ok(expected));
    }
    let runtime = format!("/run/containers/{}/auth.json", rustix::process::geteuid().as_raw());
    assert_eq!(file(Client::Podman, &all[3..]), Ok(runtime));
    assert!(matches!(file(Client::Docker, &[]), Err(Trouble::Unusable(_))));
    let private = Directory::Private("0".repeat(32));
    assert!(matches!(places(&all).file(Client::Podman, &private), Err(Trouble::Unusable(_))));
    assert_eq!(Registry::Hub.key(Client::Docker), KEY);
}
