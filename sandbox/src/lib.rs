//! The sandbox.

pub mod vault;
