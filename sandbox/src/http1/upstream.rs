//! Passes a request on to a plain HTTP server on loopback and brings its whole answer back.
//!
//! One connection per request. Header lines are passed one by one, so a registry sees every `Accept` line of the client.

use std::io::{self, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use http::{HeaderName, Method, Request, Response, StatusCode, header};
use httparse::Status;

use super::MAX_HEADERS;
use super::body::{Inbound, Unreadable};
use super::request::{Framing, Refusal, framing, header_map};

/// An upstream on loopback that says nothing for this long hangs.
const UPSTREAM_TIMEOUT: Duration = Duration::from_secs(60);

/// Headers that belong to one connection and not to the message.
const HOP_BY_HOP: [HeaderName; 5] = [
    header::CONNECTION,
    header::CONTENT_LENGTH,
    header::TRANSFER_ENCODING,
    header::EXPECT,
    header::PROXY_AUTHORIZATION,
];

/// Sends the request to `address` and reads the answer; the error text is for a 502.
pub(crate) fn forward(address: SocketAddr, request: &Request<Vec<u8>>) -> Result<Response<Vec<u8>>, String> {
    exchange(address, request).map_err(|error| format!("upstream {address}: {error}"))
}

fn exchange(address: SocketAddr, request: &Request<Vec<u8>>) -> io::Result<Response<Vec<u8>>> {
    let mut stream = TcpStream::connect_timeout(&address, UPSTREAM_TIMEOUT)?;
    stream.set_read_timeout(Some(UPSTREAM_TIMEOUT))?;
    stream.set_write_timeout(Some(UPSTREAM_TIMEOUT))?;
    stream.write_all(&wire(request))?;
    let mut inbound = Inbound::new(stream);
    loop {
        let head = inbound.head().map_err(broken)?.ok_or(io::ErrorKind::UnexpectedEof)?;
        let mut response = parse_head(&head)?;
        // Interim answers (100 Continue, 103 Early Hints) are not for us.
        if !response.status().is_informational() {
            *response.body_mut() = read_body(&mut inbound, request.method(), &response)?;
            response.headers_mut().remove(header::TRANSFER_ENCODING);
            return Ok(response);
        }
    }
}

fn wire(request: &Request<Vec<u8>>) -> Vec<u8> {
    let target = request.uri().path_and_query().map_or("/", |target| target.as_str());
    let mut wire = format!("{} {target} HTTP/1.1\r\n", request.method()).into_bytes();
    for (name, value) in request.headers() {
        if !HOP_BY_HOP.contains(name) {
            wire.extend_from_slice(name.as_str().as_bytes());
            wire.extend_from_slice(b": ");
            wire.extend_from_slice(value.as_bytes());
            wire.extend_from_slice(b"\r\n");
        }
    }
    wire.extend_from_slice(format!("content-length: {}\r\nconnection: close\r\n\r\n", request.body().len()).as_bytes());
    wire.extend_from_slice(request.body());
    wire
}

fn parse_head(head: &[u8]) -> io::Result<Response<Vec<u8>>> {
    let mut lines = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Response::new(&mut lines);
    if !matches!(parsed.parse(head), Ok(Status::Complete(_))) {
        return Err(invalid("response head"));
    }
    let mut response = Response::new(Vec::new());
    *response.status_mut() = StatusCode::from_u16(parsed.code.unwrap_or_default()).map_err(io::Error::other)?;
    *response.headers_mut() = header_map(parsed.headers).map_err(|_refusal| invalid("header line"))?;
    Ok(response)
}

fn read_body(inbound: &mut Inbound<TcpStream>, method: &Method, response: &Response<Vec<u8>>) -> io::Result<Vec<u8>> {
    let status = response.status();
    if method == Method::HEAD || status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED {
        return Ok(Vec::new());
    }
    let body = match framing(response.headers()) {
        Ok(Framing::Sized(length)) => inbound.sized(length),
        Ok(Framing::Chunked) => inbound.chunked(),
        Ok(Framing::None) => inbound.rest(),
        Err(Refusal::Gone) => return Err(io::ErrorKind::UnexpectedEof.into()),
        Err(Refusal::Answer(_, what)) => return Err(invalid(what)),
    };
    body.map_err(broken)
}

fn broken(unreadable: Unreadable) -> io::Error {
    match unreadable {
        Unreadable::Io(error) => error,
        Unreadable::Malformed(what) | Unreadable::TooLarge(what) => invalid(what),
    }
}

fn invalid(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
