//! `hublease-broker check`: what a configuration holds and what there is to warn of; or, with claims or a token, what a job
//! gets and why, rule by rule. Changes nothing, issues nothing, and needs no password.

mod decision;
mod summary;
pub(super) mod warnings;

use std::io::Read as _;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use hublease_protocol::oauth::Code;
use hublease_protocol::printable::printable;
use hublease_protocol::scope::Scope;
use hublease_protocol::secret::Secret;
use hublease_protocol::strict_json;
use serde_json::{Map, Value, json};

use crate::account::Account;
use crate::config::Config;
use crate::identity::claims::Claims;
use crate::identity::issuer::Issuer;
use crate::identity::verify::{Verifier, single_use_id};
use crate::limits::MAX_TOKEN_BYTES;
use crate::observe::console::say;
use crate::operator::check::decision::{Asker, Report, decision_json, outcome};
use crate::operator::output::{self, Output, print, print_json};
use crate::operator::{CommandError, Machine, config, config_argument, read};
use crate::outbound::native;
use crate::refusal::Refusal;
use crate::rules::request::RequestedGrant;
use crate::rules::{Explanation, Rule, explain};

const EXAMPLES: &str = "\
Exit codes: 0 sound, or granted; 1 refused, or with --strict a warning; 2 usage or a broken configuration.

Examples:
  hublease-broker check --config broker.toml --strict
  hublease-broker check --config broker.toml --claims claims.json --scope repository:acme/app:push
  circleci run oidc get --claims '{\"aud\":\"https://broker.acme.example\"}' | hublease-broker check --config broker.toml --token -";

pub(super) fn command() -> Command {
    Command::new("check")
        .about("Look for holes in a configuration, or explain what a job gets and why")
        .arg(config_argument())
        .arg(Arg::new("claims").long("claims").value_name("FILE").help(
            "Explain the decision for these claims, a JSON object, or what `hublease whoami --output json` printed",
        ))
        .arg(
            Arg::new("token")
                .long("token")
                .value_name("-")
                .allow_hyphen_values(true)
                .conflicts_with("claims")
                .help("Explain the decision for the identity token on standard input, verified as `serve` does"),
        )
        .arg(Arg::new("scope").long("scope").value_name("SCOPE").help("What the job asks for"))
        .arg(
            Arg::new("expires-in")
                .long("expires-in")
                .value_name("SECONDS")
                .value_parser(value_parser!(u64))
                .help("The life that it asks for"),
        )
        .arg(
            Arg::new("min-expires-in")
                .long("min-expires-in")
                .value_name("SECONDS")
                .value_parser(value_parser!(u64))
                .help("The shortest life that is of use to it"),
        )
        .arg(Arg::new("connection-id").long("connection-id").value_name("ID").help("The connection that it names"))
        .arg(
            Arg::new("strict")
                .long("strict")
                .action(ArgAction::SetTrue)
                .conflicts_with_all(["claims", "token"])
                .help("Exit with 1 when there is a warning"),
        )
        .arg(output::argument())
        .after_help(EXAMPLES)
}

pub(super) fn run(matches: &ArgMatches, machine: &Machine) -> Result<u8, CommandError> {
    let (config, _) = config(matches)?;
    let output = Output::of(matches);
    let wish = wish(matches)?;
    match (matches.get_one::<String>("claims"), matches.get_one::<String>("token")) {
        (Some(path), _) => claims(config, path, &wish, output),
        (None, Some(source)) => token(config, source, &wish, output, machine),
        (None, None) if wish != RequestedGrant::default() => Err(CommandError::of(
            2,
            "`--scope`, `--expires-in` and `--connection-id` belong to `--claims` or `--token -`",
        )),
        (None, None) => survey(&config, output, matches.get_flag("strict")),
    }
}

fn survey(config: &Config, output: Output, strict: bool) -> Result<u8, CommandError> {
    let warnings = warnings::warnings(config);
    match output {
        Output::Json => print_json(&json!({"configuration": summary::json(config), "warnings": warnings}))?,
        Output::Text => {
            let mut text = summary::text(config);
            for warning in &warnings {
                // The configuration's texts stand in some of them.
                let words: Vec<_> = warning.sentence.split(' ').map(printable).collect();
                text.push_str(&format!("warning: {}: {} ({})\n", warning.about, words.join(" "), warning.code));
            }
            if warnings.is_empty() {
                text.push_str("no warnings\n");
            }
            print(&text)?;
        }
    }
    Ok(u8::from(strict && !warnings.is_empty()))
}

fn wish(matches: &ArgMatches) -> Result<RequestedGrant, CommandError> {
    let scope = matches.get_one::<String>("scope").map(|text| Scope::parse(text)).transpose();
    let scope = scope.map_err(|error| CommandError::of(2, format!("`--scope`: {error}")))?;
    let seconds = |name| matches.get_one::<u64>(name).copied();
    let (expires_in, least_life) = (seconds("expires-in"), seconds("min-expires-in"));
    if expires_in.zip(least_life).is_some_and(|(asked, least)| least > asked) {
        return Err(CommandError::of(2, "`--min-expires-in` is over `--expires-in`"));
    }
    Ok(RequestedGrant {
        connection_id: matches.get_one::<String>("connection-id").cloned(),
        // As an exchange reads it.
        scope: scope.map(|scope| scope.with_implied()),
        expires_in,
        least_life,
        from: None,
    })
}

