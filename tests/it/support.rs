//! A scrubbed world for one test: a sandbox, a home, and programs that leave a trace.
//!
//! Every run of the real binary ends with the secret search. Nothing of the surrounding environment comes in: PATH is
//! one directory with the programs that the test put there.

pub mod broker;
pub mod driven;
pub mod foreign;
pub mod hostile;
pub mod job;
pub mod machine;
pub mod module;
pub mod node;
pub mod outcome;
pub mod process;
pub mod records;
pub mod search;
pub mod signal;
pub mod typed;
pub mod untouched;

use std::cell::{Cell, RefCell};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use hublease_sandbox::{Sandbox, Service};
use tempfile::TempDir;

use self::broker::Broker;
use self::foreign::Foreign;
use self::job::{Job, Outcome};
use self::machine::{executable, which};
use self::search::{Needles, Place, is_the_client, named};

/// The tests drive the binaries that `cargo xtask test` built.
pub fn binary(variable: &str) -> PathBuf {
    std::env::var_os(variable).map(PathBuf::from).unwrap_or_else(|| {
        panic!("{variable} is not set: run the tests by `cargo xtask test`, or set it to the path of the built binary")
    })
}

/// One world.
pub struct World {
    pub sandbox: Sandbox,
    folder: TempDir,
    broker: RefCell<Option<Broker>>,
    /// Secrets that the sandbox does not know, with the services that may see them.
    extra: RefCell<Vec<(String, String)>>,
    needles: RefCell<Needles>,
    foreign: Foreign,
    runs: Cell<usize>,
}

impl World {
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("hublease-it-").tempdir().unwrap();
        for name in ["home", "bin", "tmp", "work", "spare"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let world = Self {
            sandbox: Sandbox::start().unwrap(),
            folder,
            broker: RefCell::new(None),
            extra: RefCell::default(),
            needles: RefCell::default(),
            foreign: Foreign::default(),
            runs: Cell::new(0),
        };
        world.seed_vault();
        world.wrap("docker");
        world
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn home(&self) -> PathBuf {
        self.path("home")
    }

    /// The user's docker configuration file.
    pub fn config(&self) -> PathBuf {
        self.home().join(".docker/config.json")
    }

    pub fn write_config(&self, text: &str) {
        fs::create_dir_all(self.home().join(".docker")).unwrap();
        fs::write(self.config(), text).unwrap();
        fs::set_permissions(self.config(), fs::Permissions::from_mode(0o600)).unwrap();
    }

    pub fn read_config(&self) -> serde_json::Value {
        serde_json::from_str(&fs::read_to_string(self.config()).unwrap()).unwrap()
    }

    /// The name of docker's entry for Docker Hub in the user's file, if there is one with a credential.
    pub fn has_login(&self) -> bool {
        fs::read_to_string(self.config())
            .ok()
            .and_then(|text| serde_json::from_str::<serde_json::Value>(&text).ok())
            .is_some_and(|config| config["auths"]["https://index.docker.io/v1/"]["auth"].is_string())
    }

    /// Puts a program on PATH.
    pub fn program(&self, name: &str, script: &str) {
        executable(&self.path("bin").join(name), script);
    }

    /// Puts a real program on PATH behind a wrapper that leaves a trace of arguments and environment.
    pub fn wrap(&self, name: &str) {
        let real = which(name).unwrap_or_else(|| panic!("{name} is not installed, see `cargo xtask test`"));
        let trace = self.path("children.log");
        let script = format!(
            "#!/bin/sh\n{{ printf 'argv:'; printf ' [%s]' \"$0\" \"$@\"; printf '\\n'; export -p; }} >> '{}'\nexec '{}' \"$@\"\n",
            trace.display(),
            real.display()
        );
        self.program(name, &script);
    }

    /// Arguments of every traced child, one line each, without the program's directory.
    pub fn children(&self) -> Vec<String> {
        let trace = fs::read_to_string(self.path("children.log")).unwrap_or_default();
        let folder = format!("{}/", self.path("bin").display());
        trace.lines().filter_map(|line| line.strip_prefix("argv: ")).map(|line| line.replace(&folder, "")).collect()
    }

    /// The names of the variables that traced children were given.
    pub fn child_variables(&self) -> Vec<String> {
        let trace = fs::read_to_string(self.path("children.log")).unwrap_or_default();
        let names = trace.lines().filter_map(|line| line.strip_prefix("export "));
        names.map(|line| line.split('=').next().unwrap_or_default().to_owned()).collect()
    }

    /// The directory of the records.
    pub fn records(&self) -> PathBuf {
        self.path("tmp").join(format!("hublease-{}", self.uid()))
    }

    /// Who runs the test.
    pub fn uid(&self) -> u32 {
        fs::metadata(self.home()).map(|data| std::os::unix::fs::MetadataExt::uid(&data)).unwrap()
    }

    /// The address of a broker of this world, started at the first call.
    pub fn broker_url(&self) -> String {
        self.broker.borrow_mut().get_or_insert_with(|| Broker::start(self)).url()
    }

    /// Remembers a secret that the sandbox cannot know.
    pub fn add_secret(&self, name: &str, value: &str) {
        self.extra.borrow_mut().push((name.to_owned(), value.to_owned()));
    }

    /// A number for the files of a run.
    fn next_run(&self) -> usize {
        self.runs.set(self.runs.get() + 1);
        self.runs.get()
    }

    /// A personal access token that a team would keep in a project setting today.
    pub fn static_token(&self) -> String {
        self.sandbox.hub().personal_token(hublease_sandbox::ACCOUNT, "kept in a setting", &["repo:write"], None).0
    }

    /// A run of the client.
    pub fn job(&self, command: &str) -> Job<'_> {
        Job::new(self, command)
    }

