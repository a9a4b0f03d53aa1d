//! The machine of a job: the programs of its image, a docker without an engine, the variables that CircleCI sets, and
//! the way out through the sandbox's proxy.
//!
//! PATH is closed: it holds what an image of the kind has, and what the test adds. There is no engine, so what needs one
//! is done by skopeo, with docker's own logins, and a build does nothing; all else is the real docker command line.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use hublease_sandbox::vault::Role;
use hublease_sandbox::{ACCOUNT, PASSWORD};

use super::releases::Releases;
use super::scope::PIPELINE;
use crate::client::registry::image;
use crate::client::registry::server::Server;
use crate::support::World;
use crate::support::machine::{executable, which};

/// What is in the image of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Image {
    /// Debian with bash, as CircleCI's own images.
    Bash,
    /// Debian without bash.
    Dash,
    /// One busybox and curl, as Alpine.
    Busybox,
}

/// The programs that the orb and the stand-in's `circleci` use, and a few that steps of examples do.
const PROGRAMS: &str = "\
    awk cat chmod cp curl cut date dirname env grep head id ls mkdir mktemp mv printf readlink \
    rm sed sh sha256sum sort tail tee touch tr true false uname wc";

/// The role that the documents log in to Vault with.
const ROLE: &str = "push-app";

impl Image {
    /// The shell of a step that names none. CircleCI takes `/bin/sh -eo pipefail` where there is no bash; Debian's dash
    /// knows no `pipefail`, so an image with it needs a shell of its own there.
    pub fn shell(self) -> &'static str {
        match self {
            Self::Bash => "bash -eo pipefail",
            Self::Dash => "dash -e",
            Self::Busybox => "sh -eo pipefail",
        }
    }

    /// Fills a directory with its programs.
    fn install(self, directory: &Path) {
        fs::create_dir(directory).unwrap();
        let link = |name: &str, target: &Path| symlink(target, directory.join(name)).unwrap();
        let real = |name: &str| which(name).unwrap_or_else(|| panic!("{name} is not installed"));
        match self {
            Self::Bash | Self::Dash => {
                PROGRAMS.split_whitespace().for_each(|name| link(name, &real(name)));
                let shell = if self == Self::Bash { "bash" } else { "dash" };
                link(shell, &real(shell));
            }
            Self::Busybox => {
                let busybox = real("busybox");
                PROGRAMS.split_whitespace().filter(|name| *name != "curl").for_each(|name| link(name, &busybox));
                link("curl", &real("curl"));
            }
        }
    }
}

/// The outside of a job.
pub struct Machine<'w> {
    pub world: &'w World,
    pub image: Image,
    _registry: Server,
    _releases: Releases,
}

impl<'w> Machine<'w> {
    pub fn new(world: &'w World, image: Image) -> Self {
        let registry = Server::start(world);
        world.sandbox.set_registry(registry.address);
        let releases = Releases::start(world);
        image.install(&world.path("tools"));
        let programs = world.sandbox.circleci_program().unwrap();
        symlink(programs.join("circleci"), world.path("tools/circleci")).unwrap();
        fs::create_dir(world.path("assets")).unwrap();
        let layers = image::make(&world.path("assets"));
        executable(&world.path("bin/docker"), &docker(world, &layers));
        let role = Role {
            bound_audiences: vec!["https://vault.example.com".to_owned()],
            user_claim: "oidc.circleci.com/project-id".to_owned(),
            token_policies: vec!["dockerhub".to_owned()],
            token_ttl: 600,
            ..Role::default()
        };
        world.sandbox.vault().write_role("auth/jwt-circleci", ROLE, role);
        Self { world, image, _registry: registry, _releases: releases }
    }

