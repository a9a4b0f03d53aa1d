//! Which requests go through a proxy.
//!
//! Follows Go's `net/http`, since docker does: `HTTPS_PROXY` and `NO_PROXY`, in capitals or not, capitals first;
//! `ALL_PROXY` is ignored. `HTTP_PROXY` is for plain `http`, which here never leaves the machine, so it is not asked
//! for either. A proxy is spoken to in plain `http` and asked for a tunnel (CONNECT); it never sees the request.

use hublease_protocol::no_proxy;
use ureq::Proxy;

use crate::environment::Environment;

/// What the environment says about proxies.
#[derive(Debug, PartialEq)]
pub(in crate::native) enum Route {
    /// Straight there.
    Direct,
    /// Through this proxy. Holds a password perhaps; ureq's `Debug` does not show it.
    Through(Proxy),
    /// The proxy's address cannot be used. Going straight there instead would not be what was asked for.
    Unusable,
}

/// The way to `host` (an IPv6 literal without brackets) and `port` over TLS.
pub(in crate::native) fn route(environment: &Environment, host: &str, port: u16) -> Route {
    let variable = |upper: &str, lower: &str| environment.value(upper).or_else(|| environment.value(lower));
    let Some(proxy) = variable("HTTPS_PROXY", "https_proxy") else { return Route::Direct };
    if variable("NO_PROXY", "no_proxy").is_some_and(|list| no_proxy::covers(list, host, port)) {
        return Route::Direct;
    }
    let address = if proxy.contains("://") { proxy.to_owned() } else { format!("http://{proxy}") };
    if !address.starts_with("http://") || !has_usable_port(&address) {
        return Route::Unusable;
    }
    Proxy::new(&address).map_or(Route::Unusable, Route::Through)
}

/// A port that is none would be passed over for the scheme's own: another proxy than was meant.
fn has_usable_port(address: &str) -> bool {
    let authority = address.split("://").nth(1).and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    let host = authority.rsplit('@').next().unwrap_or_default();
    match host.rsplit_once(':') {
        // In brackets it is a part of the address.
        Some((_, port)) if !port.ends_with(']') => port.parse::<u16>().is_ok_and(|port| port > 0),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::{Route, route};
    use crate::environment::Environment;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        Environment::new(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())))
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
        for port in ["port", "0", "65536", "-1", "3128x", ""] {
            assert_eq!(through(&[("HTTPS_PROXY", &format!("http://p:{port}"))]), "Unusable", "{port}");
        }
        assert_eq!(through(&[("HTTPS_PROXY", "http://[::1]:3128")]), "[::1]:3128");
        assert_eq!(through(&[("HTTPS_PROXY", "http://user:pass@[::1]")]), "[::1]:80");
    }

    #[test]
    fn the_password_of_a_proxy_is_not_shown() {
        let route = route(&environment(&[("HTTPS_PROXY", "http://user:hunter2@p:1")]), "a.example", 443);
        assert!(!format!("{route:?}").contains("hunter2"));
    }
}
