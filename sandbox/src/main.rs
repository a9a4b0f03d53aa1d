//! `hublease-sandbox [--ci circleci|github] [--audience TEXT] [--mended-plugin] [--until-killed | -- CMD...]`: the sandbox for
//! demos, dry runs and shell scripts.
//!
//! Its Vault has the Docker Hub plugin as it is published: a logout deletes the token at Docker Hub, the plugin takes Docker's 204
//! for a failure, and `hublease` says *not revoked*. With `--mended-plugin` it takes the 204, and revocations are confirmed.
//!
//! With a command: runs it inside and ends with its exit code, or with 1 if it reached for a host outside. The command sees only
//! `PATH`, `HOME`, `TERM`, a fresh `DOCKER_CONFIG` and the sandbox's variables.
//! Without: prints the variables as `export` lines and an empty line, and serves until standard input ends. A process that is to
//! outlive the step that starts it has no standard input to hold open: `--until-killed`.

use std::io::{self, Read as _, Write as _};
use std::process::{Command, ExitCode, ExitStatus};
use std::{env, fs, thread};

use hublease_protocol::nearest::nearest;
use hublease_sandbox::{ACCOUNT, CONNECTION_ID, PASSWORD, Sandbox, Service};

/// Variables that a command keeps from outside.
const KEPT: [&str; 3] = ["PATH", "HOME", "TERM"];
/// Exit code for wrong usage.
const USAGE: u8 = 2;
const USAGE_TEXT: &str =
    "usage: hublease-sandbox [--ci circleci|github] [--audience TEXT] [--mended-plugin] [--until-killed | -- CMD...]";
/// What may be typed with two dashes before it.
const FLAGS: [&str; 5] = ["ci", "audience", "mended-plugin", "until-killed", "help"];
/// What there is inside, and how it is used.
const HELP: &str = "\
CI issuers, Docker Hub with its registry, Docker Identity and Vault on loopback, for tries that need no account

  -- CMD...         Run a command inside, and end with its code; 1 if it reached for a host outside
  --ci NAME         Give the command the variables of a job: circleci or github
  --audience TEXT   Audience of the job's ready-made identity tokens (circleci)
  --mended-plugin   Have Vault's Docker Hub plugin confirm revocations: the published one reports each as failed,
                    although it deletes the token
  --until-killed    Without a command: serve until killed, and not until standard input ends
  -h, --help        Print this

The variables say how to reach it: HTTPS_PROXY and SSL_CERT_FILE for the hosts below, VAULT_ADDR,
HUBLEASE_SANDBOX_ACCOUNT, _PASSWORD and _CONNECTION_ID, and HUBLEASE_SANDBOX_CONTROL, where requests can be looked at
and faults be set. Without a command they are printed as export lines.

  hublease-sandbox --ci github -- hublease whoami

Hosts:";

fn main() -> ExitCode {
    // Behind `--` it is the command's.
    if env::args().skip(1).take_while(|word| word != "--").any(|word| word == "--help" || word == "-h") {
        let hosts: String = Service::hosts().map(|(host, service)| format!("\n  {host} ({service})")).collect();
        let written = writeln!(io::stdout(), "{USAGE_TEXT}\n\n{HELP}{hosts}");
        return if written.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE };
    }
    let words: Vec<_> = env::args().skip(1).collect();
    let options = match Options::parse(&words) {
        Ok(options) => options,
        Err(why) => {
            say(&format!("error: {why}\n{USAGE_TEXT}"));
            return ExitCode::from(USAGE);
        }
    };
    match run(&options) {
        Ok(code) => code,
        Err(error) => {
            say(&format!("hublease-sandbox: {error}"));
            ExitCode::FAILURE
        }
    }
}

#[derive(Default)]
struct Options {
    ci: Option<String>,
    audience: Option<String>,
    mended_plugin: bool,
    until_killed: bool,
    command: Vec<String>,
}

