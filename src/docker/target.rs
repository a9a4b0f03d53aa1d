//! Where a login goes: to the user's own directory, unless that would do harm to somebody's login there.

use hublease_protocol::printable::printable;

use crate::docker::look::{Look, RegistryLook, Store};
use crate::docker::previous::{is_ours, remember};
use crate::docker::{Docker, Isolation, marks, refused, stack};
use crate::effect::Effects;
use crate::effect::docker::{Client, Registry, Trouble};
use crate::error::{Error, Problem};
use crate::record::{Hold, Record, RecordWriter, SharedLogin};

/// What will be done for the login.
#[derive(Debug)]
pub struct LoginTarget {
    pub(super) place: Place,
    /// What docker's file gets first, so that docker picks no helper by itself.
    pub(super) seed: Vec<Registry>,
}

/// Where a login goes.
#[derive(Debug)]
pub(super) enum Place {
    /// The user's own directory.
    User,
    /// A private one, which may have others of the job in it.
    Private { hold: Hold, is_new: bool },
}

/// Decides where to log in, and notes in the record what has to come back.
///
/// # Errors
/// Stage docker: the login belongs into a directory that cannot be written. Stage record: there is no room in it.
pub async fn decide(
    effects: &Effects,
    plan: &Docker,
    look: &Look,
    writer: &mut RecordWriter,
) -> Result<LoginTarget, Error> {
    let target = match in_the_users(effects, plan, look, writer).await? {
        Some(target) => target,
        None => apart(effects, look, writer).await?,
    };
    writer.check_room()?;
    Ok(target)
}

/// A login in the user's own directory; none if it belongs into a private one, and it was said why.
async fn in_the_users(
    effects: &Effects,
    plan: &Docker,
    look: &Look,
    writer: &mut RecordWriter,
) -> Result<Option<LoginTarget>, Error> {
    refuse_before_a_helper(plan, look, writer.older.as_ref())?;
    if plan.isolation == Isolation::Yes {
        return Ok(None);
    }
    let variable = plan.client.variable();
    if look.taken_over.is_some() {
        effects
            .detail(format!("{variable} names the private directory of an earlier login, and this one joins it"))
            .await?;
        return Ok(None);
    }
    let apart = async |why: &str| effects.warn(format!("logging in to a private directory, because {why}")).await;
    let harm = |found| harm(plan.client, look, found, writer.older.as_ref());
    if let Some(why) = unreadable(plan.client, look).or_else(|| look.registries.iter().find_map(harm)) {
        return apart(&why).await.map(|()| None);
    }
    let marks = marks::of_others(effects, plan.client, look, writer).await?;
    if marks.is_shared {
        let keeper = plan.client.keeper();
        let why = format!("a job of another runner uses {keeper}'s file in {}", printable(&look.directory));
        return apart(&why).await.map(|()| None);
    }
    if let Some(why) = &look.unwritable {
        return Err(refused(&Trouble::Unusable(why.clone())));
    }
    let before = writer.record.clone();
    let (file, holder) = (look.file.clone(), writer.record.id.clone());
    writer.record.shared.push(SharedLogin { file, holder });
    for registry in &look.registries {
        remember(effects, registry, &marks.ended, writer).await?;
    }
    if !writer.has_room() && writer.record.earlier != before.earlier {
        writer.record = before;
        return apart("the login that is there is too large to be kept until the logout").await.map(|()| None);
    }
    let is_seeded = |found: &&RegistryLook| {
        let is_without_logins = plan.client == Client::Docker && look.is_without_logins && found.store == Store::File;
        is_without_logins || matches!(found.store, Store::SilentHelper { configured: false, .. })
    };
    let seed = look.registries.iter().filter(is_seeded).map(|found| found.registry).collect();
    Ok(Some(LoginTarget { place: Place::User, seed }))
}

/// A login in a private directory, which another login of the job may be in already.
async fn apart(effects: &Effects, look: &Look, writer: &mut RecordWriter) -> Result<LoginTarget, Error> {
    let holder = writer.record.id.clone();
    let shared = stack::shared(effects, look.taken_over.as_deref(), writer).await?;
    let hold = Hold { directory: shared.clone().unwrap_or_else(|| holder.clone()), holder };
    writer.record.private.push(hold.clone());
    let place = Place::Private { hold, is_new: shared.is_none() };
    Ok(LoginTarget { place, seed: Vec::new() })
}

/// A helper that the client asks before its file keeps whatever login is made, so a private directory keeps none from it.
fn refuse_before_a_helper(plan: &Docker, look: &Look, older: Option<&Record>) -> Result<(), Error> {
    let Some(helper) = &look.first_helper else { return Ok(()) };
    let is_free = |found: &RegistryLook| {
        matches!(found.store, Store::Helper { .. }) && (found.entry.is_none() || is_ours(found, older))
    };
    let is_private = plan.isolation == Isolation::Yes || look.taken_over.is_some();
    if is_private || !look.registries.iter().all(is_free) {
        return Err(Error::new(Problem::HelperFirst, helper));
    }
    Ok(())
}

/// What an entry that the client cannot read does to a login in the user's own directory.
fn unreadable(client: Client, look: &Look) -> Option<String> {
    let key = look.unreadable.as_deref().map(printable)?;
    Some(match client {
        Client::Docker => {
            format!("docker cannot read the login to {key} in config.json, and would lose others with it")
        }
        Client::None => format!("docker cannot read the login to {key} in config.json, and may not come to this one"),
        Client::Podman => format!("podman does not log in over the login to {key} that is in its file"),
    })
}

/// Why a login in the user's own directory would do harm.
fn harm(client: Client, look: &Look, registry: &RegistryLook, older: Option<&Record>) -> Option<String> {
    match &registry.store {
        Store::Helper { name } if client == Client::None => {
            let name = printable(name);
            Some(format!("docker asks the credential helper `{name}` and would not see what is written to the file"))
        }
        Store::SilentHelper { name, configured: true } => {
            Some(format!("the credential helper `{}` does not answer", printable(name)))
        }
        Store::Helper { name } if registry.entry.is_some() && !is_ours(registry, older) => {
            Some(format!("the credential helper `{}` holds another login to {}", printable(name), registry.registry))
        }
        Store::File | Store::SilentHelper { configured: false, .. } if look.exposed => {
            Some("other users can read docker's config.json".to_owned())
        }
        _ => None,
    }
}
