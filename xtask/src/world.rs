//! The outside world of the demo and the bench: the sandbox in this process, the real broker beside it, one directory.
//!
//! Nothing of the caller's environment comes in but PATH, so that an identity, a proxy or a docker configuration of the
//! machine plays no part.

mod job;

use std::cell::Cell;
use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use hublease_sandbox::vault::{Example, Role};
use hublease_sandbox::{BrokerLimits, GITHUB_ISSUER, ORGANIZATION, PASSWORD, Sandbox};
use tempfile::TempDir;

pub(crate) use self::job::{Provider, Said, Shape, said};
use crate::binaries::Binaries;
use crate::broker::Broker;
use crate::workspace::program;

/// The broker's public address; the proxy sends this host to where it listens.
pub(crate) const BROKER_URL: &str = "https://broker.example.com";
/// The host of [`BROKER_URL`].
const BROKER_HOST: &str = "broker.example.com";
/// The address of the sandbox's Vault behind its proxy.
pub(crate) const VAULT_URL: &str = "https://vault.example.com";

/// Life of a client token at Vault, in seconds.
const VAULT_TOKEN_SECONDS: u64 = 600;

/// A whole world; dropping it ends the broker and removes every file.
pub(crate) struct World {
    /// First, because fields are dropped in order and a broker without its Docker Hub would complain.
    _broker: Broker,
    pub(crate) sandbox: Sandbox,
    folder: TempDir,
    client: PathBuf,
    homes: Cell<usize>,
    /// What every program sees besides.
    besides: Vec<(String, String)>,
}

impl World {
    /// Starts everything.
    ///
    /// # Errors
    /// A sentence: a socket, a file or a program is not to be had.
    pub(crate) fn start(binaries: &Binaries, limits: BrokerLimits) -> Result<Self, String> {
        let sandbox = Sandbox::start().map_err(|error| format!("the sandbox cannot start: {error}"))?;
        let folder = tempfile::Builder::new().prefix("hublease-").tempdir();
        let folder = folder.map_err(|error| format!("no temporary directory: {error}"))?;
        seed_vault(&sandbox);
        let broker = start_broker(&binaries.broker, &sandbox, folder.path(), limits)?;
        Ok(Self {
            _broker: broker,
            sandbox,
            folder,
            client: binaries.client.clone(),
            homes: Cell::new(0),
            besides: Vec::new(),
        })
    }

    /// The same world, in which every program sees these variables; they win.
    pub(crate) fn with_variables(mut self, variables: impl IntoIterator<Item = (String, String)>) -> Self {
        self.besides.extend(variables);
        self
    }

    /// The same world with another build of the client.
    pub(crate) fn with_client(mut self, client: PathBuf) -> Self {
        self.client = client;
        self
    }

    /// Where everything is.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The client that jobs run.
    pub(crate) fn client(&self) -> &Path {
        &self.client
    }

    /// A new home with a docker configuration of its own. It has one entry, so that docker does not go and look for a
    /// credential helper on PATH.
    pub(crate) fn home(&self) -> Result<PathBuf, String> {
        self.homes.set(self.homes.get() + 1);
        let home = self.folder().join(format!("home-{}", self.homes.get()));
        let docker = home.join(".docker");
        let made = fs::create_dir_all(&docker)
            .and_then(|()| fs::create_dir(home.join("tmp")))
            .and_then(|()| write_private(&docker.join("config.json"), r#"{"auths":{"x.invalid":{}}}"#));
        made.map_err(|error| format!("{}: {error}", home.display()))?;
        Ok(home)
    }

    /// What every program sees: the way through the proxy, its home, and PATH.
    pub(crate) fn variables(&self, home: &Path) -> Vec<(String, String)> {
        let mut variables = self.sandbox.environment();
        let text = |path: &Path| path.display().to_string();
        variables.extend([
            ("PATH".to_owned(), env::var("PATH").unwrap_or_default()),
            ("HOME".to_owned(), text(home)),
            ("TMPDIR".to_owned(), text(&home.join("tmp"))),
            ("DOCKER_CONFIG".to_owned(), text(&home.join(".docker"))),
        ]);
        variables.extend(self.besides.iter().cloned());
        variables
    }

    /// The docker command line, if the machine has one.
    pub(crate) fn docker() -> Option<PathBuf> {
        program("docker")
    }
}

/// The real broker with a configuration made for the run, reached through the sandbox's proxy.
fn start_broker(program: &Path, sandbox: &Sandbox, folder: &Path, limits: BrokerLimits) -> Result<Broker, String> {
    sandbox.hub().set_quota(ORGANIZATION, limits.quota);
    let path = folder.join("broker.toml");
    fs::write(&path, sandbox.broker_configuration(BROKER_URL, folder, limits))
        .map_err(|error| format!("{}: {error}", path.display()))?;
    let audit = File::create(folder.join("audit.jsonl")).map_err(|error| format!("audit.jsonl: {error}"))?;
    let password = ("ACMEBOT_PASSWORD".to_owned(), PASSWORD.to_owned());
    let mut broker = Broker::start(program, &path, sandbox.environment().into_iter().chain([password]), audit)?;
    let address = broker.listens(&mut String::new())?;
    let address = address.parse().map_err(|_not_one| "the broker names no address".to_owned())?;
    sandbox.forward(BROKER_HOST, address);
    Ok(broker)
}

/// The server of the documentation, with roles that are bound to the one project.
fn seed_vault(sandbox: &Sandbox) {
    let (vault, identity) = (sandbox.vault(), sandbox.issuer().identity());
    let audiences = vec![VAULT_URL.to_owned()];
    vault.seed_example(&Example {
        circleci_issuer: identity.circleci_issuer(),
        github_issuer: GITHUB_ISSUER.to_owned(),
        audiences: audiences.clone(),
    });
    for (mount, claim, value) in [
        ("auth/jwt-circleci", "oidc.circleci.com/project-id", identity.project_id),
        ("auth/jwt-github", "repository_id", identity.repository_id),
    ] {
        let role = Role {
            bound_audiences: audiences.clone(),
            bound_claims: [(claim.to_owned(), value.into())].into_iter().collect(),
            user_claim: claim.to_owned(),
            token_policies: vec!["dockerhub".to_owned()],
            token_ttl: VAULT_TOKEN_SECONDS,
            ..Role::default()
        };
        vault.write_role(mount, "dockerhub", role);
    }
}

/// Writes a file for its owner only.
fn write_private(path: &Path, text: &str) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::write(path, text)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
}
