//! hublease

pub mod oauth;
pub mod scope;
