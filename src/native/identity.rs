//! Identity tokens that a program or a file gives.

pub(super) mod circleci;
pub(super) mod file;
