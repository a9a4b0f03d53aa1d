//! Command lines that are valid but for what a test changes, and values of every flag: a good one, and wrong ones.
//!
//! `wrong` has over 60 lines because it is one table.

use std::collections::BTreeMap;

use hublease::cli::{Command, FLAGS, Flag, ProviderName, Support, Value};
use hublease_sandbox::CONNECTION_ID;

use super::World;
use super::job::Job;

/// Stands in wrong values, and must never be repeated.
pub const MARK: &str = "hunter2XYZZY";

/// The variable with the token of the static provider.
pub const TOKEN_VARIABLE: &str = "KEPT_TOKEN";

/// What a logout has a use for with `--workflow` only.
pub const IDENTIFYING: [&str; 4] = ["audience", "audience-elsewhere", "identity-token-env", "identity-token-file"];

/// The flags without which a provider cannot be asked.
pub fn needs(provider: ProviderName) -> &'static [(&'static str, &'static str)] {
    match provider {
        ProviderName::Docker => &[("connection-id", CONNECTION_ID), ("username", "acme")],
        ProviderName::Broker => &[("broker-url", "https://broker.example.com")],
        ProviderName::Vault => {
            &[("vault-addr", "https://vault.example.com"), ("vault-path", "secret/data/ci/dockerhub")]
        }
        ProviderName::Static => &[("secret-env", TOKEN_VARIABLE), ("username", "acmebot")],
    }
}

/// A CircleCI job and a token in a variable, made once for a world.
pub struct Bench<'w> {
    pub world: &'w World,
    variables: BTreeMap<String, String>,
}

impl<'w> Bench<'w> {
    pub fn new(world: &'w World) -> Self {
        let mut variables: BTreeMap<_, _> =
            world.sandbox.circleci_environment_for("https://broker.example.com").into_iter().collect();
        variables.insert(TOKEN_VARIABLE.to_owned(), world.static_token());
        Self { world, variables }
    }

    /// A valid run in which a value of this flag is looked at, without what cannot stand beside it.
    pub fn line_for(&self, command: Command, flag: &Flag) -> Job<'w> {
        if command == Command::Logout && IDENTIFYING.contains(&flag.name) {
            return self.line(command, ProviderName::Broker, &rivals(flag.name)).arg("--workflow");
        }
        // The one good audience is that of a provider.
        let provider = if flag.name == "audience" { ProviderName::Broker } else { who_honours(flag) };
        self.line(command, provider, &rivals(flag.name))
    }

    /// A valid run for a provider, which is named, without the flags in `without`.
    pub fn line(&self, command: Command, provider: ProviderName, without: &[&str]) -> Job<'w> {
        let knows = |name: &str| flag(name).commands.contains(&command) && !without.contains(&name);
        let mut job = self.world.job(command.name());
        for (name, value) in &self.variables {
            job = job.env(name, value);
        }
        if knows("provider") {
            job = job.arg(format!("--provider={}", provider.name()));
        }
        for (name, value) in needs(provider).iter().filter(|(name, _)| knows(name)) {
            job = job.arg(format!("--{name}={value}"));
        }
        if command == Command::Exec { job.then(&["/bin/true"]) } else { job }
    }
}

/// A flag of the table.
pub fn flag(name: &str) -> &'static Flag {
    FLAGS.iter().find(|flag| flag.name == name).unwrap()
}

/// The first provider that honours a flag.
fn who_honours(flag: &Flag) -> ProviderName {
    let column = flag.support.iter().position(|honour| *honour != Support::Refused).unwrap();
    ProviderName::ALL[column]
}

/// What cannot stand beside a flag.
fn rivals(name: &str) -> Vec<&str> {
    if name == "username-env" { vec![name, "username"] } else { vec![name] }
}

