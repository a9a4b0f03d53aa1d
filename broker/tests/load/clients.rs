//! Jobs: plain HTTP connections that are kept, one exchange after the other, or at fixed times.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::Fallible;
use super::tokens::Tokens;

/// Connections of the open loop: enough that a due exchange hardly ever waits for one.
const OPEN_CLIENTS: usize = 64;

/// As many exchanges as these clients can make.
pub(super) fn closed_loop(address: &str, tokens: &Tokens, exchanges: Range<usize>, clients: usize) -> Fallible<()> {
    run(address, tokens, &exchanges, clients, |_| Instant::now()).map(drop)
}

/// So many exchanges a second, whatever the broker does; the times are counted from when each was due.
pub(super) fn open_loop(
    address: &str,
    tokens: &Tokens,
    exchanges: Range<usize>,
    rate: usize,
) -> Fallible<Vec<Duration>> {
    let (begun, first) = (Instant::now(), exchanges.start);
    run(address, tokens, &exchanges, OPEN_CLIENTS, |exchange| {
        let due = begun + Duration::from_secs_f64((exchange - first) as f64 / rate as f64);
        thread::sleep(due.saturating_duration_since(Instant::now()));
        due
    })
}

/// `due` waits until an exchange may begin, and says when that was.
fn run(
    address: &str,
    tokens: &Tokens,
    exchanges: &Range<usize>,
    clients: usize,
    due: impl Fn(usize) -> Instant + Sync,
) -> Fallible<Vec<Duration>> {
    let next = AtomicUsize::new(exchanges.start);
    let (times, failure) = (Mutex::new(Vec::new()), Mutex::new(None));
    let work = || -> Fallible<()> {
        let mut connection = Connection::open(address)?;
        let mut own = Vec::new();
        loop {
            let exchange = next.fetch_add(1, Ordering::Relaxed);
            if exchange >= exchanges.end {
                break;
            }
            let begun = due(exchange);
            connection.exchange(tokens.of(exchange))?;
            own.push(begun.elapsed());
        }
        times.lock().map_err(|_poisoned| "a client panicked")?.extend(own);
        Ok(())
    };
    thread::scope(|scope| {
        for _ in 0..clients {
            scope.spawn(|| {
                if let (Err(error), Ok(mut failure)) = (work(), failure.lock()) {
                    *failure = Some(error.to_string());
                }
            });
        }
    });
    match failure.into_inner()? {
        Some(failure) => Err(failure.into()),
        None => Ok(times.into_inner()?),
    }
}

struct Connection {
    stream: BufReader<TcpStream>,
}

impl Connection {
    fn open(address: &str) -> Fallible<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    fn exchange(&mut self, token: &str) -> Fallible<()> {
        let body = format!(
            "grant_type=urn:ietf:params:oauth:grant-type:token-exchange&subject_token={token}\
             &subject_token_type=urn:ietf:params:oauth:token-type:id_token"
        );
        let length = body.len();
        let head = format!(
            "POST /oauth/token HTTP/1.1\r\nhost: broker\r\ncontent-type: application/x-www-form-urlencoded\r\n\
             content-length: {length}\r\n\r\n"
        );
        self.stream.get_mut().write_all(&[head.as_bytes(), body.as_bytes()].concat())?;
        let (mut status, mut length) = (String::new(), 0);
        loop {
            let mut line = String::new();
            if self.stream.read_line(&mut line)? == 0 {
                return Err("the broker closed a connection".into());
            }
            if status.is_empty() {
                status.clone_from(&line);
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse()?;
            }
            if line.trim_end().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        if status.contains(" 200 ") {
            Ok(())
        } else {
            Err(format!("{}: {}", status.trim(), String::from_utf8_lossy(&body)).into())
        }
    }
}
