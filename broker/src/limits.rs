//! Every size, count and time that the broker keeps to, with the invariant beside it. Those of the calls to Docker Hub are
//! [`hublease_hub::limits`].
//!
//! Nothing here can be configured: a limit that an operator may raise is a setting and lives in the configuration.

use std::time::Duration;

use hublease_hub::limits::{
    CALL_TIMEOUT, HUB_CALLS, IDLE_CONNECTIONS, MAX_PAGES, PASSWORD_TIMEOUT, SLOWEST_CALL_SECONDS,
};

/// The largest request body. Invariant: an identity token and a scope at their own limits fit, escaped.
pub const MAX_BODY_BYTES: usize = 64 * 1024;
/// The largest head of a request, headers included. Invariant: an identity token at [`MAX_TOKEN_BYTES`] fits as bearer.
pub const MAX_HEAD_BYTES: usize = 20 * 1024;
/// The most headers of a request.
pub const MAX_HEADERS: usize = 64;
/// How long a client may take for the head of a request, and for the body.
pub const READ_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a TLS handshake may take.
pub const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a request may take in all. What was begun at Docker Hub goes on behind it and is written down.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(45);
/// The most connections at one time; for one more the one is closed that has waited longest for its client.
///
/// Invariant: what clients can make the broker hold is this times what one connection may hold, which is its body
/// ([`MAX_BODY_BYTES`]), a head and hyper's buffer ([`MAX_HEAD_BYTES`] each), 16 KiB for itself, and TLS's buffers (64 KiB): 184
/// KiB each and 184 MiB in all, or 120 MiB without TLS.
pub const MAX_CONNECTIONS: usize = 1024;
/// The fewest; where the system allows too few open files for them, the broker does not start. Invariant: more than
/// [`MAX_IN_FLIGHT`], so that there is always a connection that waits for its client, and more than
/// [`MAX_CONNECTIONS_PER_ADDRESS`].
pub const MIN_CONNECTIONS: usize = 384;
/// The most connections of one client address (one IPv4 address or IPv6 /64 network). This machine and trusted proxies are
/// excepted. Invariant: a part of [`MAX_CONNECTIONS`], so that one address does not push others out.
pub const MAX_CONNECTIONS_PER_ADDRESS: usize = 256;
/// The most connections of those who read `/metrics` at an address of its own.
pub const MAX_METRICS_CONNECTIONS: usize = 32;
/// How many open files are left for all but clients' connections: the calls to Docker Hub, the connections that are kept for
/// the next ones, and 128 for the issuers, the journal, the secrets and the listeners.
pub const RESERVED_FILES: usize = HUB_CALLS as usize + IDLE_CONNECTIONS + 128;
/// How long nobody is accepted after the system had no descriptor for a newcomer.
pub const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
/// The most exchanges and revocations at one time; more are answered `overloaded`. Each waits on a thread of its own, nearly
/// all of the time for Docker Hub. Invariant: less than [`MAX_CONNECTIONS`], so that there is always a connection that waits
/// for its client, and less than [`JOURNAL_QUEUE`].
pub const MAX_IN_FLIGHT: u32 = 256;
/// The most exchanges among them. Invariant: less than [`MAX_IN_FLIGHT`], so that exchanges that wait for Docker Hub or for an
/// issuer leave room for revocations.
pub const MAX_EXCHANGES: u32 = 192;
/// The most threads for work that may block. Invariant: more than [`MAX_IN_FLIGHT`]; the others are for the sweeper, for
/// `/readyz`, `/metrics` and the certificate.
pub const MAX_BLOCKING_THREADS: usize = MAX_IN_FLIGHT as usize + 16;
/// The most keys that one rate limit tells apart; beyond them the quietest gives way, so that memory stays bounded.
pub const MAX_RATE_KEYS: usize = 10_000;
/// Requests a minute of one client address when the configuration does not say: about 300 jobs that log in and out.
pub const DEFAULT_REQUESTS_PER_MINUTE_PER_ADDRESS: u64 = 600;
/// The networks around an IPv6 address that are counted with it, the widest first, and how many times the limit of one address
/// each may use: /64 is what one machine gets, /56 and /48 one customer, /32 a provider.
pub const WIDER_NETWORKS: [(u8, u64); 4] = [(32, 16), (48, 4), (56, 2), (64, 1)];
/// How many metadata documents, readiness answers and the like a client may ask for, for each request that it may send: our client
/// asks once for a login and once for a logout.
pub const QUESTIONS_PER_REQUEST: u64 = 4;
/// The part of an address' requests that may be identity tokens which do not verify: a job that sends one is misconfigured or a
/// stranger, and each costs a signature's check.
pub const UNVERIFIED_PART: u64 = 4;
/// The most calls to Docker Hub that one job may cause in a minute, removals aside. A login takes two or three.
pub const HUB_CALLS_PER_JOB: u64 = 30;
/// In how many parts Docker Hub's window is divided. One is kept for removals ([`hublease_hub::limits::RATE_RESERVE`]).
pub const SHARE_OF: u64 = 5;
/// How many of them one project, or one rule, may use while nobody else asks: one is left for whoever comes next.
pub const SHARE_ALONE: u64 = 3;
/// And while others ask: half of what mints may have.
pub const SHARE_AMONG_OTHERS: u64 = 2;
/// Requests a minute of all clients together when the configuration does not say.
pub const DEFAULT_REQUESTS_PER_MINUTE: u64 = 300_000;
/// Exchanges a minute of one project when the configuration does not say.
pub const DEFAULT_EXCHANGES_PER_MINUTE_PER_PROJECT: u64 = 300;
/// Exchanges a minute by one rule when the configuration does not say.
pub const DEFAULT_EXCHANGES_PER_MINUTE_PER_RULE: u64 = 1200;
/// The most that a rate limit can be set to, a minute.
pub const MAX_RATE: u64 = 10_000_000;
/// The most networks of trusted proxies.
pub const MAX_TRUSTED_PROXIES: usize = 64;
/// How often the certificate's files are looked at.
pub const CERTIFICATE_INTERVAL: Duration = Duration::from_secs(30);
/// The largest certificate or key file. A chain has a few KiB.
pub const MAX_PEM_BYTES: u64 = 256 * 1024;
/// How long an answer of `/readyz` is repeated, in seconds: anybody may ask, and to know it the journal is written.
pub const READINESS_SECONDS: u64 = 2;
/// How long the end waits for what is in flight. Invariant: longer than the keys of an issuer (two calls), the slowest call to
/// Docker Hub and two waits for the journal take together, and so longer than [`REQUEST_TIMEOUT`]. A repeated request that first
/// takes back its lease may be cut off; the next broker finds what it leaves.
pub const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(SLOWEST_CALL_SECONDS + 35);

