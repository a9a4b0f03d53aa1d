//! `exec`: login into a private directory, run a command with it, and revoke on every way out.
//!
//! The command's exit code wins. Signals that arrive while it runs are passed on and do not end our own story, which
//! goes on to revoke when the command has ended. With `--renew` a new lease is exchanged at 80 % of the life. The older one lives
//! to its own end or to the end of the command: clients read a login once, when they start, and one that is at work holds it.

use hublease_protocol::printable::printable;

use crate::effect::child::{Act, Seen};
use crate::effect::{Effects, End};
use crate::error::{Error, Problem};
use crate::lease::Lease;
use crate::plan::Exec;
use crate::provider::revocation::Revoker;
use crate::provider::{self};
use crate::record::{Kind, RecordWriter};
use crate::{docker, login, logout};

/// How many seconds pass after a failed renewal before the next one.
const RENEW_AGAIN: u64 = 30;

/// Runs a command with a login of its own.
pub async fn exec(effects: Effects, mut plan: Exec) -> End {
    let early = Error::before_the_command;
    plan.login.exchange.identity.ready().map_err(early)?;
    docker::recognise(&effects, &mut plan.login.docker).await.map_err(early)?;
    let look = docker::survey(&effects, &plan.login.docker).await.map_err(early)?;
    let owner = login::owner(&plan.login.job, &plan.login.docker, look.directory.clone(), Kind::Exec);
    let mut writer = RecordWriter::open(&effects, owner, plan.login.docker.client.name()).await.map_err(early)?;
    let ground = docker::decide(&effects, &plan.login.docker, &look, &mut writer).await.map_err(early)?;

    let ended = run(&effects, &plan, &ground, &mut writer).await;
    let cleaned = clean_up(&effects.undoing(), &plan, writer).await;
    let clean = logout::unless_failed(&effects.undoing(), cleaned).await?.unwrap_or(false);
    match ended? {
        0 if !clean && plan.strict => Err(Error::new(Problem::NotRevoked, "")),
        code => Ok(code),
    }
}

async fn run(effects: &Effects, plan: &Exec, ground: &docker::LoginTarget, writer: &mut RecordWriter) -> End {
    let early = Error::before_the_command;
    let lease = provider::exchange(effects, &plan.login.exchange, writer).await.map_err(early)?;
    docker::log_in(effects, &plan.login.docker, ground, &lease.credential, writer).await.map_err(early)?;
    start(effects, plan, writer).await?;
    let mut due = renewal(plan, &lease);
    loop {
        let seconds = seconds_until(effects, due).await?;
        if seconds == Some(0) {
            due = renew_or_warn(effects, plan, writer).await?;
            continue;
        }
        match effects.child(Act::Wait { seconds }).await? {
            Seen::Ended(code) => return Ok(code),
            Seen::Signal(signal) => {
                effects.child(Act::Forward { signal }).await?;
            }
            // The clock is asked again above.
            Seen::Deadline => {}
            Seen::Running | Seen::NotFound | Seen::Unusable(_) => {
                return Err(Error::bug("a command that is not waited for"));
            }
        }
    }
}

/// Renews, and says when the next renewal is due. A failure is a warning: the command still has its old login.
async fn renew_or_warn(effects: &Effects, plan: &Exec, writer: &mut RecordWriter) -> Result<Option<u64>, Error> {
    match renew(effects, plan, writer).await {
        Ok(renewed) => Ok(renewal(plan, &renewed)),
        Err(error) => {
            effects.warn(format!("not renewed: {error}")).await?;
            give_up_unsettled(&effects.undoing(), plan, writer).await?;
            // Every further login would make Docker Hub's lock longer.
            let is_locked = error.problem() == Problem::LoginLocked;
            Ok(if is_locked { None } else { Some(effects.now().await? + RENEW_AGAIN) })
        }
    }
}

async fn start(effects: &Effects, plan: &Exec, writer: &RecordWriter) -> Result<(), Error> {
    let program = plan.command.first().map(|program| printable(program)).unwrap_or_default();
    let (command, directory) = (plan.command.clone(), writer.record.id.clone());
    let act = Act::Start { command, directory, client: plan.login.docker.client };
    match effects.child(act).await.map_err(Error::before_the_command)? {
        Seen::Running => Ok(()),
        Seen::NotFound => Err(Error::new(Problem::CommandMissing, &program)),
        Seen::Unusable(why) => Err(Error::new(Problem::CommandUnusable, &program).because(&why)),
        _ => Err(Error::bug("a command that ended before it began")),
    }
}

/// When the lease is at 80 % of its life; none without `--renew` or without a known end.
fn renewal(plan: &Exec, lease: &Lease) -> Option<u64> {
    let expires_at = lease.note.expires_at.filter(|_| plan.renew)?;
    let life = expires_at.saturating_sub(lease.note.issued_at);
    // A provider that grants next to nothing is not asked more than once a second.
    Some(lease.note.issued_at.saturating_add((life.saturating_mul(4) / 5).max(1)))
}

/// How long to wait; none waits for ever.
async fn seconds_until(effects: &Effects, due: Option<u64>) -> Result<Option<u64>, Error> {
    match due {
        Some(due) => Ok(Some(due.saturating_sub(effects.now().await?))),
        None => Ok(None),
    }
}

/// A new login for whatever the command starts from now on. Of the older ones only those are taken back whose time has passed:
/// so at most two live at a time, since the next renewal is due after the older one's end.
async fn renew(effects: &Effects, plan: &Exec, writer: &mut RecordWriter) -> Result<Lease, Error> {
    writer.settle();
    let lease = provider::exchange(effects, &plan.login.exchange, writer).await?;
    docker::renew(effects, &plan.login.docker, &lease.credential, writer).await?;
    let undo = effects.undoing();
    logout::retire_ended(&undo, &Revoker::of(&plan.login.exchange.provider), writer).await?;
    Ok(lease)
}

/// A renewal that failed half-way leaves nothing alive.
async fn give_up_unsettled(undo: &Effects, plan: &Exec, writer: &mut RecordWriter) -> Result<(), Error> {
    if let Some(note) = writer.unsettled().cloned() {
        let left = logout::revoke(undo, &Revoker::of(&plan.login.exchange.provider), &note).await?;
        writer.record.leases.retain(|lease| *lease != note);
        writer.record.leases.extend(left);
        writer.write(undo).await?;
        writer.settle();
    }
    Ok(())
}

async fn clean_up(undo: &Effects, plan: &Exec, writer: RecordWriter) -> Result<bool, Error> {
    let clean = docker::log_out(undo, &writer.record).await?.clean;
    let told = logout::settle(undo, &Revoker::of(&plan.login.exchange.provider), writer, clean).await?;
    Ok(clean && !told.iter().any(|(_, revocation)| revocation.is_failure()))
}
