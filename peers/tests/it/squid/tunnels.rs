//! The sandbox's CONNECT proxy, held against squid: what a client reads of a proxy's answer is its status.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use hublease_peers::squid::through;
use hublease_peers::{Answer, Front};
use hublease_sandbox::Sandbox;

use crate::support::table::{Row, play};

/// A proxy that says nothing for so long hangs.
const LONGEST: Duration = Duration::from_secs(60);

struct Side {
    proxy: SocketAddr,
    // It runs as long as the side is asked.
    _squid: Option<Front>,
}

impl Side {
    /// Sends a head as it is, and reads the first line of what comes back.
    fn send(&self, head: &str) -> Answer {
        let mut stream = TcpStream::connect(self.proxy).unwrap();
        stream.set_read_timeout(Some(LONGEST)).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        let (mut line, mut byte) = (Vec::new(), [0]);
        while stream.read(&mut byte).unwrap_or_default() == 1 && byte[0] != b'\n' {
            line.push(byte[0]);
        }
        let line = String::from_utf8_lossy(&line).into_owned();
        let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
        // Nothing, when the connection was closed without a word.
        Answer { status: status.unwrap_or_default(), headers: Vec::new(), text: String::new() }
    }

    fn connect(&self, target: &str) -> Answer {
        self.send(&format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n\r\n"))
    }
}

const ROWS: &[Row<Side>] = &[
    ("a host that is served", |side| side.connect("auth.docker.io:443")),
    ("by HTTP/1.0", |side| side.send("CONNECT auth.docker.io:443 HTTP/1.0\r\n\r\n")),
    ("without a Host header", |side| side.send("CONNECT auth.docker.io:443 HTTP/1.1\r\n\r\n")),
    ("with another Host header", |side| {
        side.send("CONNECT auth.docker.io:443 HTTP/1.1\r\nHost: hub.docker.com\r\n\r\n")
    }),
    ("in capital letters", |side| side.connect("AUTH.DOCKER.IO:443")),
    ("with a password for the proxy", |side| {
        side.send("CONNECT auth.docker.io:443 HTTP/1.1\r\nHost: auth.docker.io:443\r\nProxy-Authorization: Basic YTpi\r\n\r\n")
    }),
    ("a host that is refused", |side| side.connect("refused.example.org:443")),
    ("an address", |side| side.connect("192.0.2.1:443")),
    ("an address of six", |side| side.connect("[2001:db8::1]:443")),
    ("another port", |side| side.connect("auth.docker.io:22")),
    ("no port", |side| side.connect("auth.docker.io")),
    ("a port that is none", |side| side.connect("auth.docker.io:https")),
    ("a method in small letters", |side| side.send("connect auth.docker.io:443 HTTP/1.1\r\n\r\n")),
    ("a version that is none", |side| side.send("CONNECT auth.docker.io:443 HTTP/9.9\r\n\r\n")),
    ("nothing that is HTTP", |side| side.send("\u{16}\u{3}\u{1}\r\n\r\n")),
];

#[test]
fn tunnels_are_opened_and_refused_alike() {
    let sandbox = Sandbox::start().unwrap();
    let proxy: SocketAddr = sandbox.proxy_url().trim_start_matches("http://").parse().unwrap();
    let squid = through(proxy, &["refused.example.org", "192.0.2.1", "[2001:db8::1]"]);
    let real = Side { proxy: SocketAddr::from(([127, 0, 0, 1], squid.port())), _squid: Some(squid) };
    play("tunnels", ROWS, &Side { proxy, _squid: None }, &real);
}
