//! The outside world of hublease, emulated in one process on loopback.
//!
//! A [`Sandbox`] is what a client, a broker and the real docker CLI talk to instead of the internet: an identity issuer, Docker
//! Hub with its token server and a registry front, Docker Identity, and a Vault subset. All of it stands behind a CONNECT proxy
//! that ends TLS with an authority made for the run, so programs use their real default addresses and only two environment
//! variables tell them apart from production.
//!
//! Emulators follow the vendors' documents and reproduced behaviour, quirks included; each file says where it guesses.
//! Nothing here waits for time to pass: tests push the clock ([`Sandbox::advance`]), make requests fail ([`Fault`]) and stop them
//! at a known place ([`Hold`], [`Latch`]).

mod sandbox;

mod service;

mod docker_identity;
mod hub;
mod issuer;
mod registry;
pub mod vault;
mod vault_minter;

mod control;
mod fault;
mod journal;
mod latch;
mod ledger;

mod clock;
mod core;
mod glob;
mod http1;
mod matcher;
mod message;
mod random;
mod server;
mod sync;

pub use self::clock::Clock;
pub use self::docker_identity::{AUDIENCE as DOCKER_IDENTITY_AUDIENCE, CONNECTION_ID, Connection, DockerIdentity};
pub use self::fault::{Action, Fault};
pub use self::hub::{ACCOUNT, Hub, ORGANIZATION, PASSWORD, TEST_TOTP_CODE};
pub use self::issuer::{CIRCLECI_ISSUER, GITHUB_ISSUER, Identity, Issuer, KUBERNETES_ISSUER, TokenBuilder};
pub use self::journal::{KnownSecret, LiveCredential, Logged};
pub use self::latch::{Hold, Latch};
pub use self::sandbox::Sandbox;
pub use self::sandbox::broker::BrokerLimits;
pub use self::service::Service;
