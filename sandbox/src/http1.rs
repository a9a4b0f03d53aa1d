//! HTTP/1.1 over any stream, as little of it as clients and registries use (RFC 9112): `Content-Length` and chunked
//! bodies, keep-alive, `HEAD`, `Expect: 100-continue`. No trailers, no upgrades, no pipelining promises.

mod body;
mod request;
mod response;
mod upstream;

pub(crate) use self::body::Inbound;
pub(crate) use self::request::{Refusal, keeps_alive, read_request};
pub(crate) use self::response::head;
pub(crate) use self::upstream::forward;

/// Header lines in one message; more is an attack or a bug, in tests both must show.
const MAX_HEADERS: usize = 100;
/// Bytes of one message head.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// Bytes of one body: image layers pass through the registry front.
const MAX_BODY_BYTES: usize = 64 * 1024 * 1024;
/// Bytes of one chunk-size line with its extensions.
const MAX_CHUNK_LINE_BYTES: usize = 1024;
