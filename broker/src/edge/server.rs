//! The network loop: connections with limits, the sweeper and the certificate beside them, and an end that finishes what was
//! begun.

use std::future::{Future, pending};
use std::sync::Arc;
use std::time::Duration;

use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::{Interval, MissedTickBehavior, interval, sleep, timeout};

use crate::broker::Broker;
use crate::client_address::TrustedProxies;
use crate::edge::connection::Acceptor;
use crate::edge::connection_pool::ConnectionPool;
use crate::edge::routes::{App, metrics_router, router};
use crate::edge::tls::{Look, Tls};
use crate::leases::sweep::Sweeper;
use crate::limits::{ACCEPT_PAUSE, CERTIFICATE_INTERVAL, MAX_METRICS_CONNECTIONS, SHUTDOWN_TIMEOUT};
use crate::observe::console::say;

/// Where the broker listens, and how.
pub struct Listeners {
    /// For clients.
    pub listener: TcpListener,
    /// For `/metrics` alone. Without it they are served to this machine and to proxies with the rest.
    pub metrics: Option<TcpListener>,
    /// The certificate for clients; nothing for plain HTTP.
    pub tls: Option<Arc<Tls>>,
    /// Who may speak plain HTTP, and name his client.
    pub trusted_proxies: TrustedProxies,
    /// How many connections of clients there may be at one time.
    pub connections: usize,
}

/// Serves until `stop`, then takes nothing new, and returns when what was in flight is done, at most
/// [`SHUTDOWN_TIMEOUT`] later.
pub async fn serve(edge: Listeners, broker: Arc<Broker>, sweep_interval: Duration, stop: impl Future<Output = ()>) {
    let mut beside = vec![tokio::spawn(sweep_forever(Arc::clone(&broker), sweep_interval))];
    beside.extend(edge.tls.clone().map(|tls| tokio::spawn(renew_forever(tls))));
    let pool = ConnectionPool::new(edge.connections);
    let app = App::new(broker, edge.trusted_proxies, Arc::clone(&pool), edge.metrics.is_none());
    let connections = GracefulShutdown::new();
    let clients = Acceptor { router: router(Arc::clone(&app)), tls: edge.tls };
    let readers = Acceptor { router: metrics_router(Arc::clone(&app)), tls: None };
    tokio::select! {
        () = stop => {}
        () = accept(&edge.listener, clients, &app, &pool, &connections) => {}
        () = async {
            match &edge.metrics {
                Some(listener) => {
                    accept(listener, readers, &app, &ConnectionPool::new(MAX_METRICS_CONNECTIONS), &connections).await;
                }
                None => pending().await,
            }
        } => {}
    }
    // First the word, then the deed: who asks from now on is told before nobody answers.
    app.end();
    drop((edge.listener, edge.metrics));
    beside.iter().for_each(JoinHandle::abort);
    // Whether it was in time changes nothing: what is cut off here is found by its label or ends by itself.
    drop(timeout(SHUTDOWN_TIMEOUT, async { tokio::join!(connections.shutdown(), app.drained()) }).await);
}

/// Accepts for as long as it is polled.
async fn accept(
    listener: &TcpListener,
    acceptor: Acceptor,
    app: &App,
    pool: &Arc<ConnectionPool>,
    connections: &GracefulShutdown,
) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let peer = peer.ip().to_canonical();
                let counted = Some(peer).filter(|peer| !app.trusted_proxies().is_near(*peer));
                if let Some(connection) = pool.accept(counted).await {
                    tokio::spawn(acceptor.clone().serve(stream, peer, connection, connections.watcher()));
                }
            }
            // Out of descriptors, most likely. Somebody leaves, and the newcomer waits in the listener's queue.
            Err(_) => {
                pool.evict_idle();
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

async fn sweep_forever(broker: Arc<Broker>, interval: Duration) {
    let mut ticks = every(interval);
    let mut sweeper = Sweeper::default();
    loop {
        ticks.tick().await;
        let broker = Arc::clone(&broker);
        let sweep = move || {
            sweeper.sweep(&broker);
            sweeper
        };
        // A sweep that panicked is not the end of sweeping.
        sweeper = spawn_blocking(sweep).await.unwrap_or_default();
    }
}

async fn renew_forever(tls: Arc<Tls>) {
    let mut ticks = every(CERTIFICATE_INTERVAL);
    // The first tick is now, when the pair has just been read.
    ticks.tick().await;
    loop {
        ticks.tick().await;
        let tls = Arc::clone(&tls);
        match spawn_blocking(move || tls.look_again()).await {
            Ok(Look::Renewed) => say("the certificate was renewed"),
            Ok(Look::Unusable(error)) => say(&format!("warning: the certificate stays as it was: {error}")),
            Ok(Look::Unchanged) | Err(_) => {}
        }
    }
}

fn every(time: Duration) -> Interval {
    let mut ticks = interval(time);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}
