//! `hublease-broker serve`: reads the configuration, opens the journal, tries the accounts, listens until it is told to end.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use clap::{ArgMatches, Command};
use hublease_hub::client::Preflight;
use hublease_hub::outbound::Outbound;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};

use crate::broker::Broker;
use crate::config::Config;
use crate::edge::server::{Listeners, serve};
use crate::edge::tls::Tls;
use crate::journal::Journal;
use crate::limits::{MAX_BLOCKING_THREADS, MAX_CONNECTIONS, MIN_CONNECTIONS, RESERVED_FILES, START_WORKERS};
use crate::observe::audit::Audit;
use crate::observe::console::{say, write_line};
use crate::operator::{CommandError, Machine, config, config_argument};
use crate::outbound::native;

pub(super) fn command() -> Command {
    Command::new("serve")
        .about("Serve until SIGTERM")
        .arg(config_argument())
        .after_help("Example: hublease-broker serve --config /etc/hublease/broker.toml")
}

pub(super) fn run(matches: &ArgMatches, machine: &Machine) -> Result<u8, CommandError> {
    let (config, path) = config(matches)?;
    let tls = config.server.tls.clone().map(Tls::load).transpose();
    let tls = tls.map_err(|error| CommandError::of(2, format!("{path}: `[tls]`: {error}")))?.map(Arc::new);
    let unopened = |error| CommandError::of(1, format!("{}: {error}", config.journal));
    let journal = (machine.open_journal)(&config.journal, machine.clock.now()).map_err(unopened)?;
    let outbound: Box<dyn Outbound> = Box::new(native(&[]).map_err(|error| CommandError::of(1, error.0))?);
    for warning in &config.warnings {
        say(&format!("warning: {warning}"));
    }
    try_accounts(&config, &path, &*outbound, machine)?;
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    let runtime = runtime.enable_all().max_blocking_threads(MAX_BLOCKING_THREADS).build();
    let runtime = runtime.map_err(|error| CommandError::of(1, format!("no threads: {error}")))?;
    let served = runtime.block_on(listen(config, tls, journal, outbound, machine));
    // What is in flight was waited for; a sweep that is not done is done again by the next broker.
    runtime.shutdown_timeout(Duration::from_secs(1));
    served.map(|()| 0)
}

/// An account that can never issue a token is the operator's to know at the start, and not a job's to find out. Many are
/// tried at one time: each may take some round trips.
fn try_accounts(config: &Config, path: &str, outbound: &dyn Outbound, machine: &Machine) -> Result<(), CommandError> {
    let next = AtomicUsize::new(0);
    let found: Vec<OnceLock<_>> = config.accounts.iter().map(|_| OnceLock::new()).collect();
    let work = || {
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some((account, found)) = config.accounts.get(index).zip(found.get(index)) else { break };
            // Set by nobody else: each index is given out once.
            drop(found.set(account.check(outbound, machine.clock.now())));
        }
    };
    thread::scope(|scope| {
        for _ in 0..START_WORKERS.min(config.accounts.len()) {
            scope.spawn(work);
        }
    });
    // Told in the order of the configuration.
    for (account, found) in config.accounts.iter().zip(found) {
        match found.into_inner() {
            Some(Preflight::Able) => {}
            Some(Preflight::Unknown(error)) => {
                let reason = error.refusal().sentence;
                say(&format!("warning: account `{}` could not be tried: {reason}", account.name));
            }
            Some(Preflight::Unable(error)) => {
                return Err(CommandError::of(2, format!("{path}: account `{}`: {error}", account.name)));
            }
            None => return Err(CommandError::of(1, format!("account `{}` was not tried", account.name))),
        }
    }
    Ok(())
}

async fn listen(
    config: Config,
    tls: Option<Arc<Tls>>,
    journal: Box<dyn Journal>,
    outbound: Box<dyn Outbound>,
    machine: &Machine,
) -> Result<(), CommandError> {
    let (listener, address) = bind(config.listen).await?;
    let metrics = match config.server.metrics_listen {
        None => None,
        Some(wanted) => Some(bind(wanted).await?),
    };
    let no_signals = |error: std::io::Error| CommandError::of(1, format!("no signals: {error}"));
    let mut terminate = signal(SignalKind::terminate()).map_err(no_signals)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(no_signals)?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let public_url = config.public_url.clone().unwrap_or_else(|| format!("{scheme}://{address}"));
    let trusted_proxies = config.server.trusted_proxies.clone();
    let audit = Audit::to(Box::new(std::io::stdout()));
    let clock = Box::new(Arc::clone(&machine.clock));
    let broker = Broker::new(config, public_url, journal, audit, outbound, clock);
    if let Some((_, address)) = &metrics {
        write_line(&format!("metrics on {address}"));
    }
    write_line(&format!("listening on {address}"));
    let metrics = metrics.map(|(listener, _)| listener);
    let stop = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        say("ending: finishing what is in flight");
    };
    let edge = Listeners { listener, metrics, tls, trusted_proxies, connections: connections()? };
    let broker = Arc::new(broker);
    serve(edge, Arc::clone(&broker), machine.sweep_interval, stop).await;
    broker.audit.settle();
    Ok(())
}

async fn bind(wanted: SocketAddr) -> Result<(TcpListener, SocketAddr), CommandError> {
    let cannot = |error: std::io::Error| CommandError::of(1, format!("cannot listen on {wanted}: {error}"));
    let listener = TcpListener::bind(wanted).await.map_err(cannot)?;
    let address = listener.local_addr().map_err(cannot)?;
    Ok((listener, address))
}

/// How many clients may be connected: as many as there are descriptors for, of which the broker takes all that it may have.
fn connections() -> Result<usize, CommandError> {
    let limit = getrlimit(Resource::Nofile);
    // Where more is not given after all, the limit is what it was.
    let _as_it_was = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    let files =
        getrlimit(Resource::Nofile).current.map_or(usize::MAX, |files| usize::try_from(files).unwrap_or(usize::MAX));
    match files.saturating_sub(RESERVED_FILES) {
        room if room >= MIN_CONNECTIONS => Ok(room.min(MAX_CONNECTIONS)),
        _ => {
            let wanted = RESERVED_FILES + MIN_CONNECTIONS;
            Err(CommandError::of(
                1,
                format!("the system allows {files} open files, and the broker needs {wanted}: `ulimit -n`"),
            ))
        }
    }
}
