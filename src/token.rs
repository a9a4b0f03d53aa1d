//! `token`: exchange only, for tools that take a credential themselves.
//!
//! The lease is recorded like any other, so that `logout` of the same job revokes it.

use hublease_protocol::secret::Secret;
use hublease_protocol::time::utc;
use serde_json::json;

use crate::effect::{Effects, End, Output};
use crate::error::Error;
use crate::lease::Lease;
use crate::logout;
use crate::plan::{Format, Token};
use crate::provider::revocation::Revoker;
use crate::provider::{self};
use crate::record::{Kind, Owner, RecordWriter};

/// Exchanges, and prints.
pub async fn token(effects: Effects, plan: Token) -> End {
    plan.exchange.identity.ready()?;
    let registries = plan.registries.iter().map(|registry| registry.name().to_owned()).collect();
    let owner = Owner { job: plan.job.key.clone(), registries, directory: String::new(), kind: Kind::Token };
    let mut writer = RecordWriter::open(&effects, owner, "none").await?;
    match forward(&effects, &plan, &mut writer).await {
        Ok(()) => Ok(0),
        Err(error) => {
            let undo = effects.undoing();
            let settled = logout::settle(&undo, &Revoker::of(&plan.exchange.provider), writer, true).await;
            logout::unless_failed(&undo, settled).await?;
            Err(error)
        }
    }
}

async fn forward(effects: &Effects, plan: &Token, writer: &mut RecordWriter) -> Result<(), Error> {
    let lease = provider::exchange(effects, &plan.exchange, writer).await?;
    effects.output(Output::Credential(printed(plan, &lease))).await
}

/// The three forms. Username and credential hold no control characters, which the exchange has checked.
fn printed(plan: &Token, lease: &Lease) -> Secret {
    let (username, secret) = (&lease.credential.username, lease.credential.secret.expose());
    let registries: Vec<_> = plan.registries.iter().map(|registry| registry.name()).collect();
    Secret::new(match plan.format {
        Format::Secret => secret.to_owned(),
        Format::Env => format!("DOCKERHUB_USERNAME={}\nDOCKERHUB_TOKEN={}", quoted(username), quoted(secret)),
        Format::Json => json!({
            "registries": registries,
            "username": username,
            "secret": secret,
            "provider": lease.note.provider,
            "expires_at": lease.note.expires_at.map(utc),
            "revocable": lease.note.is_revocable(),
        })
        .to_string(),
    })
}

/// A word that a POSIX shell takes as it is.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn a_quote_in_the_value_stays_in_the_word() {
        assert_eq!(quoted("a'b$(c)"), r"'a'\''b$(c)'");
    }
}
