//! Serves requests on one connection until the client or a fault ends it.

use std::io::{self, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use http::{Method, Request, Response};
use rustls::{ServerConnection, StreamOwned};
use serde_json::json;

use crate::core::Core;
use crate::fault::Delivery;
use crate::http1::{Inbound, Refusal, head, keeps_alive, read_request};
use crate::message::json;
use crate::service::{Handler, Service};

/// A connection on which nothing is said for this long is given up.
const IDLE_TIMEOUT: Duration = Duration::from_secs(120);
/// How long and how much of a refused message is still read.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(1);
const MAX_DRAINED_BYTES: usize = 1024 * 1024;

/// A byte stream that can be closed politely.
pub(super) trait Channel: Read + Write {
    /// Says goodbye where the protocol has a word for it.
    fn finish(&mut self) {}

    /// The socket below.
    fn socket(&self) -> &TcpStream;
}

impl Channel for TcpStream {
    fn socket(&self) -> &TcpStream {
        self
    }
}

impl Channel for StreamOwned<ServerConnection, TcpStream> {
    fn finish(&mut self) {
        self.conn.send_close_notify();
        // The peer may be gone, which is what a goodbye is for.
        drop(self.flush());
    }

    fn socket(&self) -> &TcpStream {
        &self.sock
    }
}

/// Answers a message that was not read to its end. Closing at once would make the system reset the connection, and the reset
/// can overtake the answer; so the rest is read and dropped first, within bounds.
pub(super) fn refuse<S: Channel>(stream: &mut S, status: u16, what: &str) {
    if send(stream, &Method::GET, &refusal(status, what), false).is_err() {
        return;
    }
    stream.finish();
    let mut socket = stream.socket();
    let ready = socket.shutdown(Shutdown::Write).and_then(|()| socket.set_read_timeout(Some(DRAIN_TIMEOUT)));
    let mut scratch = [0; 16 * 1024];
    let mut drained = 0;
    while ready.is_ok() && drained < MAX_DRAINED_BYTES {
        match socket.read(&mut scratch) {
            Ok(count @ 1..) => drained += count,
            Ok(0) | Err(_) => return,
        }
    }
}

/// Chooses who answers a request.
pub(super) trait Routes: Send + Sync {
    /// Answers, or tells how the connection dies.
    fn answer(&self, request: &Request<Vec<u8>>) -> Delivery;
}

/// Serves one plain connection for one service; without a service name nothing is logged and no fault applies.
pub(crate) fn serve_plain(stream: TcpStream, core: &Arc<Core>, service: Option<Service>, handler: &dyn Handler) {
    if prepare(&stream).is_err() {
        return;
    }
    serve(&mut Inbound::new(stream), &Plain { core, service, handler });
}

struct Plain<'s> {
    core: &'s Core,
    service: Option<Service>,
    handler: &'s dyn Handler,
}

impl Routes for Plain<'_> {
    fn answer(&self, request: &Request<Vec<u8>>) -> Delivery {
        match self.service {
            Some(service) => self.core.answer(service, self.handler, request),
            None => Delivery::Whole(self.handler.handle(request)),
        }
    }
}

pub(super) fn prepare(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(IDLE_TIMEOUT))?;
    stream.set_write_timeout(Some(IDLE_TIMEOUT))
}

pub(super) fn serve<S: Channel>(inbound: &mut Inbound<S>, routes: &dyn Routes) {
    loop {
        let request = match read_request(inbound) {
            Ok(request) => request,
            Err(Refusal::Gone) => return,
            Err(Refusal::Answer(status, what)) => return refuse(&mut inbound.stream, status, what),
        };
        let keep_alive = keeps_alive(&request);
        let went_well = deliver(&mut inbound.stream, request.method(), routes.answer(&request), keep_alive);
        match went_well {
            Ok(true) if keep_alive => {}
            Ok(true) => return inbound.stream.finish(),
            // A cut or a dead peer: no goodbye.
            Ok(false) | Err(_) => return,
        }
    }
}

pub(super) fn refusal(status: u16, what: &str) -> Response<Vec<u8>> {
    json(status, &json!({ "sandbox": what }))
}

/// Sends an answer; `Ok(false)` means that a fault wants the connection dead.
fn deliver<S: Channel>(stream: &mut S, method: &Method, delivery: Delivery, keep_alive: bool) -> io::Result<bool> {
    match delivery {
        Delivery::Whole(response) => send(stream, method, &response, keep_alive).map(|()| true),
        Delivery::Close => Ok(false),
        Delivery::Cut { response, after } => {
            let mut wire = head(&response, method, keep_alive);
            // At least one byte is missing, or the cut would not show.
            let end = after.min(response.body().len().saturating_sub(1));
            wire.extend_from_slice(&response.body()[..end]);
            stream.write_all(&wire)?;
            stream.flush()?;
            Ok(false)
        }
        Delivery::Drip { response, bytes, pause } => {
            for piece in wire(&response, method, keep_alive).chunks(bytes) {
                stream.write_all(piece)?;
                stream.flush()?;
                thread::sleep(pause);
            }
            Ok(true)
        }
    }
}

pub(super) fn send<S: Write>(
    stream: &mut S,
    method: &Method,
    response: &Response<Vec<u8>>,
    keep_alive: bool,
) -> io::Result<()> {
    stream.write_all(&wire(response, method, keep_alive))?;
    stream.flush()
}

fn wire(response: &Response<Vec<u8>>, method: &Method, keep_alive: bool) -> Vec<u8> {
    let mut wire = head(response, method, keep_alive);
    let bodiless = method == Method::HEAD || matches!(response.status().as_u16(), 204 | 304);
    if !bodiless {
        wire.extend_from_slice(response.body());
    }
    wire
}