/// The most audit lines that wait for whoever reads them. Invariant: more than [`MAX_IN_FLIGHT`], so that a pause of the reader is
/// nobody's; at about 1 KiB each they are a MiB.
pub const AUDIT_QUEUE: usize = 1024;
/// After so long the one who reads the audit log is taken to be stuck.
pub const AUDIT_STALL: Duration = Duration::from_secs(5);
/// How long the writer of the audit log waits before it tries again to write a line.
pub const AUDIT_RETRY: Duration = Duration::from_secs(1);
/// How long the end waits for the last lines.
pub const AUDIT_END: Duration = Duration::from_secs(5);
/// The most audit lines in a minute about one address whose requests nobody vouches for. The rest is counted.
pub const AUDIT_STRANGERS_PER_MINUTE: u64 = 20;

/// The longest identity token. CircleCI's and GitHub's have about 2 KiB.
pub const MAX_TOKEN_BYTES: usize = 16 * 1024;
/// How far the issuer's clock and ours may be apart, in seconds. Invariant: a used token is remembered until its `exp` plus
/// this; forgotten earlier, it could be used again in the gap.
pub const LEEWAY_SECONDS: u64 = 60;
/// The longest life that a token may claim, in seconds: it bounds how long a used token must be remembered.
pub const MAX_TOKEN_LIFE_SECONDS: u64 = 24 * 3600;
/// How long the answer to an exchange may be asked for again, in seconds from its first try. Invariant: longer than our client
/// repeats, which has 90 seconds for a whole login; no longer than that needs, because the repetition takes the first lease away.
pub const REPEAT_SECONDS: u64 = 120;
/// The longest `request_id` and `connection_id`.
pub const MAX_ID_BYTES: usize = 128;

/// An issuer's keys are fetched at most this often, in seconds, whatever tokens claim about their `kid`.
pub const KEYS_COOLDOWN_SECONDS: u64 = 60;
/// Keys older than this are fetched anew, in seconds, so that a key that the issuer withdrew dies here too.
pub const KEYS_FRESH_SECONDS: u64 = 3600;
/// Keys that could not be fetched anew are good for this long, in seconds.
pub const KEYS_STALE_SECONDS: u64 = 24 * 3600;
/// The most requests that wait for an issuer's first keys. Invariant: a small part of [`MAX_EXCHANGES`], so that an issuer that
/// hangs leaves room for the others.
pub const MAX_WAITING_FOR_KEYS: usize = 16;
/// The most keys of one issuer.
pub const MAX_KEYS: usize = 64;

/// The largest configuration file.
pub const MAX_CONFIG_BYTES: u64 = 1024 * 1024;
/// The most networks that one rule names.
pub const MAX_NETWORKS: usize = 64;
/// The longest pattern of a rule.
pub const MAX_PATTERN_BYTES: usize = 512;
/// The most `*` in one pattern; bounds the work of a match.
pub const MAX_STARS: usize = 4;
/// The shortest life that is issued, in seconds. Docker Hub's own minimum is not documented.
pub const MIN_LIFE_SECONDS: u64 = 60;
/// The longest life that a rule may grant, in seconds; Docker Identity has the same bound.
pub const MAX_LIFE_SECONDS: u64 = 21_600;
/// The life that a rule grants when it does not say, in seconds.
pub const DEFAULT_LIFE_SECONDS: u64 = 900;

