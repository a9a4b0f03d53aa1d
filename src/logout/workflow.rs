//! `logout --workflow`: identity token -> revoke what the workflow was given -> undo what this job has recorded.
//!
//! For what a cancelled or crashed job left behind. Its record is gone with its machine, so a later job of the same
//! workflow speaks for it, at a broker whose rule allows that. Such a job seldom has a record of its own; if it has,
//! it is undone afterwards, whatever the broker said, as every logout does it.
//!
//! Idempotent: no lease is success with one line. A failed revocation warns, and is an error with `--strict-revoke`
//! only; so is one that Docker Hub has not confirmed. Without an identity token nobody was asked, which is an error.

use hublease_protocol::oauth::LeasesResponse;
use serde::Serialize;

use crate::effect::{Effects, End, Output};
use crate::error::{Error, Stage};
use crate::lease::{LeaseRecord, Revocation, RevocationOutcome};
use crate::logout::{Told, end, records, shown};
use crate::plan::WorkflowLogout;
use crate::provider::workflow;

/// Revokes for the workflow, and logs this job out.
pub async fn logout(effects: Effects, plan: WorkflowLogout) -> End {
    let undo = effects.undoing();
    let ended = match workflow::revoke(&undo, &plan.revocation).await {
        Err(error) if error.problem().stage() == Stage::Identity => Err(error),
        asked => {
            say(&undo, &asked).await?;
            Ok(asked.ok())
        }
    };
    let undone = records(&undo, &plan.logout).await;
    let (answer, undone) = (ended?, undone?);
    if plan.logout.json {
        undo.output(Output::Report(report(answer, &undone.told))).await?;
    }
    let is_confirmed = answer.is_some_and(|answer| answer.confirmed == answer.leases);
    end(&plan.logout, undone.clean && is_confirmed)
}

/// One line, and for a failure what to do about it.
async fn say(undo: &Effects, asked: &Result<LeasesResponse, Error>) -> Result<(), Error> {
    match asked {
        Ok(answer) if answer.confirmed == answer.leases => undo.note(sentence(*answer)).await,
        Ok(answer) => undo.warn(sentence(*answer)).await,
        Err(error) => {
            undo.warn(failure(error)).await?;
            match error.hint() {
                "" => Ok(()),
                hint => undo.note(format!("hint: {hint}")).await,
            }
        }
    }
}

fn sentence(LeasesResponse { leases, confirmed }: LeasesResponse) -> String {
    let of_all = if leases == 1 { "1 lease".to_owned() } else { format!("{leases} leases") };
    match leases.saturating_sub(confirmed) {
        _ if leases == 0 => "no lease of this workflow was alive: nothing to revoke".to_owned(),
        0 => format!("{of_all} of this workflow: revoked and confirmed"),
        open => format!(
            "{of_all} of this workflow: {confirmed} revoked and confirmed, {open} requested, not confirmed (the broker \
             goes on without being asked again)"
        ),
    }
}

/// The parts of an error are printable already.
fn failure(error: &Error) -> String {
    format!("the leases of this workflow: not revoked, live until they expire, because {}", error.in_a_line())
}

/// The document of a logout, with one member more.
fn report(answer: Option<LeasesResponse>, told: &[(LeaseRecord, Revocation)]) -> String {
    #[derive(Serialize)]
    struct WorkflowReport<'a> {
        leases: Vec<Told<'a>>,
        workflow: Workflow,
    }

    #[derive(Serialize)]
    struct Workflow {
        confirmed: Option<u64>,
        leases: Option<u64>,
        outcome: &'static str,
    }

    let outcome = match answer {
        None => RevocationOutcome::NotRevoked(String::new()),
        Some(LeasesResponse { leases: 0, .. }) => RevocationOutcome::AlreadyOver,
        Some(LeasesResponse { leases, confirmed }) if leases == confirmed => RevocationOutcome::Confirmed,
        Some(_) => RevocationOutcome::Requested(""),
    };
    let (leases, confirmed) = answer.map(|answer| (answer.leases, answer.confirmed)).unzip();
    let workflow = Workflow { confirmed, leases, outcome: outcome.word() };
    serde_json::to_string(&WorkflowReport { leases: shown(told), workflow }).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use hublease_protocol::oauth::LeasesResponse;

    use super::sentence;

    #[test]
    fn one_line_says_how_many_leases_ended_how() {
        for (leases, confirmed, said) in [
            (0, 0, "no lease of this workflow was alive: nothing to revoke"),
            (1, 1, "1 lease of this workflow: revoked and confirmed"),
            (3, 3, "3 leases of this workflow: revoked and confirmed"),
            (
                3,
                1,
                "3 leases of this workflow: 1 revoked and confirmed, 2 requested, not confirmed (the broker goes on \
                 without being asked again)",
            ),
        ] {
            assert_eq!(sentence(LeasesResponse { leases, confirmed }), said);
        }
    }
}
