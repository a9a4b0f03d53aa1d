//! Marks: what a login of ours leaves beside the user's auth file while it is in there.
//!
//! Records lie where only the jobs of one runner see them, and several runners may have one home. So each login in the user's
//! own file has a hold on that directory, which tells every other runner that the entry is ours: it is never taken for a
//! person's, never put back, and while it may live, the others log in to private directories.

use hublease_protocol::secret::Secret;
use serde::{Deserialize, Serialize};

use crate::docker::look::Look;
use crate::effect::Effects;
use crate::effect::docker::{Client, Config, Directory, Found, HoldNote, Sharing, Trouble};
use crate::error::Error;
use crate::lease::SKEW;
use crate::record::{Record, RecordWriter, SharedLogin};

/// What a login notes.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Mark {
    /// Whose login: the job key; none outside CI.
    job: Option<String>,
    /// Tells the entry from others.
    mark: String,
    /// Seconds since 1970; none if nobody knows.
    expires_at: Option<u64>,
}

/// What the marks in a directory say.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// Whether a login of another runner is in the file, or about to be.
    pub(super) is_shared: bool,
    /// The marks of logins that have ended, and whose runner has not undone them: nothing to put back.
    pub(super) ended: Vec<String>,
}

/// Reads the marks of others, and takes away those that nobody will.
pub(super) async fn of_others(
    effects: &Effects,
    client: Client,
    look: &Look,
    writer: &RecordWriter,
) -> Result<Marks, Error> {
    let mut marks = Marks::default();
    let holds = match effects.config(Config::Holds { client, directory: Directory::User }).await? {
        Ok(Found::Holds(holds)) => holds,
        Ok(_) => return Err(Error::bug("holds that were not read")),
        // A file that cannot be reached is a matter of the login in it.
        Err(_) => return Ok(marks),
    };
    let foreign: Vec<_> = holds.into_iter().filter(|hold| !is_known(&hold.holder, writer)).collect();
    let now = if foreign.is_empty() { 0 } else { effects.now().await? };
    for HoldNote { holder, note } in foreign {
        // Of a note that cannot be read only this is known: somebody is there.
        let Ok(mark) = serde_json::from_str::<Mark>(note.expose()) else {
            marks.is_shared = true;
            continue;
        };
        if mark.job.is_some() && mark.job == writer.record.owner.job {
            continue;
        }
        if mark.has_ended(look, now) {
            release(effects, client, Directory::User, holder).await?;
            marks.ended.push(mark.mark);
        } else {
            marks.is_shared = true;
        }
    }
    Ok(marks)
}

impl Mark {
    /// Whether nothing can be done with the login any more. Where nobody knows its end, it lives while it is there.
    fn has_ended(&self, look: &Look, now: u64) -> bool {
        match self.expires_at {
            Some(end) => end.saturating_add(SKEW) <= now,
            None => {
                let mut entries = look.registries.iter().filter_map(|registry| registry.entry.as_ref());
                !entries.any(|entry| entry.mark().as_ref() == Some(&self.mark))
            }
        }
    }
}

/// Whether the login is of this job, or of one whose record lies beside this one's.
fn is_known(holder: &str, writer: &RecordWriter) -> bool {
    let mut records = [&writer.record].into_iter().chain(&writer.older).chain(&writer.others);
    records.any(|record| record.shared.iter().any(|login| login.holder == holder))
}

/// Leaves the mark of the login that this story makes, before it is made.
pub(super) async fn leave(
    effects: &Effects,
    client: Client,
    writer: &RecordWriter,
) -> Result<Result<(), Trouble>, Error> {
    let Some((mark, expires_at)) = writer.unsettled().and_then(|note| Some((note.mark.clone()?, note.expires_at)))
    else {
        return Ok(Ok(()));
    };
    let mark = Mark { job: writer.record.owner.job.clone(), mark, expires_at };
    let note = Secret::new(serde_json::to_string(&mark).unwrap_or_default());
    let (directory, holder) = (Directory::User, writer.record.id.clone());
    let hold = Config::Hold { client, directory, holder, note, sharing: Sharing::default() };
    Ok(effects.config(hold).await?.map(drop))
}

/// Whether the login with this mark is another one of ours in the same file.
pub(super) async fn is_marked(effects: &Effects, client: Client, own: &str, mark: &str) -> Result<bool, Error> {
    let Ok(Found::Holds(holds)) = effects.config(Config::Holds { client, directory: Directory::User }).await? else {
        return Ok(false);
    };
    let mut others = holds.iter().filter(|hold| hold.holder != own);
    Ok(others.any(|hold| serde_json::from_str::<Mark>(hold.note.expose()).is_ok_and(|other| other.mark == mark)))
}

/// Takes the marks of the logins away that this record's own has replaced in the same file.
pub(crate) async fn supersede(effects: &Effects, client: Client, record: &mut Record) -> Result<(), Error> {
    let Some(own) = record.shared.iter().find(|login| login.holder == record.id).cloned() else { return Ok(()) };
    let is_replaced = |login: &SharedLogin| login.file == own.file && login.holder != own.holder;
    for login in record.shared.extract_if(.., |login| is_replaced(login)) {
        release(effects, client, Directory::Recorded(login.file), login.holder).await?;
    }
    Ok(())
}

/// Takes the marks of a record's logins away, once none of them is in the file.
pub(super) async fn remove(effects: &Effects, client: Client, record: &Record) -> Result<(), Error> {
    for SharedLogin { file, holder } in &record.shared {
        release(effects, client, Directory::Recorded(file.clone()), holder.clone()).await?;
    }
    Ok(())
}

async fn release(effects: &Effects, client: Client, directory: Directory, holder: String) -> Result<(), Error> {
    let release = Config::Release { client, directory, holder, sharing: Sharing::default() };
    if let Err(trouble) = effects.config(release).await? {
        // It says of a login that is gone that it is not a person's, which does no harm.
        effects
            .detail(format!("the mark of the login stays: {}", crate::docker::refused(&trouble).in_a_line()))
            .await?;
    }
    Ok(())
}
