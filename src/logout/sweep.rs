//! What jobs that ended without a logout have left, undone by a later login on the same machine.

use hublease_protocol::time::utc;

use crate::effect::Effects;
use crate::error::Error;
use crate::lease::SKEW;
use crate::logout::one;
use crate::plan::{Login, Logout};
use crate::record::{Kind, RecordStore};

/// How many logins one login sweeps up.
const MOST_SWEPT: usize = 4;

/// Undoes what jobs that ended without a logout have left on this machine, once their credentials have ended by themselves: the
/// oldest first, a few at a time. Where more than the clock has to say so, the server of this login is asked, and no other: what
/// was made elsewhere is kept, and named.
pub(crate) async fn sweep(effects: &Effects, plan: &Login) -> Result<(), Error> {
    let undo = effects.undoing();
    let mut records = RecordStore::read(&undo, None).await?.records;
    if records.is_empty() {
        return Ok(());
    }
    let now = undo.now().await?;
    // An older login of this very job is replaced by the new one.
    records.retain(|record| !(record.owner.kind == Kind::Login && record.owner.job == plan.job.key));
    let mut ended: Vec<_> =
        records.into_iter().filter_map(|record| Some((record.end()?, record))).filter(|(end, _)| *end <= now).collect();
    ended.sort_by_key(|(end, _)| *end);
    let swept = Logout::sweeping(plan);
    for (end, record) in ended.into_iter().take(MOST_SWEPT) {
        let at = utc(end.saturating_sub(SKEW));
        if let Some(elsewhere) = record.leases.iter().find_map(|lease| swept.revoker.elsewhere(lease)) {
            undo.note(format!(
                "the record of an earlier job is kept, whose credential ended at {at}: {elsewhere}; `hublease logout \
                 --all` undoes it there"
            ))
            .await?;
            continue;
        }
        undo.note(format!("an earlier job has not logged out, and its credential ended at {at}: undone now")).await?;
        one(&undo, &swept, record, &mut Vec::new()).await?;
    }
    Ok(())
}
