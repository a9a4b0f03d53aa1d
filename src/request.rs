//! The one driver of requests: retries, waiting, and the mapping of faults.
//!
//! How often is the kind of fault's to say ([`Kind`](repetition::Kind)), and whether a repetition is safe the request's own
//! ([`Repeat`](crate::effect::http::Repeat)). 400, 401 and 403 are never repeated. Each repetition is said, so that no log is
//! silent for long. Redirects are not followed, except once to the one origin that the inputs allow.

mod body;
mod fault;
mod remark;
mod repeats;
pub(crate) mod repetition;

use hublease_protocol::endpoint::{self, Origin};
use hublease_protocol::secret::Secret;
use hublease_protocol::time::span;

use self::body::Body;
use self::fault::Fault;
pub(crate) use self::remark::{may_be_shown, remark};
pub(crate) use self::repeats::repeats;
use crate::effect::Effects;
use crate::effect::http::{Destination, Request, Response};
use crate::error::{Error, Problem};

/// The longest that one request waits in all, in milliseconds, forward: a login has 90 seconds, and the rest of it needs some.
const PATIENCE: u64 = 60_000;

/// The same on the way back, which has 30 seconds.
const PATIENCE_TO_UNDO: u64 = 20_000;

/// A request that brought no usable answer.
#[derive(Debug)]
pub(crate) struct RequestError {
    /// What to report.
    pub(crate) error: Error,
    /// Whether the server may have done what was asked.
    pub(crate) maybe_done: bool,
    /// The answer with an error status, for whoever can read its message.
    pub(crate) response: Option<Box<Response>>,
}

impl RequestError {
    /// A failure after which nothing can have been done, or that a repetition would not change.
    pub(crate) fn settled(error: Error) -> Self {
        Self { error, maybe_done: false, response: None }
    }

    /// A failure while a request was under way, so that the server may have done what was asked. There is no conversion from
    /// [`Error`]: which of the two it is decides whether a lease may live on, and is said at each place.
    pub(crate) fn unsettled(error: Error) -> Self {
        Self { error, maybe_done: true, response: None }
    }
}

impl From<RequestError> for Error {
    fn from(lost: RequestError) -> Self {
        lost.error
    }
}

/// One server, as the story speaks to it.
#[derive(Debug)]
pub(crate) struct Server<'a> {
    effects: &'a Effects,
    name: String,
    redirect: Option<&'a Origin>,
}

impl<'a> Server<'a> {
    /// A server by the name that errors show.
    pub(crate) fn new(effects: &'a Effects, name: impl Into<String>) -> Self {
        Self { effects, name: name.into(), redirect: None }
    }

    /// Allows one other origin, which the host knows as [`Destination::ProviderRedirect`].
    #[must_use]
    pub(crate) fn or_at(self, redirect: Option<&'a Origin>) -> Self {
        Self { redirect, ..self }
    }

    /// The name that errors show.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// An answer in which nothing was understood, whatever its status: nobody knows who has answered, and what was done.
    pub(crate) fn not_understood(&self, response: &Response) -> Error {
        self.problem(Problem::Answer).because(&unread(response))
    }

    /// A problem about this server.
    pub(crate) fn problem(&self, problem: Problem) -> Error {
        Error::new(problem, &self.name)
    }

    /// Sends until there is an answer below 500 that is neither 412, 429 nor a redirect.
    ///
    /// # Errors
    /// The last fault, and whether the server may have done what was asked.
    pub(crate) async fn send(&self, request: Request) -> Result<Response, RequestError> {
        let again = request.body.clone();
        self.send_and_again(request, again).await
    }

