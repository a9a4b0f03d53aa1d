//! `hublease-broker serve --config broker.toml`: reads the configuration, tries the accounts, listens.
//!
//! Standard output is the audit log; everything for the operator's eyes goes to standard error. Exit codes: 0 ended on a
//! signal, 1 could not serve, 2 usage or configuration.

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use clap::{Arg, Command, value_parser};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use hublease::secret::Secret;
use hublease_broker::audit::Audit;
use hublease_broker::broker::Broker;
use hublease_broker::clock::{Clock as _, SystemClock};
use hublease_broker::config::{Config, Secrets};
use hublease_broker::journal::memory::Memory;
use hublease_broker::limits::MAX_CONFIG_BYTES;
use hublease_broker::outbound::native::Native;
use hublease_broker::serve::serve;

fn main() -> ExitCode {
    let matches = command().get_matches();
    let path = matches.subcommand_matches("serve").and_then(|serve| serve.get_one::<String>("config"));
    let Some(path) = path else {
        return ExitCode::from(2);
    };
    match prepare(path).and_then(|(config, outbound)| run(config, outbound)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { code, sentence }) => {
            say(&sentence);
            ExitCode::from(code)
        }
    }
}

fn command() -> Command {
    let config =
        Arg::new("config").long("config").value_name("FILE").required(true).value_parser(value_parser!(String));
    Command::new("hublease-broker")
        .version(env!("CARGO_PKG_VERSION"))
        .about("Mints short-lived Docker Hub tokens for CI jobs that prove who they are")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(Command::new("serve").about("Serve until SIGTERM").arg(config.help("The configuration, in TOML")))
}

/// Why the broker does not run.
struct Failure {
    code: u8,
    sentence: String,
}

impl Failure {
    fn of(code: u8, sentence: impl Into<String>) -> Self {
        Self { code, sentence: sentence.into() }
    }
}

/// Everything that can be wrong before anyone is listened to.
fn prepare(path: &str) -> Result<(Config, Native), Failure> {
    let text = read(path).map_err(|reason| Failure::of(2, format!("{path}: {reason}")))?;
    let config = Config::parse(&text, &Machine).map_err(|error| Failure::of(2, format!("{path}: {error}")))?;
    let outbound = Native::new().map_err(|fault| Failure::of(1, fault.0))?;
    for account in &config.accounts {
        match account.check(&outbound, SystemClock.now()) {
            Ok(None) => {}
            Ok(Some(fault)) => {
                let reason = fault.refusal().sentence;
                say(&format!("warning: account `{}` could not be tried: {reason}", account.name));
            }
            Err(unfit) => {
                return Err(Failure::of(2, format!("{path}: account `{}`: {unfit}", account.name)));
            }
        }
    }
    Ok((config, outbound))
}

fn run(config: Config, outbound: Native) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    let runtime = runtime.map_err(|error| Failure::of(1, format!("no threads: {error}")))?;
    let served = runtime.block_on(listen(config, outbound));
    // What is in flight was waited for; a sweep that is not done is done again by the next broker.
    runtime.shutdown_timeout(Duration::from_secs(1));
    served
}

async fn listen(config: Config, outbound: Native) -> Result<(), Failure> {
    let cannot = |error: std::io::Error| Failure::of(1, format!("cannot listen on {}: {error}", config.listen));
    let listener = TcpListener::bind(config.listen).await.map_err(cannot)?;
    let address = listener.local_addr().map_err(cannot)?;
    let no_signals = |error: std::io::Error| Failure::of(1, format!("no signals: {error}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(no_signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(no_signals)?;
    let public_url = config.public_url.clone().unwrap_or_else(|| format!("http://{address}"));
    let audit = Audit::to(Box::new(std::io::stdout()));
    let broker =
        Broker::new(config, public_url, Box::new(Memory::default()), audit, Box::new(outbound), Box::new(SystemClock));
    if !address.ip().is_loopback() {
        say("warning: this speaks plain HTTP beyond this machine; put a proxy with TLS in front");
    }
    write_line(&format!("listening on {address}"));
    let stop = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        say("ending: finishing what is in flight");
    };
    serve(listener, Arc::new(broker), stop).await;
    Ok(())
}

/// The machine's variables and files.
struct Machine;

impl Secrets for Machine {
    fn variable(&self, name: &str) -> Result<Secret, String> {
        match std::env::var(name) {
            Ok(value) => Ok(Secret::new(value)),
            Err(_) => Err(format!("the variable `{name}` is not set, or is not text")),
        }
    }

    fn file(&self, path: &str) -> Result<Secret, String> {
        let text = read(path)?;
        Ok(Secret::new(text.trim_end_matches(['\r', '\n']).to_owned()))
    }
}

fn read(path: &str) -> Result<String, String> {
    let file = File::open(path).map_err(|error| format!("cannot read `{path}`: {error}"))?;
    let mut text = String::new();
    let read = file.take(MAX_CONFIG_BYTES + 1).read_to_string(&mut text);
    match read {
        Ok(size) if size as u64 <= MAX_CONFIG_BYTES => Ok(text),
        Ok(_) => Err(format!("`{path}` is larger than 1 MiB")),
        Err(error) => Err(format!("cannot read `{path}`: {error}")),
    }
}

fn say(sentence: &str) {
    write_line(&format!("hublease-broker: {sentence}"));
}

fn write_line(text: &str) {
    // Nobody is left to tell when standard error is gone.
    drop(writeln!(std::io::stderr(), "{text}"));
}