/// How long the start waits for nothing else than accounts: so many are tried at one time.
pub const START_WORKERS: usize = 16;
/// The largest file with a password, a token or an identity token.
pub const MAX_SECRET_BYTES: u64 = 16 * 1024;
/// How long Vault may be asked for one password before nothing more is asked of it but to end the token that it gave.
/// Invariant: with one call that began before it, and the end of the Vault token, it fits into [`PASSWORD_TIMEOUT`].
pub const VAULT_TIMEOUT: Duration = Duration::from_secs(10);
const _: () = assert!(VAULT_TIMEOUT.as_secs() + 2 * CALL_TIMEOUT.as_secs() <= PASSWORD_TIMEOUT.as_secs());

/// The most leases that are not over, of all accounts together.
pub const MAX_LEASES: usize = 200_000;
/// The most of them of one rule. Invariant: a part of [`MAX_LEASES`], so that no rule keeps the others out.
pub const MAX_LEASES_PER_RULE: usize = MAX_LEASES / 4;
/// How long leases that are over are kept when the configuration does not say, in days: long enough to ask after an incident
/// who held what.
pub const DEFAULT_KEEP_DAYS: u64 = 90;
/// The shortest time that they are kept, in days. Invariant: longer than [`MAX_TOKEN_LIFE_SECONDS`] plus [`LEEWAY_SECONDS`] plus
/// [`MAX_LIFE_SECONDS`], because the rows also say which identity tokens were used and what a job was given.
pub const MIN_KEEP_DAYS: u64 = 2;
/// The longest, in days.
pub const MAX_KEEP_DAYS: u64 = 3650;
/// The most pieces of work that share one commit.
pub const JOURNAL_BATCH: usize = 256;
/// After how many commits the writer counts anew what is open, because an operator's command may have changed it.
pub const BATCHES_PER_COUNT: usize = 500;
/// The most that wait for the journal's writer. Invariant: more than [`MAX_IN_FLIGHT`] and the sweeper together.
pub const JOURNAL_QUEUE: usize = 1024;
/// What SQLite may hold of the journal in memory, in KiB, per connection (there are two).
pub const JOURNAL_CACHE_KIB: i64 = 4096;
/// How long the journal waits for another process that writes it.
pub const JOURNAL_WAIT: Duration = Duration::from_secs(5);
/// Who has claimed a revocation has this long, in seconds, before another may try. Invariant: longer than the slowest delete. A
/// token that must be looked for first may take longer; removing it twice does no harm, since 404 means gone too.
pub const CLAIM_SECONDS: u64 = SLOWEST_CALL_SECONDS + 5;
/// A mint that was not answered is looked for at Docker Hub after this, in seconds, counted from its timeout. Invariant: at
/// least two minutes, after which Docker Hub has certainly finished with it.
pub const UNCLEAR_SECONDS: u64 = 180;
/// A lease that was announced and has not become live is looked for at Docker Hub after this, in seconds, counted from its
/// announcement. Invariant: its mint is over by then, and [`UNCLEAR_SECONDS`] more. Before the mint a repeated request takes
/// its first lease back, which may mean to look for it on every page and to delete it; hence pages, delete and mint.
pub const INTENT_SECONDS: u64 = (MAX_PAGES as u64 + 2) * SLOWEST_CALL_SECONDS + UNCLEAR_SECONDS;
/// After how long, in seconds, a list is read again that changed while it was read. Only a list of several pages can.
pub const LIST_RETRY_SECONDS: u64 = 10;
/// How often the sweeper looks.
pub const SWEEP_INTERVAL: Duration = Duration::from_secs(10);
/// How many leases one sweep takes on.
pub const SWEEP_BATCH: usize = 1000;
/// How many removals of a sweep are under way at one time.
pub const SWEEP_WORKERS: usize = 8;
/// How many removals of one request are under way at one time. Invariant: this times [`MAX_IN_FLIGHT`], and the sweeper's, is less
/// than [`JOURNAL_QUEUE`].
pub const REQUEST_WORKERS: usize = 2;
/// How often the journal is compared with each account at Docker Hub, in seconds.
pub const RECONCILE_SECONDS: u64 = 300;
/// A token at Docker Hub that no lease stands for is left alone until it is this old, in seconds, by Docker Hub's clock.
/// Invariant: longer than a mint can take, plus two minutes for the difference of the clocks.
pub const LEFTOVER_SECONDS: u64 = SLOWEST_CALL_SECONDS + 120;
/// How many leases that were over long ago are forgotten in one sweep.
pub const PRUNE_BATCH: usize = 5000;
/// How long the sweeper leaves a lease alone that it could not remove, in seconds.
pub const SWEEP_RETRY_SECONDS: u64 = 60;
