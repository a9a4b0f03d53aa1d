//! `sys/health` and `sys/leases/lookup`.
//!
//! Follows Vault's `system/health` and `system/leases` documentation. Guessed: version and cluster name, which clients
//! only print.

use hublease_protocol::time::utc;
use serde_json::json;

use super::Vault;
use super::settings::Flavour;
use super::state::Engine;
use super::wire::{Call, Reply};

impl Vault {
    /// Answered by every node itself, sealed or standing by: 200 active, 429 standby, 503 sealed.
    pub(super) fn health(&self, request: &http::Request<Vec<u8>>) -> Result<Reply, Reply> {
        if !matches!(request.method().as_str(), "GET" | "HEAD") {
            return Err(Reply::errors(405, &[]));
        }
        let state = self.state();
        let standby = state.active_node.is_some();
        let status = match (state.sealed, standby) {
            (true, _) => 503,
            (false, true) => 429,
            (false, false) => 200,
        };
        if request.method() == http::Method::HEAD {
            return Ok(Reply::empty(status));
        }
        let version = match state.flavour {
            Flavour::Vault => "1.20.0",
            Flavour::OpenBao => "2.4.0",
        };
        let body = json!({
            "initialized": true,
            "sealed": state.sealed,
            "standby": standby,
            "performance_standby": false,
            "replication_performance_mode": "disabled",
            "replication_dr_mode": "disabled",
            "server_time_utc": self.now(),
            "version": version,
            "cluster_name": "hublease-sandbox",
        });
        Ok(Reply::json(status, body))
    }

    /// `POST sys/leases/lookup {"lease_id": ...}`; a lease that is gone is 400 `invalid lease`.
    pub(super) fn lookup_lease(&self, call: &Call) -> Result<Reply, Reply> {
        let lease_id = call.text("lease_id")?;
        if lease_id.is_empty() {
            return Err(Reply::error(400, "lease_id must be specified"));
        }
        let (lease, renewable, flavour) = {
            let state = self.state();
            let lease = state.leases.get(&lease_id).cloned().ok_or_else(|| Reply::error(400, "invalid lease"))?;
            let renewable = matches!(state.engines.get(&lease.mount), Some(Engine::Dynamic(_)));
            (lease, renewable, state.flavour)
        };
        let mut data = json!({
            "id": lease.id,
            "issue_time": utc(lease.issued_at),
            "expire_time": utc(lease.expires_at()),
            "last_renewal": null,
            "renewable": renewable,
            "ttl": lease.expires_at().saturating_sub(self.now()),
        });
        if flavour == Flavour::OpenBao {
            data["path"] = lease_id.rsplit_once('/').map_or("", |(path, _)| path).into();
        }
        Ok(Reply::success(json!({ "data": data })))
    }
}
