//! The native edge.
pub mod arguments;
