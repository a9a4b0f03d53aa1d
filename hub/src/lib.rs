//! Docker Hub's management API, as far as its tokens go, for whoever holds an account's password.
//!
//! Invariant: nothing here knows who asks for a token and why: no broker, no rule, no journal, no configuration. The password
//! comes from a [`password::PasswordSource`], the time as a number, and every call goes out through an [`outbound::Outbound`].
//!
//! - [`client`]: one account of Docker Hub: makes, lists and removes tokens, and knows how it fares
//! - `session`: its login, `spoken`: whether it was Docker Hub that refused, [`governor`]: how often Docker Hub is asked, by all accounts together
//! - [`token`]: the two kinds of tokens that are made, [`password`]: what can make them
//! - [`error`]: why Docker Hub did not do what was asked, [`account_error`]: why an account never can
//! - [`outbound`]: calls, and the one that performs them over the network
//! - [`purse`]: who pays for a call
//! - [`limits`]: every size, count and time, [`clock`]: times that lie ahead
//!
//! Follows Docker's Hub API reference (`POST /v2/auth/token`, `/v2/access-tokens`, `/v2/orgs/{name}/access-tokens`).

#[cfg(test)]
extern crate self as hublease_hub;

pub mod account_error;
pub mod client;
pub mod clock;
pub mod error;
pub mod governor;
pub mod limits;
pub mod outbound;
pub mod password;
pub mod purse;
mod session;
mod spoken;
pub mod token;

#[cfg(test)]
#[expect(dead_code, reason = "the broker's tests use the rest of it")]
mod testing;

/// The only Docker Hub there is.
pub const HUB: &str = "https://hub.docker.com";
