//! The network loop: connections with limits, the sweeper beside them, and an end that finishes what was begun.
//!
//! hyper is used directly, because its limits on the head of a request (bytes, count, time) are wanted. Plain HTTP/1.1: TLS
//! belongs to the proxy in front.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use crate::app::{App, router};
use crate::broker::Broker;
use crate::limits::{CONNECT_TIMEOUT, MAX_CONNECTIONS, MAX_HEAD_BYTES, MAX_HEADERS, READ_TIMEOUT, SHUTDOWN_TIMEOUT};
use crate::sweep::Sweeper;

/// Serves until `stop`, then takes nothing new, and returns when what was in flight is done, at most
/// [`SHUTDOWN_TIMEOUT`] later.
pub async fn serve(
    listener: TcpListener,
    broker: Arc<Broker>,
    sweep_interval: Duration,
    stop: impl Future<Output = ()>,
) {
    let sweeper = tokio::spawn(sweep_forever(Arc::clone(&broker), sweep_interval));
    let app = App::new(broker);
    let connections = GracefulShutdown::new();
    accept_until(&listener, &app, &connections, stop).await;
    drop(listener);
    app.end();
    sweeper.abort();
    // Whether it was in time changes nothing: what is cut off here is found by its label or ends by itself.
    drop(timeout(SHUTDOWN_TIMEOUT, async { tokio::join!(connections.shutdown(), app.drained()) }).await);
}

async fn accept_until(
    listener: &TcpListener,
    app: &Arc<App>,
    connections: &GracefulShutdown,
    stop: impl Future<Output = ()>,
) {
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut stop = std::pin::pin!(stop);
    loop {
        let next = async {
            let permit = Arc::clone(&room).acquire_owned().await;
            (permit, listener.accept().await)
        };
        let (permit, accepted) = tokio::select! {
            () = &mut stop => return,
            next = next => next,
        };
        match accepted {
            Ok((stream, _)) => {
                let connection = connections.watch(connection(stream, app));
                tokio::spawn(async move {
                    let _held_until_closed = permit;
                    // A client that breaks off or talks nonsense is its own affair.
                    drop(connection.await);
                });
            }
            // Out of descriptors, most likely: let some connections end.
            Err(_) => sleep(CONNECT_TIMEOUT / 50).await,
        }
    }
}

fn connection(
    stream: TcpStream,
    app: &Arc<App>,
) -> http1::Connection<TokioIo<TcpStream>, TowerToHyperService<axum::Router>> {
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(READ_TIMEOUT)
        .max_buf_size(MAX_HEAD_BYTES)
        .max_headers(MAX_HEADERS)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router(Arc::clone(app))))
}

async fn sweep_forever(broker: Arc<Broker>, every: Duration) {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut sweeper = Sweeper::default();
    loop {
        ticks.tick().await;
        let broker = Arc::clone(&broker);
        let sweep = move || {
            sweeper.sweep(&broker);
            sweeper
        };
        // A sweep that panicked is not the end of sweeping.
        sweeper = tokio::task::spawn_blocking(sweep).await.unwrap_or_default();
    }
}
