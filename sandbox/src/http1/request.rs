//! Reads one request. What is ambiguous is refused (two lengths, length and chunks, two hosts), because a sandbox that
//! guesses would hide a client's bug.

use std::io::{Read, Write};

use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri, Version, header};
use httparse::Status;

use super::body::{Inbound, Unreadable};
use super::{MAX_HEAD_BYTES, MAX_HEADERS};

/// Why no request came.
pub(crate) enum Refusal {
    /// The peer left: nothing to answer.
    Gone,
    /// Answer with this status and text, then close.
    Answer(u16, &'static str),
}

impl From<Unreadable> for Refusal {
    fn from(unreadable: Unreadable) -> Self {
        match unreadable {
            Unreadable::Io(_) => Self::Gone,
            Unreadable::Malformed(what) => Self::Answer(400, what),
            Unreadable::TooLarge("body") => Self::Answer(413, "body"),
            Unreadable::TooLarge(what) => Self::Answer(431, what),
        }
    }
}

/// Reads the next request, body included.
pub(crate) fn read_request<S: Read + Write>(inbound: &mut Inbound<S>) -> Result<Request<Vec<u8>>, Refusal> {
    let Some(head) = inbound.head()? else {
        return Err(Refusal::Gone);
    };
    let mut request = parse_head(&head)?;
    if request.method() == Method::CONNECT {
        return Ok(request);
    }
    let framing = framing(request.headers())?;
    let expects = request
        .headers()
        .get(header::EXPECT)
        .is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"));
    if expects && !matches!(framing, Framing::None) {
        let interim = b"HTTP/1.1 100 Continue\r\n\r\n";
        if inbound.stream.write_all(interim).and_then(|()| inbound.stream.flush()).is_err() {
            return Err(Refusal::Gone);
        }
    }
    *request.body_mut() = match framing {
        Framing::None => Vec::new(),
        Framing::Sized(length) => inbound.sized(length)?,
        Framing::Chunked => inbound.chunked()?,
    };
    Ok(request)
}

/// Whether the connection stays open after this request.
pub(crate) fn keeps_alive(request: &Request<Vec<u8>>) -> bool {
    let says = |word: &str| {
        let lines = request.headers().get_all(header::CONNECTION).iter();
        lines
            .filter_map(|line| line.to_str().ok())
            .flat_map(|line| line.split(','))
            .any(|token| token.trim().eq_ignore_ascii_case(word))
    };
    if request.version() == Version::HTTP_10 { says("keep-alive") } else { !says("close") }
}

fn parse_head(head: &[u8]) -> Result<Request<Vec<u8>>, Refusal> {
    if head.len() > MAX_HEAD_BYTES {
        return Err(Refusal::Answer(431, "message head"));
    }
    let mut lines = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut parsed = httparse::Request::new(&mut lines);
    match parsed.parse(head) {
        Ok(Status::Complete(_)) => {}
        Err(httparse::Error::TooManyHeaders) => return Err(Refusal::Answer(431, "header count")),
        Ok(Status::Partial) | Err(_) => return Err(Refusal::Answer(400, "request head")),
    }
    let method = Method::from_bytes(parsed.method.unwrap_or_default().as_bytes());
    let uri = parsed.path.unwrap_or_default().parse::<Uri>();
    let (Ok(method), Ok(uri)) = (method, uri) else {
        return Err(Refusal::Answer(400, "request line"));
    };
    let mut request = Request::new(Vec::new());
    *request.method_mut() = method;
    *request.uri_mut() = uri;
    *request.version_mut() = if parsed.version == Some(0) { Version::HTTP_10 } else { Version::HTTP_11 };
    *request.headers_mut() = header_map(parsed.headers)?;
    if request.headers().get_all(header::HOST).iter().count() != 1 && request.version() == Version::HTTP_11 {
        return Err(Refusal::Answer(400, "exactly one Host is needed"));
    }
    Ok(request)
}

/// Every header line, in order, repeats kept.
pub(super) fn header_map(lines: &[httparse::Header<'_>]) -> Result<HeaderMap, Refusal> {
    let mut headers = HeaderMap::new();
    for line in lines {
        let (Ok(name), Ok(value)) = (HeaderName::from_bytes(line.name.as_bytes()), HeaderValue::from_bytes(line.value))
        else {
            return Err(Refusal::Answer(400, "header line"));
        };
        headers.append(name, value);
    }
    Ok(headers)
}

/// How a body is framed.
pub(super) enum Framing {
    None,
    Sized(u64),
    Chunked,
}

pub(super) fn framing(headers: &HeaderMap) -> Result<Framing, Refusal> {
    let mut lengths = headers.get_all(header::CONTENT_LENGTH).iter();
    let mut encodings = headers.get_all(header::TRANSFER_ENCODING).iter();
    match (lengths.next(), encodings.next()) {
        (None, None) => Ok(Framing::None),
        (Some(length), None) if lengths.next().is_none() => {
            // `str::parse` alone would accept a leading plus sign.
            let digits = length.to_str().ok().filter(|text| text.bytes().all(|byte| byte.is_ascii_digit()));
            let length = digits.and_then(|text| text.parse().ok());
            length.map(Framing::Sized).ok_or(Refusal::Answer(400, "Content-Length"))
        }
        (None, Some(encoding))
            if encodings.next().is_none() && encoding.as_bytes().eq_ignore_ascii_case(b"chunked") =>
        {
            Ok(Framing::Chunked)
        }
        _ => Err(Refusal::Answer(400, "ambiguous body framing")),
    }
}
