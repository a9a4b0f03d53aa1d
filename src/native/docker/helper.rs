//! Credential helpers, asked what they hold.
//!
//! Follows the protocol of docker-credential-helpers: `list` reads `unused` and prints one object of server to user
//! name. A helper that is missing, fails, is too slow or says something else does not answer: docker would have no
//! use for it either, and `docker login` would fail after the credential was minted.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use hublease_protocol::printable::printable;
use hublease_protocol::secret::Secret;

use crate::effect::docker::{Client, Directory, Entry, Look, Registry, RegistryLook, Store, Trouble};
use crate::native::docker::file::Content;
use crate::native::docker::merge::{Kept, Malformed};
use crate::native::docker::places::Places;
use crate::native::process::once::{Finished, Program};
use crate::native::process::programs::Programs;

/// How long a helper may take.
pub(in crate::native) const LIMIT: Duration = Duration::from_secs(10);

/// The largest answer, in bytes.
const MAXIMUM_ANSWER: usize = 1024 * 1024;

/// User names by server; none for a helper that does not answer.
pub(in crate::native) type Answer = Option<BTreeMap<String, String>>;

/// The call of a helper; none if it is not there.
pub(in crate::native) fn program(programs: &mut Programs, name: &str) -> Option<Program> {
    Some(Program {
        path: programs.find(&format!("docker-credential-{name}"))?,
        arguments: vec!["list".into()],
        directory: "/".into(),
        environment: programs.variables(None, &[]),
        stdin: Secret::new("unused"),
        stdout: Some(MAXIMUM_ANSWER),
        stderr: None,
    })
}

/// What it answered.
pub(in crate::native) fn answer(finished: io::Result<Finished>) -> Answer {
    let finished = finished.ok().filter(|finished| finished.code == 0 && !finished.stdout.cut)?;
    serde_json::from_str(finished.stdout.text()?.expose()).ok()
}

/// The helper that docker would pick by itself, as its source has it: `pass` if that program is there, else the
/// desktop's secret service; each only with its helper.
pub(in crate::native) fn detected(programs: &mut Programs) -> Option<&'static str> {
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
pub(in crate::native) struct Unanswered {
    client: Client,
    directory: String,
    exposed: bool,
    unwritable: Option<String>,
    taken_over: bool,
    registries: Vec<(Registry, Kept)>,
}

impl Unanswered {
    /// Reads the files.
    ///
    /// # Errors
    /// As with [`Places::directory`] and [`crate::native::docker::file::read`]; or the content is malformed.
    pub(in crate::native) fn new(
        places: &Places,
        programs: &mut Programs,
        client: Client,
        directory: &Directory,
        registries: &[Registry],
    ) -> Result<Self, Trouble> {
        let path = places.file(client, directory)?;
        let Content { config, exposed, .. } = match registries {
            // Only the directory is wanted: its file may be as broken as it likes.
            [] => Content::empty(),
            _ => crate::native::docker::file::read(&path)?,
        };
        let config = config.map_err(|Malformed| Trouble::Malformed)?;
        let detected = if client == Client::Docker && config.detects() { detected(programs) } else { None };
        let look = |registry: &Registry| (*registry, config.look(client, *registry, detected));
        let parent = path.parent().unwrap_or(&path);
        let parent = std::fs::canonicalize(parent).unwrap_or_else(|_| parent.to_owned());
        Ok(Self {
            client,
            directory: parent.display().to_string(),
            exposed,
            unwritable: crate::native::docker::file::unwritable(&path),
            taken_over: places.is_taken_over(),
            registries: registries.iter().map(look).collect(),
        })
    }

    /// The helpers to ask, each once.
    pub(in crate::native) fn helpers(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.registries.iter().filter_map(|(_, kept)| kept.helper.as_ref()).map(|(name, _)| name.clone()).collect();
        names.sort();
        names.dedup();
        names
    }

