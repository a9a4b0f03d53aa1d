//! An engine that does nothing but write down the login that docker's command line hands to it with a pull.

use std::io::{self, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};

use base64::Engine;
use base64::engine::general_purpose::{URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::Value;

/// It serves until its socket is gone.
pub struct Witness {
    logins: Receiver<Value>,
}

impl Witness {
    /// Listens at this socket.
    pub fn start(socket: &Path) -> Self {
        let listener = UnixListener::bind(socket).unwrap();
        let (sender, logins) = channel();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                // A client that hangs up has asked for nothing.
                drop(stream.and_then(|stream| serve(stream, &sender)));
            }
        });
        Self { logins }
    }

    /// The login of the last pull.
    pub fn login(&self) -> Option<Value> {
        self.logins.try_iter().last()
    }
}

/// Answers one request, and closes: a ping with the version that every command line speaks, a pull with nothing.
fn serve(mut stream: UnixStream, logins: &Sender<Value>) -> io::Result<()> {
    let (mut head, mut byte) = (Vec::new(), [0]);
    while !head.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte)?;
        head.push(byte[0]);
    }
    let head = String::from_utf8_lossy(&head).into_owned();
    let is_pull = head.starts_with("POST ") && head.contains("/images/create?");
    if is_pull {
        let lines = head.lines().filter_map(|line| line.split_once(": "));
        let mut value = lines.filter(|(name, _)| name.eq_ignore_ascii_case("X-Registry-Auth")).map(|(_, value)| value);
        let bytes =
            value.next_back().and_then(|value| URL_SAFE.decode(value).or_else(|_| URL_SAFE_NO_PAD.decode(value)).ok());
        let login = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or(Value::Null);
        // Before the answer: who has that reads what was written down. Nobody reads any more when the test is over.
        drop(logins.send(login));
    }
    stream.write_all(
        b"HTTP/1.1 200 OK\r\nApi-Version: 1.41\r\nOstype: linux\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
    )
}
