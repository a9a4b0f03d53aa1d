//! The broker of hublease: a server that mints Docker Hub tokens for CI jobs which prove who they are.
//!
//! # Whom it trusts, in ten sentences
//! 1. The broker can read an account's password (from a file, a variable or Vault), because Docker Hub lets nothing else make
//!    tokens, and the tokens of a pool; whoever holds the broker's machine therefore holds them all.
//! 2. It believes an identity token only if one of its configured issuers signed it, with the one pinned algorithm, for the
//!    broker as the only audience (or CircleCI's default one, where the configuration accepts it), and within its time.
//! 3. It never learns an issuer from a token: the list is closed, and keys come over TLS from the issuer's own origin or from the
//!    address that the configuration pins.
//! 4. What a job may have is written in rules that compare named claims exactly, or by a pattern for the few that may have one;
//!    a missing claim, a claim of another type or a rule that does not speak of the job's project grants nothing.
//! 5. What is minted is what was asked, and ends by itself at Docker Hub, whether or not anything of the broker is still alive
//!    then; a token of a pool is only lent, and does not end.
//! 6. Personal access tokens cannot be limited to repositories by anyone, so a rule that issues them has to say that it knows.
//! 7. Whoever holds a revocation handle can end its lease and nothing else, and only the handle's hash is stored; a job can end
//!    its own leases by its identity, and its workflow's where the rules say `revoke_workflow`.
//! 8. `confirmed` is said after Docker Hub said that the token is gone, and never on the broker's own belief; of a token that
//!    an administrator made and that was only lent it is never said.
//! 9. No token, handle or password is logged; the audit log has the hash of each identity token, so that a leaked one can be
//!    found.
//! 10. Clients' text is bounded before it is read, and comes over TLS, to the broker or to a proxy that it trusts to name the
//!     client; remote text is never repeated, and the only ways out are the configured issuers, Docker Hub and a Vault that
//!     holds a password.
//!
//! # Reading order
//! [`leases`] holds the story, [`leases::exchange`], its mirror, [`leases::revoke`], and what cleans up after both. [`identity`] and
//! [`rules`] answer who asks, for what, and whether; [`account`] mints at Docker Hub ([`hublease_hub`]) or lends, with what
//! [`secret_source`] reads; [`journal`]
//! remembers; [`edge`] puts it on the network, where [`client_address`] says who calls and [`rate_limit`] how often he may;
//! [`observe`] is what the broker says of itself, and [`operator`] what its operator types. Only [`edge`] and `operator::serve`
//! know about tokio.

#[cfg(test)]
extern crate self as hublease_broker;

pub mod edge;
pub mod leases;
pub mod operator;

pub mod identity;
pub mod rules;

pub mod account;
pub mod journal;
mod outbound;
pub mod secret_file;
pub mod secret_source;

pub mod broker;
pub mod config;
pub mod limits;
pub mod observe;

pub mod client_address;
pub mod clock;
pub mod rate_limit;
pub mod refusal;
pub mod windows;

#[cfg(test)]
mod testing;
