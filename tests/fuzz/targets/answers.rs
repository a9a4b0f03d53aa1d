//! A provider's answers: `hublease token` and then `hublease logout`, at a broker also `logout --workflow`, driven in this
//! process by what the input says.
//!
//! The first line names the provider (`docker`, `broker`, `broker-path`, `vault`, `vault-write`). Each line after it answers
//! one HTTP request: `STATUS BODY`, where the body of a 3xx is its `Location` and that of a 429 begins with its `Retry-After`;
//! a line without a status breaks the connection, and so does the end of the input. So a corpus file reads like a log.

use std::collections::{BTreeMap, VecDeque};

use hublease::cli::{Arguments, Command};
use hublease::effect::docker::{Config, Found, Place};
use hublease::effect::http::{Failure, Request, Response};
use hublease::effect::record::{Access, Stored};
use hublease::effect::{Effect, End, Outcome, Output, Step};
use hublease::environment::Environment;
use hublease::plan::{Machine, Plan};
use hublease_protocol::secret::Secret;
use serde_json::Value;

use super::{is_harmless, repeats};

/// No story asks more often: each request at most a few times, and twice as many words about it.
const MOST_EFFECTS: usize = 300;

/// `{"alg":"none"}`, `{"iss":"https://ci.example","aud":"x","sub":"job-4711-XYZZY"}`, and no signature that means anything.
const IDENTITY: &str = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJodHRwczovL2NpLmV4YW1wbGUiLCJhdWQiOiJ4Iiwic3ViIjoiam9iLTQ3MTEtWFlaWlkifQ.U0lHTkFUVVJFLTQ3MTEtWFlaWlk";

/// Values of secret members that are shorter, or begin in another way, could be words of ours: libFuzzer finds those.
const SHORTEST_SECRET: usize = 16;
const SECRET_STARTS: [&str; 3] = ["dckr_", "hvs.", "handle-"];

/// Members of an answer that hold secrets.
const SECRET_MEMBERS: [&str; 5] = ["access_token", "revocation_handle", "client_token", "token", "password"];

/// Whatever a provider answers: the story ends, as no fault of ours; nothing secret is shown; nothing is printed unmasked.
pub fn answers(input: &[u8]) {
    let text = &*String::from_utf8_lossy(input);
    let mut lines = text.lines();
    let Some(mut flags) = flags(lines.next().unwrap_or_default()) else { return };
    let mut world = World { lines: lines.collect(), ..World::default() };
    let end = world.run(Command::Token, &flags);
    assert_eq!(end.is_ok(), world.printed == 1, "{end:?}");
    // What could not be revoked is told; without `--strict-revoke` it is no failure.
    assert_eq!(world.run(Command::Logout, &flags), Ok(0));
    if text.lines().next() == Some("broker") {
        flags.push(("workflow", "true"));
        assert_eq!(world.run(Command::Logout, &flags), Ok(0));
    }
    world.check_shown(text);
}

/// What is typed for a provider.
fn flags(provider: &str) -> Option<Vec<(&'static str, &'static str)>> {
    let (name, more): (_, &[_]) = match provider {
        "docker" => ("docker", &[("connection-id", "c0ffee00-5a1d-4b0c-9e1e-0a11ce5eed01"), ("username", "acme")]),
        "broker" => ("broker", &[("broker-url", "https://broker.example")]),
        "broker-path" => ("broker", &[("broker-url", "https://broker.example/oauth/token"), ("username", "acme")]),
        "vault" => ("vault", &[("vault-addr", "https://vault.example"), ("vault-path", "dockerhub/creds/ci")]),
        "vault-write" => (
            "vault",
            &[
                ("vault-addr", "https://vault.example/base"),
                ("vault-path", "dockerhub/creds/ci"),
                ("vault-method", "write"),
                ("vault-redirect-origin", "https://standby.example"),
            ],
        ),
        _ => return None,
    };
    Some([&[("provider", name)], more].concat())
}

fn plan(command: Command, flags: &[(&'static str, &'static str)]) -> Plan {
    let exchange = [("identity-token-env", "IDENTITY"), ("format", "secret"), ("vault-method", "write")];
    let is_known =
        |name: &str| hublease::cli::FLAGS.iter().any(|flag| flag.name == name && flag.commands.contains(&command));
    let has = |name: &str| flags.iter().any(|(flag, _)| *flag == name);
    let is_asked = |name: &str| match name {
        "vault-method" => has(name),
        // Of a logout, only this one takes an identity token.
        "identity-token-env" => command != Command::Logout || has("workflow"),
        _ => true,
    };
    let typed = flags.iter().chain(&exchange).filter(|(name, _)| is_known(name) && is_asked(name));
    let typed: BTreeMap<_, _> = typed.map(|(name, value)| (*name, vec![(*value).to_owned()])).collect();
    let environment = Environment::new([("IDENTITY".to_owned(), IDENTITY.to_owned())]);
    let typed = Arguments::new(command, typed, Vec::new(), &environment).unwrap();
    Plan::new(&typed, &environment, Machine { terminal: false }).unwrap()
}

/// What is left of the input, and what was done so far.
#[derive(Default)]
struct World<'a> {
    lines: VecDeque<&'a str>,
    records: BTreeMap<String, Secret>,
    shown: Vec<String>,
    masked: Vec<Secret>,
    printed: usize,
}

