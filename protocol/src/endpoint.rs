//! Addresses that a secret may be sent to.
//!
//! An endpoint is `https`, or plain `http` to this very machine (a literal loopback address or `localhost`). It has
//! no user name, query or fragment, so it can be shown as it is. Written by hand because the WASI module cannot
//! carry a URL crate's Unicode tables; the grammar is the small part of RFC 3986 that such an address needs.

use std::fmt;
use std::net::IpAddr;

/// The longest address that is accepted, in bytes.
const MAXIMUM_LENGTH: usize = 2048;

/// Scheme, host and port: what a secret is bound to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin {
    secure: bool,
    host: String,
    port: u16,
}

impl Origin {
    /// Parses `https://host[:port]` without a path.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let endpoint = Endpoint::parse(text)?;
        if endpoint.path.is_empty() { Ok(endpoint.origin) } else { Err(AddressError("an origin has no path")) }
    }

    /// The host as written in lower case; an IPv6 literal keeps its brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Whether this is the machine itself: never sent through a proxy.
    pub fn is_loopback(&self) -> bool {
        is_loopback(&self.host)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (scheme, usual) = if self.secure { ("https", 443) } else { ("http", 80) };
        write!(formatter, "{scheme}://{}", self.host)?;
        if self.port == usual { Ok(()) } else { write!(formatter, ":{}", self.port) }
    }
}

/// An origin and a path without its last slash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Endpoint {
    /// Where the request goes.
    pub origin: Origin,
    /// Empty, or begins with a slash and does not end with one.
    pub path: String,
}

impl Endpoint {
    /// Parses an absolute address.
    ///
    /// # Errors
    /// A sentence that says what such an address must look like; it never repeats the input.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let (origin, rest) = split(text)?;
        if rest.contains('?') {
            return Err(AddressError("an address has no query"));
        }
        if rest.split('/').any(|segment| segment == "." || segment == "..") {
            return Err(AddressError("an address has no `.` or `..` segments"));
        }
        Ok(Self { origin, path: rest.trim_end_matches('/').to_owned() })
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}", self.origin, self.path)
    }
}

/// Splits an absolute address into its origin and the rest (path and query, as they are).
///
/// # Errors
/// A sentence that says what such an address must look like; it never repeats the input.
pub fn split(text: &str) -> Result<(Origin, &str), AddressError> {
    if text.len() > MAXIMUM_LENGTH {
        return Err(AddressError("an address has at most 2048 bytes"));
    }
    if text.bytes().any(|byte| byte <= b' ' || byte >= 0x7f || byte == b'\\') {
        return Err(AddressError("an address has no spaces, control characters, backslashes or non-ASCII characters"));
    }
    let (secure, rest) = scheme(text).ok_or(AddressError("an address begins with `https://`"))?;
    if rest.contains('#') {
        return Err(AddressError("an address has no fragment"));
    }
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, rest) = rest.split_at(end);
    let (host, port) = host_and_port(authority, if secure { 443 } else { 80 })?;
    if !secure && !is_loopback(&host) {
        return Err(AddressError("an address begins with `https://`; plain `http://` is for this machine only"));
    }
    Ok((Origin { secure, host, port }, rest))
}

/// Whether the scheme is `https`, in whatever case (RFC 3986 section 3.1), and what follows it; none for other schemes.
fn scheme(text: &str) -> Option<(bool, &str)> {
    let (scheme, rest) = text.split_once("://")?;
    ["http", "https"].iter().position(|known| scheme.eq_ignore_ascii_case(known)).map(|at| (at == 1, rest))
}

/// Percent-encodes everything but the unreserved characters of RFC 3986.
pub fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

