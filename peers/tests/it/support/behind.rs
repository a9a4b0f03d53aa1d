//! The broker behind somebody's proxy, which ends TLS: what clients see of both, and whom the broker takes them for.

use std::io::Write;
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::process::{Command, Stdio};

use hublease_peers::{Front, until};
use hublease_sandbox::{Sandbox, Service};

use super::broker::Broker;
use super::client::{Job, Outcome};
use super::lease::on_path;

/// A minute's requests of one client, so that a story reaches the limit with few of them.
const REQUESTS: usize = 20;

/// From a login to the last of the cut requests.
pub fn story(before: fn(SocketAddr) -> Front) {
    let sandbox = Sandbox::start().unwrap();
    let trusted = format!(
        "trusted_proxies = [\"127.0.0.1/32\", \"::1/128\"]\nlimits = {{ requests_per_minute_per_address = {REQUESTS} }}\n"
    );
    // What clients call it is known only when the proxy has its port; the broker goes by the name in front of it.
    let broker = Broker::start(&sandbox, "https://localhost", |configuration| trusted + &configuration);
    let front = before(broker.address());
    a_job_logs_in_and_out(&sandbox, &front);
    each_client_is_counted_by_its_own_address(&front);
    a_request_that_is_cut_leaves_nothing(&sandbox, &broker, &front);
    assert_eq!(sandbox.unexpected(), [""; 0]);
}

fn origin(front: &Front) -> String {
    format!("https://localhost:{}", front.port())
}

fn a_job_logs_in_and_out(sandbox: &Sandbox, front: &Front) {
    let mut job = Job::new(sandbox, "https://localhost");
    job.set("NO_PROXY", "localhost,127.0.0.1");
    let (origin, authority) = (origin(front), front.authority().display().to_string());
    let endpoint = format!("{origin}/oauth/token");
    let place = ["--broker-url", &endpoint, "--ca-cert", &authority];
    let audience = ["--audience", "https://localhost", "--audience-elsewhere"];
    let login = [&["login", "--client", "none"][..], &place, &audience].concat();
    job.run(&login).code(0).says("by broker");
    assert_eq!(live(sandbox), 1);
    job.run(&[&["logout"][..], &place].concat()).code(0).says("revoked and confirmed");
    assert_eq!(live(sandbox), 0);
}

/// Clients of 127.0.0.2 and 127.0.0.3; the proxy is at 127.0.0.1. What a client itself writes counts for nothing.
fn each_client_is_counted_by_its_own_address(front: &Front) {
    let asked = |from: &str, protocol: &str, header: &str| {
        // Refused for what it asks, and counted.
        let url = format!("{}/oauth/token", origin(front));
        let mut command = Command::new(on_path("curl"));
        command.args(["--silent", "--show-error", "--noproxy", "*", "--interface", from, protocol, "--cacert"]);
        command.arg(front.authority()).args(["--header", header, "--data", "grant_type=none", "--output", "/dev/null"]);
        command.args(["--resolve", &format!("localhost:{}:127.0.0.1", front.port())]);
        command.args(["--write-out", "%{http_version} %{http_code}", &url]).env_clear().stdin(Stdio::null());
        let outcome = Outcome::of(&command.output().unwrap());
        assert_eq!(outcome.code, 0, "{outcome:?}");
        outcome.stdout
    };
    let lie = |number: usize| format!("X-Forwarded-For: 198.51.100.{number}");
    let answers: Vec<String> = (0..REQUESTS + 1).map(|number| asked("127.0.0.2", "--http2", &lie(number))).collect();
    assert_eq!(answers[0], "2 400");
    assert_eq!(answers[REQUESTS], "2 429", "{answers:?}");
    assert_eq!(asked("127.0.0.3", "--http1.1", "Accept: */*"), "1.1 400");
    // Behind a proxy nobody is this machine's own, whom alone the broker shows its metrics.
    let metrics = format!("{}/metrics", origin(front));
    let mut command = Command::new(on_path("curl"));
    command.args(["--silent", "--noproxy", "*", "--interface", "127.0.0.4", "--cacert"]).arg(front.authority());
    command.args(["--resolve", &format!("localhost:{}:127.0.0.1", front.port()), "--write-out", "%{http_code}"]);
    command.args(["--output", "/dev/null", &metrics]).env_clear().stdin(Stdio::null());
    assert_eq!(Outcome::of(&command.output().unwrap()).stdout, "404");
}

/// The half of a request, over the proxy's plain connection to the broker and over TLS to the proxy itself.
fn a_request_that_is_cut_leaves_nothing(sandbox: &Sandbox, broker: &Broker, front: &Front) {
    let half = "POST /oauth/token HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-www-form-urlencoded\r\n\
                Content-Length: 4000\r\n\r\ngrant_type=urn%3Aietf%3Aparams%3Aoauth";
    let mut openssl = Command::new(on_path("openssl"));
    openssl.args([
        "s_client",
        "-quiet",
        "-connect",
        &format!("127.0.0.1:{}", front.port()),
        "-servername",
        "localhost",
    ]);
    let mut openssl =
        openssl.env_clear().stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    openssl.stdin.as_mut().unwrap().write_all(half.as_bytes()).unwrap();
    // The connection dies with the client.
    openssl.kill().unwrap();
    openssl.wait().unwrap();
    let mut plain = TcpStream::connect(broker.address()).unwrap();
    plain.write_all(half.as_bytes()).unwrap();
    plain.shutdown(Shutdown::Both).unwrap();
    until("the broker is ready after the cut", || {
        let answer = hublease_peers::Ask::new("GET", format!("http://{}/readyz", broker.address())).send();
        answer.is_ok_and(|answer| answer.status == 200)
    });
    assert_eq!(live(sandbox), 0);
    a_job_logs_in_and_out(sandbox, front);
}

/// Tokens of the organization at Docker Hub.
fn live(sandbox: &Sandbox) -> usize {
    assert!(sandbox.requests(Service::Hub).iter().all(|request| request.status.is_some()));
    sandbox.live().into_iter().filter(|live| live.kind.contains("access token")).count()
}
