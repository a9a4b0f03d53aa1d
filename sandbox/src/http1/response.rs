//! The head of a response as it goes over the wire.

use http::{Method, Response, header};

/// Writes status line and headers with the framing that the body needs.
///
/// The body is sent by the caller, and not at all for `HEAD`, 204 and 304. A `Content-Length` that the handler set is kept for
/// `HEAD` only, where it tells the size of what `GET` would bring.
pub(crate) fn head(response: &Response<Vec<u8>>, method: &Method, keep_alive: bool) -> Vec<u8> {
    let status = response.status();
    let mut head = format!("HTTP/1.1 {} {}\r\n", status.as_str(), status.canonical_reason().unwrap_or("")).into_bytes();
    let mut line = |name: &str, value: &[u8]| {
        head.extend_from_slice(name.as_bytes());
        head.extend_from_slice(b": ");
        head.extend_from_slice(value);
        head.extend_from_slice(b"\r\n");
    };
    let hop_by_hop = [header::CONTENT_LENGTH, header::TRANSFER_ENCODING, header::CONNECTION];
    for (name, value) in response.headers() {
        if !hop_by_hop.contains(name) {
            line(name.as_str(), value.as_bytes());
        }
    }
    if has_length(status.as_u16()) {
        let declared = response.headers().get(header::CONTENT_LENGTH).filter(|_| method == Method::HEAD);
        let counted = response.body().len().to_string();
        line("content-length", declared.map_or(counted.as_bytes(), |value| value.as_bytes()));
    }
    line("connection", if keep_alive { b"keep-alive" } else { b"close" });
    head.extend_from_slice(b"\r\n");
    head
}

fn has_length(status: u16) -> bool {
    status >= 200 && status != 204 && status != 304
}
