//! What stands in the way to a provider, and what is said of it: each by its own cause, and as often as it may pass.
//!
//! [`obstacles`] is one table, and so longer than 60 lines. The same table is run on the program and, in `tests/it/action/way.rs`, on the Action's host.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use crate::support::World;

/// One obstacle.
pub struct Obstacle {
    pub name: &'static str,
    /// Of Vault.
    pub address: String,
    pub variables: Vec<(&'static str, String)>,
    pub says: Vec<&'static str>,
    /// How often is asked.
    pub tries: usize,
    /// How often somebody was asked who counts.
    pub asked: Option<Arc<AtomicUsize>>,
}

impl Obstacle {
    /// Holds what was said against the table.
    #[track_caller]
    pub fn check(&self, said: &str) {
        for text in &self.says {
            assert!(said.contains(text), "{}: no `{text}` in\n{said}", self.name);
        }
        let repetitions = said.lines().filter(|line| line.contains("; try ") && line.contains(" of ")).count();
        assert_eq!(repetitions, self.tries - 1, "{}: a line for each repetition\n{said}", self.name);
        assert_eq!(said.contains("tries"), self.tries > 1, "{}\n{said}", self.name);
        if let Some(asked) = &self.asked {
            assert_eq!(asked.load(Ordering::SeqCst), self.tries, "{}\n{said}", self.name);
        }
    }
}

/// How long a client that does not hang up is waited for.
const LINGER: Duration = Duration::from_secs(5);

/// A listener that reads a little, answers so, and counts.
fn answering(answer: &'static str) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let asked = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&asked);
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            count.fetch_add(1, Ordering::SeqCst);
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(answer.as_bytes());
            // What was not read would take the answer away with it. Whoever asked hangs up in the end, or has it read.
            let _ = stream.shutdown(Shutdown::Write);
            let _ = stream.set_read_timeout(Some(LINGER));
            while stream.read(&mut [0; 4096]).is_ok_and(|count| count > 0) {}
        }
    });
    (address, asked)
}

/// A port at which nothing listens, and nothing will: it is the near end of a connection, as long as the test runs. One that was
/// only let go would be given to the next program that asks for any.
fn closed() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let stream = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let port = stream.local_addr().unwrap().port();
    std::mem::forget((listener, stream));
    port
}

const BEHIND: &str = "https://vault.example.com";
const AWAY: &str = "the proxy on the way to https://vault.example.com cannot be reached";
const REFUSES: &str = "the proxy refuses the way to https://vault.example.com";
const UNUSABLE: &str = "the proxy on the way to https://vault.example.com cannot be used";

/// Straight to the server; 0.0.0.0 is this machine, and no loopback address.
fn direct(name: &'static str, address: String, says: &[&'static str], tries: usize) -> Obstacle {
    let variables = vec![("NO_PROXY", "*".to_owned())];
    Obstacle { name, address, variables, says: says.to_vec(), tries, asked: None }
}

fn through(name: &'static str, proxy: String, says: &[&'static str], tries: usize) -> Obstacle {
    let variables = vec![("HTTPS_PROXY", proxy)];
    Obstacle { name, address: BEHIND.to_owned(), variables, says: says.to_vec(), tries, asked: None }
}

