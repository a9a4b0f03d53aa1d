//! Programs: where they are found, what of the environment they see, how they run and how they end.

pub(super) mod capped;
pub(super) mod exec;
pub(super) mod once;
pub(super) mod programs;
pub(super) mod supervised;
