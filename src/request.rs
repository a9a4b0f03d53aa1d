//! The one driver of requests: retries, waiting, and the mapping of faults.
//!
//! A request says itself what its repetition would do ([`Repeat`]); nothing else decides. 400, 401 and 403 are never
//! repeated. Redirects are not followed, except once to the one origin that the inputs allow.

mod remark;
mod repeats;

use hublease_protocol::endpoint::{self, Origin};

pub(crate) use self::remark::{may_be_shown, remark};
pub(crate) use self::repeats::repeats;
use crate::effect::Effects;
use crate::effect::http::{Destination, Failure, Repeat, Request, Response};
use crate::error::{Error, Problem};

/// How often a request is sent at most. With [`LONGEST_WAIT`] the waiting stays under the 90 seconds of a login.
const TRIES: u32 = 4;

/// The longest wait before a repetition, in seconds. A server that asks for more is reported at once.
const LONGEST_WAIT: u64 = 20;

/// The first wait in milliseconds; doubled each time, with up to as much again at random.
const FIRST_WAIT: u64 = 250;

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

    /// A problem about this server.
    pub(crate) fn problem(&self, problem: Problem) -> Error {
        Error::new(problem, &self.name)
    }

    /// Sends until there is an answer below 500 that is neither 412, 429 nor a redirect.
    ///
    /// # Errors
    /// The last fault, and whether the server may have done what was asked.
    pub(crate) async fn send(&self, request: Request) -> Result<Response, RequestError> {
        let mut request = request;
        let mut tried = 1;
        loop {
            let answer = self.effects.http(request.clone()).await.map_err(RequestError::unsettled)?;
            if let Ok(response) = &answer
                && is_redirect(response.status)
            {
                request = self.redirected(&request, response)?;
                continue;
            }
            let fault = match Transient::of(&answer) {
                None => {
                    return answer
                        .map_err(|_failure| RequestError::unsettled(Error::bug("a failure that is no fault")));
                }
                Some(fault) => fault,
            };
            let wait = fault.wait(request.repeat, tried);
            match wait {
                Some(wait) if wait <= LONGEST_WAIT * 1000 => {
                    self.pause(&fault, wait, tried).await.map_err(RequestError::unsettled)?;
                }
                _ => {
                    let (error, maybe_done) = (self.report(&fault, tried), fault.maybe_done());
                    return Err(RequestError { error, maybe_done, response: answer.ok().map(Box::new) });
                }
            }
            tried += 1;
        }
    }

    async fn pause(&self, fault: &Transient, wait: u64, tried: u32) -> Result<(), Error> {
        let random = self.effects.random(2).await?;
        let jitter = u64::from_str_radix(&random, 16).unwrap_or_default() * wait / 0xffff;
        let wait = if fault.asks_for().is_some() { wait + jitter / 8 } else { wait + jitter };
        self.effects
            .detail(format!("{}: {}; try {} of {TRIES} in {} ms", self.name, fault.shown(), tried + 1, wait))
            .await?;
        self.effects.sleep(wait).await
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

    fn report(&self, fault: &Transient, tried: u32) -> Error {
        let problem = match fault {
            Transient::Failure(Failure::Unreachable) => Problem::Unreachable,
            Transient::Failure(Failure::Untrusted) => Problem::Untrusted,
            Transient::Failure(Failure::Slow) => Problem::Slow,
            Transient::Failure(Failure::Cut) => Problem::Cut,
            Transient::Failure(Failure::TooLarge) => Problem::TooLarge,
            Transient::Status { status: 429, .. } => Problem::Busy,
            Transient::Status { status: 503, sealed: true, .. } => Problem::Sealed,
            Transient::Status { .. } => Problem::Failing,
        };
        let error = self.problem(problem);
        let error = match fault {
            Transient::Status { .. } => error.because(&fault.shown()),
            Transient::Failure(_) => error,
        };
        if tried > 1 { error.because(&format!("after {tried} tries")) } else { error }
    }
}

/// What may be worth a repetition.
enum Transient {
    Failure(Failure),
    Status { status: u16, retry_after: Option<u64>, sealed: bool },
}

impl Transient {
    fn of(answer: &Result<Response, Failure>) -> Option<Self> {
        match answer {
            Err(failure) => Some(Self::Failure(*failure)),
            Ok(response) if matches!(response.status, 412 | 429 | 500..) => Some(Self::Status {
                status: response.status,
                retry_after: response.retry_after.as_deref().and_then(|seconds| seconds.trim().parse().ok()),
                sealed: response.body.expose().contains("Vault is sealed"),
            }),
            Ok(_) => None,
        }
    }

    /// How long to wait before the next try in milliseconds, or none if there is no next try.
    fn wait(&self, repeat: Repeat, tried: u32) -> Option<u64> {
        let may_repeat = repeat != Repeat::Never || !self.maybe_done();
        if tried >= TRIES || !may_repeat || !self.passes() {
            return None;
        }
        Some(self.asks_for().map_or(FIRST_WAIT << tried, |seconds| seconds.saturating_mul(1000)))
    }

    /// Whether it may be better the next time.
    fn passes(&self) -> bool {
        match self {
            Self::Failure(failure) => matches!(failure, Failure::Unreachable | Failure::Slow | Failure::Cut),
            Self::Status { status, .. } => matches!(status, 412 | 429 | 500 | 502 | 503 | 504),
        }
    }

    /// Whether the server may have done what was asked. 429 and 412 say that it did not.
    fn maybe_done(&self) -> bool {
        match self {
            Self::Failure(failure) => matches!(failure, Failure::Slow | Failure::Cut | Failure::TooLarge),
            Self::Status { status, .. } => !matches!(status, 412 | 429),
        }
    }

    fn asks_for(&self) -> Option<u64> {
        match self {
            Self::Status { retry_after, .. } => *retry_after,
            Self::Failure(_) => None,
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Failure(Failure::Unreachable) => "no connection".to_owned(),
            Self::Failure(Failure::Untrusted) => "its certificate is not trusted".to_owned(),
            Self::Failure(Failure::Slow) => "no answer in time".to_owned(),
            Self::Failure(Failure::Cut) => "the connection broke".to_owned(),
            Self::Failure(Failure::TooLarge) => "the answer is too large".to_owned(),
            Self::Status { status, retry_after: Some(seconds), .. } => {
                format!("status {status}, which asks to wait {seconds} s")
            }
            Self::Status { status, .. } => format!("status {status}"),
        }
    }
}

fn is_redirect(status: u16) -> bool {
    matches!(status, 300..=399)
}
