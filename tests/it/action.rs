//! The GitHub Action: the real `main.mjs` and `post.mjs` under the Node of the runner, with the module that was built.

pub mod finished;
pub mod runner;

mod face;
mod foreign;
mod hostile;
mod network;
mod places;
mod post;
mod signals;
mod stacked;
mod start;
mod story;
mod way;
mod way_back;
mod whoami;
mod witness;

/// What a logout at Vault says when all went well.
pub const REVOKED: &str = "the credential of acmebot: revoked and confirmed\nthe Vault token: revoked and confirmed";
