//! Response wrapping: who asks for it gets a token that stands for the answer.
//!
//! Follows Vault's documentation of response wrapping and what OpenBao answers: `data` and `auth` are null, `wrap_info` names the
//! token. The answer itself is kept nowhere, since nothing here unwraps.

use hublease_protocol::time::utc;
use serde_json::{Value, json};

use super::Vault;
use super::wire::{Call, Reply};
use crate::random;

impl Vault {
    /// What is answered instead of a success with a body.
    pub(super) fn wrapped(&self, call: &Call, reply: Reply) -> Reply {
        let Some(body) = reply.body.as_ref().filter(|_| reply.status == 200) else { return reply };
        let token = random::token("s.", 24);
        self.state().hand_out("wrapping token", &token);
        let mut info = json!({
            "token": token,
            "accessor": random::token("", 24),
            "ttl": WRAPPED_SECONDS,
            "creation_time": utc(self.now()),
            "creation_path": call.path,
        });
        if let Some(accessor) = body["auth"]["accessor"].as_str() {
            info["wrapped_accessor"] = Value::from(accessor);
        }
        Reply::success(json!({ "request_id": "", "wrap_info": info }))
    }
}

/// What every wrapping token lives, whatever was asked for.
const WRAPPED_SECONDS: u64 = 60;
