//! Docker's file, into which `login --client none` writes and from which `logout` takes back, driven in this process.

use std::collections::BTreeMap;

use hublease::cli::{Arguments, Command};
use hublease::effect::docker::{Config, Directory, File, Found, Made, Place, Trouble};
use hublease::effect::record::{Access, Stored};
use hublease::effect::{Effect, End, Outcome, Step};
use hublease::environment::Environment;
use hublease::plan::{Machine, Plan};
use hublease_protocol::secret::Secret;
use hublease_protocol::strict_json;
use serde_json::Value;

use super::is_harmless;

const HUB: &str = "https://index.docker.io/v1/";

/// No story asks more often.
const MOST_EFFECTS: usize = 100;

/// Whatever docker's file holds: it is refused and stays, or a login comes and goes and all the rest stays.
pub fn docker_config(input: &[u8]) {
    let before = std::str::from_utf8(input).ok();
    let mut world = World { file: before.map(str::to_owned), ..World::default() };
    let login = world.run(Command::Login);
    let between = world.file.clone();
    if login.is_err() || world.private.is_some() {
        assert_eq!(between.as_deref(), before);
        return;
    }
    let (before, between) = (before.unwrap_or_default(), between.unwrap_or_default());
    assert_eq!(rest(&between), rest(before));
    assert_eq!(world.run(Command::Logout), Ok(0));
    let after = world.file.unwrap_or_default();
    assert_eq!(rest(&after), rest(before));
    let auths = |text: &str| strict_json::parse(text.as_bytes()).map(|file| file["auths"].clone());
    if let (Some(Value::Object(before)), Some(Value::Object(after))) = (auths(before), auths(&after))
        && before.get(HUB).is_none_or(is_login)
    {
        assert_eq!(after, before, "another login than before");
    }
}

/// Whether something is in an entry; of another `logout` leaves nothing.
fn is_login(entry: &Value) -> bool {
    let is_part = |name: &str| {
        let parts = ["auth", "username", "password", "identitytoken", "registrytoken"];
        parts.iter().any(|part| name.eq_ignore_ascii_case(part))
    };
    let mut members = entry.as_object().into_iter().flatten();
    members.any(|(name, value)| is_part(name) && value.as_str().is_some_and(|text| !text.is_empty()))
}

/// What of the file is nobody's login to Docker Hub, where serde_json can read it too.
fn rest(text: &str) -> Option<Value> {
    // As docker reads them, both say nothing.
    let is_nothing = matches!(text.trim(), "" | "null");
    let mut file = strict_json::parse(if is_nothing { b"{}" } else { text.as_bytes() })?;
    let members = file.as_object_mut()?;
    let is_auths = |name: &&String| name.eq_ignore_ascii_case("auths");
    let name = members.keys().find(is_auths).cloned();
    if let Some(name) = name
        && let Some(Value::Object(mut auths)) = members.remove(&name)
    {
        auths.remove(HUB);
        members.insert("auths".to_owned(), Value::Object(auths));
    }
    // Nobody's login is as good as none.
    members.retain(|name, value| name != "auths" || value.as_object().is_some_and(|auths| !auths.is_empty()));
    Some(file)
}

fn plan(command: Command) -> Plan {
    let flags = match command {
        Command::Login => {
            &[("provider", "static"), ("secret-env", "SECRET"), ("username", "acmebot"), ("client", "none")][..]
        }
        _ => &[],
    };
    let typed: BTreeMap<_, _> = flags.iter().map(|(name, value)| (*name, vec![(*value).to_owned()])).collect();
    let environment = Environment::new([("SECRET".to_owned(), "dckr_pat_of-the-settings".to_owned())]);
    let typed = Arguments::new(command, typed, Vec::new(), &environment).unwrap();
    Plan::new(&typed, &environment, Machine { terminal: false }).unwrap()
}

/// A machine; its file is none where it is not UTF-8.
#[derive(Default)]
struct World {
    file: Option<String>,
    private: Option<Secret>,
    records: BTreeMap<String, Secret>,
}

impl World {
    fn run(&mut self, command: Command) -> End {
        let mut session = hublease::session(plan(command));
        let mut outcome = None;
        for _ in 0..MOST_EFFECTS {
            match session.step(outcome.take()) {
                Step::Asked(asked) => outcome = Some(self.answer(asked.effect)),
                Step::Over(end) => {
                    if let Err(error) = &end {
                        assert_eq!(error.exit_code(), 6, "{error}");
                    }
                    return end;
                }
            }
        }
        panic!("the story does not end");
    }

    fn answer(&mut self, effect: Effect) -> Outcome {
        match effect {
            Effect::Config(config) => Outcome::Config(self.configure(config)),
            Effect::Record(access) => Outcome::Record(Ok(self.keep(access))),
            Effect::Random { bytes } => Outcome::Text("5a".repeat(bytes)),
            Effect::Now => Outcome::Now(1_795_203_000),
            Effect::Say(line) => {
                assert!(is_harmless(&line.text), "{:?}", line.text);
                Outcome::Done
            }
            Effect::Mask(_) | Effect::Output(_) => Outcome::Done,
            other => panic!("asked for {other:?}"),
        }
    }

    fn configure(&mut self, config: Config) -> Result<Found, Trouble> {
        match config {
            Config::Locate { .. } => {
                let directory = "/home/u/.docker".to_owned();
                let file = format!("{directory}/config.json");
                let variable = directory.clone();
                Ok(Found::Place(Place { variable, directory, file, unwritable: None, taken_over: None }))
            }
            Config::Read { .. } => {
                let content = Secret::new(self.file.as_deref().ok_or(Trouble::Malformed)?);
                Ok(Found::File(File { content, exposed: false, exists: true }))
            }
            Config::Write { over, content, directory: Directory::User | Directory::Recorded(_), .. } => {
                assert_eq!(Some(over.expose()), self.file.as_deref());
                self.file = Some(content.expose().to_owned());
                Ok(Found::Done)
            }
            Config::Write { content, .. } | Config::Make { content, .. } => {
                self.private = Some(content);
                Ok(Found::Made(Made { path: "/tmp/private".to_owned(), unlinked: None }))
            }
            Config::List { .. } => Ok(Found::Users(None)),
            Config::Get { .. } => Ok(Found::Kept(Secret::default())),
            Config::Hold { .. } => Ok(Found::Done),
            Config::Holds { .. } => Ok(Found::Holds(Vec::new())),
            Config::Release { .. } | Config::Remove { .. } => Ok(Found::Done),
            Config::Detect | Config::Registries => panic!("asked for {config:?}"),
        }
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
}
