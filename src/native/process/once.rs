//! A helper program, run once: its secret on standard input, an allow-listed environment, bounded output.
//!
//! It runs in `/`, unless its caller says where, and in a process group of its own, so that killing it also kills what it started. Whoever waits
//! for it decides how long; the handle to kill it is made before it starts.

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use hublease_protocol::secret::Secret;
use zeroize::Zeroizing;

use crate::native::process::capped;
use crate::native::process::supervised::{Running, code};

/// How long its output is waited for once the program itself has ended: a daemon that it left behind may hold the
/// other end of the pipe for ever.
const AFTERMATH: Duration = Duration::from_secs(1);

/// What to run.
#[derive(Debug)]
pub(in crate::native) struct Program {
    /// The absolute path.
    pub(in crate::native) path: PathBuf,
    /// The arguments; never a secret.
    pub(in crate::native) arguments: Vec<OsString>,
    /// The whole environment.
    pub(in crate::native) environment: Vec<(String, Zeroizing<String>)>,
    /// Where it runs.
    pub(in crate::native) directory: PathBuf,
    /// What it reads; no newline is added.
    pub(in crate::native) stdin: Secret,
    /// How much of its standard output is kept, in bytes; none sends it to `/dev/null`.
    pub(in crate::native) stdout: Option<usize>,
    /// How much of its standard error is kept, in bytes; none sends it to `/dev/null`.
    pub(in crate::native) stderr: Option<usize>,
}

/// How it ended.
#[derive(Debug)]
pub(in crate::native) struct Finished {
    /// The exit code; 128 plus the number for a signal.
    pub(in crate::native) code: i32,
    /// The beginning of its standard output.
    pub(in crate::native) stdout: Kept,
    /// The beginning of its standard error.
    pub(in crate::native) stderr: Kept,
}

/// The beginning of an output.
#[derive(Debug, Default)]
pub(in crate::native) struct Kept {
    bytes: Zeroizing<Vec<u8>>,
    /// Whether there was more.
    pub(in crate::native) cut: bool,
}

impl Kept {
    /// As text; none if it is not UTF-8.
    pub(in crate::native) fn text(self) -> Option<Secret> {
        capped::text(self.bytes)
    }

    /// As text, with replacement characters where it is not UTF-8.
    pub(in crate::native) fn lossy(&self) -> Secret {
        Secret::new(String::from_utf8_lossy(&self.bytes))
    }
}

/// Runs it to its end.
///
/// # Errors
/// It cannot be started.
pub(in crate::native) fn run(program: Program, running: &Running) -> io::Result<Finished> {
    let pipe = |kept: Option<usize>| if kept.is_some() { Stdio::piped() } else { Stdio::null() };
    let mut command = Command::new(&program.path);
    command
        .args(&program.arguments)
        .env_clear()
        .envs(program.environment.iter().map(|(name, value)| (name, value.as_str())))
        .current_dir(&program.directory)
        .process_group(0)
        .stdin(if program.stdin.is_empty() { Stdio::null() } else { Stdio::piped() })
        .stdout(pipe(program.stdout))
        .stderr(pipe(program.stderr));
    let streams = running.start(|| command.spawn())?;
    if let Some(mut pipe) = streams.stdin {
        let secret = program.stdin;
        // A thread of its own, because a program that does not read must not hold us up. It ends with the program.
        thread::Builder::new().spawn(move || {
            // A program that has ended without reading everything is its own matter.
            let _ = pipe.write_all(secret.expose().as_bytes());
        })?;
    }
    let stdout = streams.stdout.map(|pipe| keep(pipe, program.stdout.unwrap_or(0))).transpose()?;
    let stderr = streams.stderr.map(|pipe| keep(pipe, program.stderr.unwrap_or(0))).transpose()?;
    let status = running.wait()?;
    let collect = |kept: Option<mpsc::Receiver<Kept>>| {
        kept.and_then(|kept| kept.recv_timeout(AFTERMATH).ok()).unwrap_or_default()
    };
    Ok(Finished { code: code(status), stdout: collect(stdout), stderr: collect(stderr) })
}

/// Keeps the beginning of an output and drains the rest, in a thread of its own.
fn keep(mut source: impl Read + Send + 'static, limit: usize) -> io::Result<mpsc::Receiver<Kept>> {
    let (sender, receiver) = mpsc::channel();
    thread::Builder::new().spawn(move || {
        let mut kept = Kept { bytes: Zeroizing::new(Vec::with_capacity(limit)), cut: false };
        let mut piece = Zeroizing::new([0; 4096]);
        loop {
            match source.read(&mut *piece) {
                Ok(0) => break,
                Ok(count) => {
                    let taken = count.min(limit - kept.bytes.len());
                    kept.bytes.extend_from_slice(&piece[..taken]);
                    kept.cut |= taken < count;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(_) => break,
            }
        }
        let _ = sender.send(kept);
    })?;
    Ok(receiver)
}

#[cfg(test)]
mod tests {
    use hublease_protocol::secret::Secret;

    use super::{Finished, Program, run};
    use crate::native::process::supervised::Running;

    fn shell(script: &str, stdin: &str) -> Program {
        Program {
            path: "/bin/sh".into(),
            directory: "/".into(),
            arguments: vec!["-c".into(), script.into()],
            environment: vec![("PATH".into(), "/usr/bin:/bin".to_owned().into())],
            stdin: Secret::new(stdin),
            stdout: Some(100),
            stderr: Some(100),
        }
    }

    fn finished(program: Program) -> Finished {
        run(program, &Running::default()).unwrap()
    }

    #[test]
    fn the_secret_arrives_without_a_newline_and_nothing_else_is_inherited() {
        let ended = finished(shell("cat; echo; env | sort; pwd; echo oops >&2; exit 3", "s3cret"));
        assert_eq!(ended.code, 3);
        let stdout = ended.stdout.text().unwrap();
        assert!(stdout.expose().starts_with("s3cret\n"), "{}", stdout.expose());
        assert!(stdout.expose().lines().all(|line| ["s3cret", "/"].contains(&line)
            || ["PATH=", "PWD=", "SHLVL=", "_=", "OLDPWD="].iter().any(|name| line.starts_with(name))));
        assert_eq!(ended.stderr.lossy().expose(), "oops\n");
    }

    #[test]
    fn a_program_that_neither_reads_nor_stops_talking_does_not_block() {
        let ended = finished(shell("head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2", &"x".repeat(300_000)));
        assert_eq!(ended.code, 0);
        assert!(ended.stdout.cut && ended.stderr.cut);
        assert_eq!(ended.stderr.lossy().len(), 100);
    }

    #[test]
    fn killing_reaches_what_the_program_started() {
        let directory = tempfile::tempdir().unwrap();
        let fifo = directory.path().join("ready");
        assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        let running = Running::default();
        let handle = running.clone();
        let script = format!("echo hello; sleep 600 & echo > '{}'; wait", fifo.display());
        let thread = std::thread::spawn(move || run(shell(&script, ""), &handle));
        assert_eq!(std::fs::read(&fifo).unwrap(), b"\n");
        running.kill();
        let ended = thread.join().unwrap().unwrap();
        assert_eq!(ended.code, 128 + 9);
        // Had the grandchild survived, it would still hold the pipe and nothing would have been collected.
        assert_eq!(ended.stdout.lossy().expose(), "hello\n");
    }

    #[test]
    fn what_does_not_exist_cannot_be_started() {
        let program = Program { path: "/nonexistent/program".into(), ..shell("", "") };
        assert!(run(program, &Running::default()).is_err());
    }
}