    /// The look, with what each helper answered.
    pub(in crate::native) fn answered(self, answers: &BTreeMap<String, Answer>) -> Look {
        let Self { client, directory, exposed, unwritable, taken_over, registries } = self;
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
        Look { directory, exposed, unwritable, taken_over, registries }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use hublease_protocol::secret::Secret;

    use super::{Answer, Unanswered, answer, program};
    use crate::effect::docker::{Client, Directory, Entry, Look, Registry, Store};
    use crate::environment::Environment;
    use crate::native::docker::places::Places;
    use crate::native::process::once;
    use crate::native::process::programs::Programs;
    use crate::native::process::supervised::Running;
    use crate::native::stand_in;

    struct World {
        root: tempfile::TempDir,
        places: Places,
        programs: Programs,
    }

    impl World {
        /// A machine with these programs and this `config.json`.
        fn new(scripts: &[(&str, &str)], config: &str) -> Self {
            let root = tempfile::tempdir().unwrap();
            for (name, body) in scripts {
                stand_in::script(root.path(), name, body);
            }
            std::fs::write(root.path().join("config.json"), config).unwrap();
            let here = root.path().display().to_string();
            let environment = Environment::new([("PATH".into(), here.clone()), ("DOCKER_CONFIG".into(), here)]);
            let places = Places::new(environment.clone(), "/".into(), "/nonexistent".into());
            Self { root, places, programs: Programs::new(environment, Path::new("/nonexistent")) }
        }

        fn look(&mut self, client: Client) -> Look {
            let registries = [Registry::Hub, Registry::HardenedImages];
            let (places, programs) = (&self.places, &mut self.programs);
            let look = Unanswered::new(places, programs, client, &Directory::User, &registries).unwrap();
            let mut answers: BTreeMap<String, Answer> = BTreeMap::new();
            for name in look.helpers() {
                let called = program(&mut self.programs, &name).map(|program| once::run(program, &Running::default()));
                answers.insert(name, called.and_then(answer));
            }
            look.answered(&answers)
        }

        fn stores(scripts: &[(&str, &str)], config: &str) -> Vec<Store> {
            let look = Self::new(scripts, config).look(Client::Docker);
            look.registries.into_iter().map(|look| look.store).collect()
        }
    }

    fn silent(name: &str, configured: bool) -> Store {
        Store::SilentHelper { name: name.to_owned(), configured }
    }

    const PASS: (&str, &str) = ("pass", "exit 0");

    #[test]
    fn a_helper_that_answers_says_who_is_logged_in() {
        let answer = r#"read -r word; test "$1-$word" = list-unused && echo '{"https://index.docker.io/v1/":"alice"}'"#;
        // `read` finds no newline, which is what is asked for.
        let mut world = World::new(&[("docker-credential-x", answer)], r#"{"credsStore":"x"}"#);
        let look = world.look(Client::Docker);
        assert!(look.exposed);
        assert_eq!(look.directory, std::fs::canonicalize(world.root.path()).unwrap().display().to_string());
        let store = Store::Helper { name: "x".to_owned() };
        assert_eq!(look.registries[0].store, store);
        assert_eq!(look.registries[0].entry, Some(Entry { username: Some("alice".to_owned()), raw: None }));
        assert_eq!((&look.registries[1].store, &look.registries[1].entry), (&store, &None));
        assert!(world.look(Client::Podman).registries.iter().all(|look| look.store == Store::File));
    }

    #[test]
    fn a_helper_that_does_not_answer_is_silent() {
        let config = r#"{"credsStore":"x"}"#;
        for script in ["exit 1", "echo no", "echo '[]'", "echo '{\"a\":1}'", "echo '{}'; exit 1"] {
            assert_eq!(
                World::stores(&[("docker-credential-x", script)], config),
                [silent("x", true), silent("x", true)]
            );
        }
        assert_eq!(World::stores(&[], config)[0], silent("x", true));
        assert_eq!(World::stores(&[], r#"{"credsStore":"../x"}"#)[0], silent("../x", true));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn the_helper_that_docker_detects_by_itself() {
        let helper = |name| (name, "echo pass not initialized; exit 1");
        let file = Store::File;
        for (scripts, config, expected) in [
            (&[PASS, helper("docker-credential-pass")][..], "{}", silent("pass", false)),
            (&[PASS, helper("docker-credential-pass")][..], r#"{"auths":{}}"#, silent("pass", false)),
            (&[PASS, helper("docker-credential-pass")][..], r#"{"auths":{"x.invalid":{}}}"#, file.clone()),
            (&[PASS, helper("docker-credential-secretservice")][..], "{}", file.clone()),
            (&[helper("docker-credential-secretservice")][..], "{}", silent("secretservice", false)),
            (&[helper("docker-credential-pass")][..], "{}", file.clone()),
            (&[][..], "{}", file.clone()),
        ] {
            assert_eq!(World::stores(scripts, config)[0], expected, "{scripts:?} {config}");
        }
    }

    #[test]
    fn an_entry_of_the_file_is_kept_beside_the_helpers_name() {
        let config = r#"{"credsStore":"x","auths":{"https://index.docker.io/v1/":{"auth":"Ym9iOng="}}}"#;
        let answer = ("docker-credential-x", r#"echo '{"https://index.docker.io/v1/":"alice"}'"#);
        let entry =
            |scripts: &[(&str, &str)]| World::new(scripts, config).look(Client::Docker).registries[0].entry.clone();
        let raw = Some(Secret::new(r#"{"auth":"Ym9iOng="}"#));
        assert_eq!(entry(&[answer]), Some(Entry { username: Some("alice".to_owned()), raw: raw.clone() }));
        assert_eq!(entry(&[]), Some(Entry { username: Some("bob".to_owned()), raw }));
    }
}
