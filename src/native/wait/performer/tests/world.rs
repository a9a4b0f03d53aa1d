//! A home, stand-ins for programs, and the effects that the tests ask for.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use hublease_protocol::endpoint::Origin;
use hublease_protocol::secret::Secret;

use crate::effect::docker::{Client, Directory, Registry, Run, Verb};
use crate::effect::http::{Destination, Method, Repeat, Request};
use crate::effect::{Asked, Effect, Level};
use crate::environment::Environment;
use crate::native::stand_in::{self, Stream};
use crate::native::wait::performer::Performer;
use crate::native::wait::worker::{Event, Signal};
use crate::native::{Reporting, Setup};

pub(in crate::native) struct World {
    pub(in crate::native) root: tempfile::TempDir,
    pub(in crate::native) stderr: Stream,
    pub(in crate::native) limit: Option<Duration>,
    pub(in crate::native) origin: Option<Origin>,
    pub(in crate::native) identity_file: Option<PathBuf>,
}

impl World {
    pub(in crate::native) fn new() -> Self {
        let root = tempfile::tempdir().unwrap();
        for name in ["bin", "user", "run"] {
            fs::create_dir(root.path().join(name)).unwrap();
        }
        Self { root, stderr: Stream::default(), limit: None, origin: None, identity_file: None }
    }

    pub(in crate::native) fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    pub(in crate::native) fn script(&self, name: &str, body: &str) {
        stand_in::script(&self.path("bin"), name, body);
    }

    pub(in crate::native) fn performer(&self) -> Performer {
        self.performer_with(Box::new(io::sink()))
    }

    pub(in crate::native) fn performer_with(&self, stdout: Box<dyn Write>) -> Performer {
        let text = |path: &Path| path.display().to_string();
        let environment = Environment::new([
            ("PATH".to_owned(), format!("{}:/usr/bin:/bin", text(&self.path("bin")))),
            ("DOCKER_CONFIG".to_owned(), text(&self.path("user"))),
            ("RUNNER_TEMP".to_owned(), text(&self.path("run"))),
            ("VAULT_TOKEN".to_owned(), "hvs.x".to_owned()),
        ]);
        let setup = Setup {
            destinations: self.origin.iter().map(|origin| (Destination::Provider, origin.clone())).collect(),
            certificates: None,
            identity_file: self.identity_file.clone(),
            environment,
            working_directory: self.path("work"),
            forward_limit: self.limit,
            reporting: Reporting { threshold: Level::Note, progress: false, colours: false, mask: false, json: false },
            later_steps: Vec::new(),
        };
        Performer::new(setup, stdout, Box::new(self.stderr.clone()))
    }

    pub(in crate::native) fn said(&self) -> String {
        self.stderr.text()
    }
}

pub(in crate::native) fn forward(effect: Effect) -> Asked {
    Asked { effect, undo: false }
}

pub(in crate::native) fn undo(effect: Effect) -> Asked {
    Asked { effect, undo: true }
}

pub(in crate::native) fn docker(verb: Verb) -> Effect {
    Effect::Docker(Run { client: Client::Docker, verb, directory: Directory::User })
}

pub(in crate::native) fn login() -> Effect {
    docker(Verb::Login { registry: Registry::Hub, username: "acme".to_owned(), stdin: Secret::new("s3cret") })
}

pub(in crate::native) fn signal(number: u8) -> Event {
    Event::Signal(Signal { number, from_terminal: false })
}

pub(in crate::native) fn request(repeat: Repeat) -> Effect {
    Effect::Http(Request {
        to: Destination::Provider,
        method: Method::Get,
        path_and_query: "/".to_owned(),
        headers: Vec::new(),
        body: Secret::default(),
        repeat,
    })
}
