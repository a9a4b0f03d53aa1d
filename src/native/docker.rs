//! Docker's configuration directory and its programs: what is read, written and run.

pub(super) mod command;
pub(super) mod config;
pub(super) mod file;
mod hand_over;
pub(super) mod helper;
mod holds;
pub(super) mod places;
pub(super) mod private_directory;
mod registries_conf;
