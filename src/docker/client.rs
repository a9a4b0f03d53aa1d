//! Whose program answers to the name of the client, and what it says when it succeeds.

use hublease_protocol::printable::printable;
use hublease_protocol::secret::Secret;

use crate::docker::Docker;
use crate::docker::failure::no_client;
use crate::effect::Effects;
use crate::effect::docker::{Client, Directory, Ended, Run, Verb};
use crate::error::Error;
use crate::request::remark;

/// What a client says of what we do on purpose: the login lies in a file, for minutes. The second line of docker's warning, and
/// what podman-docker says at each call.
const EXPECTED: [&str; 5] = [
    "WARNING! Your password will be stored unencrypted in ",
    "WARNING! Your credentials are stored unencrypted in ",
    "Configure a credential helper to remove this warning",
    "https://docs.docker.com/",
    "Emulate Docker CLI using podman",
];

/// The most lines of a client's warning that are shown; docker's own have one or two.
const LINES: usize = 4;

/// Makes sure that the client is there, and that it is the one that it is called: podman often has docker's name, and keeps
/// its logins elsewhere.
///
/// # Errors
/// Stage docker: there is no such program.
pub async fn recognise(effects: &Effects, plan: &mut Docker) -> Result<(), Error> {
    if plan.client != Client::None && version(effects, plan.client).await? && plan.client == Client::Docker {
        effects.detail("`docker` is podman here: the login is made and kept as podman's".to_owned()).await?;
        plan.client = Client::Podman;
        version(effects, plan.client).await?;
    }
    Ok(())
}

/// Whether the program of this name is podman.
async fn version(effects: &Effects, client: Client) -> Result<bool, Error> {
    let run = Run { client, verb: Verb::Version, directory: Directory::User };
    match effects.docker(run).await? {
        Ended::NotFound => Err(no_client(client, None)),
        Ended::Skipped(path) => Err(no_client(client, Some(&path))),
        Ended::Exit { message, .. } => Ok(is_podman(message.expose())),
        Ended::Slow => Ok(false),
    }
}

/// By the first line of `--version`: `podman version 4.3.1`, `Docker version 28.2.2, build e6534b4`.
fn is_podman(version: &str) -> bool {
    version.lines().any(|line| line.trim_start().to_ascii_lowercase().starts_with("podman version"))
}

/// Passes on what a client that succeeded warned of: a file that it could not read, and whose other logins it dropped, say.
pub(super) async fn pass_on(effects: &Effects, client: Client, message: &Secret, sent: &Secret) -> Result<(), Error> {
    for line in warnings(message.expose()) {
        if let Some(remark) = remark(line, &[sent]) {
            effects.warn(format!("`{} login` succeeded, and {}", client.name(), printable(&remark))).await?;
        }
    }
    Ok(())
}

fn warnings(message: &str) -> impl Iterator<Item = &str> {
    let lines = message.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.filter(|line| !EXPECTED.iter().any(|start| line.starts_with(start))).take(LINES)
}

#[cfg(test)]
mod tests {
    use super::{is_podman, warnings};

    #[test]
    fn podman_is_known_by_what_it_says_of_itself() {
        for (said, expected) in [
            ("podman version 4.3.1\n", true),
            ("podman version 5.6.0-dev\n", true),
            ("Podman version 3.4.4", true),
            // A wrapper that greets first.
            ("Emulate Docker CLI using podman.\npodman version 4.9.4-rhel\n", true),
            ("Docker version 20.10.24+dfsg1, build 297e128\n", false),
            ("Docker version 28.2.2, build e6534b4\n", false),
            ("nerdctl version 2.1.3\n", false),
            ("Docker version 28.2.2, podman version 4\n", false),
            ("", false),
        ] {
            assert_eq!(is_podman(said), expected, "{said}");
        }
    }

    #[test]
    fn a_warning_is_whatever_is_not_about_the_login_in_a_file() {
        for (said, expected) in [
            ("", &[][..]),
            (
                "WARNING! Your password will be stored unencrypted in /home/ci/.docker/config.json.\nConfigure a credential \
                 helper to remove this warning. See\nhttps://docs.docker.com/engine/reference/commandline/login/\n",
                &[],
            ),
            (
                "\nWARNING! Your credentials are stored unencrypted in '/home/ci/.docker/config.json'.\nConfigure a credential \
                 helper to remove this warning. See\nhttps://docs.docker.com/go/credential-store/\n\n",
                &[],
            ),
            ("Emulate Docker CLI using podman. Create /etc/containers/nodocker to quiet msg.\n", &[]),
            (
                "WARNING: Error loading config file: /home/ci/.docker/config.json: illegal base64 data at input byte 4\n",
                &[
                    "WARNING: Error loading config file: /home/ci/.docker/config.json: illegal base64 data at input byte 4",
                ],
            ),
            ("1\n2\n3\n4\n5\n", &["1", "2", "3", "4"]),
        ] {
            assert_eq!(warnings(said).collect::<Vec<_>>(), expected, "{said}");
        }
    }
}
