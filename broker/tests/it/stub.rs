//! A broker that listens on loopback inside the test, and the plain HTTP client that talks to it.

use std::sync::Arc;
use std::thread::JoinHandle;

use hublease_broker::broker::Broker;
use hublease_broker::client_address::TrustedProxies;
use hublease_broker::edge::server::{Listeners, serve};
use hublease_broker::limits::{MAX_CONNECTIONS, SWEEP_INTERVAL};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use ureq::http::Response;
use ureq::{Agent, Body};

/// A broker on its own thread. Dropping it ends it.
pub(crate) struct Running {
    pub(crate) url: String,
    /// Where the metrics are, when they have an address of their own.
    pub(crate) metrics_url: String,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Running {
    /// Plain HTTP on loopback.
    pub(crate) fn start(broker: Arc<Broker>) -> Self {
        Self::start_with(broker, |_plain| {})
    }

    /// The same, with something changed.
    pub(crate) fn start_with(broker: Arc<Broker>, change: impl FnOnce(&mut Listeners)) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let trusted_proxies = TrustedProxies::default();
        let mut edge = Listeners { listener, metrics: None, tls: None, trusted_proxies, connections: MAX_CONNECTIONS };
        runtime.block_on(async { change(&mut edge) });
        let url = format!("{}://{address}", if edge.tls.is_some() { "https" } else { "http" });
        let metrics_address = edge.metrics.as_ref().map(|metrics| metrics.local_addr().unwrap());
        let metrics_url = metrics_address.map(|address| format!("http://{address}")).unwrap_or_default();
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::spawn(move || {
            runtime.block_on(serve(edge, broker, SWEEP_INTERVAL, async { drop(stopped.await) }));
        });
        Self { url, metrics_url, stop: Some(stop), thread: Some(thread) }
    }

    /// Asks for the end and does not wait for it.
    pub(crate) fn ask_to_stop(&mut self) {
        drop(self.stop.take());
    }

    /// Waits for the end.
    pub(crate) fn join(&mut self) {
        self.ask_to_stop();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.ask_to_stop();
    }
}

pub(crate) fn client() -> Agent {
    let config = Agent::config_builder().http_status_as_error(false).max_redirects(0).proxy(None);
    config.max_idle_connections(0).build().new_agent()
}

pub(crate) fn post_form(url: &str, form: &str) -> Response<Body> {
    client().post(url).header("content-type", "application/x-www-form-urlencoded").send(form).unwrap()
}

pub(crate) fn text(mut response: Response<Body>) -> String {
    response.body_mut().read_to_string().unwrap()
}

pub(crate) fn header<'a>(response: &'a Response<Body>, name: &str) -> &'a str {
    response.headers().get(name).map_or("", |value| value.to_str().unwrap())
}