fn host_and_port(authority: &str, usual: u16) -> Result<(String, u16), AddressError> {
    if authority.contains('@') {
        return Err(AddressError("an address holds no user name or password"));
    }
    let (host, port) = if authority.starts_with('[') {
        let end = authority.find(']').ok_or(AddressError("an IPv6 address ends with `]`"))?;
        authority.split_at(end + 1)
    } else {
        authority.split_at(authority.find(':').unwrap_or(authority.len()))
    };
    let port = match port.strip_prefix(':') {
        None if port.is_empty() => usual,
        Some(digits) if digits.len() <= 5 && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.parse().ok().filter(|port| *port != 0).ok_or(AddressError("a port is between 1 and 65535"))?
        }
        _ => return Err(AddressError("a port is between 1 and 65535")),
    };
    if host.starts_with('[') && host.contains('%') {
        // RFC 6874 has been withdrawn by its authors, and neither Node nor TLS has a place for a zone.
        return Err(AddressError("an IPv6 address has no zone here: use a name, or an address that is not link-local"));
    }
    if !is_host(host) {
        return Err(AddressError("a host is a name, an IPv4 address or an IPv6 address in brackets"));
    }
    Ok((host.to_ascii_lowercase(), port))
}

fn is_host(host: &str) -> bool {
    match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => {
            !host.is_empty()
                && host.len() <= 253
                && !host.starts_with(['-', '.'])
                && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
        }
    }
}

/// `localhost`, `127.0.0.0/8` or `[::1]`, literally: a name that merely resolves there does not count.
fn is_loopback(host: &str) -> bool {
    host == "localhost" || host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// What is wrong with an address, as a fixed sentence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressError(&'static str);

impl AddressError {
    pub(crate) const fn of(sentence: &'static str) -> Self {
        Self(sentence)
    }
}

impl fmt::Display for AddressError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::{Endpoint, Origin, percent_encode};

    #[test]
    fn accepted_addresses_and_how_they_are_shown() {
        for (text, shown) in [
            ("https://vault.example.com", "https://vault.example.com"),
            ("https://Vault.Example.com:443/", "https://vault.example.com"),
            ("https://vault_1.example.com:8200/base/", "https://vault_1.example.com:8200/base"),
            ("https://[2001:db8::1]:8200", "https://[2001:db8::1]:8200"),
            ("http://127.0.0.1:8200", "http://127.0.0.1:8200"),
            ("http://[::1]:8200", "http://[::1]:8200"),
            ("http://localhost", "http://localhost"),
            ("HTTPS://Vault.example.com", "https://vault.example.com"),
            ("HtTp://[::1]:80/", "http://[::1]"),
            ("https://vault.example.com./", "https://vault.example.com."),
            ("HTTPS://vault.example.com/Base", "https://vault.example.com/Base"),
        ] {
            assert_eq!(Endpoint::parse(text).map(|endpoint| endpoint.to_string()), Ok(shown.to_owned()));
        }
    }

    #[test]
    fn refused_addresses() {
        for text in [
            "",
            "vault.example.com",
            "ftp://a",
            "x+https://a",
            "https:/a",
            "httpss://a",
            "https ://a",
            "HTTP://vault.example.com",
            "https://[fe80::1%25eth0]",
            "https://",
            "https:///x",
            "https://a:0",
            "https://a:65536",
            "https://a:",
            "https://a:8x",
            "http://vault.example.com",
            "http://127.0.0.1.example.com",
            "http://localhost.example.com",
            "https://user@a",
            "https://user:pw@a",
            "https://a?x=1",
            "https://a/#x",
            "https://a b",
            "https://a\n",
            "https://ä.example",
            "https://a\\b",
            "https://[::1",
            "https://[x]",
            "https://-a",
            "https://a/../b",
            "https://a/./b",
        ] {
            assert!(Endpoint::parse(text).is_err(), "{text}");
        }
        assert!(Endpoint::parse(&format!("https://a/{}", "x".repeat(3000))).is_err());
    }

    #[test]
    fn an_origin_has_no_path() {
        assert!(Origin::parse("https://a/b").is_err());
        assert!(Origin::parse("https://a/").is_ok());
    }

    #[test]
    fn everything_reserved_is_encoded() {
        assert_eq!(percent_encode("https://a b/ü"), "https%3A%2F%2Fa%20b%2F%C3%BC");
    }
}
