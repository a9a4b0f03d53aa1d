//! `hublease-sandbox`.
fn main() {}