impl World<'_> {
    fn run(&mut self, command: Command, flags: &[(&'static str, &'static str)]) -> End {
        let mut session = hublease::session(plan(command, flags));
        let mut outcome = None;
        for _ in 0..MOST_EFFECTS {
            match session.step(outcome.take()) {
                Step::Asked(asked) => outcome = Some(self.answer(asked.effect)),
                Step::Over(end) => {
                    if let Err(error) = &end {
                        assert_ne!(error.exit_code(), 70, "{error}");
                        self.shown.push(error.sentence());
                        self.shown.extend(error.causes().iter().cloned());
                    }
                    return end;
                }
            }
        }
        panic!("the story does not end");
    }

    fn answer(&mut self, effect: Effect) -> Outcome {
        match effect {
            Effect::Http(request) => Outcome::Http(self.respond(&request)),
            Effect::Record(access) => Outcome::Record(Ok(self.keep(access))),
            Effect::Random { bytes } => Outcome::Text("5a".repeat(bytes)),
            Effect::Now => Outcome::Now(1_795_203_000),
            Effect::Mask(secret) => {
                self.masked.push(secret);
                Outcome::Done
            }
            Effect::Say(line) => {
                self.shown.push(line.text);
                Outcome::Done
            }
            Effect::Output(Output::Credential(secret)) => {
                assert!(self.masked.contains(&secret), "printed before it was masked");
                self.printed += 1;
                Outcome::Done
            }
            Effect::Output(Output::Report(text)) => {
                self.shown.extend(text.lines().map(str::to_owned));
                Outcome::Done
            }
            Effect::Sleep { .. } => Outcome::Done,
            // `logout` looks for the user's own directory, to leave other directories' records alone.
            Effect::Config(Config::Locate { .. }) => Outcome::Config(Ok(Found::Place(nothing()))),
            other => panic!("asked for {other:?}"),
        }
    }

    fn respond(&mut self, request: &Request) -> Result<Response, Failure> {
        let is_graphic = |byte: u8| (b'!'..=b'~').contains(&byte);
        assert!(request.path_and_query.starts_with('/') && request.path_and_query.bytes().all(is_graphic));
        for (name, value) in &request.headers {
            let is_value = value.expose().bytes().all(|byte| byte == b' ' || is_graphic(byte));
            assert!(is_value, "the header {name:?} cannot be sent");
        }
        let line = self.lines.pop_front().ok_or(Failure::Cut)?;
        let (status, body) = line.split_once(' ').unwrap_or((line, ""));
        let status = status.parse().ok().filter(|status| (100..600).contains(status)).ok_or(Failure::Cut)?;
        let (location, retry_after) = match status {
            300..400 => (Some(body.to_owned()), None),
            429 => (None, body.split(' ').next().map(str::to_owned)),
            _ => (None, None),
        };
        Ok(Response { status, retry_after, location, body: Secret::new(body), ..Response::default() })
    }

    fn keep(&mut self, access: Access) -> Vec<Stored> {
        match access {
            Access::Prepare => {}
            Access::Write { name, body, .. } => drop(self.records.insert(name, body)),
            Access::Erase { name } => drop(self.records.remove(&name)),
            Access::Read { .. } => {
                let stored = |(name, body): (&String, &Secret)| Stored { name: name.clone(), body: Ok(body.clone()) };
                return self.records.iter().map(stored).collect();
            }
        }
        Vec::new()
    }

    fn check_shown(&self, input: &str) {
        // A line that nobody was to read for a credential can hold one and stays unread.
        let read = |secret: &String| self.masked.iter().any(|masked| masked.expose() == secret);
        let secrets: Vec<String> = secrets(input).into_iter().filter(read).collect();
        for shown in &self.shown {
            // A cause stands on a line of its own.
            let mut lines = shown.split("\n  because: ");
            assert!(lines.all(is_harmless), "{shown:?}");
            let token = IDENTITY.split_once('.').map_or("", |(_, claims_and_signature)| claims_and_signature);
            assert!(!repeats(shown, token), "the identity token is shown: {shown}");
            for secret in &secrets {
                assert!(!shown.contains(secret.as_str()), "a secret is shown: {shown}");
            }
        }
    }
}

/// An empty directory of docker's.
fn nothing() -> Place {
    Place {
        directory: "/home/u/.docker".to_owned(),
        file: "/home/u/.docker/config.json".to_owned(),
        unwritable: None,
        taken_over: None,
        variable: String::new(),
    }
}

/// The values of secret members, wherever they stand in the answers.
fn secrets(input: &str) -> Vec<String> {
    fn search(value: &Value, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                for (name, value) in members {
                    let secret = value.as_str().filter(|text| text.len() >= SHORTEST_SECRET);
                    found.extend(secret.filter(|_| SECRET_MEMBERS.contains(&name.as_str())).map(str::to_owned));
                    search(value, found);
                }
            }
            Value::Array(items) => items.iter().for_each(|item| search(item, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    for line in input.lines() {
        let body = line.split_once(' ').map_or("", |(_, body)| body);
        search(&serde_json::from_str(body).unwrap_or_default(), &mut found);
    }
    found.retain(|secret| SECRET_STARTS.iter().any(|start| secret.starts_with(start)));
    found
}
