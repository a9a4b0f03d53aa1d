//! Who is counted with whom, and what a flood does to everybody else.

use std::net::{IpAddr, Ipv6Addr};

use super::*;
use crate::limits::{DEFAULT_REQUESTS_PER_MINUTE, DEFAULT_REQUESTS_PER_MINUTE_PER_ADDRESS};

fn limiter(per_address: u64, all: u64) -> Limiter {
    Limiter::new(&Rates {
        requests_per_minute_per_address: per_address,
        requests_per_minute: all,
        exchanges_per_minute_per_project: 1,
        exchanges_per_minute_per_rule: 1,
    })
}

fn at(text: &str) -> Client {
    Client::At(text.parse().unwrap())
}

fn refused(outcome: Result<(), Refusal>) -> Option<(Code, Option<u64>, String)> {
    outcome.err().map(|refusal| (refusal.code, refusal.retry_after, refusal.sentence))
}

fn expected(who: &str) -> Option<(Code, Option<u64>, String)> {
    Some((Code::RateLimited, Some(30), format!("{who} in a minute than the broker allows")))
}

#[test]
fn who_is_counted_together() {
    let one = "this address sends more requests";
    for (first, second, refusal) in [
        (at("192.0.2.1"), at("192.0.2.1"), expected(one)),
        (at("192.0.2.1"), at("::ffff:192.0.2.1"), expected(one)),
        (at("192.0.2.1"), at("192.0.2.2"), None),
        (at("2001:db8::1"), at("2001:db8::ffff:0:0:2"), expected(one)),
        (at("2001:db8::1"), at("2001:db8:0:1::1"), None),
        (Client::Unnamed, Client::Unnamed, expected("the clients that the proxy does not name send more requests")),
        (Client::Unnamed, at("192.0.2.1"), None),
        (Client::ThisMachine, Client::ThisMachine, None),
    ] {
        let limits = limiter(1, 2);
        let ask = |client| refused(limits.request(Purpose::Exchange, client, 30));
        assert_eq!(ask(first), None);
        assert_eq!(ask(second), refusal, "{first:?} {second:?}");
        // What an address was refused is not counted for all.
        let all = expected("all clients together send more requests");
        assert_eq!(ask(Client::ThisMachine), if refusal.is_some() { None } else { all }, "{first:?} {second:?}");
    }
}

#[test]
fn projects_and_rules_are_counted_apart() {
    let limits = limiter(1, 2);
    let project = "this project asks for more tokens";
    for (purpose, issuer, name, refusal) in [
        (Purpose::Exchange, "circleci", Some("p1"), None),
        (Purpose::Exchange, "circleci", Some("p1"), expected(project)),
        (Purpose::Revocation, "circleci", Some("p1"), None),
        (Purpose::Exchange, "circleci", Some("p2"), None),
        (Purpose::Exchange, "github", Some("p1"), None),
        (Purpose::Exchange, "github", None, None),
        (Purpose::Exchange, "github", None, expected(project)),
    ] {
        assert_eq!(refused(limits.project(purpose, issuer, name, 30)), refusal, "{purpose:?} {issuer} {name:?}");
    }
    let rule = "the jobs of this rule ask for more tokens";
    for (name, refusal) in [("main", None), ("release", None), ("main", expected(rule))] {
        assert_eq!(refused(limits.rule(name, 30)), refusal, "{name}");
    }
}

/// How many requests get through from networks of that prefix that differ in the bits after `within`.
fn through(limits: &Limiter, within: u8, prefix: u8, tried: u128) -> usize {
    let flood = |number: u128| {
        let bits = (0x2001_0db8_u128 << 96) | (number << (128 - u32::from(prefix)));
        let client = Client::At(IpAddr::V6(Ipv6Addr::from_bits(bits)));
        limits.request(Purpose::Exchange, client, 30).is_ok()
    };
    assert!(tried <= 1 << (prefix - within), "they are all different, and in one /{within}");
    (0..tried).filter(|number| flood(*number)).count()
}

#[test]
fn many_networks_are_held_by_the_one_around_them_and_nobody_else_is() {
    let limits = || limiter(DEFAULT_REQUESTS_PER_MINUTE_PER_ADDRESS, DEFAULT_REQUESTS_PER_MINUTE);
    // All in one network, each from another network in it, how many are tried, how many get through.
    for (within, prefix, tried, expected) in [
        (48, 64, 65_536, 2400),
        (32, 64, 100_000, 4800),
        (32, 48, 65_536, 9600),
        (56, 64, 256, 256),
        (56, 80, 10_000, 600),
    ] {
        let limits = limits();
        assert_eq!(through(&limits, within, prefix, tried), expected, "of {tried} out of one /{within}");
        // Whoever was not there before gets in, and whoever was flooded with gets his logouts through.
        assert_eq!(refused(limits.request(Purpose::Exchange, at("2001:db9::1"), 30)), None);
        assert_eq!(refused(limits.request(Purpose::Exchange, at("192.0.2.1"), 30)), None);
        assert_eq!(refused(limits.request(Purpose::Revocation, at("2001:db8::1"), 30)), None);
        assert_eq!(refused(limits.request(Purpose::Question, at("2001:db8::1"), 30)), None);
    }
    let limits = limits();
    assert_eq!(through(&limits, 48, 64, 65_536), 2400);
    let wide = "the /48 network of this address sends more requests";
    assert_eq!(refused(limits.request(Purpose::Exchange, at("2001:db8::1"), 30)), expected(wide));
}

#[test]
fn what_does_not_verify_has_a_smaller_count() {
    let limits = limiter(40, 1000);
    let ask = |purpose, client| refused(limits.request(purpose, client, 30));
    let junk = |purpose, client| {
        let admitted = ask(purpose, client);
        if admitted.is_none() {
            limits.unverified(purpose, client, 30);
        }
        admitted
    };
    let stranger = at("192.0.2.1");
    let let_in = (0..100).filter(|_| junk(Purpose::Exchange, stranger).is_none()).count();
    assert_eq!(let_in, 10, "of 100");
    let who = "this address sends more identity tokens that do not verify";
    assert_eq!(ask(Purpose::Exchange, stranger), expected(who));
    assert_eq!(ask(Purpose::Revocation, stranger), None);
    assert_eq!(ask(Purpose::Exchange, at("192.0.2.2")), None);
    assert_eq!(junk(Purpose::Exchange, Client::ThisMachine), None);
}
