//! What the tests of all peers use: the client as a job runs it, and what a run has to come to.

pub mod client;
pub mod compare;
pub mod kept;
pub mod relay;
pub mod right;
pub mod table;
