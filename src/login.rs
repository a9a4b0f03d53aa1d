//! The story: look -> identify -> exchange -> record -> docker login -> outputs.
//!
//! What can fail cheaply is found before anything is minted. From the exchange on, every failure goes back the way it
//! came: docker is logged out and the lease is revoked. A login that is repeated in the same job mints, logs in, and
//! then revokes the older lease; it never reuses one.

use std::path::Path;

use hublease_protocol::time::{span, utc};

use crate::docker::Docker;
use crate::effect::{Effects, End, LoggedIn, Output};
use crate::error::Error;
use crate::lease::{Lease, LeaseRecord};
use crate::plan::{Frontend, Job, Login};
use crate::provider::revocation::Revoker;
use crate::provider::{self};
use crate::record::{Kind, Owner, RecordWriter};
use crate::{docker, logout};

/// Logs in.
pub async fn login(effects: Effects, mut plan: Login) -> End {
    plan.exchange.identity.ready()?;
    docker::recognise(&effects, &mut plan.docker).await?;
    let swept = logout::sweep(&effects, &plan).await;
    logout::unless_failed(&effects.undoing(), swept).await?;
    let look = docker::survey(&effects, &plan.docker).await?;
    let owner = owner(&plan.job, &plan.docker, look.directory.clone(), Kind::Login);
    let mut writer = RecordWriter::open(&effects, owner, plan.docker.client.name()).await?;
    let ground = docker::decide(&effects, &plan.docker, &look, &mut writer).await?;

    match forward(&effects, &plan, &ground, &mut writer).await {
        Ok(()) => retire_older(&effects, &plan, &mut writer).await,
        Err((error, touched)) => {
            let taken_back = take_back(&effects.undoing(), &plan, &writer, touched).await;
            logout::unless_failed(&effects.undoing(), taken_back).await?;
            Err(error)
        }
    }
}

/// The part that something can be left of. The flag says whether docker was touched.
async fn forward(
    effects: &Effects,
    plan: &Login,
    ground: &docker::LoginTarget,
    writer: &mut RecordWriter,
) -> Result<(), (Error, bool)> {
    let lease = provider::exchange(effects, &plan.exchange, writer).await.map_err(|error| (error, false))?;
    let touched = |error| (error, true);
    docker::log_in(effects, &plan.docker, ground, &lease.credential, writer).await.map_err(touched)?;
    report(effects, plan, writer, &lease).await.map_err(touched)
}

/// To whom the record of this plan belongs.
pub(crate) fn owner(job: &Job, docker: &Docker, directory: String, kind: Kind) -> Owner {
    let registries = docker.registries.iter().map(|registry| registry.name().to_owned()).collect();
    Owner { job: job.key.clone(), registries, directory, kind }
}

/// Undoes what this login made, and leaves what was there before it, the older login's lease included.
pub(crate) async fn take_back(undo: &Effects, plan: &Login, writer: &RecordWriter, touched: bool) -> Result<(), Error> {
    if touched {
        // Only what this very login left: an older one that is still there stays.
        let mut mine = writer.record.clone();
        mine.leases = writer.unsettled().cloned().into_iter().collect();
        mine.private.retain(|hold| hold.holder == writer.record.id);
        mine.shared.retain(|login| login.holder == writer.record.id);
        docker::log_out(undo, &mine).await?;
    }
    let mut left = writer.record.clone();
    if let Some(note) = writer.unsettled() {
        let alive = logout::revoke(undo, &Revoker::of(&plan.exchange.provider), note).await?;
        left.leases.retain(|lease| lease != note);
        left.leases.extend(alive);
    }
    match &writer.older {
        // Docker still holds the older login, or nothing any more; either way `logout` can undo the older record.
        Some(older) if left.leases == older.leases => RecordWriter::from(older.clone()).write(undo).await,
        _ if left.leases.is_empty() => writer.erase(undo).await,
        _ => RecordWriter::from(left).write(undo).await,
    }
}

/// Revokes the leases that this login replaces.
async fn retire_older(effects: &Effects, plan: &Login, writer: &mut RecordWriter) -> End {
    let undo = effects.undoing();
    if writer.older.take().is_none() {
        return Ok(0);
    }
    if !writer.superseded().is_empty() {
        undo.note("the older login of this job is replaced".to_owned()).await?;
    }
    docker::supersede(&undo, plan.docker.client, &mut writer.record).await?;
    logout::retire(&undo, &Revoker::of(&plan.exchange.provider), writer).await?;
    Ok(0)
}

/// Tells who is logged in, where, and until when.
async fn report(effects: &Effects, plan: &Login, writer: &RecordWriter, lease: &Lease) -> Result<(), Error> {
    let path = docker::private_path(effects, &plan.docker, &writer.record).await?;
    let note = &lease.note;
    let logged_in = LoggedIn {
        text: sentence(plan, note),
        registries: plan.docker.registries.clone(),
        username: note.username.clone(),
        provider: note.provider.clone(),
        expires_at: note.expires_at.map(utc),
        revocable: note.is_revocable(),
        docker_config: path.clone(),
    };
    effects.output(Output::LoggedIn(logged_in)).await?;
    if let Some(path) = path {
        let client = plan.docker.client;
        let value = client.place(Path::new(&path)).display().to_string();
        effects.output(Output::Variable { client, value }).await?;
    }
    if plan.frontend == (Frontend::Action { expose_token: true }) {
        effects.output(Output::Credential(lease.credential.secret.clone())).await?;
    }
    Ok(())
}

fn sentence(plan: &Login, note: &LeaseRecord) -> String {
    let names: Vec<_> = plan.docker.registries.iter().map(|registry| registry.name()).collect();
    let end = match note.expires_at {
        Some(end) => format!("until {} ({})", utc(end), span(end.saturating_sub(note.issued_at))),
        None => "without a known end".to_owned(),
    };
    let way = match (note.is_revocable(), plan.frontend) {
        (false, _) => "it cannot be revoked",
        (true, Frontend::Program) => "`hublease logout` revokes it",
        (true, Frontend::Action { .. }) => "the post step revokes it",
    };
    format!("logged in to {} as {} by {}, {end}; {way}", names.join(" and "), note.username, note.provider)
}
