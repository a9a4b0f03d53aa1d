//! Credential helpers, asked what they hold.
//!
//! Follows the protocol of docker-credential-helpers: `list` reads `unused` and prints one object of server to user
//! name; `get` reads a server and prints the login. A helper that is missing, fails, is too slow or says something else does not answer: docker would have no
//! use for it either, and `docker login` would fail after the credential was minted.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use hublease_protocol::secret::Secret;

use crate::native::process::once::{Finished, Program};
use crate::native::process::programs::Programs;

/// How long a helper may take.
pub(in crate::native) const LIMIT: Duration = Duration::from_secs(10);

/// The largest answer, in bytes.
const MAXIMUM_ANSWER: usize = 1024 * 1024;

/// The call of a helper; none if it is not there.
pub(in crate::native) fn program(programs: &mut Programs, name: &str, verb: &str, stdin: &str) -> Option<Program> {
    Some(Program {
        path: programs.find(&format!("docker-credential-{name}"))?,
        arguments: vec![verb.into()],
        directory: "/".into(),
        environment: programs.variables(None, &[]),
        stdin: Secret::new(stdin),
        stdout: Some(MAXIMUM_ANSWER),
        stderr: None,
    })
}

/// What it answered; none if it failed, or said more than it may.
pub(in crate::native) fn answer(finished: io::Result<Finished>) -> Option<Secret> {
    finished.ok().filter(|finished| finished.code == 0 && !finished.stdout.cut)?.stdout.text()
}

/// User names by server, of the answer to `list`; none of another answer.
pub(in crate::native) fn users(answer: &Secret) -> Option<BTreeMap<String, String>> {
    serde_json::from_str(answer.expose()).ok()
}

/// The helper that docker would pick by itself, as its source has it: `pass` if that program is there, else the
/// desktop's secret service; each only with its helper.
pub(in crate::native) fn detected(programs: &mut Programs) -> Option<&'static str> {
    let name = if cfg!(target_os = "macos") {
        "osxkeychain"
    } else if programs.find("pass").is_some() {
        "pass"
    } else {
        "secretservice"
    };
    programs.find(&format!("docker-credential-{name}")).map(|_| name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::{answer, detected, program, users};
    use crate::environment::Environment;
    use crate::native::process::once;
    use crate::native::process::programs::Programs;
    use crate::native::process::supervised::Running;
    use crate::native::stand_in;

    /// A machine with these programs.
    fn machine(scripts: &[(&str, &str)]) -> (tempfile::TempDir, Programs) {
        let root = tempfile::tempdir().unwrap();
        for (name, body) in scripts {
            stand_in::script(root.path(), name, body);
        }
        let environment = Environment::new([("PATH".into(), root.path().display().to_string())]);
        let programs = Programs::new(environment, Path::new("/nonexistent"));
        (root, programs)
    }

    fn list(scripts: &[(&str, &str)], name: &str) -> Option<BTreeMap<String, String>> {
        let (_root, mut programs) = machine(scripts);
        let called =
            program(&mut programs, name, "list", "unused").map(|program| once::run(program, &Running::default()));
        called.and_then(answer).and_then(|answer| users(&answer))
    }

    #[test]
    fn a_helper_that_answers_says_who_is_logged_in() {
        // `read` finds no newline, which is what is asked for.
        let script = r#"read -r word; test "$1-$word" = list-unused && echo '{"https://index.docker.io/v1/":"alice"}'"#;
        let users = BTreeMap::from([("https://index.docker.io/v1/".to_owned(), "alice".to_owned())]);
        assert_eq!(list(&[("docker-credential-x", script)], "x"), Some(users));
    }

    #[test]
    fn a_helper_that_does_not_answer_is_silent() {
        for script in ["exit 1", "echo no", "echo '[]'", "echo '{\"a\":1}'", "echo '{}'; exit 1"] {
            assert_eq!(list(&[("docker-credential-x", script)], "x"), None, "{script}");
        }
        assert_eq!(list(&[], "x"), None);
        assert_eq!(list(&[("docker-credential-x", "echo '{}'")], "../x"), None);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_helper_that_docker_detects_by_itself() {
        let helper = |name| (name, "exit 1");
        const PASS: (&str, &str) = ("pass", "exit 0");
        for (scripts, expected) in [
            (&[PASS, helper("docker-credential-pass")][..], Some("pass")),
            (&[PASS, helper("docker-credential-secretservice")][..], None),
            (&[helper("docker-credential-secretservice")][..], Some("secretservice")),
            (&[helper("docker-credential-pass")][..], None),
            (&[][..], None),
        ] {
            let (_root, mut programs) = machine(scripts);
            assert_eq!(detected(&mut programs), expected, "{scripts:?}");
        }
    }
}
