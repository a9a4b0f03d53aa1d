//! The calls to Docker Hub by whoever makes the broker need them: a job, its project and its rule, whether or not they succeed.
//!
//! Docker Hub counts all of the broker's calls together, so what one project wastes is missing everywhere. While others ask, a
//! project or a rule has half of what mints may have of Docker Hub's window; alone it leaves a part for whoever comes next.

use hublease_hub::purse::Purse;

use crate::limits::{HUB_CALLS_PER_JOB, SHARE_ALONE, SHARE_AMONG_OTHERS, SHARE_OF};
use crate::windows::{FixedWindows, Over};

/// Who makes the broker call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payer {
    /// The job.
    pub job: String,
    /// Its issuer, and its project's id there.
    pub project: (String, Option<String>),
    /// The rule that grants.
    pub rule: String,
}

/// What was spent in this minute.
#[derive(Default)]
pub(super) struct HubCalls {
    jobs: FixedWindows<String>,
    projects: FixedWindows<(String, Option<String>)>,
    rules: FixedWindows<String>,
}

/// What a payer may still spend.
pub struct HubPurse<'a> {
    pub(super) spent: &'a HubCalls,
    pub(super) payer: Payer,
}

impl Purse for HubPurse<'_> {
    fn pay(&self, window: Option<u64>, now: u64) -> Result<(), u64> {
        let Self { spent, payer } = self;
        let share = |has_others| window.map_or(u64::MAX, |window| share(window, has_others));
        let project = share(spent.projects.has_others(&payer.project, now));
        let rule = share(spent.rules.has_others(&payer.rule, now));
        let seconds = |over: Over| over.seconds;
        spent.projects.room(&[(payer.project.clone(), project)], now).map_err(seconds)?;
        spent.rules.room(&[(payer.rule.clone(), rule)], now).map_err(seconds)?;
        spent.jobs.count(&[(payer.job.clone(), HUB_CALLS_PER_JOB)], now).map_err(seconds)?;
        spent.projects.note(&payer.project, now);
        spent.rules.note(&payer.rule, now);
        Ok(())
    }
}

/// So many calls of a window; never so few that one login could not be had.
fn share(window: u64, has_others: bool) -> u64 {
    let parts = if has_others { SHARE_AMONG_OTHERS } else { SHARE_ALONE };
    (window * parts / SHARE_OF).max(SHARE_OF)
}
