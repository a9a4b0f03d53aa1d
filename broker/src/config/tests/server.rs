//! What is refused of the server's own keys, and what is understood.

use std::path::PathBuf;

use super::{changed, error};
use crate::client_address::TrustedProxies;
use crate::config::{Config, Rates, TlsFiles};
use crate::testing::CONFIG;

/// The test configuration, listening beyond this machine, with more keys before its first table.
fn beyond(keys: &str) -> String {
    let text = CONFIG.replacen("127.0.0.1:0", "0.0.0.0:8443", 1);
    text.replacen("\"auto\"", &format!("\"https://broker.example\"\n{keys}"), 1)
}

fn reason(text: &str) -> String {
    let message = error(text);
    message
        .split_once(": ")
        .filter(|(line, _)| line.starts_with("line "))
        .map_or(message.clone(), |(_, it)| it.to_owned())
}

const TLS: &str = "tls = { certificate_file = \"/c.pem\", key_file = \"/k.pem\" }";

#[test]
fn beyond_this_machine_tokens_do_not_come_in_the_clear() {
    let refusal = "`listen` is not a loopback address, and identity tokens must not come in the clear: give the broker a certificate with `[tls]`, or name the proxy that has one in `trusted_proxies`";
    for (keys, expected) in [
        ("", refusal),
        ("trusted_proxies = []", refusal),
        ("metrics_listen = \"127.0.0.1:1\"", refusal),
        ("trusted_proxies = [\"10.0.0.0/8\"]", "accepted"),
        (TLS, "accepted"),
    ] {
        assert_eq!(reason(&beyond(keys)), expected, "{keys}");
    }
}

#[test]
fn wrong_values() {
    let table = [
        ("metrics_listen = \"9090\"", "`metrics_listen` is an address and a port, such as `127.0.0.1:8080`"),
        ("trusted_proxies = [\"proxy\"]", "`trusted_proxies` are addresses and networks, such as `10.0.0.0/8`"),
        ("trusted_proxies = [\"10.0.0.0/33\"]", "`trusted_proxies` are addresses and networks, such as `10.0.0.0/8`"),
        ("trusted_proxies = [\"0.0.0.0/0\"]", "a network of `trusted_proxies` with `/0` is everybody"),
        ("trusted_proxies = [\"10.0.0.1\", \"::/0\"]", "a network of `trusted_proxies` with `/0` is everybody"),
        (
            "tls = { certificate_file = \"c.pem\", key_file = \"/k.pem\" }",
            "the files of `[tls]` start with `/`: they must not depend on where one is",
        ),
        (
            "tls = { certificate_file = \"/c.pem\", key_file = \"k.pem\" }",
            "the files of `[tls]` start with `/`: they must not depend on where one is",
        ),
        ("tls = { certificate_file = \"/c.pem\" }", "missing field `key_file`"),
        ("limits = { requests_per_minute = 0 }", "a limit of `[limits]` lies between 1 and 10000000"),
        (
            "limits = { requests_per_minute_per_address = 10000001 }",
            "a limit of `[limits]` lies between 1 and 10000000",
        ),
        ("limits = { exchanges_per_minute_per_rule = 0 }", "a limit of `[limits]` lies between 1 and 10000000"),
        ("limits = { exchanges_per_minute_per_project = 0 }", "a limit of `[limits]` lies between 1 and 10000000"),
    ];
    for (keys, expected) in table {
        assert_eq!(changed("instance =", &format!("{keys}\ninstance =")), expected, "{keys}");
    }
    let many = vec!["\"10.0.0.1\""; 65].join(", ");
    let too_many = changed("instance =", &format!("trusted_proxies = [{many}]\ninstance ="));
    assert_eq!(too_many, "there are at most 64 `trusted_proxies`");
    let unknown = changed("instance =", "limits = { logins_per_minute = 1 }\ninstance =");
    assert!(unknown.starts_with("unknown field `logins_per_minute`"), "{unknown}");
}

#[test]
fn what_is_given_and_what_is_not() {
    let server = |text: &str| Config::parse(text).unwrap().server;
    let plain = server(CONFIG);
    assert_eq!((plain.tls, plain.trusted_proxies, plain.metrics_listen), (None, TrustedProxies::default(), None));
    assert_eq!(
        plain.rates,
        Rates {
            requests_per_minute_per_address: 600,
            requests_per_minute: 300_000,
            exchanges_per_minute_per_project: 300,
            exchanges_per_minute_per_rule: 1200,
        }
    );
    let more = "trusted_proxies = [\"10.0.0.0/8\", \"2001:db8::1\"]\nmetrics_listen = \"[::1]:9090\"\nlimits = { requests_per_minute = 5 }";
    let given = server(&beyond(&format!("{more}\n{TLS}")));
    let files = TlsFiles { certificate: PathBuf::from("/c.pem"), key: PathBuf::from("/k.pem") };
    assert_eq!((given.tls, given.metrics_listen), (Some(files), "[::1]:9090".parse().ok()));
    assert_eq!((given.rates.requests_per_minute, given.rates.requests_per_minute_per_address), (5, 600));
    for (address, is_trusted) in
        [("10.255.0.1", true), ("11.0.0.1", false), ("2001:db8::1", true), ("2001:db8::2", false), ("127.0.0.1", false)]
    {
        assert_eq!(given.trusted_proxies.contains(address.parse().unwrap()), is_trusted, "{address}");
    }
}

/// Every key that the example shows in a comment, with the value that it shows.
#[test]
fn the_example_shows_the_defaults() {
    let commented = [
        "trusted_proxies",
        "metrics_listen",
        "[tls]",
        "certificate_file",
        "key_file",
        "[limits]",
        "requests_per",
        "exchanges_per",
    ];
    let line = |line: &str| match line.strip_prefix("# ") {
        Some(key) if commented.iter().any(|start| key.starts_with(start)) => format!("{key}\n"),
        _ => format!("{line}\n"),
    };
    let text: String = include_str!("../../../example.toml").lines().map(line).collect();
    let server = Config::parse(&text).unwrap().server;
    assert_eq!(server.rates, Config::parse(CONFIG).unwrap().server.rates);
    assert!(server.tls.is_some() && server.metrics_listen.is_some() && !server.trusted_proxies.is_empty());
}
