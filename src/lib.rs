//! hublease
