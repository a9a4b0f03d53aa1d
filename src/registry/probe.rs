//! `logout --probe-dead`: is the credential refused now?
//!
//! The record does not hold the credential, so it is taken from docker's own auth file before docker is logged out.
//! Docker's token server is asked for a token without any scope, as `docker login` does; 401 means dead. A registry
//! bearer that somebody already holds may live about five minutes longer, and no probe sees that.

use hublease_protocol::secret::Secret;
use serde_json::Value;

use crate::docker::look;
use crate::effect::Effects;
use crate::effect::docker::{Client, Directory, Registry};
use crate::error::Error;
use crate::record::Record;
use crate::registry::hub::{bearer, is_refusal};
use crate::registry::token::token_request;
use crate::request::{Server, unread};

/// A credential in the form of HTTP Basic, from the auth file.
#[derive(Debug)]
pub(crate) struct Probe(Secret);

/// Takes the credential out of the store, if it is there.
pub(crate) async fn prepare(effects: &Effects, record: &Record) -> Result<Option<Probe>, Error> {
    let directory = record.own_private().map_or(Directory::User, |hold| Directory::Private(hold.directory.clone()));
    let client = Client::parse(&record.client).unwrap_or(Client::Docker);
    let entry = match look(effects, client, directory, vec![Registry::Hub]).await {
        Ok(look) => look.registries.into_iter().next().and_then(|registry| registry.entry),
        Err(_) => None,
    };
    let auth = entry.and_then(|entry| entry.raw).and_then(|raw| {
        let entry: Value = serde_json::from_str(raw.expose()).ok()?;
        entry.get("auth").and_then(Value::as_str).map(Secret::new)
    });
    match auth {
        Some(auth) => {
            effects.mask(&auth).await?;
            Ok(Some(Probe(auth)))
        }
        None => {
            effects.warn("the credential is not probed: it is not in docker's auth file".to_owned()).await?;
            Ok(None)
        }
    }
}

/// Asks. True if the credential is dead.
pub(crate) async fn ask(effects: &Effects, probe: Probe) -> Result<bool, Error> {
    let answer = Server::new(effects, "auth.docker.io").send(token_request(Some(&probe.0), None)).await;
    let (line, dead) = match answer {
        Ok(response) if response.status == 401 && is_refusal(&response) => {
            ("probed: Docker Hub refuses the credential".to_owned(), true)
        }
        Ok(response) if response.status == 200 && bearer(&response).is_some() => {
            ("probed: Docker Hub still accepts the credential".to_owned(), false)
        }
        Ok(response) => (format!("not probed: the answer of auth.docker.io is {}", unread(&response)), false),
        Err(lost) => (format!("not probed: {}", lost.error.in_a_line()), false),
    };
    if dead {
        effects.note(line).await?;
    } else {
        effects.warn(line).await?;
    }
    Ok(dead)
}
