//! The broker as a whole: its rules, its accounts and its four ways to the outside (journal, audit, calls, time).

use std::collections::BTreeMap;

use hublease_hub::outbound::Outbound;
use hublease_protocol::hex;
use ring::rand::{SecureRandom, SystemRandom};

use crate::account::Account;
use crate::clock::Clock;
use crate::config::Config;
use crate::identity::verify::Verifier;
use crate::journal::Journal;
use crate::observe::audit::Audit;
use crate::observe::counter::{CounterFamily, CountingOutbound};
use crate::rate_limit::Limiter;
use crate::rules::Rule;

/// Everything that an exchange or a revocation needs. Shared by all requests.
pub struct Broker {
    /// The broker's own address: `iss` of its metadata and the audience that tokens must name.
    pub public_url: String,
    /// What tells this broker's tokens from another's, in their labels.
    pub instance: String,
    /// Who is asking?
    pub verifier: Verifier,
    /// May they?
    pub rules: Vec<Rule>,
    /// Who mints, by name.
    pub accounts: BTreeMap<String, Account>,
    /// How often they may.
    pub limiter: Limiter,
    /// How long leases that are over are kept, in seconds.
    pub keep: u64,
    /// What must not be forgotten.
    pub journal: Box<dyn Journal>,
    /// What is told to the operator.
    pub audit: Audit,
    /// The calls that went there.
    pub calls: CounterFamily<2>,
    /// The way out.
    pub outbound: Box<dyn Outbound>,
    /// The time.
    pub clock: Box<dyn Clock>,
}

impl Broker {
    /// Puts a broker together.
    #[must_use]
    pub fn new(
        config: Config,
        public_url: String,
        journal: Box<dyn Journal>,
        audit: Audit,
        outbound: Box<dyn Outbound>,
        clock: Box<dyn Clock>,
    ) -> Self {
        let (outbound, calls) = CountingOutbound::new(outbound);
        Self {
            verifier: Verifier::new(config.issuers, public_url.clone()),
            public_url,
            instance: config.instance,
            limiter: Limiter::new(&config.server.rates),
            keep: config.keep,
            rules: config.rules,
            accounts: config.accounts.into_iter().map(|account| (account.name.clone(), account)).collect(),
            journal,
            audit,
            calls,
            outbound: Box::new(outbound),
            clock,
        }
    }
}

impl Broker {
    /// How the labels of this broker's tokens begin; the lease's id follows.
    #[must_use]
    pub fn label_prefix(&self) -> String {
        format!("hublease/{}/", self.instance)
    }
}

/// Random bytes in hexadecimal; nothing when the system gives no randomness.
#[must_use]
pub fn random<const BYTES: usize>() -> Option<String> {
    let mut bytes = [0_u8; BYTES];
    SystemRandom::new().fill(&mut bytes).ok()?;
    Some(hex::lower(&bytes))
}
