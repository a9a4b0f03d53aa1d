//! Credential helpers, asked what they hold.
//!
//! Follows the protocol of docker-credential-helpers: `list` reads `unused` and prints one object of server to user
//! name. A helper that is missing, fails, is too slow or says something else does not answer: docker would have no
//! use for it either, and `docker login` would fail after the credential was minted.

use std::{collections::BTreeMap, io, time::Duration};

use super::{
    docker_config::{Content, Places},
    docker_merge::{Kept, Malformed},
    process::{Finished, Program},
    programs::Programs,
};
use crate::{
    effect::docker::{Client, Directory, Entry, Look, Registry, RegistryLook, Store, Trouble},
    printable::printable,
    secret::Secret,
};

/// How long a helper may take.
pub(super) const LIMIT: Duration = Duration::from_secs(10);

/// The largest answer, in bytes.
const MAXIMUM_ANSWER: usize = 1024 * 1024;

/// User names by server; none for a helper that does not answer.
pub(super) type Answer = Option<BTreeMap<String, String>>;

/// The call of a helper; none if it is not there.
pub(super) fn program(programs: &mut Programs, name: &str) -> Option<Program> {
    Some(Program {
        path: programs.find(&format!("docker-credential-{name}"))?,
        arguments: vec!["list".into()],
        environment: programs.variables(None, &[]),
        stdin: Secret::new("unused"),
        stdout: Some(MAXIMUM_ANSWER),
        stderr: None,
    })
}

/// What it answered.
pub(super) fn answer(finished: io::Result<Finished>) -> Answer {
    let finished = finished.ok().filter(|finished| finished.code == 0 && !finished.stdout.cut)?;
    serde_json::from_str(finished.stdout.text()?.expose()).ok()
}

/// The helper that docker would pick by itself, as its source has it: `pass` if that program is there, else the
/// desktop's secret service; each only with its helper.
pub(super) fn detected(programs: &mut Programs) -> Option<&'static str> {
    let name = if cfg!(target_os = "macos") {
        "osxkeychain"
    } else if programs.find("pass").is_some() {
        "pass"
    } else {
        "secretservice"
    };
    programs.find(&format!("docker-credential-{name}")).map(|_| name)
}

/// A look that still lacks the helpers' answers.
#[derive(Debug)]
pub(super) struct Unanswered {
    client: Client,
    directory: String,
    exposed: bool,
    registries: Vec<(Registry, Kept)>,
}

impl Unanswered {
    /// Reads the files.
    ///
    /// # Errors
    /// As with [`Places::directory`] and [`super::docker_config::read`]; or the content is malformed.
    pub(super) fn new(
        places: &Places,
        programs: &mut Programs,
        client: Client,
        directory: &Directory,
        registries: &[Registry],
    ) -> Result<Self, Trouble> {
        let path = places.file(client, directory)?;
        let Content { config, exposed, .. } = super::docker_config::read(&path)?;
        let config = config.map_err(|Malformed| Trouble::Malformed)?;
        let detected = if client == Client::Docker && config.detects() { detected(programs) } else { None };
        let look = |registry: &Registry| (*registry, config.look(client, *registry, detected));
        let parent = path.parent().unwrap_or(&path);
        let parent = std::fs::canonicalize(parent).unwrap_or_else(|_| parent.to_owned());
        Ok(Self {
            client,
            directory: printable(&parent.display().to_string()),
            exposed,
            registries: registries.iter().map(look).collect(),
        })
    }

    /// The helpers to ask, each once.
    pub(super) fn helpers(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.registries.iter().filter_map(|(_, kept)| kept.helper.as_ref()).map(|(name, _)| name.clone()).collect();
        names.sort();
        names.dedup();
        names
    }

    /// The look, with what each helper answered.
    pub(super) fn answered(self, answers: &BTreeMap<String, Answer>) -> Look {
        let Self { client, directory, exposed, registries } = self;
        let registries = registries
            .into_iter()
            .map(|(registry, kept)| {
                let Some((name, configured)) = kept.helper else {
                    return RegistryLook { registry, store: Store::File, entry: kept.entry };
                };
                match answers.get(&name).and_then(Option::as_ref) {
                    None => {
                        let store = Store::SilentHelper { name: printable(&name), configured };
                        RegistryLook { registry, store, entry: kept.entry }
                    }
                    Some(users) => {
                        let entry = match users.get(registry.key(client)) {
                            Some(username) => {
                                let raw = kept.entry.and_then(|entry| entry.raw);
                                Some(Entry { username: Some(username.clone()), raw })
                            }
                            None => kept.entry,
                        };
                        RegistryLook { registry, store: Store::Helper { name: printable(&name) }, entry }
                    }
                }
            })
            .collect();
        Look { directory, exposed, registries }
    }
}
