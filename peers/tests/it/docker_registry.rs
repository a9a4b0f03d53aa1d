//! The registry: the sandbox's built-in one and its token service, held against the reference implementation.

pub mod content;

use std::rc::Rc;

use hublease_peers::docker_registry::DockerRegistry;
use hublease_peers::{Answer, Ask};
use hublease_sandbox::{ACCOUNT, Sandbox};

use crate::support::table::{Row, play};

const PULL: &str = "repository:acme/none:pull";
const PUSH: &str = "repository:acme/none:pull,push";
const MANIFEST: &str = "acme/none/manifests/latest";
const BLOB: &str = "acme/none/blobs/sha256:0000000000000000000000000000000000000000000000000000000000000000";
const UPLOAD: &str = "acme/none/blobs/uploads/";

/// One of the two; bearers are the sandbox's for both.
struct Side {
    sandbox: Rc<Sandbox>,
    /// None is the stand-in, by its name and through the proxy.
    real: Option<DockerRegistry>,
}

impl Side {
    fn ask(&self, method: &str, path: &str) -> Ask {
        match &self.real {
            Some(registry) => Ask::new(method, format!("{}/v2/{path}", registry.url())),
            None => self.through(Ask::new(method, format!("https://registry-1.docker.io/v2/{path}"))),
        }
    }

    fn send(&self, method: &str, path: &str) -> Answer {
        answer(&self.ask(method, path))
    }

    /// With a bearer for the scope that the account's token opens.
    fn with(&self, method: &str, path: &str, scope: &str) -> Answer {
        answer(&self.ask(method, path).header("Authorization", &format!("Bearer {}", self.bearer(scope))))
    }

    fn bearer(&self, scope: &str) -> String {
        let (secret, _) = self.sandbox.hub().personal_token(ACCOUNT, "of the test", &["repo:write"], None);
        let url = format!("https://auth.docker.io/token?service=registry.docker.io&scope={scope}");
        let answer = self.through(Ask::new("GET", url)).basic(ACCOUNT, &secret).send().unwrap();
        answer.json()["token"].as_str().unwrap_or_else(|| panic!("{}", answer.text)).to_owned()
    }

    fn through(&self, ask: Ask) -> Ask {
        ask.through(&self.sandbox.proxy_url(), self.sandbox.ca_pem())
    }
}

/// The actions of a scope have no order, and the real registry's is another each time.
fn answer(ask: &Ask) -> Answer {
    let mut answer = ask.send().unwrap();
    for (_, value) in &mut answer.headers {
        *value = value.replace(":push,pull\"", ":pull,push\"");
    }
    answer
}

const ROWS: &[Row<Side>] = &[
    ("version without a bearer", |side| side.send("GET", "")),
    ("version with a bearer", |side| side.with("GET", "", PULL)),
    ("version with garbage", |side| answer(&side.ask("GET", "").header("Authorization", "Bearer x"))),
    ("version with a password", |side| answer(&side.ask("GET", "").basic("acmebot", "x"))),
    ("manifest without a bearer", |side| side.send("GET", MANIFEST)),
    ("manifest without a bearer, by HEAD", |side| side.send("HEAD", MANIFEST)),
    ("manifest with garbage", |side| answer(&side.ask("GET", MANIFEST).header("Authorization", "Bearer x"))),
    ("manifest of another repository's bearer", |side| side.with("GET", MANIFEST, "repository:acme/app:pull")),
    ("manifest that is not there", |side| side.with("GET", MANIFEST, PULL)),
    ("manifest that is not there, by HEAD", |side| side.with("HEAD", MANIFEST, PULL)),
    ("manifest put without a bearer", |side| answer(&side.ask("PUT", MANIFEST).body("{}"))),
    ("manifest put by who may pull", |side| {
        let bearer = format!("Bearer {}", side.bearer(PULL));
        answer(&side.ask("PUT", MANIFEST).header("Authorization", &bearer).body("{}"))
    }),
    ("manifest deleted by who may push", |side| side.with("DELETE", MANIFEST, PUSH)),
    ("blob without a bearer", |side| side.send("GET", BLOB)),
    ("blob that is not there", |side| side.with("GET", BLOB, PULL)),
    ("blob that is not there, by HEAD", |side| side.with("HEAD", BLOB, PULL)),
    ("upload without a bearer", |side| side.send("POST", UPLOAD)),
    ("upload by who may pull", |side| side.with("POST", UPLOAD, PULL)),
    ("upload by who may push", |side| side.with("POST", UPLOAD, PUSH)),
    ("tags of a repository that is not there", |side| side.with("GET", "acme/none/tags/list", PULL)),
    ("tags without a bearer", |side| side.send("GET", "acme/none/tags/list")),
];

/// The rows at a registry that `start` starts.
pub fn is_answered_alike(table: &'static str, start: fn(&str) -> DockerRegistry) {
    let sandbox = Rc::new(Sandbox::start().unwrap());
    // Docker Hub's pull limit is not a registry's.
    sandbox.set_pull_limit(None);
    let registry = start(sandbox.registry_certificate());
    let stand_in = Side { sandbox: Rc::clone(&sandbox), real: None };
    play(table, ROWS, &stand_in, &Side { sandbox, real: Some(registry) });
}

#[test]
fn the_registry_is_answered_alike() {
    is_answered_alike("registry", DockerRegistry::start);
}
