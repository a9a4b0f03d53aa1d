//! Buffered reading of one side of a connection, and the two ways in which a body is framed (RFC 9112 section 6).

use std::io::{self, Read};

use httparse::Status;

use super::{MAX_BODY_BYTES, MAX_CHUNK_LINE_BYTES, MAX_HEAD_BYTES};

/// Bytes asked from the stream at a time.
const READ_BYTES: usize = 16 * 1024;

/// A stream and what was read from it but not used yet.
pub(crate) struct Inbound<S> {
    pub(crate) stream: S,
    pub(super) buffer: Vec<u8>,
}

/// Why a message could not be read.
pub(super) enum Unreadable {
    /// The stream failed or ended inside a message.
    Io(io::Error),
    /// The message breaks the protocol.
    Malformed(&'static str),
    /// The message is larger than the sandbox takes.
    TooLarge(&'static str),
}

impl From<io::Error> for Unreadable {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl<S> Inbound<S> {
    pub(crate) fn new(stream: S) -> Self {
        Self { stream, buffer: Vec::new() }
    }

    /// The stream, if nothing was read ahead from it.
    pub(crate) fn into_untouched(self) -> Option<S> {
        self.buffer.is_empty().then_some(self.stream)
    }
}

impl<S: Read> Inbound<S> {
    /// Reads more; false at the end of the stream.
    pub(super) fn fill(&mut self) -> io::Result<bool> {
        let mut chunk = [0; READ_BYTES];
        let count = loop {
            match self.stream.read(&mut chunk) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // rustls reports a peer that leaves without close_notify this way; framing shows whether it matters.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => break 0,
                other => break other?,
            }
        };
        self.buffer.extend_from_slice(&chunk[..count]);
        Ok(count > 0)
    }

    fn fill_or_fail(&mut self) -> io::Result<()> {
        if self.fill()? { Ok(()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }

    /// Reads up to the empty line after a head and returns the head with it; `None` if the stream ends before its first byte.
    pub(super) fn head(&mut self) -> Result<Option<Vec<u8>>, Unreadable> {
        let mut searched = 0;
        loop {
            if let Some(end) = find(&self.buffer[searched..], b"\r\n\r\n") {
                return Ok(Some(self.buffer.drain(..searched + end + 4).collect()));
            }
            if self.buffer.len() > MAX_HEAD_BYTES {
                return Err(Unreadable::TooLarge("message head"));
            }
            searched = self.buffer.len().saturating_sub(3);
            if !self.fill()? {
                return if self.buffer.is_empty() { Ok(None) } else { Err(Unreadable::Malformed("head ends early")) };
            }
        }
    }

    /// A body of known length.
    pub(super) fn sized(&mut self, length: u64) -> Result<Vec<u8>, Unreadable> {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > MAX_BODY_BYTES {
            return Err(Unreadable::TooLarge("body"));
        }
        while self.buffer.len() < length {
            self.fill_or_fail()?;
        }
        Ok(self.buffer.drain(..length).collect())
    }

    /// A chunked body; trailers are read and dropped.
    pub(super) fn chunked(&mut self) -> Result<Vec<u8>, Unreadable> {
        let mut body = Vec::new();
        loop {
            let size = self.chunk_size()?;
            if size == 0 {
                self.trailers()?;
                return Ok(body);
            }
            if size.saturating_add(body.len()) > MAX_BODY_BYTES {
                return Err(Unreadable::TooLarge("body"));
            }
            while self.buffer.len() < size + 2 {
                self.fill_or_fail()?;
            }
            if &self.buffer[size..size + 2] != b"\r\n" {
                return Err(Unreadable::Malformed("chunk without its end of line"));
            }
            body.extend(self.buffer.drain(..size + 2).take(size));
        }
    }

    fn chunk_size(&mut self) -> Result<usize, Unreadable> {
        loop {
            match httparse::parse_chunk_size(&self.buffer) {
                Ok(Status::Complete((start, size))) => {
                    self.buffer.drain(..start);
                    return Ok(usize::try_from(size).unwrap_or(usize::MAX));
                }
                Ok(Status::Partial) if self.buffer.len() <= MAX_CHUNK_LINE_BYTES => {
                    self.fill_or_fail()?;
                }
                Ok(Status::Partial) => return Err(Unreadable::TooLarge("chunk size line")),
                Err(_) => return Err(Unreadable::Malformed("chunk size")),
            }
        }
    }

    fn trailers(&mut self) -> Result<(), Unreadable> {
        let mut total = 0;
        loop {
            let Some(end) = find(&self.buffer, b"\r\n") else {
                if self.buffer.len() > MAX_HEAD_BYTES {
                    return Err(Unreadable::TooLarge("trailers"));
                }
                self.fill_or_fail()?;
                continue;
            };
            self.buffer.drain(..end + 2);
            total += end;
            if end == 0 {
                return Ok(());
            }
            if total > MAX_HEAD_BYTES {
                return Err(Unreadable::TooLarge("trailers"));
            }
        }
    }

    /// A body that lasts until the stream ends.
    pub(super) fn rest(&mut self) -> Result<Vec<u8>, Unreadable> {
        while self.fill()? {
            if self.buffer.len() > MAX_BODY_BYTES {
                return Err(Unreadable::TooLarge("body"));
            }
        }
        Ok(std::mem::take(&mut self.buffer))
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
