//! The private logins of one job stack in one directory: a later one is found where an earlier one is, and neither hides
//! the other. Each login has a hold on the directory, which keeps what it found beneath itself; so logouts undo in any order,
//! in the Action too, where no step sees another's record. The last one takes the directory away.

use hublease_protocol::secret::Secret;
use serde::{Deserialize, Serialize};

use crate::docker::change::{Change, change};
use crate::docker::config_file::Entry;
use crate::docker::look::look;
use crate::docker::private::{reason, sharing};
use crate::effect::Effects;
use crate::effect::docker::{Client, Config, Directory, HoldNote, Registry, Trouble};
use crate::error::Error;
use crate::record::{Hold, Kind, Record, RecordWriter};

/// What a login found in the file under one of its registries: another login of the job, or one that came along.
#[derive(Debug, Serialize, Deserialize)]
struct Beneath {
    registry: Registry,
    #[serde(with = "hublease_protocol::secret::on_the_wire")]
    entry: Secret,
}

/// A hold as it lies in the directory.
#[derive(Debug)]
struct Held {
    holder: String,
    beneath: Vec<Beneath>,
}

/// The private directory of this job that another login is in already: the one that the client is told of, or one of whose
/// login this job has a record.
pub(super) async fn shared(
    effects: &Effects,
    taken_over: Option<&str>,
    writer: &RecordWriter,
) -> Result<Option<String>, Error> {
    let owner = &writer.record.owner;
    if owner.kind != Kind::Login {
        return Ok(None);
    }
    let is_of_this_job = |other: &&Record| {
        owner.job.is_some()
            && other.owner.kind == Kind::Login
            && (&other.owner.job, &other.owner.directory) == (&owner.job, &owner.directory)
            && other.client == writer.record.client
    };
    let known = writer.older.iter().chain(&writer.others).filter(is_of_this_job);
    let known = || known.flat_map(|other| &other.private).last().map(|hold| hold.directory.as_str());
    let Some(id) = taken_over.or_else(known).map(str::to_owned) else { return Ok(None) };
    // One that went away is no failure of the login: another one is made.
    let client = Client::parse(&writer.record.client).unwrap_or(Client::Docker);
    let directory = Directory::Private(id.clone());
    let is_there = effects.config(Config::Holds { client, directory }).await?.is_ok();
    Ok(is_there.then_some(id))
}

/// Takes a hold on a directory that other logins are in, before the file is written.
pub(super) async fn join(
    effects: &Effects,
    client: Client,
    hold: &Hold,
    registries: &[Registry],
) -> Result<Result<String, Trouble>, Error> {
    let directory = Directory::Private(hold.directory.clone());
    let looked = look(effects, client, directory.clone(), registries.to_vec()).await?;
    let beneath = looked.registries.into_iter().filter_map(|found| {
        let (registry, entry) = (found.registry, found.entry?.raw?);
        Some(Beneath { registry, entry })
    });
    if let Err(trouble) = write(effects, client, hold, beneath.collect()).await? {
        return Ok(Err(trouble));
    }
    for registry in registries {
        if let Err(trouble) = change(effects, client, &directory, Change::Apart(*registry)).await? {
            return Ok(Err(trouble));
        }
    }
    Ok(Ok(looked.directory))
}

/// Notes a hold.
pub(super) async fn hold(effects: &Effects, client: Client, hold: &Hold) -> Result<Result<(), Trouble>, Error> {
    write(effects, client, hold, Vec::new()).await
}

async fn write(
    effects: &Effects,
    client: Client,
    hold: &Hold,
    beneath: Vec<Beneath>,
) -> Result<Result<(), Trouble>, Error> {
    for entry in beneath.iter().filter_map(|beneath| Entry::of(&beneath.entry)) {
        for secret in entry.secrets() {
            effects.mask(&secret).await?;
        }
    }
    let note = Secret::new(serde_json::to_string(&beneath).unwrap_or_default());
    let (directory, holder) = (Directory::Private(hold.directory.clone()), hold.holder.clone());
    let answer = effects.config(Config::Hold { client, directory, holder, note, sharing: sharing(client) }).await?;
    Ok(answer.map(|_| ()))
}

/// Takes one login out of a directory that others hold: what it found comes back, or goes to the login above it.
pub(super) async fn leave(
    effects: &Effects,
    client: Client,
    hold: &Hold,
    held: Vec<HoldNote>,
    record: &Record,
) -> Result<bool, Error> {
    let mut all: Vec<Held> = held.into_iter().map(|held| read(held.holder, &held.note)).collect();
    let own = all.iter().position(|held| held.holder == hold.holder).map(|at| all.remove(at));
    let mut found = own.map(|own| own.beneath).unwrap_or_default();
    let directory = Directory::Private(hold.directory.clone());
    let mut clean = true;
    for registry in record.owner.registries.iter().filter_map(|name| Registry::parse(name)) {
        let beneath = found.iter().position(|beneath| beneath.registry == registry).map(|at| found.remove(at));
        let looked = look(effects, client, directory.clone(), vec![registry]).await?;
        let entry = looked.registries.into_iter().next().and_then(|found| found.entry);
        let undone = if entry.as_ref().is_some_and(|entry| crate::docker::logout::is_ours(entry, record)) {
            let change_back = match &beneath {
                Some(beneath) => Change::Restore { registry, entry: &beneath.entry },
                None => Change::Erase(registry),
            };
            change(effects, client, &directory, change_back).await?
        } else {
            hand_up(effects, client, &hold.directory, &mut all, (registry, beneath), record).await?
        };
        if let Err(trouble) = undone {
            effects
                .warn(format!("{registry}: the credential is still in the private directory: {}", reason(&trouble)))
                .await?;
            clean = false;
        }
    }
    Ok(clean)
}

/// The login above keeps what this one found, instead of this one's.
async fn hand_up(
    effects: &Effects,
    client: Client,
    directory: &str,
    all: &mut [Held],
    (registry, beneath): (Registry, Option<Beneath>),
    record: &Record,
) -> Result<Result<(), Trouble>, Error> {
    let is_ours = |above: &Beneath| {
        above.registry == registry
            && Entry::of(&above.entry).is_some_and(|entry| crate::docker::logout::is_ours(&entry, record))
    };
    let Some(above) = all.iter_mut().find(|held| held.beneath.iter().any(is_ours)) else { return Ok(Ok(())) };
    above.beneath.retain(|beneath| !is_ours(beneath));
    above.beneath.extend(beneath);
    let hold = Hold { directory: directory.to_owned(), holder: above.holder.clone() };
    write(effects, client, &hold, std::mem::take(&mut above.beneath)).await
}

/// A note that cannot be read keeps nothing.
fn read(holder: String, note: &Secret) -> Held {
    Held { holder, beneath: serde_json::from_str(note.expose()).unwrap_or_default() }
}
