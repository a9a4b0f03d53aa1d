//! What a login by the client failed of, and what kind of fault it is.

use hublease_protocol::printable::printable;
use hublease_protocol::secret::Secret;

use super::{Store, look};
use crate::effect::Effects;
use crate::effect::docker::{Client, Directory, Ended, Registry};
use crate::error::{Error, Problem};
use crate::request::repetition::Kind;
use crate::request::{remark, repeats};

/// How Docker Hub says that too many have tried: another try makes it last longer.
const LOCKED: [&str; 4] = ["toomanyrequests", "too many failed login attempts", "429 Too Many Requests", "HTTP 429"];

/// There is no client, or only one that was skipped.
pub(super) fn no_client(client: Client, skipped: Option<&str>) -> Error {
    let error = Error::new(Problem::NoDocker, client.name());
    match skipped {
        Some(path) => error.because(&Ended::skipped(path)),
        None => error,
    }
}

/// A login that took too long. Docker gives its connections a limit and its credential helper none: where there is a helper,
/// it is the likelier cause, and a repetition would take as long.
pub(super) async fn too_slow(
    effects: &Effects,
    client: Client,
    directory: &Directory,
    registry: Registry,
) -> Result<(Error, Kind), Error> {
    let look = look(effects, client, directory.clone(), vec![registry]).await?;
    Ok(match look.registries.first().map(|registry| &registry.store) {
        Some(Store::Helper { name } | Store::SilentHelper { name, configured: true }) => {
            let why = format!(
                "docker waits for the credential helper `{}`, which took too long to store it",
                printable(name)
            );
            (Error::new(Problem::HelperFailed, registry.name()).because(&why), Kind::DockerRefused)
        }
        _ => (Error::new(Problem::LoginFailed, registry.name()).because("it took too long"), Kind::DockerFails),
    })
}

/// What docker's message means, and what kind of fault it is. It is searched as it came and shown as `printable`
/// leaves it, and not at all if it repeats the secret.
pub(super) fn login_failed(registry: Registry, code: i32, message: &Secret, secret: &Secret) -> (Error, Kind) {
    let text = message.expose();
    let (problem, kind) = if text.contains("Error saving credentials: error storing credentials") {
        (Problem::HelperFailed, Kind::DockerRefused)
    } else if text.contains("Error saving credentials") {
        (Problem::ConfigUnusable, Kind::DockerRefused)
    } else if text.contains("permission denied while trying to connect") {
        // The engine's socket, not the registry.
        (Problem::LoginFailed, Kind::DockerRefused)
    } else if LOCKED.iter().any(|words| text.contains(words)) {
        (Problem::LoginLocked, Kind::DockerRefused)
    } else if text.contains("unauthorized") || text.contains("denied") || text.contains("invalid username/password") {
        (Problem::LoginRefused, Kind::DockerRefused)
    } else {
        (Problem::LoginFailed, Kind::DockerFails)
    };
    let line = text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or_default();
    let error = Error::new(problem, registry.name());
    let error = match remark(line, &[secret]) {
        Some(_) if repeats(text, &[secret]) => {
            error.because("(its message is withheld, because it repeats the credential)")
        }
        Some(remark) => error.because(&printable(&remark)),
        None => error.because(&format!("it ended with code {code} and said nothing")),
    };
    (error, kind)
}
