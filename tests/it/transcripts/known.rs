//! The values that a world is known to hold, and their names.

use hublease_sandbox::CONNECTION_ID;

use crate::support::{World, binary};

/// Each value and its name. The identifiers are the same in every run; they have names of their own so that two that change
/// places are seen, which as numbers of one form would look alike.
pub fn values(world: &World) -> Vec<(String, String)> {
    let identity = world.sandbox.issuer().identity();
    let identifiers = [
        (identity.organization_id, "<organization-id>"),
        (identity.project_id, "<project-id>"),
        (identity.user_id, "<user-id>"),
        (identity.pipeline_id, "<pipeline-id>"),
        (identity.pipeline_definition_id, "<pipeline-definition-id>"),
        (identity.workflow_id, "<workflow-id>"),
        (identity.job_id, "<job-id>"),
        (identity.context_ids.concat(), "<context-id>"),
        (identity.run_id, "<run-id>"),
        (CONNECTION_ID.to_owned(), "<connection-id>"),
    ];
    let places = [
        (world.path("").display().to_string().trim_end_matches('/').to_owned(), "<world>"),
        (world.sandbox.vault_url(), "<vault-address>"),
        (world.sandbox.proxy_url(), "<proxy-address>"),
    ];
    let mut values = vec![(format!("hublease-{}", world.uid()), "hublease-<uid>".to_owned())];
    values.extend(identifiers.into_iter().chain(places).map(|(value, name)| (value, name.to_owned())));
    let programs = binary("HUBLEASE_BIN").parent().map(|path| path.display().to_string());
    values.extend(programs.map(|path| (path, "<programs>".to_owned())));
    // What the record and the broker's journal know a credential by.
    values.extend(world.sandbox.live().into_iter().map(|live| (live.id, format!("<id of the {}>", live.kind))));
    values.extend(world.named_secrets().into_iter().map(|(value, name)| (value, format!("<{name}>"))));
    values
}
