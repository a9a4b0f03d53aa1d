//! Who is at the other end: the peer of a connection, and behind a proxy that is trusted the client that it names.
//!
//! `X-Forwarded-For` is a list to which each proxy adds the address that it was called from, at its end. Whatever a client
//! writes there itself stands before that. So the list is read from its end, piece by piece and as bytes, and no further than
//! trusted proxies wrote it: a stranger's bytes in an earlier piece make no later one unreadable.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use axum::http::HeaderMap;
use ipnet::{IpNet, Ipv6Net};

/// What proxies write.
const FORWARDED_FOR: &str = "x-forwarded-for";
/// The same by RFC 7239. It is not read; that it is there tells that a request was passed on.
const FORWARDED: &str = "forwarded";

/// Whom a request is counted for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Client {
    /// This machine, when no proxy on it is trusted: only the limit for all together holds it.
    ThisMachine,
    /// Whoever a trusted proxy did not name in a way that can be read. All of them are counted as one client.
    Unnamed,
    /// A client at this address.
    At(IpAddr),
}

/// The networks of the proxies whose word counts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustedProxies(Vec<IpNet>);

impl TrustedProxies {
    /// Proxies in these networks.
    #[must_use]
    pub fn new(networks: Vec<IpNet>) -> Self {
        Self(networks)
    }

    /// Whether nobody is trusted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether that address is one of theirs.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Whether a peer is this machine or a proxy: who may speak plain HTTP.
    #[must_use]
    pub fn is_near(&self, peer: IpAddr) -> bool {
        peer.is_loopback() || self.contains(peer)
    }

    /// Whom a request is counted for. What is no address was not written by a proxy that knew its client, and what stands before
    /// it is worth nothing: such a client has no name, and no more room than one that has.
    #[must_use]
    pub fn client(&self, peer: IpAddr, headers: &HeaderMap) -> Client {
        match self.contains(peer) {
            false if peer.is_loopback() => return Client::ThisMachine,
            false => return Client::At(peer),
            true => {}
        }
        let lines = headers.get_all(FORWARDED_FOR).iter().rev();
        let named = lines.flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b',').map(address));
        named.map_while(|named| named).find(|named| !self.contains(*named)).map_or(Client::Unnamed, Client::At)
    }

    /// Whether a request comes from this machine or from a proxy itself, and not through it from elsewhere.
    #[must_use]
    pub fn is_own(&self, peer: IpAddr, headers: &HeaderMap) -> bool {
        self.is_near(peer) && !headers.contains_key(FORWARDED_FOR) && !headers.contains_key(FORWARDED)
    }
}

/// An address as proxies write it: with or without a port, IPv6 with or without brackets.
fn address(bytes: &[u8]) -> Option<IpAddr> {
    let text = std::str::from_utf8(bytes).ok()?.trim();
    let bracketed = || text.strip_prefix('[')?.strip_suffix(']')?.parse::<Ipv6Addr>().ok().map(IpAddr::V6);
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    text.parse().ok().or_else(with_port).or_else(bracketed).map(|address| address.to_canonical())
}

/// What counts as one client: an IPv4 address, or the /64 network of an IPv6 address, of which anybody has as many as he likes.
#[must_use]
pub fn network(address: IpAddr) -> IpNet {
    widened(address, 64)
}

