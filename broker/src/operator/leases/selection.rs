//! Which leases are meant: the filters that the operator types.

use std::io::Read;
use std::time::UNIX_EPOCH;

use clap::{Arg, ArgAction, ArgMatches, Command};
use hublease_protocol::secret::Secret;
use serde_json::Value;

use crate::config::Config;
use crate::identity::claims;
use crate::journal::{Journal, Lease, Selection};
use crate::limits::MAX_SECRET_BYTES;
use crate::operator::CommandError;

/// The length of a SHA-256 in hexadecimal.
const SHA256_DIGITS: usize = 64;

/// What narrows both a list and a revocation.
const FILTERS: [(&str, &str, &str); 6] = [
    ("project", "ID", "Of this project's jobs, by the id that the issuer gives it"),
    ("account", "NAME", "Issued from this account"),
    ("job", "JOB", "Of this job: as `leases show` has it, or its id together with --project"),
    ("workflow", "WORKFLOW", "Of this workflow: as `leases show` has it, or its id together with --project"),
    ("token-sha256", "HASH", "Given for the identity token with this SHA-256, as the audit log has it"),
    ("credential-sha256", "HASH", "Holding the credential with this SHA-256, as the audit log has it"),
];

/// Adds the filters.
pub(super) fn with_filters(mut command: Command) -> Command {
    let rule = Arg::new("rule").long("rule").value_name("NAME").action(ArgAction::Append);
    command = command.arg(rule.help("Granted by this rule; may be repeated, and any of them is meant"));
    for (name, value, help) in FILTERS {
        command = command.arg(Arg::new(name).long(name).value_name(value).help(help));
    }
    command = command.arg(
        Arg::new("credential")
            .long("credential")
            .value_name("-")
            .value_parser(["-"])
            .conflicts_with("credential-sha256")
            .help("Holding the credential on standard input, such as a `dckr_oat_` that a scanner has found"),
    );
    command.arg(
        Arg::new("pool-token").long("pool-token").value_name("ID").help("Holding the token of this id at Docker Hub"),
    )
}

/// Whether any filter was typed.
pub(super) fn is_narrowed(matches: &ArgMatches) -> bool {
    let has = |name: &str| matches.contains_id(name);
    has("rule") || has("pool-token") || has("credential") || FILTERS.iter().any(|(name, _, _)| has(name))
}

/// What the filters mean. A bare job or workflow id may be of any of the configured issuers, hence several selections; no lease is
/// in two of them.
pub(super) fn selections(matches: &ArgMatches, config: &Config) -> Result<Vec<Selection>, CommandError> {
    let text = |name: &str| matches.get_one::<String>(name).cloned();
    let rules: Option<Vec<String>> = matches.get_many("rule").map(|rules| rules.cloned().collect());
    let hash = |name: &str| text(name).map(|hash| sha256(name, &hash)).transpose();
    let token_sha256 = hash("token-sha256")?;
    let credential_sha256 = match text("credential") {
        Some(_) => Some(hash_of_input(&mut std::io::stdin().lock())?),
        None => hash("credential-sha256")?,
    };
    let one = Selection {
        rules,
        account: text("account"),
        project: text("project"),
        token_sha256,
        credential_sha256,
        hub_id: text("pool-token"),
        ..Selection::default()
    };
    let [job, workflow] = ["job", "workflow"].map(|name| match text(name) {
        None => Ok(Written::Not),
        Some(text) => written(name, text, one.project.is_some()),
    });
    let (job, workflow) = (job?, workflow?);
    if !matches!(job, Written::Bare(_)) && !matches!(workflow, Written::Bare(_)) {
        return Ok(vec![Selection { job: job.of("", ""), workflow: workflow.of("", ""), ..one }]);
    }
    let project = one.project.clone().unwrap_or_default();
    let of_issuer =
        |url: &str| Selection { job: job.of(url, &project), workflow: workflow.of(url, &project), ..one.clone() };
    Ok(config.issuers.iter().map(|issuer| of_issuer(&issuer.url)).collect())
}

/// A hash as the journal has it. Half of one, or the token itself, would only be found nowhere.
fn sha256(name: &str, text: &str) -> Result<String, CommandError> {
    if text.len() == SHA256_DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(CommandError::of(2, format!("`--{name}` is a SHA-256 in 64 hexadecimal digits")))
    }
}

/// The hash of a credential that is given to be looked for, without the white space around it.
fn hash_of_input(input: &mut dyn Read) -> Result<String, CommandError> {
    let mut text = String::new();
    let read = input.take(MAX_SECRET_BYTES).read_to_string(&mut text);
    let credential = Secret::new(text);
    match read {
        Ok(_) if !credential.expose().trim().is_empty() => Ok(claims::sha256(credential.expose().trim().as_bytes())),
        _ => Err(CommandError::of(2, "standard input holds no credential")),
    }
}

/// How a job or a workflow was written.
enum Written {
    Not,
    /// Issuer, project and id, as the journal has it.
    Canonical(String),
    /// The id alone; GitHub's job has three of them, separated by spaces.
    Bare(String),
}

fn written(name: &str, text: String, has_project: bool) -> Result<Written, CommandError> {
    match (text.starts_with('['), has_project) {
        (true, _) => Ok(Written::Canonical(text)),
        (false, true) => Ok(Written::Bare(text)),
        (false, false) => Err(CommandError::of(
            2,
            format!("`--{name}` with an id alone needs `--project`: ids are unique within a project only"),
        )),
    }
}

impl Written {
    fn of(&self, issuer: &str, project: &str) -> Option<String> {
        match self {
            Self::Not => None,
            Self::Canonical(text) => Some(text.clone()),
            Self::Bare(ids) => {
                let values: Vec<&str> = [issuer, project].into_iter().chain(ids.split_whitespace()).collect();
                Some(Value::from(values).to_string())
            }
        }
    }
}

/// The leases of all the selections, the newest first, each once.
pub(super) fn select(journal: &dyn Journal, selections: &[Selection]) -> Result<Vec<Lease>, CommandError> {
    let mut leases = Vec::new();
    for selection in selections {
        leases.extend(journal.select(selection)?);
    }
    if selections.len() > 1 {
        leases.sort_by(|one, other| other.created_at.cmp(&one.created_at).then_with(|| one.id.cmp(&other.id)));
        leases.dedup_by(|one, other| one.id == other.id);
    }
    Ok(leases)
}

/// RFC 3339 in UTC, with or without its `T` and `Z`, or seconds since 1970.
pub(super) fn time(text: &str) -> Result<u64, CommandError> {
    if let Ok(seconds) = text.parse() {
        return Ok(seconds);
    }
    let time = humantime::parse_rfc3339_weak(text).ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    time.map(|since| since.as_secs()).ok_or_else(|| {
        CommandError::of(2, "a time is written as `2026-11-20T19:30:00Z`, in UTC, or in seconds since 1970")
    })
}
