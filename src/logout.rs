//! The mirror of the story: read record -> docker logout -> revoke -> erase record.
//!
//! Idempotent: nothing to do, already over and already revoked are success with one line each. Everything here is an
//! undo effect, so one signal does not stop it; a failed revocation warns, and is an error with `--strict-revoke` only.

mod sweep;
pub mod workflow;

use std::collections::BTreeMap;

use hublease_protocol::printable::printable;
use hublease_protocol::time::utc;
use serde::Serialize;

pub(crate) use self::sweep::sweep;
use crate::docker;
use crate::effect::docker::Client;
use crate::effect::{Effects, End, Output};
use crate::error::{Error, Problem};
use crate::lease::{Handle, LeaseRecord, Revocation, RevocationOutcome};
use crate::plan::Logout;
use crate::provider::revocation::Revoker;
use crate::record::{Kind, Record, RecordStore, RecordWriter};
use crate::registry::probe;

/// How many names a line tells.
const NAMES: usize = 3;

/// Logs out.
pub async fn logout(effects: Effects, mut plan: Logout) -> End {
    let undo = effects.undoing();
    let undone = records(&undo, &plan).await?;
    report(&undo, &plan, &undone.told).await?;
    match plan.refusal.take() {
        Some(error) => Err(error),
        None => end(&plan, undone.clean),
    }
}

/// What came of the records.
struct Undone {
    /// Every lease that was looked at.
    told: Vec<(LeaseRecord, Revocation)>,
    /// Whether all of it was undone.
    clean: bool,
}

/// Undoes the records that the plan selects.
async fn records(undo: &Effects, plan: &Logout) -> Result<Undone, Error> {
    let shelf = RecordStore::read(undo, None).await?;
    let mut undone = Undone { told: Vec::new(), clean: shelf.foreign.is_empty() };
    for line in left_alone(&shelf.foreign) {
        undo.warn(line).await?;
    }
    for record in select(undo, plan, shelf.records).await? {
        undone.clean &= one(undo, plan, record, &mut undone.told).await?;
    }
    Ok(undone)
}

/// A line for each reason, with the first names; a file name has 64 digits.
fn left_alone(foreign: &[(String, String)]) -> Vec<String> {
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (file, why) in foreign {
        reasons.entry(why).or_default().push(file);
    }
    let line = |(why, files): (&str, Vec<&str>)| {
        let names = files.iter().take(NAMES).copied().collect::<Vec<_>>().join(", ");
        let (names, why) = (printable(&names), printable(why));
        match files.len() {
            1 => format!("the record {names} is left alone: {why}"),
            number if number <= NAMES => format!("the records {names} are left alone: {why}"),
            number => format!("the records {names} and {} more are left alone: {why}", number - NAMES),
        }
    };
    reasons.into_iter().map(line).collect()
}

fn end(plan: &Logout, clean: bool) -> End {
    if clean || !plan.strict { Ok(0) } else { Err(Error::new(Problem::NotRevoked, "")) }
}

/// Undoes one record, and keeps of it what still lives.
async fn one(
    undo: &Effects,
    plan: &Logout,
    record: Record,
    told: &mut Vec<(LeaseRecord, Revocation)>,
) -> Result<bool, Error> {
    let probe = if plan.probe { probe::prepare(undo, &record).await? } else { None };
    let client = Client::parse(&record.client).unwrap_or(Client::Docker);
    let shared_by_steps = record.owner.kind == Kind::Login && !record.private.is_empty();
    // Asked first: a later step has the private directory in the client's variable, and while it is there it leads to the
    // user's own, which that step gets back.
    let user = if shared_by_steps { Some(docker::look_beside(undo, client).await?.variable) } else { None };
    let (mut clean, mut held) = (true, false);
    if record.owner.kind != Kind::Token {
        let logged_out = docker::log_out(undo, &record).await?;
        (clean, held) = (logged_out.clean, logged_out.held);
    }
    if let Some(value) = user.filter(|_| !held) {
        undo.output(Output::Variable { client, value }).await?;
    }
    let revocations = settle(undo, &plan.revoker, RecordWriter::from(record), clean).await?;
    clean &= !revocations.iter().any(|(_, revocation)| revocation.is_failure());
    told.extend(revocations);
    if let Some(probe) = probe {
        clean &= probe::ask(undo, probe).await?;
    }
    Ok(clean)
}

/// Revokes every lease of a record and says how each ended. The record is erased when nothing of it is left to do:
/// no lease lives, and docker is as it was (`docker_undone`). What has ended is written down before the next thing is tried,
/// so that a logout that is killed is finished by the next one.
pub(crate) async fn settle(
    undo: &Effects,
    revoker: &Revoker,
    mut writer: RecordWriter,
    docker_undone: bool,
) -> Result<Vec<(LeaseRecord, Revocation)>, Error> {
    let mut told = Vec::new();
    for at in 0..writer.record.leases.len() {
        let note = writer.record.leases[at].clone();
        let credential = revoker.revoke_credential(undo, &note).await?;
        if let Some(next) = revoker.next(undo, &note, credential.as_ref()).await? {
            writer.record.leases[at] = next;
            writer.write(undo).await?;
        }
        let revocation = finish(undo, revoker, &note, credential).await?;
        writer.record.leases[at] = note.after(&revocation);
        told.push((note, revocation));
    }
    if docker_undone {
        writer.record.leases.retain(|note| note.handle != Handle::Settled);
    }
    // The notes also tell which entry in docker's store is ours.
    if writer.record.leases.is_empty() && docker_undone {
        writer.erase(undo).await?;
    } else {
        writer.write(undo).await?;
    }
    Ok(told)
}

