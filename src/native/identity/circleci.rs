//! CircleCI's own source of identity tokens with an audience of choice: `circleci run oidc get`.
//!
//! Follows CircleCI's documentation of OIDC tokens with custom claims: `aud` is the one claim that can be chosen,
//! and the token is the whole of standard output. The program talks to the job's agent, so it gets the `CIRCLE…`
//! variables, and `CI`, which other programs do not.

use std::ffi::OsString;
use std::io;
use std::time::Duration;

use hublease_protocol::claims::MAXIMUM_TOKEN;
use hublease_protocol::printable::{printable, printable_cause};
use hublease_protocol::secret::Secret;
use serde_json::json;

use crate::native::process::once::{Finished, Program};
use crate::native::process::programs::Programs;

/// How long it may take.
pub(in crate::native) const LIMIT: Duration = Duration::from_secs(30);

/// How much of its standard error is kept, in bytes; its end may be shown.
const MESSAGE: usize = 4096;

/// The call; none if the program is not there.
pub(in crate::native) fn program(programs: &mut Programs, audience: &str) -> Option<Program> {
    let claims = json!({ "aud": audience }).to_string();
    Some(Program {
        path: programs.find("circleci")?,
        arguments: ["run", "oidc", "get", "--claims"].into_iter().map(OsString::from).chain([claims.into()]).collect(),
        directory: "/".into(),
        environment: programs.variables(Some("CIRCLE"), &[]),
        stdin: Secret::default(),
        stdout: Some(MAXIMUM_TOKEN),
        stderr: Some(MESSAGE),
    })
}

/// What it brought, or a printable sentence.
pub(in crate::native) fn token(finished: io::Result<Finished>) -> Result<Secret, String> {
    let finished = finished.map_err(|error| printable(&format!("`circleci` cannot be run: {error}")))?;
    if finished.code != 0 {
        let message = finished.stderr.lossy();
        let lines: Vec<_> = message.expose().lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        let said = if lines.is_empty() { "it said nothing".to_owned() } else { printable_cause(&lines.join("; ")) };
        return Err(format!("it ended with code {}: {said}", finished.code));
    }
    if finished.stdout.cut {
        return Err(format!("it printed more than {MAXIMUM_TOKEN} bytes"));
    }
    let token = finished.stdout.text().ok_or("it printed something else than text")?;
    match token.expose().trim() {
        "" => Err("it printed nothing".to_owned()),
        trimmed if trimmed.len() == token.len() => Ok(token),
        trimmed => Ok(Secret::new(trimmed)),
    }
}

#[cfg(test)]
mod tests {
    use super::{program, token};
    use crate::environment::Environment;
    use crate::native::process::once;
    use crate::native::process::programs::Programs;
    use crate::native::process::supervised::Running;
    use crate::native::stand_in;

    /// A stand-in for CircleCI's program.
    fn answer(script: &str, audience: &str) -> Result<String, String> {
        let directory = tempfile::tempdir().unwrap();
        stand_in::script(directory.path(), "circleci", script);
        let environment = Environment::new([
            ("PATH".to_owned(), format!("{}:/usr/bin:/bin", directory.path().display())),
            ("CI".to_owned(), "true".to_owned()),
            ("CIRCLE_JOB".to_owned(), "build".to_owned()),
            ("VAULT_TOKEN".to_owned(), "hvs.x".to_owned()),
        ]);
        let mut programs = Programs::new(environment, "/nonexistent".as_ref());
        let program = program(&mut programs, audience).unwrap();
        token(once::run(program, &Running::default())).map(|token| token.expose().to_owned())
    }

    #[test]
    fn the_token_is_trimmed_and_the_audience_is_one_argument() {
        assert_eq!(
            answer(r#"echo " $#/$4/$5/$CIRCLE_JOB/$CI/$VAULT_TOKEN""#, r#"a "b" c"#).unwrap(),
            r#"5/--claims/{"aud":"a \"b\" c"}/build/true/"#
        );
    }

    #[test]
    fn a_failure_is_one_printable_line() {
        assert_eq!(
            answer("echo; printf '\\033[31mno::agent\\nmore' >&2; exit 4", "a").unwrap_err(),
            r"it ended with code 4: \u{1b}[31mno: :agent; more"
        );
        assert_eq!(answer("exit 1", "a").unwrap_err(), "it ended with code 1: it said nothing");
        assert_eq!(answer("echo; echo", "a").unwrap_err(), "it printed nothing");
        assert_eq!(answer("head -c 20000 /dev/zero", "a").unwrap_err(), "it printed more than 16384 bytes");
        assert_eq!(answer("printf '\\377'", "a").unwrap_err(), "it printed something else than text");
    }
}
