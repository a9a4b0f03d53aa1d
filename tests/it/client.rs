//! The program `hublease`: each command, each provider, and what the world around it does to it.

mod answers;
pub mod check;
mod ci_identity;
mod commands;
mod dialect;
pub mod docker_traps;
mod dry_run;
mod exec;
mod faults;
mod flags;
pub mod foreign;
mod hostile;
mod identity;
mod isolated;
mod kill;
mod latches;
pub mod network;
mod planted;
pub mod registry;
mod revocation;
mod spellings;
mod story;
mod streams;
mod token;
mod vault;
mod whoami;
pub mod workflow;
