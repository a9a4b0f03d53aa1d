//! Which calls go through a proxy.
//!
//! Follows Go's `net/http`, as the client does: `HTTPS_PROXY` and `NO_PROXY`, in capitals or not, capitals first.
//! `ALL_PROXY` is ignored, and so is `HTTP_PROXY`, because plain `http` never leaves the machine. A proxy is spoken to in
//! plain `http` and asked for a tunnel (CONNECT); it never sees the call.

use hublease_protocol::no_proxy;
use ureq::Proxy;

use super::OutboundError;

/// What the environment says about proxies.
#[derive(Debug)]
pub(super) struct Proxies {
    /// Holds a password perhaps; ureq's `Debug` does not show it.
    pub(super) proxy: Option<Proxy>,
    exempt: String,
}

impl Proxies {
    /// Reads the variables. One that is empty counts as not set.
    ///
    /// # Errors
    /// When the proxy's address cannot be used. Going straight there instead would not be what was asked for.
    pub(super) fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, OutboundError> {
        let either = |upper, lower| [upper, lower].into_iter().filter_map(&variable).find(|value| !value.is_empty());
        let unusable = OutboundError("`HTTPS_PROXY` is not the address of a proxy that is spoken to in plain `http`");
        let proxy = match either("HTTPS_PROXY", "https_proxy") {
            None => None,
            Some(address) => {
                let address = if address.contains("://") { address } else { format!("http://{address}") };
                if !address.starts_with("http://") {
                    return Err(unusable);
                }
                Some(Proxy::new(&address).map_err(|_not_repeated| unusable)?)
            }
        };
        Ok(Self { proxy, exempt: either("NO_PROXY", "no_proxy").unwrap_or_default() })
    }

    /// Whether `NO_PROXY` covers a destination. The host is in lower case; an IPv6 address may have its brackets.
    pub(super) fn is_exempt(&self, host: &str, port: u16) -> bool {
        let host = host.trim_start_matches('[').trim_end_matches([']', '.']);
        no_proxy::covers(&self.exempt, host, port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Proxies, OutboundError> {
        let value =
            |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        Proxies::read(value)
    }

    #[test]
    fn only_https_proxy_counts_and_only_plain_http_ones_are_used() {
        let through = |variables: &[(&str, &str)]| {
            read(variables).map(|proxies| proxies.proxy.map(|proxy| format!("{}:{}", proxy.host(), proxy.port())))
        };
        let p1 = Ok(Some("p:1".to_owned()));
        assert_eq!(through(&[("HTTPS_PROXY", "http://p:1"), ("https_proxy", "http://q:2")]), p1);
        assert_eq!(through(&[("HTTPS_PROXY", ""), ("https_proxy", "p:1")]), p1);
        assert_eq!(through(&[("https_proxy", "http://user:p%40ss@p:1/"), ("ALL_PROXY", "http://q:2")]), p1);
        let others = ["ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy"].map(|name| (name, "http://q:2"));
        assert_eq!(through(&others), Ok(None));
        for address in ["socks5://p:1", "https://p:1", "http://"] {
            assert!(through(&[("HTTPS_PROXY", address)]).is_err(), "{address}");
        }
    }

    #[test]
    fn the_password_of_a_proxy_is_not_shown() {
        let shown = format!("{:?}", read(&[("HTTPS_PROXY", "http://user:hunter2@p:1")]).ok().unwrap());
        assert!(!shown.contains("hunter2"), "{shown}");
    }

    #[test]
    fn no_proxy_as_go_reads_it() {
        for (list, host, exempt) in [
            ("example.com", "example.com", true),
            ("example.com", "a.example.com", true),
            ("example.com", "badexample.com", false),
            (".example.com", "a.example.com", true),
            (".example.com", "example.com", false),
            ("*.example.com", "a.example.com", true),
            ("x, EXAMPLE.com ,y", "example.com", true),
            ("example.com:8443", "example.com", false),
            ("example.com:443", "example.com", true),
            ("example.com:x", "example.com", false),
            ("*", "example.com", true),
            ("", "example.com", false),
            (",", "example.com", false),
            ("10.0.0.0/8", "10.1.2.3", true),
            ("10.0.0.0/8", "11.1.2.3", false),
            ("2001:db8::/32", "[2001:db8::1]", true),
            ("::/0", "[2001:db8::1]", true),
            ("2001:db8::1", "[2001:db8::1]", true),
            ("[2001:db8::1]:443", "[2001:db8::1]", true),
            ("[2001:db8::1]:8443", "[2001:db8::1]", false),
        ] {
            assert_eq!(read(&[("no_proxy", list)]).ok().unwrap().is_exempt(host, 443), exempt, "{list} {host}");
        }
    }
}
