//! Everything that the server remembers, and how it is looked up. No request is judged here.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, Ipv4Addr};

use super::LiveItem;
use super::docker_hub::DockerHub;
use super::dynamic::DynamicEngine;
use super::key_value::KeyValue;
use super::lease::{Condition, Job, Lease};
use super::login::MountedJwt;
use super::policy::{self, Rule};
use super::settings::{Flavour, Queue};
use super::token::Token;

/// Both keys and prefixes are full paths: namespace, mount, trailing slash (`team/auth/jwt/`).
pub(super) struct VaultState {
    pub(super) flavour: Flavour,
    pub(super) queue_mode: Queue,
    pub(super) sealed: bool,
    /// The active node's origin, if this one stands by.
    pub(super) active_node: Option<String>,
    /// How many requests are still answered 412.
    pub(super) precondition_failures: u32,
    pub(super) require_request_header: bool,
    pub(super) namespaces: BTreeSet<String>,
    pub(super) policies: BTreeMap<(String, String), Vec<Rule>>,
    pub(super) jwt_mounts: BTreeMap<String, MountedJwt>,
    pub(super) engines: BTreeMap<String, Engine>,
    /// By id: the client token.
    pub(super) tokens: BTreeMap<String, Token>,
    /// By mount and alias, because one workload keeps its entity over logins.
    pub(super) entities: BTreeMap<(String, String), String>,
    /// Ids of those that an operator has disabled.
    pub(super) disabled_entities: BTreeSet<String>,
    /// Where requests seem to come from.
    pub(super) remote: IpAddr,
    pub(super) leases: BTreeMap<String, Lease>,
    pub(super) jobs: Vec<Job>,
    pub(super) handed_out: Vec<(String, String)>,
}

/// A secrets engine.
#[derive(Clone)]
pub(super) enum Engine {
    DockerHub(DockerHub),
    Dynamic(DynamicEngine),
    KeyValue(KeyValue),
}

impl VaultState {
    pub(super) fn new() -> Self {
        let default = (String::new(), policy::DEFAULT.to_owned());
        Self {
            flavour: Flavour::Vault,
            queue_mode: Queue::OnNextRequest,
            sealed: false,
            active_node: None,
            precondition_failures: 0,
            require_request_header: false,
            namespaces: BTreeSet::new(),
            policies: BTreeMap::from([(default, policy::default_rules())]),
            jwt_mounts: BTreeMap::new(),
            engines: BTreeMap::new(),
            tokens: BTreeMap::new(),
            entities: BTreeMap::new(),
            disabled_entities: BTreeSet::new(),
            remote: IpAddr::V4(Ipv4Addr::LOCALHOST),
            leases: BTreeMap::new(),
            jobs: Vec::new(),
            handed_out: Vec::new(),
        }
    }

    /// Splits a full path at the longest namespace that it starts with.
    pub(super) fn split_namespace<'path>(&self, full_path: &'path str) -> (&'path str, &'path str) {
        let length = self
            .namespaces
            .iter()
            .filter(|namespace| full_path.starts_with(namespace.as_str()))
            .map(String::len)
            .max()
            .unwrap_or(0);
        full_path.split_at(length)
    }

    /// The JWT mount that `full_path` is below, and the rest of the path.
    pub(super) fn jwt_mount<'path>(&self, full_path: &'path str) -> Option<(String, &'path str, &MountedJwt)> {
        longest_prefix(&self.jwt_mounts, full_path)
    }

    /// The engine that `full_path` is below, and the rest of the path.
    pub(super) fn engine<'path>(&self, full_path: &'path str) -> Option<(String, &'path str, &Engine)> {
        longest_prefix(&self.engines, full_path)
    }

    /// Whether a request may come from where it comes from.
    pub(super) fn admits(&self, bound_cidrs: &[String]) -> bool {
        bound_cidrs.is_empty() || bound_cidrs.iter().any(|cidr| contains(cidr, self.remote))
    }

    /// Whether a living token may be used here and now.
    pub(super) fn may_be_used(&self, token: &Token) -> bool {
        self.admits(&token.bound_cidrs) && !self.disabled_entities.contains(&token.entity_id)
    }

    /// Remembers a secret that is about to leave.
    pub(super) fn hand_out(&mut self, name: impl Into<String>, value: &str) {
        self.handed_out.push((name.into(), value.to_owned()));
    }

    pub(super) fn live(&self, now: u64) -> Vec<LiveItem> {
        let tokens = self.tokens.values().filter(|token| token.expires_at() > now).map(|token| LiveItem {
            kind: "token",
            id: if token.accessor.is_empty() { token.id.clone() } else { token.accessor.clone() },
        });
        let leases = self.leases.values().map(|lease| LiveItem {
            kind: match lease.condition {
                Condition::Revocable => "lease",
                Condition::Irrevocable => "irrevocable lease",
            },
            id: lease.id.clone(),
        });
        let mut items: Vec<_> = tokens.chain(leases).collect();
        items.sort();
        items
    }
}

/// Whether an address is in a block, such as `10.0.0.0/8`, or is the one address that is written without bits.
fn contains(cidr: &str, address: IpAddr) -> bool {
    let (block, bits) = cidr.split_once('/').map_or((cidr, None), |(block, bits)| (block, bits.parse::<u32>().ok()));
    match (block.parse(), address) {
        (Ok(IpAddr::V4(block)), IpAddr::V4(address)) => {
            same(u32::from(block).into(), u32::from(address).into(), 32, bits)
        }
        (Ok(IpAddr::V6(block)), IpAddr::V6(address)) => same(block.into(), address.into(), 128, bits),
        _ => false,
    }
}

fn same(block: u128, address: u128, width: u32, bits: Option<u32>) -> bool {
    let rest = width - bits.unwrap_or(width).min(width);
    block.checked_shr(rest) == address.checked_shr(rest)
}

fn longest_prefix<'map, 'path, Mount>(
    mounts: &'map BTreeMap<String, Mount>,
    full_path: &'path str,
) -> Option<(String, &'path str, &'map Mount)> {
    mounts
        .iter()
        .filter_map(|(prefix, mount)| Some((prefix, full_path.strip_prefix(prefix.as_str())?, mount)))
        .max_by_key(|(prefix, _, _)| prefix.len())
        .map(|(prefix, rest, mount)| (prefix.clone(), rest, mount))
}
