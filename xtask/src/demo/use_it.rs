//! The use of the credential that docker has: a private image is pulled by an engine, or its manifest is read.
//!
//! With a docker CLI the manifest is read by `docker manifest inspect`. Without one it is what that command does: a token from
//! auth.docker.io for the credential, then the manifest with that token (distribution's token authentication).

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use ureq::tls::{Certificate, RootCerts, TlsConfig};
use ureq::{Agent, Proxy};

use super::machine::{self, Machine};
use crate::world::{Said, World, said};

/// The private image that exists in the sandbox.
const IMAGE: &str = "acme/app:latest";
const MANIFEST: &str = "https://registry-1.docker.io/v2/acme/app/manifests/latest";
const TOKEN: &str = "https://auth.docker.io/token?service=registry.docker.io&scope=repository%3Aacme%2Fapp%3Apull";
const MANIFEST_TYPE: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// Docker's name for Docker Hub in its configuration.
const HUB: &str = "https://index.docker.io/v1/";

/// Who uses the credential, and for what.
#[derive(Clone, Copy)]
pub(super) enum Use<'a> {
    /// The demo reads the manifest.
    Ourselves,
    /// This docker CLI reads the manifest.
    CommandLine(&'a Path),
    /// An engine pulls.
    Engine(&'a Machine),
}

impl Use<'_> {
    /// How it is written in the story.
    pub(super) fn command(self) -> String {
        match self {
            Self::Ourselves => format!("GET {MANIFEST}"),
            Self::CommandLine(_) => format!("docker manifest inspect {IMAGE}"),
            Self::Engine(_) => format!("docker pull {}", machine::IMAGE),
        }
    }

    /// What it shows when it works.
    pub(super) fn what(self) -> &'static str {
        match self {
            Self::Ourselves | Self::CommandLine(_) => "the manifest of a private image",
            Self::Engine(_) => "the engine has pulled a private image",
        }
    }

    /// Does it with the credential in `configuration`, a directory as in `DOCKER_CONFIG`. Code 0 means that it worked.
    pub(super) fn make(self, world: &World, home: &Path, configuration: &Path) -> Result<Said, String> {
        match self {
            Self::Ourselves => ourselves(world, configuration),
            Self::CommandLine(docker) => {
                let mut command = Command::new(docker);
                command.args(["manifest", "inspect", IMAGE]).env_clear().envs(world.variables(home));
                said(command.env("DOCKER_CONFIG", configuration).current_dir(home))
            }
            Self::Engine(machine) => machine.pull_anew(world, home, configuration),
        }
    }
}

/// Username and secret that docker's file holds for Docker Hub, if any.
pub(super) fn stored(configuration: &Path) -> Option<(String, String)> {
    let text = std::fs::read_to_string(configuration.join("config.json")).ok()?;
    let file: Value = serde_json::from_str(&text).ok()?;
    let pair = STANDARD.decode(file["auths"][HUB]["auth"].as_str()?).ok()?;
    let (username, secret) = String::from_utf8(pair).ok().and_then(|pair| {
        let (username, secret) = pair.split_once(':')?;
        Some((username.to_owned(), secret.to_owned()))
    })?;
    Some((username, secret))
}

fn ourselves(world: &World, configuration: &Path) -> Result<Said, String> {
    let begun = Instant::now();
    let agent = agent(world)?;
    let (username, secret) = stored(configuration).ok_or("docker's file holds no login to Docker Hub")?;
    let basic = format!("Basic {}", STANDARD.encode(format!("{username}:{secret}")));
    let (mut status, body) = get(&agent, TOKEN, &basic)?;
    if status == 200 {
        let answer: Value = serde_json::from_str(&body).unwrap_or_default();
        let bearer = format!("Bearer {}", answer["token"].as_str().unwrap_or_default());
        status = get(&agent, MANIFEST, &bearer)?.0;
    }
    let text = if status == 200 { "200".to_owned() } else { format!("{status} unauthorized") };
    Ok(Said { code: i32::from(status != 200), text, time: begun.elapsed() })
}

fn get(agent: &Agent, url: &str, authorization: &str) -> Result<(u16, String), String> {
    let request = agent.get(url).header("authorization", authorization).header("accept", MANIFEST_TYPE);
    let mut answer = request.call().map_err(|error| format!("{url}: {error}"))?;
    let body = answer.body_mut().read_to_string().map_err(|error| format!("{url}: {error}"))?;
    Ok((answer.status().as_u16(), body))
}

/// A client that goes through the sandbox's proxy and trusts the sandbox's authority alone.
fn agent(world: &World) -> Result<Agent, String> {
    let proxy = Proxy::new(&world.sandbox.proxy_url()).map_err(|error| error.to_string())?;
    let root = Certificate::from_pem(world.sandbox.ca_pem().as_bytes()).map_err(|error| error.to_string())?;
    let tls = TlsConfig::builder()
        .unversioned_rustls_crypto_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .root_certs(RootCerts::new_with_certs(&[root]))
        .build();
    let config = Agent::config_builder().proxy(Some(proxy)).http_status_as_error(false).tls_config(tls);
    Ok(config.build().new_agent())
}