impl Options {
    /// Why not, by the number of the word and words of ours: what was typed may be a secret in the wrong place.
    fn parse(words: &[String]) -> Result<Self, String> {
        let mut options = Self::default();
        let mut numbered = (1..).zip(words);
        while let Some((number, word)) = numbered.next() {
            let mut value = || numbered.next().map(|(_, value)| value.clone());
            match word.as_str() {
                "--ci" => {
                    let known = |ci: &String| ci == "circleci" || ci == "github";
                    let ci = value().filter(known);
                    options.ci = Some(ci.ok_or_else(|| format!("`--ci` takes circleci or github: number {number}"))?);
                }
                "--audience" => {
                    options.audience = Some(value().ok_or_else(|| format!("a value is missing: number {number}"))?);
                }
                "--mended-plugin" => options.mended_plugin = true,
                "--until-killed" => options.until_killed = true,
                "--" => {
                    options.command = numbered.map(|(_, word)| word.clone()).collect();
                    let can_run = !options.command.is_empty() && !options.until_killed;
                    return if can_run {
                        Ok(options)
                    } else {
                        Err("behind `--` stands a command that ends".to_owned())
                    };
                }
                word => {
                    let near = nearest(word.trim_start_matches('-'), FLAGS.into_iter());
                    let meant = near.map(|name| format!("; did you mean `--{name}`?")).unwrap_or_default();
                    return Err(format!("there is no such argument: number {number}{meant}"));
                }
            }
        }
        Ok(options)
    }
}

fn run(options: &Options) -> io::Result<ExitCode> {
    let sandbox = Sandbox::start()?;
    if options.mended_plugin {
        sandbox.vault().mend_docker_hub();
    }
    let variables = variables(&sandbox, options);
    let Some((program, arguments)) = options.command.split_first() else {
        return serve(&variables, options.until_killed);
    };
    let docker_config = tempfile::tempdir()?;
    // With one entry docker does not look for a credential helper on PATH.
    fs::write(docker_config.path().join("config.json"), r#"{"auths":{"x.invalid":{}}}"#)?;
    let mut command = Command::new(program);
    command.args(arguments).env_clear();
    command.envs(KEPT.iter().filter_map(|name| Some((*name, env::var_os(name)?))));
    command.envs(variables).env("DOCKER_CONFIG", docker_config.path());
    let path = env::var_os("PATH").unwrap_or_default();
    let programs = sandbox.circleci_program()?;
    let path = env::join_paths([programs].into_iter().chain(env::split_paths(&path))).map_err(io::Error::other)?;
    let status = command.env("PATH", path).status()?;
    let unexpected = sandbox.unexpected();
    for connection in &unexpected {
        say(&format!("hublease-sandbox: refused, not a host of the sandbox: {connection}"));
    }
    Ok(if status.success() && !unexpected.is_empty() { ExitCode::FAILURE } else { exit_code(status) })
}

fn variables(sandbox: &Sandbox, options: &Options) -> Vec<(String, String)> {
    let mut variables = sandbox.environment();
    variables.extend(match (options.ci.as_deref(), &options.audience) {
        (Some("github"), _) => sandbox.github_environment(),
        (Some(_), Some(audience)) => sandbox.circleci_environment_for(audience),
        (Some(_), None) => sandbox.circleci_environment(),
        (None, _) => Vec::new(),
    });
    let ours = [
        ("VAULT_ADDR", sandbox.vault_url()),
        ("HUBLEASE_SANDBOX_CONTROL", sandbox.control_url()),
        ("HUBLEASE_SANDBOX_ACCOUNT", ACCOUNT.to_owned()),
        ("HUBLEASE_SANDBOX_PASSWORD", PASSWORD.to_owned()),
        ("HUBLEASE_SANDBOX_CONNECTION_ID", CONNECTION_ID.to_owned()),
    ];
    variables.extend(ours.map(|(name, value)| (name.to_owned(), value)));
    variables
}

/// Prints the variables and serves until standard input ends, or for ever.
fn serve(variables: &[(String, String)], until_killed: bool) -> io::Result<ExitCode> {
    let mut output = io::stdout().lock();
    for (name, value) in variables {
        writeln!(output, "export {name}='{}'", value.replace('\'', r"'\''"))?;
    }
    // Whoever reads line by line learns that no more come.
    writeln!(output)?;
    output.flush()?;
    if until_killed {
        loop {
            thread::park();
        }
    }
    let mut input = io::stdin().lock();
    let mut scratch = [0; 1024];
    while input.read(&mut scratch)? > 0 {}
    Ok(ExitCode::SUCCESS)
}

fn exit_code(status: ExitStatus) -> ExitCode {
    let code = status.code().or_else(|| after_signal(status));
    code.and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from)
}

/// A shell's convention for a command that a signal ended.
#[cfg(unix)]
fn after_signal(status: ExitStatus) -> Option<i32> {
    use std::os::unix::process::ExitStatusExt as _;

    status.signal().map(|signal| 128 + signal)
}

/// Windows has no signals.
#[cfg(not(unix))]
fn after_signal(_status: ExitStatus) -> Option<i32> {
    None
}

fn say(text: &str) {
    // Nobody is left to tell if standard error is closed.
    drop(writeln!(io::stderr(), "{text}"));
}