/// An IPv4 address, or the IPv6 network of that prefix around an address.
#[must_use]
pub fn widened(address: IpAddr, prefix: u8) -> IpNet {
    let whole = IpNet::from(address.to_canonical());
    match whole {
        IpNet::V4(_) => whole,
        // A prefix that no IPv6 network has narrows nothing.
        IpNet::V6(own) => Ipv6Net::new(own.addr(), prefix).map_or(whole, |network| network.trunc().into()),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    fn proxies() -> TrustedProxies {
        TrustedProxies::new(["10.0.0.0/8", "2001:db8:f::/48"].map(|network| network.parse().unwrap()).to_vec())
    }

    fn headers(lines: &[&[u8]]) -> HeaderMap {
        let line = |line: &&[u8]| (HeaderName::from_static(FORWARDED_FOR), HeaderValue::from_bytes(line).unwrap());
        lines.iter().map(line).collect()
    }

    #[test]
    fn the_client_is_the_last_address_that_no_proxy_of_ours_has() {
        // The peer, its headers, the client.
        type Row<'a> = (&'a str, &'a [&'a [u8]], &'a str);
        let table: &[Row<'_>] = &[
            // Who is not trusted is the client, whatever it says.
            ("192.0.2.1", &[], "192.0.2.1"),
            ("192.0.2.1", &[b"198.51.100.7"], "192.0.2.1"),
            ("2001:db8::1", &[b"198.51.100.7"], "2001:db8::1"),
            ("127.0.0.1", &[], "this machine"),
            ("::1", &[b"198.51.100.7"], "this machine"),
            // One proxy, and what the client wrote before it.
            ("10.0.0.1", &[b"198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", &[b"203.0.113.9, 198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", &[b"10.9.9.9, 198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", &[b"203.0.113.9", b"198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", &[b"<script>, 198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", &[b"\xff\xfe", b"198.51.100.7"], "198.51.100.7"),
            // nginx puts what the client wrote and the address that it saw on one line.
            ("10.0.0.1", &[b"\xff\xfe, 198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", &[b"caf\xc3\xa9,\x80,198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", &[b"\xff,\xff,\xff", b"\xff, 198.51.100.7, 10.0.0.2"], "198.51.100.7"),
            // Two of ours, one behind the other.
            ("10.0.0.1", &[b"203.0.113.9, 198.51.100.7, 10.0.0.2"], "198.51.100.7"),
            ("10.0.0.1", &[b"198.51.100.7", b"10.0.0.2"], "198.51.100.7"),
            ("2001:db8:f::1", &[b"198.51.100.7, 10.0.0.2"], "198.51.100.7"),
            // One that is not ours counts as the client.
            ("10.0.0.1", &[b"203.0.113.9, 192.0.2.80, 10.0.0.2"], "192.0.2.80"),
            // Spellings.
            ("10.0.0.1", &[b"198.51.100.7:4711"], "198.51.100.7"),
            ("10.0.0.1", &[b" \t198.51.100.7 "], "198.51.100.7"),
            ("10.0.0.1", &[b"2001:db8::7"], "2001:db8::7"),
            ("10.0.0.1", &[b"[2001:db8::7]"], "2001:db8::7"),
            ("10.0.0.1", &[b"[2001:db8::7]:443"], "2001:db8::7"),
            ("10.0.0.1", &[b"::ffff:198.51.100.7"], "198.51.100.7"),
            ("10.0.0.1", &[b"198.51.100.7, ::ffff:10.0.0.2"], "198.51.100.7"),
            // A proxy that does not know, or names only ours: all such are one client.
            ("10.0.0.1", &[], "unnamed"),
            ("10.0.0.1", &[b""], "unnamed"),
            ("10.0.0.1", &[b"unknown"], "unnamed"),
            ("10.0.0.1", &[b"198.51.100.7, unknown"], "unnamed"),
            ("10.0.0.1", &[b"198.51.100.7, \xff"], "unnamed"),
            ("10.0.0.1", &[b"198.51.100.7, 10.0.0.2\xff"], "unnamed"),
            ("10.0.0.1", &[b"198.51.100.7,"], "unnamed"),
            ("10.0.0.1", &[b"198.51.100.7, unknown, 10.0.0.2"], "unnamed"),
            ("10.0.0.1", &[b"10.0.0.3, 10.0.0.2"], "unnamed"),
            ("10.0.0.1", &[b"198.51.100.300"], "unnamed"),
        ];
        for (peer, lines, expected) in table {
            let client = proxies().client(peer.parse().unwrap(), &headers(lines));
            let expected = match *expected {
                "this machine" => Client::ThisMachine,
                "unnamed" => Client::Unnamed,
                address => Client::At(address.parse().unwrap()),
            };
            assert_eq!(client, expected, "{peer} {lines:?}");
        }
    }

    #[test]
    fn who_is_near_and_who_only_comes_through() {
        let forwarded = HeaderMap::from_iter([(HeaderName::from_static(FORWARDED), HeaderValue::from_static("for=x"))]);
        for (peer, headers, is_near, is_own) in [
            ("127.0.0.1", HeaderMap::new(), true, true),
            ("127.8.8.8", HeaderMap::new(), true, true),
            ("::1", HeaderMap::new(), true, true),
            ("10.0.0.1", HeaderMap::new(), true, true),
            ("10.0.0.1", headers(&[b"198.51.100.7"]), true, false),
            ("127.0.0.1", headers(&[b"127.0.0.1"]), true, false),
            ("127.0.0.1", forwarded, true, false),
            ("192.0.2.1", HeaderMap::new(), false, false),
            ("2001:db8::1", HeaderMap::new(), false, false),
        ] {
            let peer: IpAddr = peer.parse().unwrap();
            assert_eq!((proxies().is_near(peer), proxies().is_own(peer, &headers)), (is_near, is_own), "{peer}");
        }
    }
}
