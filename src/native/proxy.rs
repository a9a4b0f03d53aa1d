//! Which requests go through a proxy.
//!
//! Follows Go's `net/http`, since docker does: `HTTPS_PROXY` and `NO_PROXY`, in capitals or not, capitals first;
//! `ALL_PROXY` is ignored. `HTTP_PROXY` is for plain `http`, which here never leaves the machine, so it is not asked
//! for either. A proxy is spoken to in plain `http` and asked for a tunnel (CONNECT); it never sees the request.

use std::net::IpAddr;

use ureq::Proxy;

use crate::environment::Environment;

/// What the environment says about proxies.
#[derive(Debug, PartialEq)]
pub(super) enum Route {
    /// Straight there.
    Direct,
    /// Through this proxy. Holds a password perhaps; ureq's `Debug` does not show it.
    Through(Proxy),
    /// The proxy's address cannot be used. Going straight there instead would not be what was asked for.
    Unusable,
}

/// The way to `host` (an IPv6 literal without brackets) and `port` over TLS.
pub(super) fn route(environment: &Environment, host: &str, port: u16) -> Route {
    let variable = |upper: &str, lower: &str| environment.value(upper).or_else(|| environment.value(lower));
    let Some(proxy) = variable("HTTPS_PROXY", "https_proxy") else { return Route::Direct };
    if variable("NO_PROXY", "no_proxy").is_some_and(|list| is_exempt(list, host, port)) {
        return Route::Direct;
    }
    let address = if proxy.contains("://") { proxy.to_owned() } else { format!("http://{proxy}") };
    if !address.starts_with("http://") {
        return Route::Unusable;
    }
    Proxy::new(&address).map_or(Route::Unusable, Route::Through)
}

/// Whether one entry of `NO_PROXY` covers the destination.
fn is_exempt(list: &str, host: &str, port: u16) -> bool {
    let host = host.trim_end_matches('.');
    list.split(',').map(str::trim).filter(|entry| !entry.is_empty()).any(|entry| {
        if entry == "*" {
            return true;
        }
        if let Some((network, bits)) = entry.split_once('/') {
            return in_network(network, bits, host);
        }
        let (name, wanted) = name_and_port(entry);
        if wanted.is_some_and(|wanted| wanted != port) {
            return false;
        }
        let name = name.trim_start_matches('*').to_ascii_lowercase();
        match name.strip_prefix('.') {
            Some(_) => host.ends_with(&name),
            None => host == name || host.strip_suffix(&name).is_some_and(|rest| rest.ends_with('.')),
        }
    })
}

/// Splits `name[:port]`; an IPv6 address has brackets if a port follows.
fn name_and_port(entry: &str) -> (&str, Option<u16>) {
    if let Some((address, rest)) = entry.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (address, rest.strip_prefix(':').and_then(|port| port.parse().ok()));
    }
    match entry.rsplit_once(':') {
        Some((name, port)) if !name.contains(':') => (name, Some(port.parse().unwrap_or(0))),
        _ => (entry, None),
    }
}

/// Whether `host` is an address inside `network/bits`.
fn in_network(network: &str, bits: &str, host: &str) -> bool {
    let (Ok(network), Ok(bits), Ok(host)) = (network.parse(), bits.parse::<u32>(), host.parse()) else { return false };
    let (network, host, width) = match (network, host) {
        (IpAddr::V4(network), IpAddr::V4(host)) => (u128::from(network.to_bits()), u128::from(host.to_bits()), 32),
        (IpAddr::V6(network), IpAddr::V6(host)) => (network.to_bits(), host.to_bits(), 128),
        _ => return false,
    };
    let ignored = width - bits.min(width);
    network.checked_shr(ignored).unwrap_or(0) == host.checked_shr(ignored).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{Route, is_exempt, route};
    use crate::environment::Environment;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        Environment::new(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
    }

    #[test]
    fn no_proxy_as_go_reads_it() {
        for (list, host, port, exempt) in [
            ("example.com", "example.com", 443, true),
            ("example.com", "a.example.com", 443, true),
            ("example.com", "badexample.com", 443, false),
            (".example.com", "a.example.com", 443, true),
            (".example.com", "example.com", 443, false),
            ("*.example.com", "a.example.com", 443, true),
            ("x, EXAMPLE.com ,y", "example.com", 443, true),
            ("example.com:8443", "example.com", 443, false),
            ("example.com:443", "example.com", 443, true),
            ("example.com:x", "example.com", 443, false),
            ("*", "example.com", 443, true),
            ("", "example.com", 443, false),
            (",", "example.com", 443, false),
            ("10.0.0.0/8", "10.1.2.3", 443, true),
            ("10.0.0.0/8", "11.1.2.3", 443, false),
            ("0.0.0.0/0", "11.1.2.3", 443, true),
            ("2001:db8::/32", "2001:db8::1", 443, true),
            ("::/0", "2001:db8::1", 443, true),
            ("2001:db8::1", "2001:db8::1", 443, true),
            ("[2001:db8::1]:443", "2001:db8::1", 443, true),
            ("10.0.0.1", "10.0.0.1", 443, true),
        ] {
            assert_eq!(is_exempt(list, host, port), exempt, "{list} {host}:{port}");
        }
    }

    #[test]
    fn the_proxy_comes_from_the_snapshot_and_only_plain_http_ones_are_used() {
        let through = |variables: &[(&str, &str)]| match route(&environment(variables), "a.example", 443) {
            Route::Through(proxy) => format!("{}:{}", proxy.host(), proxy.port()),
            other => format!("{other:?}"),
        };
        assert_eq!(through(&[("HTTPS_PROXY", "http://p:1"), ("https_proxy", "http://q:2")]), "p:1");
        assert_eq!(through(&[("https_proxy", "q:2")]), "q:2");
        assert_eq!(through(&[("https_proxy", "http://user:p%40ss@q:2/")]), "q:2");
        assert_eq!(through(&[("HTTP_PROXY", "http://p:1"), ("ALL_PROXY", "http://p:1")]), "Direct");
        assert_eq!(through(&[("HTTPS_PROXY", "http://p:1"), ("no_proxy", "a.example")]), "Direct");
        assert_eq!(through(&[("HTTPS_PROXY", "socks5://p:1")]), "Unusable");
        assert_eq!(through(&[("HTTPS_PROXY", "https://p:1")]), "Unusable");
        assert_eq!(through(&[("HTTPS_PROXY", "http://")]), "Unusable");
    }

    #[test]
    fn the_password_of_a_proxy_is_not_shown() {
        let route = route(&environment(&[("HTTPS_PROXY", "http://user:hunter2@p:1")]), "a.example", 443);
        assert!(!format!("{route:?}").contains("hunter2"));
    }
}
