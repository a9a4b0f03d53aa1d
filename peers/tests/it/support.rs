//! What the tests of all peers use: the client as a job runs it, and what is known to go wrong.

pub mod auth_files;
pub mod behind;
pub mod broker;
pub mod brokers_image;
pub mod builder;
pub mod client;
pub mod compare;
pub mod kept;
pub mod known;
pub mod lease;
pub mod long_push;
pub mod page;
pub mod relay;
pub mod table;
