//! Which destinations `NO_PROXY` takes out: the one reading of that list, for the client and the broker.
//!
//! Follows Go's `net/http`, since docker does: names cover what is below them, with a dot in front that alone; addresses,
//! networks, `*`, and a port behind a colon.

use std::net::IpAddr;

/// Whether one entry of the list covers the destination. The host is in lower case, an IPv6 address without brackets.
pub fn covers(list: &str, host: &str, port: u16) -> bool {
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

/// Splits `name[:port]`; an IPv6 address has brackets if a port follows. A port that is no number covers nothing.
fn name_and_port(entry: &str) -> (&str, Option<u16>) {
    if let Some((address, rest)) = entry.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (address, rest.strip_prefix(':').map(|port| port.parse().unwrap_or(0)));
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
    use super::covers;

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
            assert_eq!(covers(list, host, port), exempt, "{list} {host}:{port}");
        }
    }
}