    /// Puts images into the registry, as somebody has before the job.
    pub fn publish(&self, references: &[String]) {
        let store = self.world.path("assets/publisher.json");
        let login = base64(&format!("{ACCOUNT}:{PASSWORD}"));
        fs::write(&store, format!(r#"{{"auths":{{"https://index.docker.io/v1/":{{"auth":"{login}"}}}}}}"#)).unwrap();
        for reference in references {
            let from = format!("dir:{}", self.world.path("assets/image").display());
            let mut skopeo = Command::new(which("skopeo").unwrap());
            skopeo.args(["--insecure-policy", "copy", "--quiet", "--authfile"]).arg(&store).arg(from);
            let output = skopeo
                .arg(format!("docker://docker.io/{reference}"))
                .env_clear()
                .envs(self.world.sandbox.environment())
                .env("HOME", self.world.path("assets"))
                .output()
                .unwrap();
            assert!(output.status.success(), "{reference}: {}", String::from_utf8_lossy(&output.stderr));
        }
        fs::remove_file(store).unwrap();
    }

    /// The variables of a job that CircleCI sets, with identity tokens of its own.
    pub fn variables(&self, job: &str, number: usize) -> BTreeMap<String, String> {
        let world = self.world;
        let id = format!("61c273e5-80ad-4351-9f93-{number:012}");
        world.sandbox.issuer().set_identity(|identity| identity.job_id = id);
        let mut variables: BTreeMap<_, _> = world.sandbox.circleci_environment().into_iter().collect();
        variables.extend(world.sandbox.environment());
        // What the machine trusts and goes through, in the words of curl and wget.
        let authority = world.sandbox.ca_file().display().to_string();
        fs::write(world.path("assets/wgetrc"), format!("ca_certificate = {authority}\n")).unwrap();
        let pipeline = |name: &str| PIPELINE.iter().find(|(known, _)| *known == name).unwrap().1.to_owned();
        let path = format!("{}:{}", world.path("bin").display(), world.path("tools").display());
        let [home, temporary, bash] =
            ["home", "tmp", "tmp/bash_env"].map(|name| world.path(name).display().to_string());
        variables.extend(
            [
                ("CIRCLE_JOB", job.to_owned()),
                ("CIRCLE_BRANCH", pipeline("pipeline.git.branch")),
                ("CIRCLE_SHA1", pipeline("pipeline.git.revision")),
                ("CIRCLE_WORKING_DIRECTORY", "~/project".to_owned()),
                ("BASH_ENV", bash),
                ("CURL_CA_BUNDLE", authority),
                ("WGETRC", world.path("assets/wgetrc").display().to_string()),
                ("https_proxy", world.sandbox.proxy_url()),
                ("HOME", home),
                ("PATH", path),
                ("TMPDIR", temporary),
            ]
            .map(|(name, value)| (name.to_owned(), value)),
        );
        variables
    }

    /// Another machine for the next job, which begins later: nothing of this one's is left.
    pub fn renew(&self) {
        // A broker tells by whole seconds what is older than an identity token.
        self.world.sandbox.advance(1);
        for name in ["home", "tmp", "work", "spare"] {
            fs::remove_dir_all(self.world.path(name)).unwrap();
            fs::create_dir(self.world.path(name)).unwrap();
        }
    }
}

/// Docker's command line. The environment is traced where the client starts it; a step's own docker has the variables
/// of the step, the identity tokens among them.
fn docker(world: &World, layers: &Path) -> String {
    let real = which("docker").unwrap_or_else(|| panic!("docker is not installed"));
    let skopeo = which("skopeo").unwrap_or_else(|| panic!("skopeo is not installed"));
    format!(
        r#"#!/bin/sh
{{
    printf 'argv:'; printf ' [%s]' "$0" "$@"; printf '\n'
    case "$1" in login | logout | --version) export -p ;; esac
}} >> '{trace}'
for last; do :; done
copy() {{
    exec '{skopeo}' --insecure-policy copy --quiet --authfile "${{DOCKER_CONFIG:-$HOME/.docker}}/config.json" "$1" "$2"
}}
case "$1" in
    build) echo 'stand-in: there is no engine, so nothing is built' ;;
    push) copy 'dir:{layers}' "docker://docker.io/$last" ;;
    pull) copy "docker://docker.io/$last" "dir:${{TMPDIR:?}}/pulled" ;;
    *) exec '{real}' "$@" ;;
esac
"#,
        trace = world.path("children.log").display(),
        skopeo = skopeo.display(),
        real = real.display(),
        layers = layers.display(),
    )
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    STANDARD.encode(text)
}
