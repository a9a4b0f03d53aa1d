//! The end: what was begun is finished, and one request is served once at a time.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Instant;

use hublease_broker::edge::tls::Tls;
use serde_json::json;

use crate::stepped::PATIENCE;
use crate::stub::{Running, header, post_form, text};
use crate::testing::{CONFIG, World, circleci_form};
use crate::tls::{Secrets, TlsStream, connect};

#[test]
fn a_mint_in_flight_is_finished_before_the_end() {
    let world = World::new(CONFIG);
    let (release, latch) = mpsc::channel();
    let (reached, arrived) = mpsc::channel();
    *world.hub.latch.lock().unwrap() = Some((reached, latch));
    let mut running = Running::start(world.broker.clone());
    let url = format!("{}/oauth/token", running.url);
    let client = thread::spawn(move || {
        let response = post_form(&url, &circleci_form(&json!({}), ""));
        (response.status().as_u16(), text(response))
    });
    arrived.recv().unwrap();
    running.ask_to_stop();
    // The end has begun when nobody listens any more.
    let address = running.url.strip_prefix("http://").unwrap();
    while TcpStream::connect(address).is_ok() {
        thread::yield_now();
    }
    release.send(()).unwrap();
    running.join();
    let (status, body) = client.join().unwrap();
    assert_eq!(status, 200);
    assert!(body.contains("dckr_oat_secret-token-0001"));
    assert_eq!(world.audit.outcomes(), ["exchange issued"]);
}

trait Stream: Read + Write {
    fn socket(&self) -> &TcpStream;

    /// Sends, and returns when the broker has taken it from its socket.
    fn send_until_read(&mut self, bytes: &[u8]) {
        self.write_all(bytes).unwrap();
        until_read(self.socket());
    }
}

impl Stream for TcpStream {
    fn socket(&self) -> &TcpStream {
        self
    }
}

impl Stream for TlsStream {
    fn socket(&self) -> &TcpStream {
        &self.sock
    }
}

fn plain(url: &str) -> Box<dyn Stream> {
    Box::new(TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap())
}

fn encrypted(url: &str) -> Box<dyn Stream> {
    Box::new(connect(url).unwrap())
}

/// Waits until nothing is left in the receive queue of the other end, which is a socket of this machine: proc_net(5), where
/// `rx_queue` is the second half of the fifth field, and addresses are hexadecimal.
fn until_read(socket: &TcpStream) {
    let (ours, theirs) = (socket.local_addr().unwrap().port(), socket.peer_addr().unwrap().port());
    let end = Instant::now() + PATIENCE;
    loop {
        let table = std::fs::read_to_string("/proc/net/tcp").unwrap();
        let unread = table.lines().find_map(|line| {
            let fields: Vec<_> = line.split_whitespace().collect();
            let ends = |field: usize, port: u16| fields[field].ends_with(&format!(":{port:04X}"));
            (ends(1, theirs) && ends(2, ours)).then(|| fields[4].split_once(':').unwrap().1.to_owned())
        });
        if unread.is_some_and(|unread| unread.bytes().all(|digit| digit == b'0')) {
            return;
        }
        assert!(Instant::now() < end, "the broker does not read");
        thread::yield_now();
    }
}

/// Everything that still comes on a connection.
fn rest(mut stream: Box<dyn Stream>) -> String {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).unwrap();
    String::from_utf8(bytes).unwrap()
}

#[test]
fn the_end_is_told_to_who_asks_and_idle_connections_are_closed() {
    for (open, is_encrypted) in [(plain as fn(&str) -> Box<dyn Stream>, false), (encrypted, true)] {
        let world = World::new(CONFIG);
        let (release, latch) = mpsc::channel();
        let (reached, arrived) = mpsc::channel();
        *world.hub.latch.lock().unwrap() = Some((reached, latch));
        let secrets = Secrets::new();
        let mut running = Running::start_with(world.broker.clone(), |edge| {
            edge.tls = is_encrypted.then(|| Arc::new(Tls::load(secrets.files()).unwrap()));
        });
        let mut asking = open(&running.url);
        // A connection of which nothing has been read is idle. Twice, because the first bytes may be taken together with the
        // end of the handshake, before anybody looks at them; the second are then read by who serves the connection.
        asking.send_until_read(b"GET /readyz ");
        asking.send_until_read(b"HTTP/1.1\r\nHost:");
        let form = circleci_form(&json!({}), "");
        let mut minting = open(&running.url);
        let head = "POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded";
        minting.write_all(format!("{head}\r\nContent-Length: {}\r\n\r\n{form}", form.len()).as_bytes()).unwrap();
        arrived.recv().unwrap();
        let mut idle = open(&running.url);
        idle.write_all(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut answer = [0; 15];
        idle.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 200 OK");

        running.ask_to_stop();
        assert!(rest(idle).ends_with("\r\n\r\nok\n"), "nothing comes after the answer but the end");
        asking.write_all(b" x\r\n\r\n").unwrap();
        let answer = rest(asking);
        assert!(answer.starts_with("HTTP/1.1 503 ") && answer.contains("\r\nconnection: close\r\n"), "{answer}");
        assert!(answer.ends_with(r#"{"ready":false,"reasons":["the broker is ending"]}"#), "{answer}");
        release.send(()).unwrap();
        let answer = rest(minting);
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("dckr_oat_secret-token-0001"));
        running.join();
        assert_eq!(world.audit.outcomes(), ["exchange issued"]);
    }
}

#[test]
fn the_same_request_is_not_served_twice_at_one_time() {
    let world = World::new(CONFIG);
    let (release, latch) = mpsc::channel();
    let (reached, arrived) = mpsc::channel();
    *world.hub.latch.lock().unwrap() = Some((reached, latch));
    let running = Running::start(world.broker.clone());
    let url = format!("{}/oauth/token", running.url);
    let form = circleci_form(&json!({}), "&request_id=r1");
    let first = thread::spawn({
        let (url, form) = (url.clone(), form.clone());
        move || post_form(&url, &form).status().as_u16()
    });
    arrived.recv().unwrap();
    let second = post_form(&url, &form);
    assert_eq!((second.status().as_u16(), header(&second, "retry-after")), (503, "5"));
    assert!(text(second).contains("request_in_progress"));
    release.send(()).unwrap();
    assert_eq!(first.join().unwrap(), 200);
    assert_eq!(post_form(&url, &form).status(), 200);
    assert_eq!(world.hub.tokens().len(), 1);
}
