//! Ten thousand connections of clients that are slow, silent or too loud: the program goes on serving, and its memory stays
//! bounded.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::process::Child;

use hublease_broker::limits::{MAX_BODY_BYTES, MAX_CONNECTIONS};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use crate::program::{Place, command};
use crate::stub::{client, post_form, text};
use crate::testing::CONFIG;

/// As many as the test opens.
const CONNECTIONS: usize = 10_000;

/// Open files that the test itself needs besides.
const OTHER_FILES: u64 = 128;

/// What the whole process may take at its worst, in KiB: 112 MiB for connections (`limits::MAX_CONNECTIONS` says why), and 48
/// for all else.
const MAX_MEMORY_KIB: u64 = (112 + 48) * 1024;

/// How a client misbehaves. None of them ever asks for an answer.
#[derive(Debug, Clone, Copy)]
enum Manner {
    Silent,
    HalfHead,
    /// Single bytes, each in a packet of its own.
    Dribble,
    /// All of the largest body but its last byte.
    AlmostWhole,
    /// More than the broker reads.
    TooLarge,
}

const MANNERS: [Manner; 5] = [Manner::Silent, Manner::HalfHead, Manner::Dribble, Manner::AlmostWhole, Manner::TooLarge];

fn connect(address: &str, manner: Manner, body: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    let head = |length: usize| {
        format!(
            "POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             Content-Length: {length}\r\n\r\n"
        )
    };
    let mut send = |bytes: &[u8]| stream.write_all(bytes);
    // The broker may close it at any time, and that is what it should do.
    drop(match manner {
        Manner::Silent => Ok(()),
        Manner::HalfHead => send(&head(1).as_bytes()[..40]),
        Manner::Dribble => send(head(MAX_BODY_BYTES).as_bytes()).and_then(|()| body[..64].chunks(1).try_for_each(send)),
        Manner::AlmostWhole => send(head(MAX_BODY_BYTES).as_bytes()).and_then(|()| send(&body[..MAX_BODY_BYTES - 1])),
        Manner::TooLarge => send(head(body.len()).as_bytes()).and_then(|()| send(body)),
    });
    stream
}

/// Ends the program when the test ends, however it does.
struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A line of `/proc/PID/status`, in KiB.
fn memory(program: &Program, name: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", program.0.id())).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim_start_matches(':').trim_end_matches("kB").trim().parse().unwrap()
}

fn sample(metrics: &str, name: &str) -> u64 {
    let line = metrics.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    line.trim().parse().unwrap()
}

#[test]
fn ten_thousand_slow_clients_cost_each_other_their_places_and_nobody_else() {
    let limit = getrlimit(Resource::Nofile);
    setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum }).unwrap();
    let files = CONNECTIONS as u64 + OTHER_FILES;
    let is_enough = limit.maximum.is_none_or(|maximum| files <= maximum);
    assert!(
        is_enough,
        "the system allows {:?} open files and the test needs {files}; `ulimit -Hn` tells",
        limit.maximum
    );
    let place = Place::with(CONFIG);
    let mut program = Program(command(&["serve", "--config", &place.config()], "hunter2").spawn().unwrap());
    let mut lines = BufReader::new(program.0.stderr.take().unwrap()).lines().map(Result::unwrap);
    let address = lines.find_map(|line| line.strip_prefix("listening on ").map(str::to_owned)).unwrap();
    let url = format!("http://{address}");
    let body = vec![b'x'; MAX_BODY_BYTES * 2];

    let mut held = Vec::with_capacity(CONNECTIONS);
    for number in 0..CONNECTIONS {
        // The last ones all do what costs the most.
        let is_last = number + MAX_CONNECTIONS >= CONNECTIONS;
        let manner = if is_last { Manner::AlmostWhole } else { MANNERS[number % MANNERS.len()] };
        held.push(connect(&address, manner, &body));
        if number % 250 == 249 || number + 1 == CONNECTIONS {
            let revocation = post_form(&format!("{url}/oauth/revoke"), "token=unknown");
            assert_eq!((revocation.status().as_u16(), text(revocation).as_str()), (200, r#"{"revocation":"unknown"}"#));
        }
    }
    let metrics = text(client().get(format!("{url}/metrics")).call().unwrap());
    let open = sample(&metrics, "hublease_broker_connections ");
    assert!(open <= MAX_CONNECTIONS as u64, "{open} connections");
    assert!(sample(&metrics, "hublease_broker_connections_dismissed_total ") > 0);
    let peak = memory(&program, "VmHWM");
    assert!(peak < MAX_MEMORY_KIB, "{peak} KiB with {CONNECTIONS} connections");
    drop(held);
}
