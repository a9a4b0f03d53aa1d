//! Faults on demand: which request goes wrong, how often, and how.
//!
//! Faults are tried in the order in which they were added; the first that matches and is not used up applies. Unless the action says
//! otherwise the service never sees the request. `after_handling` lets the service do the deed first and loses only its answer.

use std::time::Duration;

use http::Response;

use crate::latch::Latch;
use crate::matcher::Matcher;
use crate::message::{bytes, empty, set};
use crate::service::Service;

/// What goes wrong.
#[derive(Clone, Debug)]
pub enum Action {
    /// Another answer: status, headers, body.
    Status(u16, Vec<(String, String)>, Vec<u8>),
    /// The request waits before the service sees it until the latch is released (at most a minute), then all is well.
    Delay(Latch),
    /// The service's answer comes in pieces of `bytes`, with `pause` between them.
    Slow {
        /// Bytes in a piece.
        bytes: usize,
        /// Time between pieces.
        pause: Duration,
    },
    /// The service answers, and the connection dies after this many bytes of the body.
    CutMidBody(usize),
    /// The connection closes and the service never saw the request.
    CloseBeforeAnswering,
    /// The deed is done and the answer is lost.
    CloseAfterHandling,
    /// 200 with this many bytes of well-formed JSON.
    Oversized(usize),
    /// 200 with an HTML page.
    NotJson,
    /// 204 without a body.
    Empty,
    /// A redirect: status and `Location`.
    Redirect(u16, String),
    /// The service answers, but with this body.
    RawBody(Vec<u8>),
    /// The service answers, with these headers set over its own.
    Headers(Vec<(String, String)>),
}

impl Action {
    /// A bare status without a body.
    pub fn status(code: u16) -> Self {
        Self::Status(code, Vec::new(), Vec::new())
    }

    /// A status with a JSON body.
    pub fn json(code: u16, body: &serde_json::Value) -> Self {
        let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
        Self::Status(code, headers, body.to_string().into_bytes())
    }
}

/// One fault: where, how often, what.
#[derive(Clone, Debug)]
pub struct Fault {
    pub(crate) matcher: Matcher,
    pub(crate) left: usize,
    pub(crate) action: Action,
    pub(crate) handled_first: bool,
}

impl Fault {
    /// A fault for requests to this service whose path begins so; once, a bare 503 unless told otherwise.
    pub fn on(service: Service, path_prefix: &str) -> Self {
        Self { matcher: Matcher::new(service, path_prefix), left: 1, action: Action::status(503), handled_first: false }
    }

    /// Only for this method.
    #[must_use]
    pub fn method(mut self, method: &str) -> Self {
        self.matcher.set_method(method);
        self
    }

    /// Lets the first `count` matching requests pass.
    #[must_use]
    pub fn skip(mut self, count: usize) -> Self {
        self.matcher.set_skip(count);
        self
    }

    /// Applies `count` times.
    #[must_use]
    pub fn times(mut self, count: usize) -> Self {
        self.left = count;
        self
    }

    /// Applies for ever.
    #[must_use]
    pub fn always(self) -> Self {
        self.times(usize::MAX)
    }

    /// The service handles the request first; its answer is thrown away.
    #[must_use]
    pub fn after_handling(mut self) -> Self {
        self.handled_first = true;
        self
    }

    /// What goes wrong.
    #[must_use]
    pub fn then(mut self, action: Action) -> Self {
        self.action = action;
        self
    }
}

/// How an answer goes over the wire.
pub(crate) enum Delivery {
    Whole(Response<Vec<u8>>),
    Drip { response: Response<Vec<u8>>, bytes: usize, pause: Duration },
    Cut { response: Response<Vec<u8>>, after: usize },
    Close,
}

impl Delivery {
    pub(crate) fn status(&self) -> Option<u16> {
        match self {
            Self::Whole(response) | Self::Drip { response, .. } | Self::Cut { response, .. } => {
                Some(response.status().as_u16())
            }
            Self::Close => None,
        }
    }
}

/// Performs an action; `handle` runs the service.
pub(crate) fn perform(action: Action, handled_first: bool, handle: impl FnOnce() -> Response<Vec<u8>>) -> Delivery {
    let needs_service = matches!(
        action,
        Action::Delay(_)
            | Action::Slow { .. }
            | Action::CutMidBody(_)
            | Action::CloseAfterHandling
            | Action::RawBody(_)
            | Action::Headers(_)
    );
    if let Action::Delay(latch) = &action {
        latch.hold();
    }
    let mut response = if needs_service || handled_first { handle() } else { empty(200) };
    match action {
        Action::Slow { bytes, pause } => {
            return Delivery::Drip { response, bytes: bytes.max(1), pause };
        }
        Action::CutMidBody(after) => return Delivery::Cut { response, after },
        Action::CloseBeforeAnswering | Action::CloseAfterHandling => return Delivery::Close,
        Action::Delay(_) => {}
        Action::RawBody(body) => *response.body_mut() = body,
        Action::Headers(headers) => overlay(&mut response, &headers),
        Action::Status(code, headers, body) => {
            response = empty(code);
            overlay(&mut response, &headers);
            *response.body_mut() = body;
        }
        Action::Oversized(size) => response = oversized(size),
        Action::NotJson => {
            response = bytes(200, "text/html", b"<html><body>maintenance page</body></html>".to_vec());
        }
        Action::Empty => response = empty(204),
        Action::Redirect(code, location) => {
            response = empty(code);
            set(&mut response, "location", &location);
        }
    }
    Delivery::Whole(response)
}

fn overlay(response: &mut Response<Vec<u8>>, headers: &[(String, String)]) {
    for (name, value) in headers {
        set(response, name, value);
    }
}

fn oversized(size: usize) -> Response<Vec<u8>> {
    const OPENING: &[u8] = b"{\"padding\":\"";
    const CLOSING: &[u8] = b"\"}";
    let padding = size.saturating_sub(OPENING.len() + CLOSING.len());
    bytes(200, "application/json", [OPENING, &vec![b'x'; padding], CLOSING].concat())
}