/// Decides for claims that somebody wrote into a file. Signature and times are not there to be checked; an audience that is
/// there is, and so is what a token that counts once is remembered by.
fn claims(config: Config, path: &str, wish: &RequestedGrant, output: Output) -> Result<u8, CommandError> {
    let text = read(path).map_err(|reason| CommandError::of(2, reason))?;
    let Some(Value::Object(object)) = strict_json::parse(text.as_bytes()) else {
        return Err(CommandError::of(2, format!("`{}` is not one JSON object without repeated keys", printable(path))));
    };
    let claims = Claims::supposed(claims_in(object));
    let audience = config.public_url.clone();
    let (rules, accounts) = (config.rules, config.accounts);
    let verifier = Verifier::new(config.issuers, audience.clone().unwrap_or_default());
    let Some(iss) = claims.text("iss") else {
        return Err(CommandError::of(2, "the claims have no `iss`, so it is not known which issuer's rules count"));
    };
    let Some(issuer) = verifier.issuer_of(iss) else {
        return refused(Refusal::new(Code::IssuerUnknown, "the `iss` is not an issuer of this broker"), output);
    };
    if audience.is_some()
        && claims.find("aud").is_some()
        && let Err(refusal) = verifier.check_audience(issuer, &claims)
    {
        return refused(refusal, output);
    }
    if let Err(refusal) = single_use_id(issuer, &claims) {
        return refused(refusal, output);
    }
    let asker = asker(issuer, &claims, false);
    report(&Report::of(asker, wish, &explained(&rules, &accounts, issuer, &claims, wish)), output)
}

/// The claims alone, without what `hublease whoami` prints around them.
fn claims_in(mut object: Map<String, Value>) -> Map<String, Value> {
    match object.get_mut("claims").map(Value::take) {
        Some(Value::Object(claims)) if !object.contains_key("iss") => claims,
        Some(claim) => {
            object.insert("claims".to_owned(), claim);
            object
        }
        None => object,
    }
}

/// Decides for a real token, as `serve` does: the issuer's keys are fetched.
fn token(
    config: Config,
    source: &str,
    wish: &RequestedGrant,
    output: Output,
    machine: &Machine,
) -> Result<u8, CommandError> {
    if source != "-" {
        // Whatever stands there may be a token, so it is not repeated.
        return Err(CommandError::of(
            2,
            "a token is read from standard input: say `--token -`; arguments are visible to everybody",
        ));
    }
    let audience = match &config.public_url {
        Some(url) => url.clone(),
        None if config.listen.port() == 0 => {
            return Err(CommandError::of(
                2,
                "`public_url` is `auto` and `listen` has port 0: which audience counts is known only while it listens",
            ));
        }
        None => format!("http://{}", config.listen),
    };
    if config.public_url.is_none() {
        say(&format!("`public_url` is `auto`: the audience is taken to be `{audience}`"));
    }
    let token = standard_input()?;
    let outbound = native(&[]).map_err(|error| CommandError::of(1, error.0))?;
    let (rules, accounts, verifier) = (config.rules, config.accounts, Verifier::new(config.issuers, audience));
    match verifier.verify(token.expose(), &outbound, machine.clock.now()) {
        Err(refusal) => refused(refusal, output),
        Ok(identity) => {
            let issuer = verifier.issuer(&identity);
            let asker = asker(issuer, &identity.claims, true);
            report(&Report::of(asker, wish, &explained(&rules, &accounts, issuer, &identity.claims, wish)), output)
        }
    }
}

fn standard_input() -> Result<Secret, CommandError> {
    let mut text = String::new();
    // One byte more than a token may have, so that a longer one is refused as one.
    let room = MAX_TOKEN_BYTES as u64 + 3;
    let read = std::io::stdin().lock().take(room).read_to_string(&mut text);
    let token = Secret::new(text);
    match read {
        Ok(_) => Ok(Secret::new(token.expose().trim_end_matches(['\r', '\n']))),
        Err(_not_repeated) => Err(CommandError::of(2, "standard input cannot be read, or is not text")),
    }
}

fn asker(issuer: &Issuer, claims: &Claims, is_proved: bool) -> Asker {
    let together = |names: Vec<&str>| {
        let values: Option<Vec<_>> = names.iter().map(|name| claims.text(name)).collect();
        values.filter(|values| !values.is_empty()).map(|values| values.join(" "))
    };
    Asker {
        issuer: issuer.name.clone(),
        project: claims.text(issuer.kind.project_claim()).map(str::to_owned),
        job: together(issuer.kind.job_claims()),
        workflow: together(issuer.kind.workflow_claims()),
        is_proved,
    }
}

/// The explanation, and the decision as an exchange goes on with it: what a pool lends is as wide as it is.
fn explained<'a>(
    rules: &'a [Rule],
    accounts: &[Account],
    issuer: &Issuer,
    claims: &'a Claims,
    wish: &RequestedGrant,
) -> Explanation<'a> {
    let mut explanation = explain(rules, issuer, claims, wish);
    explanation.decision = explanation.decision.and_then(|grant| {
        let account = accounts.iter().find(|account| account.name == grant.account);
        account.map_or(Ok(()), |account| account.check_reach(&grant.scope)).map(|()| grant)
    });
    explanation
}

fn report(report: &Report<'_>, output: Output) -> Result<u8, CommandError> {
    match output {
        Output::Text => print(&report.text())?,
        Output::Json => print_json(&report.json())?,
    }
    Ok(u8::from(report.decision.is_err()))
}

/// Refused before any rule was looked at.
fn refused(refusal: Refusal, output: Output) -> Result<u8, CommandError> {
    let decision = Err(refusal);
    match output {
        Output::Text => print(&(outcome(&decision) + "\n"))?,
        Output::Json => print_json(&json!({"rules": [], "decision": decision_json(&decision)}))?,
    }
    Ok(1)
}
