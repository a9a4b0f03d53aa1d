//! HTTP/1.1 as the small server reads and writes it.

use hublease_sandbox::{Sandbox, Service};

use crate::support::{exchange, text};

const FORM: &str = "POST /oauth/token HTTP/1.1\r\nhost: x\r\n";

fn statuses(sandbox: &Sandbox, raw: &str) -> Vec<String> {
    let answer = text(&exchange(&sandbox.docker_identity_url(), raw.as_bytes()));
    answer.split("HTTP/1.1 ").skip(1).map(|part| part[..3].to_owned()).collect()
}

#[test]
fn bodies_come_sized_or_in_chunks_on_one_connection() {
    let sandbox = Sandbox::start().unwrap();
    let sized = format!("{FORM}content-length: 3\r\n\r\na=1");
    let chunked = format!("{FORM}transfer-encoding: chunked\r\n\r\n1\r\na\r\n2;x=y\r\n=2\r\n0\r\nt: v\r\n\r\n");
    let last = format!("{FORM}connection: close\r\ncontent-length: 3\r\n\r\na=3");
    assert_eq!(statuses(&sandbox, &format!("{sized}{chunked}{last}")), ["400", "400", "400"]);
    let bodies: Vec<_> = sandbox.requests(Service::DockerIdentity).iter().map(hublease_sandbox::Logged::text).collect();
    assert_eq!(bodies, ["a=1", "a=2", "a=3"]);
}

#[test]
fn a_client_that_waits_for_100_continue_gets_it() {
    let sandbox = Sandbox::start().unwrap();
    let raw = format!("{FORM}expect: 100-continue\r\nconnection: close\r\ncontent-length: 3\r\n\r\na=1");
    assert_eq!(statuses(&sandbox, &raw), ["100", "400"]);
}

#[test]
fn what_is_ambiguous_or_too_large_is_refused_and_not_logged() {
    let sandbox = Sandbox::start().unwrap();
    for (raw, status) in [
        (format!("{FORM}content-length: 1\r\ncontent-length: 1\r\n\r\na"), "400"),
        (format!("{FORM}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"), "400"),
        (format!("{FORM}content-length: +1\r\n\r\na"), "400"),
        (format!("{FORM}content-length: 99999999999\r\n\r\na"), "413"),
        (format!("{FORM}host: y\r\n\r\n"), "400"),
        ("POST / HTTP/1.1\r\n\r\n".to_owned(), "400"),
        (format!("{FORM}{}\r\n", "a: b\r\n".repeat(101)), "431"),
        (format!("{FORM}a: {}", "b".repeat(70_000)), "431"),
        (format!("{FORM}transfer-encoding: chunked\r\n\r\nzz\r\n"), "400"),
    ] {
        assert_eq!(statuses(&sandbox, &raw), [status], "{}", &raw[..raw.len().min(120)]);
    }
    assert!(sandbox.log().is_empty());
}