    /// The same, with another body for each repetition.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub(crate) async fn send_and_again(&self, request: Request, again: Secret) -> Result<Response, RequestError> {
        let mut request = request;
        let (mut tried, mut waited) = (1, 0);
        let mut last = None;
        loop {
            let answer = self.effects.http(request.clone()).await;
            let answer = answer.map_err(|error| RequestError::unsettled(self.after(error, last.as_ref())))?;
            let answer = answer.map(without_mark);
            if let Ok(response) = &answer
                && is_redirect(response.status)
            {
                request = self.redirected(&request, response)?;
                continue;
            }
            let fault = match Fault::of(&answer) {
                None => {
                    return answer
                        .map_err(|_failure| RequestError::unsettled(Error::bug("a failure that is no fault")));
                }
                Some(fault) => fault,
            };
            let patience = if self.effects.is_undoing() { PATIENCE_TO_UNDO } else { PATIENCE };
            match fault.wait(request.repeat, tried) {
                Some(wait) if waited + wait <= patience => {
                    let paused = self.pause(&fault, wait, tried).await;
                    paused.map_err(|error| RequestError::unsettled(self.after(error, Some(&fault))))?;
                    waited += wait;
                }
                _ => {
                    let (error, maybe_done) = (self.report(&fault, tried), fault.maybe_done());
                    return Err(RequestError { error, maybe_done, response: answer.ok().map(Box::new) });
                }
            }
            tried += 1;
            last = Some(fault);
            request.body = again.clone();
        }
    }

    async fn pause(&self, fault: &Fault, wait: u64, tried: u64) -> Result<(), Error> {
        let random = self.effects.random(2).await?;
        let jitter = u64::from_str_radix(&random, 16).unwrap_or_default() * wait / 0xffff;
        let wait = if fault.asks_for().is_some() { wait + jitter / 8 } else { wait + jitter };
        let (name, fault, tries) = (&self.name, fault.shown(), fault.kind().tries());
        self.effects.note(format!("{name}: {fault}; try {} of {tries} in {}", tried + 1, moment(wait))).await?;
        self.effects.sleep(wait).await
    }

    /// A story that ran out of time says what it was waiting for.
    fn after(&self, error: Error, last: Option<&Fault>) -> Error {
        match last.filter(|_| error.problem() == Problem::Deadline) {
            Some(fault) => error.because(&format!("{}: {}", self.name, fault.shown())),
            None => error,
        }
    }

    /// The same request at the allowed origin, once.
    fn redirected(&self, request: &Request, response: &Response) -> Result<Request, RequestError> {
        let refused = |why: &str| RequestError::settled(self.problem(Problem::Redirected).because(why));
        let target = response.location.as_deref().map(endpoint::split);
        let (origin, path_and_query) = match target {
            Some(Ok(target)) => target,
            Some(Err(error)) => return Err(refused(&format!("it names an unusable address: {error}"))),
            None => return Err(refused("it names no address")),
        };
        let is_allowed = self.redirect == Some(&origin) && request.to == Destination::Provider;
        // Only these two keep method and body.
        if !is_allowed || !matches!(response.status, 307 | 308) {
            let origin = origin.to_string();
            let sent: Vec<_> = request.headers.iter().map(|(_, value)| value).chain([&request.body]).collect();
            let shown =
                if may_be_shown(&origin, &sent) { origin.as_str() } else { "an address that repeats what was sent" };
            return Err(refused(&format!("status {} to {shown}", response.status)));
        }
        Ok(Request { to: Destination::ProviderRedirect, path_and_query: path_and_query.to_owned(), ..request.clone() })
    }

    fn report(&self, fault: &Fault, tried: u64) -> Error {
        let error = self.problem(fault.problem());
        let error = match fault.cause() {
            Some(cause) => error.because(&cause),
            None => error,
        };
        if tried > 1 { error.because(&format!("after {tried} tries")) } else { error }
    }
}

/// What is told of an answer in which nothing was understood: its status, and the kind of its body.
pub(crate) fn unread(response: &Response) -> String {
    format!("not understood: status {}, with {}", response.status, Body::of(response).shown())
}

/// The answer without the mark that some servers write before a text: JSON readers need not take it (RFC 8259), and it says
/// nothing.
fn without_mark(mut response: Response) -> Response {
    if let Some(body) = response.body.expose().strip_prefix('\u{feff}') {
        response.body = Secret::new(body);
    }
    response
}

/// Whether the answer sends somewhere else. 304 is of the same hundred, and does not.
fn is_redirect(status: u16) -> bool {
    matches!(status, 300..=399) && status != 304
}

/// A wait, as people read it.
fn moment(milliseconds: u64) -> String {
    if milliseconds < 2000 { format!("{milliseconds} ms") } else { span(milliseconds / 1000) }
}
