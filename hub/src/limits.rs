//! Every size, count and time that is kept to with Docker Hub and on the way out, with the invariant beside it.

use std::time::Duration;

/// How long a connection may take to open.
pub const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long one outbound call may take in all.
pub const CALL_TIMEOUT: Duration = Duration::from_secs(10);
/// The largest body of an answer; a larger one is an error, never a cut.
pub const MAX_REPLY_BYTES: u64 = 1024 * 1024;
/// Connections that are kept open when nobody uses them: Docker Hub's, and one for each of some other servers. They are closed
/// after 15 seconds, the client's own bound. Invariant: more than [`HUB_CALLS`].
pub const IDLE_CONNECTIONS: usize = HUB_CALLS as usize + 16;

/// Docker Hub's login answers with a bearer that lives 10 minutes; it is used this long, in seconds.
pub const BEARER_SECONDS: u64 = 9 * 60;
/// After Docker Hub has refused an account's password it is not asked again for this long, in seconds: repeated failures
/// lock the account and the address out.
pub const LOGIN_COOLDOWN_SECONDS: u64 = 60;
/// After a login that Docker Hub did not answer everybody is told so at once for this long, in seconds. Without it all who
/// waited for the login would try another, one after the other, [`CALL_TIMEOUT`] each.
pub const LOGIN_PAUSE_SECONDS: u64 = 5;
/// The longest that a [`crate::password::PasswordSource`] may take for one password. Invariant: with the login after it, it
/// fits into [`SLOWEST_CALL`].
pub const PASSWORD_TIMEOUT: Duration = Duration::from_secs(30);
/// The most calls to Docker Hub at one time, of all accounts together; each has its connection, which is kept for the next.
pub const HUB_CALLS: u32 = 32;
/// The most among them that are no part of a removal. Invariant: less than [`HUB_CALLS`], so that mints that hang leave room
/// for removals.
pub const HUB_CALLS_THAT_CAN_WAIT: u32 = 24;
/// When less than one part in so many is left of Docker Hub's rate limit, only removals go on until it is reset.
pub const RATE_RESERVE: u64 = 5;
/// How long a window of the rate limit can last, in seconds: the limit counts per minute. Its end is given by Docker Hub's
/// clock, so a clock that is wrong cannot make anybody wait longer.
pub const RATE_WINDOW_SECONDS: u64 = 60;
/// What `Retry-After` says when Docker Hub did not say, in seconds.
pub const RETRY_AFTER_SECONDS: u64 = 5;
/// The longest `Retry-After` that is passed on, in seconds.
pub const MAX_RETRY_AFTER_SECONDS: u64 = 3600;
/// What `Retry-After` says at quota, in seconds: about the time until another token is removed.
pub const QUOTA_RETRY_SECONDS: u64 = 30;
/// For this long after Docker Hub was found at quota nobody asks again whether it still is, in seconds, unless a token of the
/// account is removed before. Short, because an administrator may make room too.
pub const QUOTA_PAUSE_SECONDS: u64 = 5;
/// For this long Docker Hub is not asked again for a scope that it has refused, in seconds.
pub const REFUSED_SECONDS: u64 = 120;
/// The most such scopes that are remembered; about a hundred bytes each.
pub const MAX_REFUSED_SCOPES: usize = 10_000;
/// Tokens per page, and pages, when a token is looked for at Docker Hub. Invariant: the product is well above Docker's 100
/// tokens per organization.
pub const PAGE_SIZE: usize = 100;
/// See [`PAGE_SIZE`].
pub const MAX_PAGES: usize = 10;
/// The longest id that is put into a path.
pub const MAX_HUB_ID_BYTES: usize = 64;
/// The slowest call to Docker Hub, in seconds: wait for somebody's login, read the password, log in, call; and log in and call
/// once more when the bearer was refused. Invariant: no step begins unless its longest time is left, so the sum holds whatever
/// the steps are.
pub const SLOWEST_CALL_SECONDS: u64 = 60;
/// The same as a duration.
pub const SLOWEST_CALL: Duration = Duration::from_secs(SLOWEST_CALL_SECONDS);
