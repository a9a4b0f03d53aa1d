//! An image that both have: the sandbox's only one, byte by byte, and everything that may be asked about it.

use std::rc::Rc;

use hublease_peers::docker_registry::DockerRegistry;
use hublease_peers::{Answer, Ask};
use hublease_sandbox::Sandbox;

use super::{Side, answer};
use crate::support::table::{Row, play};

const PULL: &str = "repository:acme/app:pull";
const PUSH: &str = "repository:acme/app:pull,push";
const MANIFEST_TYPE: &str = "application/vnd.docker.distribution.manifest.v2+json";
/// Of no manifest and no blob.
const UNKNOWN: &str = "sha256:1111111111111111111111111111111111111111111111111111111111111111";

impl Side {
    fn of_app(&self, method: &str, rest: &str) -> Answer {
        self.with(method, &format!("acme/app/{rest}"), PULL)
    }

    fn of_app_with(&self, method: &str, rest: &str, header: (&str, &str)) -> Answer {
        let ask = self.ask(method, &format!("acme/app/{rest}"));
        answer(&ask.header("Authorization", &format!("Bearer {}", self.bearer(PULL))).header(header.0, header.1))
    }

    /// By who may push, with a body.
    fn pushed(&self, method: &str, rest: &str, media_type: &str, body: &str) -> Answer {
        let ask = self.ask(method, &format!("acme/app/{rest}")).header("Content-Type", media_type);
        answer(&ask.header("Authorization", &format!("Bearer {}", self.bearer(PUSH))).body(body))
    }

    fn manifest(&self) -> Answer {
        self.of_app_with("GET", "manifests/latest", ("Accept", MANIFEST_TYPE))
    }

    fn manifest_digest(&self) -> String {
        self.manifest().header("docker-content-digest").unwrap().to_owned()
    }

    fn config_digest(&self) -> String {
        self.manifest().json()["config"]["digest"].as_str().unwrap().to_owned()
    }
}

// Not here: a range beyond the end, at which the real one's storage in memory loses the connection.
const ROWS: &[Row<Side>] = &[
    ("manifest by tag", Side::manifest),
    ("manifest by tag, by HEAD", |side| side.of_app_with("HEAD", "manifests/latest", ("Accept", MANIFEST_TYPE))),
    ("manifest by digest", |side| side.of_app("GET", &format!("manifests/{}", side.manifest_digest()))),
    ("manifest by digest, by HEAD", |side| side.of_app("HEAD", &format!("manifests/{}", side.manifest_digest()))),
    ("manifest in any form", |side| side.of_app_with("GET", "manifests/latest", ("Accept", "*/*"))),
    ("manifest of a tag that is not there", |side| side.of_app("GET", "manifests/none")),
    ("manifest of a tag that is not there, by HEAD", |side| side.of_app("HEAD", "manifests/none")),
    ("manifest of a digest that is not there", |side| side.of_app("GET", &format!("manifests/{UNKNOWN}"))),
    ("manifest of a reference that is none", |side| side.of_app("GET", "manifests/..")),
    ("blob", |side| side.of_app("GET", &format!("blobs/{}", side.config_digest()))),
    ("blob by HEAD", |side| side.of_app("HEAD", &format!("blobs/{}", side.config_digest()))),
    ("the beginning of a blob", |side| {
        side.of_app_with("GET", &format!("blobs/{}", side.config_digest()), ("Range", "bytes=0-9"))
    }),
    ("the end of a blob", |side| {
        side.of_app_with("GET", &format!("blobs/{}", side.config_digest()), ("Range", "bytes=-5"))
    }),
    ("blob that is known already", |side| {
        side.of_app_with(
            "GET",
            &format!("blobs/{}", side.config_digest()),
            ("If-None-Match", &format!("\"{}\"", side.config_digest())),
        )
    }),
    ("blob of a digest that is not there", |side| side.of_app("GET", &format!("blobs/{UNKNOWN}"))),
    ("blob of a digest that is none", |side| side.of_app("GET", "blobs/sha256:xyz")),
    ("tags", |side| side.of_app("GET", "tags/list")),
    ("tags, one at a time", |side| side.of_app("GET", "tags/list?n=1")),
    ("tags of another's bearer", |side| side.with("GET", "acme/app/tags/list", "repository:acme/base:pull")),
    ("catalog without a bearer", |side| side.send("GET", "_catalog")),
    ("catalog by a bearer of a repository", |side| side.with("GET", "_catalog", PULL)),
    ("upload begun", |side| side.pushed("POST", "blobs/uploads/", "application/octet-stream", "")),
    ("upload begun by who may pull", |side| side.of_app("POST", "blobs/uploads/")),
    ("version by POST", |side| side.with("POST", "", PULL)),
    ("a path that is none", |side| side.with("GET", "acme/app/nothing", PULL)),
];

/// What the stand-in has, pushed to the real one as a client would.
fn push_the_same(stand_in: &Side, real: &Side) {
    let (manifest, digest) = (stand_in.manifest(), stand_in.config_digest());
    let config = stand_in.of_app("GET", &format!("blobs/{digest}"));
    let begun = real.pushed("POST", "blobs/uploads/", "application/octet-stream", "");
    let location = begun.header("location").unwrap();
    let url = format!("{}{location}&digest={digest}", real.real.as_ref().unwrap().url());
    let ask = Ask::new("PUT", url).header("Content-Type", "application/octet-stream").body(config.text);
    let stored = ask.header("Authorization", &format!("Bearer {}", real.bearer(PUSH))).send().unwrap();
    assert_eq!(stored.status, 201, "{}", stored.text);
    let stored = real.pushed("PUT", "manifests/latest", MANIFEST_TYPE, &manifest.text);
    assert_eq!(stored.status, 201, "{}", stored.text);
}

/// The rows at a registry that `start` starts.
pub fn is_answered_alike(table: &'static str, start: fn(&str) -> DockerRegistry) {
    let sandbox = Rc::new(Sandbox::start().unwrap());
    sandbox.set_pull_limit(None);
    let registry = start(sandbox.registry_certificate());
    let stand_in = Side { sandbox: Rc::clone(&sandbox), real: None };
    let real = Side { sandbox, real: Some(registry) };
    push_the_same(&stand_in, &real);
    play(table, ROWS, &stand_in, &real);
}

#[test]
fn what_both_have_is_answered_alike() {
    is_answered_alike("content", DockerRegistry::start);
}