/// A value that every provider which honours the flag accepts.
pub fn good(name: &str) -> &'static str {
    match name {
        "provider" => "auto",
        "registry" => "dhi.io",
        "username" => "acme",
        "scope" => "repository:acme/app:pull",
        "expires-in" => "900",
        "audience" => "https://broker.example.com",
        "connection-id" => CONNECTION_ID,
        "broker-url" => "https://broker.example.com",
        "vault-addr" => "https://vault.example.com",
        "vault-path" => "secret/data/ci/dockerhub",
        "vault-namespace" | "vault-auth-path" | "vault-role" => "team",
        "vault-data" => "label=job",
        "vault-redirect-origin" => "https://vault-standby.example.com",
        "secret-env" | "identity-token-env" => TOKEN_VARIABLE,
        "username-env" => "CIRCLE_PROJECT_USERNAME",
        "vault-username-field" | "vault-secret-field" | "identity-token-file" | "ca-cert" => "name",
        _ => match flag(name).value {
            Value::Choice(words) => words[0],
            Value::Switch => "true",
            Value::One(_) | Value::Many(_) => panic!("no good value for --{name}"),
        },
    }
}

/// Values of the wrong kind; none for flags that take any text.
pub fn wrong(name: &str) -> Vec<String> {
    let long = "a".repeat(256);
    let list: &[&str] = match name {
        "registry" => &["ghcr.io", "-docker.io", "docker.io/acme", "evil.example.com", "docker.io:443"],
        "username" => &["-acme", "a:b", "a b", "\u{e4}cme", "acme/app", "@acme", ".acme", &long],
        "scope" => &["repository", "repository:acme/app:*", "repository:../x:pull", "registry:catalog:pull", "pull"],
        "expires-in" => &[
            "soon",
            "0",
            "299",
            "21601",
            "1e3",
            "-1",
            "+900",
            "900s",
            "99999999999999999999",
            "0x384",
            "900.0",
            " 900",
        ],
        "audience" => &[
            "https://evil.example.com",
            "https://identity.docker.com.evil.example.com/x",
            "https://identity.docker.com@evil",
            "an-audience",
            "sts.amazonaws.com",
        ],
        "connection-id" => &[
            "c0ffee",
            "c0ffee00-5a1d-4b0c-9e1e-0a11ce5eed0g",
            "c0ffee00-5a1d-4b0c-9e1e-0a11ce5eed011",
            "c0ffee00_5a1d_4b0c_9e1e_0a11ce5eed01",
            "../oauth",
        ],
        "broker-url" | "vault-addr" | "vault-redirect-origin" => &[
            "vault.example.com",
            "http://vault.example.com",
            "http://127.0.0.1.example.com",
            "https://vault.example.com:0",
            "https://vault.example.com:65536",
            "https://user:hunter2XYZZY@vault.example.com",
            "https://vault.example.com?token=hunter2XYZZY",
            "https://vault.example.com/#x",
            "https://vault.example.com/a/../b",
            "https://[fe80::1%25eth0]",
            "ftp://vault.example.com",
            "https://",
            "8200",
        ],
        "vault-auth-path" | "vault-path" => &["..", "a/../b", "./a", "a//b", "/", " ", "a\nb", "a\u{85}b"],
        "vault-namespace" => &["..", "a/../b", "./a", "a//b", "/", "a b", "\u{e4}"],
        "vault-data" => &["hunter2XYZZY", "=hunter2XYZZY"],
        "secret-env" | "username-env" => &["1A", "A-B", "A.B", "A=hunter2XYZZY", "-A", "HUNTER2_THAT_IS_UNSET"],
        "identity-token-env" => &["1A", "A-B", "A.B", "A=hunter2XYZZY", "-A"],
        "ca-cert" => &["/nonexistent/hunter2XYZZY", "/", "/dev/null", "/dev/zero"],
        _ => match flag(name).value {
            Value::Choice(_) => &["hunter2XYZZY", "AUTO", "text,json", "-"],
            Value::Switch => &["yes", "1", "tRUE", "hunter2XYZZY"],
            Value::One(_) | Value::Many(_) => &[],
        },
    };
    list.iter().map(|value| (*value).to_owned()).collect()
}