    /// Searches everything that a run left for every secret.
    pub fn search(&self, outcome: &Outcome) {
        self.search_texts(if outcome.prints_credential { "" } else { &outcome.stdout }, &outcome.stderr);
        self.search_requests(outcome);
        self.search_foreign(&[("stdout", &outcome.stdout), ("stderr", &outcome.stderr)], &outcome.requests);
    }

    /// Searches what was printed, the files and the children.
    pub fn search_texts(&self, stdout: &str, stderr: &str) {
        let mut places = vec![
            Place::new("stdout", stdout),
            Place::new("stderr", without_mask_lines(stderr)),
            Place::new("children", fs::read(self.path("children.log")).unwrap_or_default()),
        ];
        for name in ["home", "tmp", "work", "spare"] {
            collect(&self.path(name), &mut places);
        }
        self.learn();
        let needles = self.needles.borrow();
        for place in &places {
            let found = needles.found_in(place);
            assert!(found.is_empty(), "{found:?} in {}\n{}", place.name, String::from_utf8_lossy(&place.bytes));
        }
    }

    /// Every secret may go to the services that issued or consume it, and nowhere else.
    fn search_requests(&self, outcome: &Outcome) {
        let secrets = self.sandbox.secrets();
        let needles = self.needles.borrow();
        for request in &outcome.requests {
            let mut bytes = format!("{} {}?{}\n", request.method, request.path, request.query).into_bytes();
            request.headers.iter().for_each(|(name, value)| bytes.extend(format!("{name}: {value}\n").bytes()));
            bytes.extend(&request.body);
            let mut found = needles.found_in(&Place::new(request.path.as_str(), bytes));
            // What only the test knows is not searched here, and a piece may belong to several secrets.
            found.retain(|name| {
                let mut same = secrets.iter().filter(|secret| secret.name == *name).peekable();
                same.peek().is_some() && !same.any(|secret| secret.services.contains(&request.service))
            });
            assert!(found.is_empty(), "{found:?} went to {:?} {}", request.service, request.path);
        }
    }

    /// Adds what has become known since the last search.
    fn learn(&self) {
        self.know_handles();
        let mut needles = self.needles.borrow_mut();
        self.sandbox.secrets().iter().for_each(|secret| needles.add(&secret.name, &secret.value));
        self.extra.borrow().iter().for_each(|(name, value)| needles.add(name, value));
    }

    /// The broker's handles are seen in the records first.
    fn know_handles(&self) {
        for file in self.record_files() {
            let text = fs::read_to_string(&file).unwrap_or_default();
            let record: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
            for lease in record["leases"].as_array().into_iter().flatten() {
                if let Some(token) = lease["handle"]["token"]["token"].as_str() {
                    self.extra.borrow_mut().push(("a revocation handle".to_owned(), token.to_owned()));
                }
            }
        }
    }

    fn seed_vault(&self) {
        use hublease_sandbox::vault::Example;
        self.sandbox.vault().seed_example(&Example {
            circleci_issuer: self.sandbox.issuer().identity().circleci_issuer(),
            github_issuer: hublease_sandbox::GITHUB_ISSUER.to_owned(),
            audiences: vec![self.sandbox.vault_url(), "https://vault.example.com".to_owned()],
        });
        // Most stories end with a revocation that is confirmed; with the plugin as published none is.
        self.sandbox.vault().mend_docker_hub();
    }

    /// Every secret that was handed out, behind the forms in which docker keeps it, with their names.
    pub fn named_secrets(&self) -> Vec<(String, String)> {
        self.sandbox.secrets().iter().flat_map(|secret| named(&secret.value, &secret.kind)).collect()
    }

    /// Requests of one service, as `METHOD path`.
    pub fn asked(&self, service: Service) -> Vec<String> {
        self.sandbox.requests(service).iter().map(|request| format!("{} {}", request.method, request.path)).collect()
    }
}

/// The mask lines are the one place on stderr that may hold a secret.
fn without_mask_lines(text: &str) -> String {
    text.lines().filter(|line| !line.starts_with("::add-mask::")).collect::<Vec<_>>().join("\n")
}

/// Every file below a directory, but docker's own stores and the records, which may hold what they hold.
fn collect(directory: &Path, places: &mut Vec<Place>) {
    for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
        let path = entry.path();
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_dir() {
            collect(&path, places);
        } else if kind.is_file() && !may_hold_a_secret(&path) && !is_the_client(&path) {
            places.push(Place::new(path.display().to_string(), fs::read(&path).unwrap_or_default()));
        }
    }
}

/// Docker's store, an identity token file of the test's own, or a record; each for its owner only.
fn may_hold_a_secret(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let is_hexadecimal = |text: &str, length| text.len() == length && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    // What a step holds of a private directory is the part of its record that lies there.
    let is_hold = name.strip_prefix(".hublease-").is_some_and(|id| is_hexadecimal(id, 32));
    let is_record = is_hold || name.strip_suffix(".json").is_some_and(|name| is_hexadecimal(name, 64));
    if is_record {
        let mode = fs::metadata(path).map(|data| data.permissions().mode() & 0o777).unwrap_or(0o600);
        assert_eq!(mode, 0o600, "{} can be read by others", path.display());
    }
    // Docker writes its store to `config.json<digits>` and renames it; a killed job's docker may be in between.
    let is_store = name.strip_prefix("config.json").is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()));
    is_record || is_store || matches!(name.as_ref(), "auth.json" | "helper-store" | "identity-token")
}
