//! The stand-in `circleci` program: `circleci run oidc get --claims JSON [--root-issuer]` prints a fresh token, and
//! `circleci env subst TEXT` the text with `$NAME` and `${NAME}` filled in, if it does not look like a flag.
//!
//! Like the original it prints the token to standard output, unmasked. It is a shell script around `curl` and `awk`.

use std::path::{Path, PathBuf};
use std::{fs, io};

/// Writes the program below `directory` and gives the directory to put on `PATH`.
pub(crate) fn circleci_program(directory: &Path, control_url: &str) -> io::Result<PathBuf> {
    let programs = directory.join("circleci-program");
    fs::create_dir_all(&programs)?;
    let program = programs.join("circleci");
    fs::write(&program, script(control_url))?;
    make_executable(&program)?;
    Ok(programs)
}

#[cfg(unix)]
fn make_executable(program: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;

    fs::set_permissions(program, fs::Permissions::from_mode(0o755))
}

/// Windows runs no shell script by itself; CircleCI's jobs there are not played.
#[cfg(not(unix))]
fn make_executable(_program: &Path) -> io::Result<()> {
    Ok(())
}

fn script(control_url: &str) -> String {
    format!(
        r#"#!/bin/sh
# Stand-in for CircleCI's program inside a job; knows two commands.
if [ "$1 $2" = "env subst" ] && [ "$#" -eq 3 ]; then
    case $3 in -*) echo "Error: unknown shorthand flag: $3" >&2; exit 1 ;; esac
    printf '%s\n' "$3" | awk '{{
        done = ""
        while (match($0, /[$]([A-Za-z_][A-Za-z0-9_]*|[{{][A-Za-z_][A-Za-z0-9_]*[}}])/)) {{
            name = substr($0, RSTART + 1, RLENGTH - 1)
            gsub(/[{{}}]/, "", name)
            done = done substr($0, 1, RSTART - 1) ENVIRON[name]
            $0 = substr($0, RSTART + RLENGTH)
        }}
        print done $0
    }}'
    exit
fi
if [ "$1 $2 $3" != "run oidc get" ]; then
    echo "circleci: this stand-in knows only: run oidc get --claims JSON [--root-issuer], and: env subst TEXT" >&2
    exit 2
fi
shift 3
claims='{{}}'
query=''
while [ "$#" -gt 0 ]; do
    case "$1" in
        --claims) claims="$2"; shift 2 ;;
        --claims=*) claims="${{1#--claims=}}"; shift ;;
        --root-issuer) query='?root_issuer=1'; shift ;;
        *) echo "circleci: unknown flag: $1" >&2; exit 2 ;;
    esac
done
printf '%s' "$claims" | curl --silent --show-error --fail --noproxy '*' --data-binary @- "{control_url}/control/token$query" || exit 1
echo
"#
    )
}
