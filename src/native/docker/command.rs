//! How the container client is called.
//!
//! Follows facts about docker and podman as run. Each login names its server, because a program under docker's name may have
//! another default: docker, nerdctl and podman know `docker.io`, and docker keeps it under its usual key. At logout docker must
//! be given that very key (`docker logout docker.io` removes nothing), and podman `docker.io`. The directory is named by `DOCKER_CONFIG` for docker and by `REGISTRY_AUTH_FILE` for podman, always absolute,
//! because the program runs in `/`.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use hublease_protocol::secret::Secret;

use crate::effect::docker::{Client, Verb};
use crate::native::process::once::Program;
use crate::native::process::programs::{Programs, Variables};

/// How much of its standard error is kept, in bytes; docker's own messages stay under one kilobyte.
const MESSAGE: usize = 4096;

/// The call of `client`; none if the program is not there. `place` is docker's directory or podman's auth file.
pub(in crate::native) fn program(
    programs: &mut Programs,
    client: Client,
    verb: &Verb,
    place: &Path,
) -> Option<Program> {
    let (arguments, stdin) = arguments(client, verb);
    let is_version = *verb == Verb::Version;
    Some(Program {
        path: programs.find(client.name())?,
        arguments: arguments.into_iter().map(OsString::from).collect(),
        environment: variables(programs, client, place)?,
        directory: directory(client, place),
        stdin,
        stdout: is_version.then_some(MESSAGE),
        stderr: (!is_version).then_some(MESSAGE),
    })
}

/// How long it may take.
pub(in crate::native) fn limit(verb: &Verb) -> Duration {
    match verb {
        // The client gives each of several connections 15 seconds.
        Verb::Login { .. } => Duration::from_secs(60),
        // Local, but a credential helper may be asked, and docker asks it four times.
        Verb::Logout { .. } => Duration::from_secs(20),
        Verb::Version => Duration::from_secs(10),
    }
}

fn arguments(client: Client, verb: &Verb) -> (Vec<&str>, Secret) {
    match verb {
        Verb::Login { registry, username, stdin } => {
            (vec!["login", "--username", username.as_str(), "--password-stdin", registry.name()], stdin.clone())
        }
        Verb::Logout { registry } => (vec!["logout", registry.key(client)], Secret::default()),
        Verb::Version => (vec!["--version"], Secret::default()),
    }
}

/// Where the client runs: in `/`, but beside its file when that is a link to a relative place. Docker before 27.2 follows
/// such a link from where it runs (docker/cli issue 5281): the login would be written to a file that nobody reads.
fn directory(client: Client, place: &Path) -> PathBuf {
    let file = place.join("config.json");
    let is_relative_link = client == Client::Docker && fs::read_link(file).is_ok_and(|link| link.is_relative());
    if is_relative_link { place.to_owned() } else { PathBuf::from("/") }
}

fn variables(programs: &Programs, client: Client, place: &Path) -> Option<Variables> {
    let place = place.to_str()?;
    Some(match client {
        Client::Docker | Client::None => programs.variables(None, &[("DOCKER_CONFIG", place)]),
        Client::Podman => programs.variables(None, &[("REGISTRY_AUTH_FILE", place)]),
    })
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use hublease_protocol::secret::Secret;

    use super::{arguments, directory};
    use crate::effect::docker::{Client, Registry, Verb};

    #[test]
    fn the_arguments_of_every_call() {
        let login = |registry| Verb::Login { registry, username: "acme".to_owned(), stdin: Secret::new("s3cret") };
        for (client, verb, expected) in [
            (Client::Docker, login(Registry::Hub), "login --username acme --password-stdin docker.io"),
            (Client::Docker, login(Registry::HardenedImages), "login --username acme --password-stdin dhi.io"),
            (Client::Podman, login(Registry::Hub), "login --username acme --password-stdin docker.io"),
            (Client::Podman, login(Registry::HardenedImages), "login --username acme --password-stdin dhi.io"),
            (Client::Docker, Verb::Logout { registry: Registry::Hub }, "logout https://index.docker.io/v1/"),
            (Client::Docker, Verb::Logout { registry: Registry::HardenedImages }, "logout dhi.io"),
            (Client::Podman, Verb::Logout { registry: Registry::Hub }, "logout docker.io"),
            (Client::Podman, Verb::Version, "--version"),
        ] {
            let (arguments, stdin) = arguments(client, &verb);
            assert_eq!(arguments.join(" "), expected);
            assert_eq!(!stdin.is_empty(), matches!(verb, Verb::Login { .. }));
        }
    }

    #[test]
    fn docker_runs_beside_its_file_only_where_a_link_leads_to_a_relative_place() {
        let folder = tempfile::tempdir().unwrap();
        for (link, client, is_beside) in [
            (None, Client::Docker, false),
            (Some("/etc/docker/logins.json"), Client::Docker, false),
            (Some("../dotfiles/config.json"), Client::Docker, true),
            (Some("missing.json"), Client::Docker, true),
            // podman is given a file.
            (Some("missing.json"), Client::Podman, false),
        ] {
            let file = folder.path().join("config.json");
            drop(fs::remove_file(&file));
            match link {
                Some(link) => symlink(link, &file).unwrap(),
                None => fs::write(&file, "{}").unwrap(),
            }
            let expected = if is_beside { folder.path() } else { Path::new("/") };
            assert_eq!(directory(client, folder.path()), expected, "{link:?} {client:?}");
        }
    }
}
