//! Stand-ins for the programs that the host runs; for tests.

use std::{
    io::Write,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

/// Writes a shell script and makes it executable.
///
/// By way of another process: a descriptor of ours that a parallel test's child inherits for a moment would make
/// the script "busy" when it is run.
pub(super) fn script(directory: &Path, name: &str, body: &str) -> PathBuf {
    let path = directory.join(name);
    let mut shell = Command::new("/bin/sh")
        .args(["-c", r#"cat > "$1" && chmod 755 "$1""#, "sh"])
        .arg(&path)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap();
    shell.stdin.take().unwrap().write_all(format!("#!/bin/sh\n{body}\n").as_bytes()).unwrap();
    assert!(shell.wait().unwrap().success());
    path
}