fn proxy(name: &'static str, answer: &'static str, says: &[&'static str], tries: usize) -> Obstacle {
    let (address, asked) = answering(answer);
    Obstacle { asked: Some(asked), ..through(name, format!("http://{address}"), says, tries) }
}

fn server(name: &'static str, answer: &'static str, says: &[&'static str], tries: usize) -> Obstacle {
    let (address, asked) = answering(answer);
    let address = address.replace("127.0.0.1", "https://0.0.0.0");
    Obstacle { asked: Some(asked), ..direct(name, address, says, tries) }
}

/// Every obstacle.
pub fn obstacles() -> Vec<Obstacle> {
    let (unknown, nothing) = ("because: its name is not known here", "because: nothing listens at its port");
    let again = "because: after 4 tries";
    vec![
        direct(
            "an unknown name",
            "https://vault.invalid".to_owned(),
            &["https://vault.invalid cannot be reached", unknown, again],
            4,
        ),
        direct(
            "an unknown name below another",
            "https://a.b.c.invalid:8200".to_owned(),
            &["cannot be reached", unknown],
            4,
        ),
        direct("a closed port", format!("https://0.0.0.0:{}", closed()), &["cannot be reached", nothing, again], 4),
        server("a server that closes", "", &["cannot be reached", "it closed the connection", again], 4),
        server(
            "HTTP without TLS",
            "HTTP/1.1 400 Bad Request\r\n\r\n",
            &["there is no TLS with https://0.0.0.0:", "check scheme and port"],
            1,
        ),
        server("another protocol", "SSH-2.0-OpenSSH_9.2\r\n", &["there is no TLS with"], 1),
        server("an alert", "\u{15}\u{3}\u{3}\0\u{2}\u{2}\u{28}", &["there is no TLS with"], 1),
        proxy(
            "407",
            "HTTP/1.1 407 Proxy Authentication Required\r\ncontent-length: 0\r\n\r\n",
            &[REFUSES, "status 407", "a user and a password", "hint: HTTPS_PROXY"],
            1,
        ),
        proxy(
            "403",
            "HTTP/1.1 403 Forbidden\r\ncontent-length: 9\r\n\r\nforbidden",
            &[REFUSES, "status 403", "that host"],
            1,
        ),
        proxy("401", "HTTP/1.1 401 Unauthorized\r\n\r\n", &[REFUSES, "status 401"], 1),
        proxy(
            "a redirect",
            "HTTP/1.1 302 Found\r\nlocation: http://login.example/\r\n\r\n",
            &[REFUSES, "status 302"],
            1,
        ),
        proxy("405 by HTTP/1.0", "HTTP/1.0 405 Method Not Allowed\r\n\r\n", &[REFUSES, "status 405"], 1),
        proxy("502", "HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n", &[REFUSES, "status 502", again], 4),
        proxy("503", "HTTP/1.1 503 Service Unavailable\r\n\r\n", &[REFUSES, "status 503", again], 4),
        proxy("a proxy that closes", "", &[AWAY, again], 4),
        proxy("no proxy", "SSH-2.0-OpenSSH_9.2\r\n", &[AWAY, again], 4),
        proxy(
            "no TLS in the tunnel",
            "HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 400 Bad Request\r\n\r\n",
            &["there is no TLS with https://vault.example.com"],
            1,
        ),
        through("a proxy that is gone", format!("http://127.0.0.1:{}", closed()), &[AWAY, nothing, again], 4),
        through("a proxy without a scheme that is gone", format!("127.0.0.1:{}", closed()), &[AWAY, nothing], 4),
        through("a proxy by an unknown name", "http://proxy.invalid:3128".to_owned(), &[AWAY, unknown], 4),
        through("a SOCKS proxy", "socks5://127.0.0.1:1080".to_owned(), &[UNUSABLE, "hint: HTTPS_PROXY takes"], 1),
        through("a SOCKS proxy that resolves", "socks5h://127.0.0.1:1080".to_owned(), &[UNUSABLE], 1),
        through("a proxy by TLS", "https://127.0.0.1:3128".to_owned(), &[UNUSABLE], 1),
        through("a script", "pac+http://wpad/wpad.dat".to_owned(), &[UNUSABLE], 1),
        through("no host", "http://".to_owned(), &[UNUSABLE], 1),
        through("a port that is none", "http://127.0.0.1:port".to_owned(), &[UNUSABLE], 1),
    ]
}

#[test]
fn each_obstacle_is_told_by_its_own_cause() {
    let world = World::new();
    let run = |obstacle: &Obstacle| {
        let token = world.sandbox.issuer().circleci().audience(&obstacle.address).sign();
        let job = world.job("token").args(&["--vault-role=dockerhub", "--vault-path=secret/data/ci/dockerhub"]);
        let job = job.arg(format!("--vault-addr={}", obstacle.address)).arg("--identity-token-env=MY_TOKEN");
        let job = job.env("MY_TOKEN", token);
        obstacle.variables.iter().fold(job, |job, (name, value)| job.env(name, value)).spawn()
    };
    let obstacles = obstacles();
    // Most of them are tried four times, so they are tried side by side.
    let running: Vec<_> = obstacles.iter().map(run).collect();
    for (obstacle, running) in obstacles.iter().zip(running) {
        let outcome = running.wait().code(5);
        obstacle.check(&outcome.stderr);
        assert_eq!(outcome.requests.len(), 0, "{}", obstacle.name);
    }
}
