//! A plan as a person or a program reads it, for `--dry-run`.

use hublease_protocol::printable::printable;
use hublease_protocol::time::span;
use serde_json::{Map, Value};

use super::{Check, Logout, Plan, WorkflowLogout};
use crate::docker::{Docker, Isolation};
use crate::provider::revocation::Revoker;
use crate::provider::vault::PathMethod;
use crate::provider::{Exchange, Provider};

/// The lines of a plan: a name and a value each, in the order of the story.
pub fn lines(plan: &Plan) -> Vec<(&'static str, String)> {
    let mut lines = Vec::new();
    match plan {
        Plan::Login(login) => {
            lines.push(("command", "login".to_owned()));
            exchange(&mut lines, &login.exchange);
            docker(&mut lines, &login.docker);
            lines.extend(login.shadow.iter().map(|shadow| ("shadowed", shadow.sentence())));
            job(&mut lines, login.job.key.as_deref());
        }
        Plan::Exec(exec) => {
            lines.push(("command", "exec".to_owned()));
            exchange(&mut lines, &exec.login.exchange);
            docker(&mut lines, &exec.login.docker);
            lines.extend(exec.login.shadow.iter().map(|shadow| ("shadowed", shadow.sentence())));
            job(&mut lines, exec.login.job.key.as_deref());
            lines.push(("renew", if exec.renew { "at 80 % of the life" } else { "no" }.to_owned()));
            lines.push(("program", exec.command.first().cloned().unwrap_or_default()));
        }
        Plan::Token(token) => {
            lines.push(("command", "token".to_owned()));
            exchange(&mut lines, &token.exchange);
            job(&mut lines, token.job.key.as_deref());
        }
        Plan::Logout(logout) => undo(&mut lines, logout),
        Plan::WorkflowLogout(plan) => {
            undo(&mut lines, &plan.logout);
            speak(&mut lines, plan);
        }
        Plan::Whoami(whoami) => {
            lines.push(("command", "whoami".to_owned()));
            lines.push(("identity", whoami.identity.shown()));
        }
        Plan::Check(check) => images(&mut lines, check),
    }
    lines.into_iter().map(|(name, value)| (name, printable(&value))).collect()
}

/// The plan as text, one line each.
pub fn text(plan: &Plan) -> String {
    lines(plan).iter().map(|(name, value)| format!("{name}: {value}")).collect::<Vec<_>>().join("\n")
}

/// The plan as one JSON object of strings.
pub fn json(plan: &Plan) -> String {
    let object: Map<String, Value> =
        lines(plan).into_iter().map(|(name, value)| (name.to_owned(), Value::String(value))).collect();
    Value::Object(object).to_string()
}

fn exchange(lines: &mut Vec<(&'static str, String)>, exchange: &Exchange) {
    lines.push(("identity", exchange.identity.shown()));
    lines.push(("audience", exchange.audience.clone().unwrap_or_else(|| "none".to_owned())));
    lines.push(("provider", exchange.provider.name().name().to_owned()));
    match &exchange.provider {
        Provider::Docker(docker) => {
            lines.push(("connection", docker.connection_id.clone()));
            lines.push(("life", span(docker.expires_in)));
        }
        Provider::Broker(broker) => {
            lines.push(("address", broker.endpoint.to_string()));
            lines.push((
                "scope",
                broker.scope.as_ref().map_or_else(|| "what the rule grants".to_owned(), ToString::to_string),
            ));
            lines.push(("life", broker.expires_in.map_or_else(|| "the broker decides".to_owned(), span)));
        }
        Provider::Vault(vault) => {
            lines.push(("address", vault.address.endpoint.to_string()));
            lines.push(("namespace", vault.address.namespace.clone().unwrap_or_else(|| "none".to_owned())));
            lines.push(("role", vault.role.clone().unwrap_or_else(|| "the default of the mount".to_owned())));
            lines.push(("mount", format!("auth/{}", vault.auth_path)));
            let method = match vault.method {
                PathMethod::Read => "read",
                PathMethod::Write => "write",
                PathMethod::ReadThenWrite => "read, else write",
            };
            lines.push(("path", format!("{} ({method})", vault.path)));
        }
        Provider::Static(_) => {}
    }
    lines.push(("username", exchange.username.clone().unwrap_or_else(|| "the provider says".to_owned())));
    let way_back = match Revoker::of(&exchange.provider) {
        Revoker::Broker(_) => "by its handle at the token service",
        Revoker::Vault(_) => "by its lease at Vault, then the Vault token",
        Revoker::Nobody if matches!(exchange.provider, Provider::Static(_)) => "none: the token lives on at its owner",
        Revoker::Nobody => "none: the credential dies by itself",
    };
    lines.push(("revocation", way_back.to_owned()));
}

fn docker(lines: &mut Vec<(&'static str, String)>, docker: &Docker) {
    let names: Vec<_> = docker.registries.iter().map(|registry| registry.name()).collect();
    lines.push(("registries", names.join(", ")));
    lines.push(("client", docker.client.name().to_owned()));
    let directory = match docker.isolation {
        Isolation::No => "docker's own, unless that would do harm",
        Isolation::Yes => "a private one with the other registries' logins",
    };
    lines.push(("directory", directory.to_owned()));
}

fn job(lines: &mut Vec<(&'static str, String)>, key: Option<&str>) {
    lines.push(("job", key.unwrap_or("outside CI").trim_end().to_owned()));
}

fn images(lines: &mut Vec<(&'static str, String)>, check: &Check) {
    lines.push(("command", "check".to_owned()));
    let names: Vec<_> = check.images.iter().map(ToString::to_string).collect();
    lines.push(("images", if names.is_empty() { "none".to_owned() } else { names.join(", ") }));
    lines.push(("asked for", if check.push { "pull and push" } else { "pull" }.to_owned()));
    lines.extend(check.shadow.iter().map(|shadow| ("shadowed", shadow.sentence())));
}

fn undo(lines: &mut Vec<(&'static str, String)>, logout: &Logout) {
    lines.push(("command", "logout".to_owned()));
    let (provider, address) = match &logout.revoker {
        Revoker::Broker(endpoint) => ("broker", endpoint.to_string()),
        Revoker::Vault(address) => ("vault", address.endpoint.to_string()),
        Revoker::Nobody => ("none", "none".to_owned()),
    };
    lines.push(("provider", provider.to_owned()));
    lines.push(("address", address));
    lines.push(("records", if logout.all { "every one of this user" } else { "this job's" }.to_owned()));
    job(lines, logout.job.key.as_deref());
}

fn speak(lines: &mut Vec<(&'static str, String)>, plan: &WorkflowLogout) {
    lines.push(("workflow", "every lease that is older than the identity token".to_owned()));
    lines.push(("identity", plan.revocation.identity.shown()));
    lines.push(("audience", plan.revocation.audience.clone()));
}