/// Revokes the leases that the last one of the story replaces, and keeps of them what still lives.
pub(crate) async fn retire(undo: &Effects, revoker: &Revoker, writer: &mut RecordWriter) -> Result<(), Error> {
    let mut alive = Vec::new();
    for note in writer.superseded() {
        alive.extend(revoke(undo, revoker, &note).await?);
    }
    writer.retain(undo, alive).await
}

/// The same for those of them whose time has passed: whoever still holds one can do nothing with it.
pub(crate) async fn retire_ended(undo: &Effects, revoker: &Revoker, writer: &mut RecordWriter) -> Result<(), Error> {
    let now = undo.now().await?;
    let mut kept = Vec::new();
    for note in writer.superseded() {
        if note.is_over(now) {
            kept.extend(revoke(undo, revoker, &note).await?);
        } else {
            kept.push(note);
        }
    }
    writer.retain(undo, kept).await
}

/// Revokes what one login made, says how that ended, and gives what is left to be tried again.
pub(crate) async fn revoke(
    undo: &Effects,
    revoker: &Revoker,
    note: &LeaseRecord,
) -> Result<Option<LeaseRecord>, Error> {
    let credential = revoker.revoke_credential(undo, note).await?;
    let revocation = finish(undo, revoker, note, credential).await?;
    Ok(revocation.is_failure().then(|| note.after(&revocation)))
}

/// Ends what made the credential, and says of each part how it ended.
async fn finish(
    undo: &Effects,
    revoker: &Revoker,
    note: &LeaseRecord,
    credential: Option<RevocationOutcome>,
) -> Result<Revocation, Error> {
    let revocation = revoker.finish(undo, note, credential).await?;
    for (is_failure, line) in revocation.lines(note) {
        if is_failure {
            undo.warn(line).await?;
        } else {
            undo.note(line).await?;
        }
    }
    Ok(revocation)
}

/// The result of cleaning up after something that has an end of its own: a failure is said, and does not replace it.
pub(crate) async fn unless_failed<T>(undo: &Effects, cleaned: Result<T, Error>) -> Result<Option<T>, Error> {
    match cleaned {
        Ok(result) => Ok(Some(result)),
        Err(error) => {
            undo.warn(format!("not everything could be undone: {}", error.in_a_line())).await?;
            Ok(None)
        }
    }
}

/// This job's records; outside CI this configuration directory's.
async fn select(effects: &Effects, plan: &Logout, records: Vec<Record>) -> Result<Vec<Record>, Error> {
    if plan.all || records.is_empty() {
        return Ok(records);
    }
    if plan.job.key.is_some() {
        return Ok(records.into_iter().filter(|record| record.owner.job == plan.job.key).collect());
    }
    let mut selected = Vec::new();
    for record in records.into_iter().filter(|record| record.owner.job.is_none()) {
        let client = Client::parse(&record.client).unwrap_or(Client::Docker);
        let here = docker::look_beside(effects, client).await?.directory;
        if record.owner.directory == here || record.owner.directory.is_empty() {
            selected.push(record);
        }
    }
    Ok(selected)
}

async fn report(effects: &Effects, plan: &Logout, told: &[(LeaseRecord, Revocation)]) -> Result<(), Error> {
    #[derive(Serialize)]
    struct LogoutReport<'a> {
        leases: Vec<Told<'a>>,
    }

    if plan.json {
        let report = LogoutReport { leases: shown(told) };
        return effects.output(Output::Report(serde_json::to_string(&report).unwrap_or_default())).await;
    }
    if told.is_empty() && plan.refusal.is_none() {
        effects.note("nothing to undo here".to_owned()).await?;
    }
    Ok(())
}

/// What one login made, in JSON.
#[derive(Serialize)]
struct Told<'a> {
    cause: Option<&'a str>,
    credential: Option<ToldPart<'a>>,
    expires_at: Option<String>,
    outcome: &'static str,
    provider: &'a str,
    username: &'a str,
    vault_token: Option<ToldPart<'a>>,
}

/// One part of it.
#[derive(Serialize)]
struct ToldPart<'a> {
    cause: Option<&'a str>,
    outcome: &'static str,
}

impl<'a> ToldPart<'a> {
    fn of(outcome: &'a RevocationOutcome) -> Self {
        Self { cause: outcome.cause(), outcome: outcome.word() }
    }
}

fn shown(told: &[(LeaseRecord, Revocation)]) -> Vec<Told<'_>> {
    let shown = told.iter().map(|(note, revocation)| Told {
        cause: revocation.worst().cause(),
        credential: revocation.credential.as_ref().map(ToldPart::of),
        expires_at: note.expires_at.map(utc),
        outcome: revocation.worst().word(),
        provider: &note.provider,
        username: &note.username,
        vault_token: revocation.vault_token.as_ref().map(ToldPart::of),
    });
    shown.collect()
}
