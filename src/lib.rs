//! A CI job that can prove who it is gets a Docker Hub credential that lives for minutes, hands it to `docker login`,
//! and revokes it afterwards.
//!
//! The story is told once, in [`login`], and undone by its mirror, [`logout`]; [`exec`] is both around a command. A
//! story is paused at every [`effect`], so that the same code runs natively, in scripted tests, and in a WASI module
//! that can do nothing but ask.
//!
//! ```text
//!  typed words --cli--> --plan--> what will be done
//!      who are we --identity--> identity token --provider--> lease --record--> docker login
//!  logout: record --> docker logout --> revoke, and say which of six things is true --> erase
//! ```
//!
//! Modules in reading order: the story ([`login`], [`logout`], [`exec`], [`token`], [`whoami`], [`check`]); how it is paused
//! ([`effect`]), also in the GitHub Action ([`action`]); what was typed and what it means ([`cli`], [`plan`]); who we are and who vouches ([`identity`],
//! [`provider`]); the docker side and the record ([`docker`], [`record`]); what the user is told when something fails
//! ([`error`]). The words that go over the wire are those of [`hublease_protocol`], which the broker shares.

pub mod check;
pub mod exec;
pub mod login;
pub mod logout;
pub mod token;
pub mod whoami;

pub mod action;
pub mod effect;

pub mod cli;
pub mod environment;
pub mod plan;

pub mod docker;
pub mod identity;
pub mod provider;
pub mod record;
mod registry;

pub mod error;
mod fingerprint;
pub mod image;
pub mod lease;
mod request;

#[cfg(feature = "native")]
pub mod native;

use effect::Session;
use plan::Plan;

/// The story of a plan, ready to be stepped.
pub fn session(plan: Plan) -> Session {
    match plan {
        Plan::Login(plan) => Session::start(|host| login::login(host, plan)),
        Plan::Logout(plan) => Session::start(|host| logout::logout(host, plan)),
        Plan::WorkflowLogout(plan) => Session::start(|host| logout::workflow::logout(host, plan)),
        Plan::Exec(plan) => Session::start(|host| exec::exec(host, plan)),
        Plan::Token(plan) => Session::start(|host| token::token(host, plan)),
        Plan::Whoami(plan) => Session::start(|host| whoami::whoami(host, plan)),
        Plan::Check(plan) => Session::start(|host| check::check(host, plan)),
    }
}
