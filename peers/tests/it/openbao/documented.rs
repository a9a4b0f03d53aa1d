//! docs/vault.md from the top down: each of its blocks as it stands there, by `bao` under the name of `vault`, at a real server that
//! is reached by the page's own address, with a plugin that answers as the published one.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use hublease_peers::openbao;
use hublease_peers::openbao::OpenBao;
use hublease_sandbox::{PASSWORD, Sandbox};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::plugin::{self, Deletes, NAME, PATH};
use super::twins::AUDIENCE;
use crate::support::client::{Job, Outcome};
use crate::support::page;

/// Who runs a block.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Who {
    /// Of all namespaces.
    Root,
    Operator,
    CircleCi,
}

/// A block is known by what it holds.
struct Example {
    holds: &'static str,
    by: Who,
    says: &'static [&'static str],
}

const fn example(holds: &'static str, by: Who, says: &'static [&'static str]) -> Example {
    Example { holds, by, says }
}

const IRREVOCABLE: &str = "vault read sys/leases type=irrevocable";
const CIRCLECI_ROLE: &str = "vault write auth/jwt-circleci/role/push-app";
const NOT_REVOKED: &str = "failed to delete auth token 204";

/// In the page's order.
const EXAMPLES: &[Example] = &[
    example("vault plugin register", Who::Root, &["Registered plugin"]),
    example("vault write dockerhub/config/acmebot", Who::Operator, &["Enabled the", "Data written to"]),
    example(IRREVOCABLE, Who::Operator, &["lease_count    0", "Force revoked any leases with prefix"]),
    example("vault kv put secret/dockerhub", Who::Operator, &["secret/data/dockerhub"]),
    example("vault policy write dockerhub-push-app", Who::Operator, &["Uploaded policy: dockerhub-push-app"]),
    example("vault policy write dockerhub-pull-app", Who::Operator, &["Uploaded policy: dockerhub-pull-app"]),
    example("vault auth enable -path=jwt-github", Who::Operator, &["Enabled jwt auth method at: jwt-circleci/"]),
    example("hublease whoami", Who::CircleCi, &["oidc.circleci.com/project-id"]),
    example("vault write auth/jwt-github/role/push-app", Who::Operator, &["Data written to"]),
    example(CIRCLECI_ROLE, Who::Operator, &["Data written to"]),
    example("hublease exec", Who::CircleCi, &["pushed", NOT_REVOKED, "pulled", "not a lease, lives on at its owner"]),
    example("hublease login\n", Who::CircleCi, &["as acmebot by vault, until", "pushed", NOT_REVOKED]),
];

/// The blocks of commands.
fn blocks() -> Vec<String> {
    page::blocks("vault.md", "sh")
}

fn block(holds: &str) -> String {
    blocks().into_iter().find(|block| block.contains(holds)).unwrap()
}

#[test]
fn every_block_is_known_here_in_its_order() {
    let blocks = blocks();
    assert_eq!(blocks.len(), EXAMPLES.len());
    for (block, example) in blocks.iter().zip(EXAMPLES) {
        assert!(block.contains(example.holds), "{} is not in\n{block}", example.holds);
    }
}

#[test]
fn the_page_leads_from_nothing_to_a_login_and_a_logout_that_says_what_it_says() {
    follow("");
}

#[test]
fn the_page_leads_there_in_a_namespace_too() {
    follow("team");
}

/// Follows the page in this namespace.
fn follow(namespace: &'static str) {
    let page = Page::open(namespace);
    for (block, example) in blocks().iter().zip(EXAMPLES) {
        page.run(example.by, block, example.says);
        if example.holds == CIRCLECI_ROLE {
            // As the page says below it.
            page.run(Who::Operator, &block.replace("push-app", "pull-app"), &["Data written to"]);
        }
    }
    page.the_printed_role_lets_this_job_in_and_no_other();
    page.a_github_job_of_the_environment_is_let_in();
    page.given_up_leases_are_listed_and_forgotten();
    assert_eq!(page.sandbox.unexpected(), [""; 0]);
}

/// The world that the page speaks of.
struct Page {
    sandbox: Sandbox,
    bao: OpenBao,
    /// Programs of the operator.
    programs: TempDir,
    namespace: &'static str,
}

impl Page {
    fn open(namespace: &'static str) -> Self {
        let sandbox = Sandbox::start().unwrap();
        sandbox.issuer().set_identity(|identity| {
            identity.organization_id = "22222222-3333-4444-8555-666666666666".to_owned();
            identity.project_id = "33333333-4444-4555-8666-777777777777".to_owned();
            identity.repository_id = "123456789".to_owned();
            identity.repository_owner_id = "1234567".to_owned();
            identity.environment = Some("release".to_owned());
        });
        let mut environment = sandbox.environment();
        environment.extend(plugin::environment(&sandbox));
        let bao = OpenBao::start(environment);
        sandbox.forward("vault.example.com", bao.url().trim_start_matches("http://").parse().unwrap());
        fs::copy(plugin::program(), bao.plugins().join(NAME)).unwrap();
        let programs = tempfile::tempdir().unwrap();
        symlink(openbao::PEER.program(), programs.path().join("vault")).unwrap();
        if !namespace.is_empty() {
            bao.write(&format!("sys/namespaces/{namespace}"), &json!({}));
        }
        Self { sandbox, bao, programs, namespace }
    }

    #[track_caller]
    fn run(&self, by: Who, script: &str, says: &[&str]) -> Outcome {
        let outcome = match by {
            Who::Root => self.operate("", script),
            Who::Operator => self.operate(self.namespace, script),
            Who::CircleCi => self.job(script),
        };
        assert_eq!(outcome.code, 0, "{script}\n{outcome:?}");
        says.iter().fold(outcome, |outcome, text| outcome.says(text))
    }

    /// Where the plugin's file is, with the password as the only thing to read.
    fn operate(&self, namespace: &str, script: &str) -> Outcome {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-euc", script]).current_dir(self.bao.plugins()).env_clear();
        shell.env("PATH", format!("{}:/usr/bin:/bin", self.programs.path().display()));
        shell.env("HOME", self.programs.path()).env("VAULT_ADDR", self.bao.url()).env("VAULT_TOKEN", self.bao.root());
        if !namespace.is_empty() {
            shell.env("VAULT_NAMESPACE", namespace);
        }
        let mut child = shell.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // As it is typed, with the line break. A script that reads nothing may have ended.
        child.stdin.take().unwrap().write_all(format!("{PASSWORD}\n").as_bytes()).ok();
        Outcome::of(&child.wait_with_output().unwrap())
    }

    /// A job of a new machine, whose docker only looks at the login that it is given.
    fn job(&self, script: &str) -> Outcome {
        let mut job = Job::new(&self.sandbox, AUDIENCE);
        job.set("HUBLEASE_CLIENT", "none");
        if !self.namespace.is_empty() {
            job.set("VAULT_NAMESPACE", self.namespace);
        }
        job.bring("hublease", Path::new(&std::env::var_os("HUBLEASE_BIN").unwrap()));
        let docker = self.programs.path().join("docker");
        let looks =
            "#!/bin/sh\n/bin/grep -q '\"auth\":' \"${DOCKER_CONFIG:-$HOME/.docker}/config.json\" && echo \"$1ed\"\n";
        fs::write(&docker, looks).unwrap();
        fs::set_permissions(&docker, fs::Permissions::from_mode(0o755)).unwrap();
        job.bring("docker", &docker);
        Outcome::of(&job.command(Path::new("/bin/sh"), &["-euc", script]).output().unwrap())
    }

    /// What `whoami` prints is written as it is printed.
    fn the_printed_role_lets_this_job_in_and_no_other(&self) {
        let printed = self.run(Who::CircleCi, &block("hublease whoami"), &[]).stdout;
        let role = role_in(&printed);
        assert_eq!(role["bound_audiences"], json!([AUDIENCE]), "{printed}");
        let write = format!("vault write auth/jwt-circleci/role/push-app - <<'EOR'\n{role}\nEOR\n");
        let mut named = role.clone();
        named["token_policies"] = json!(["dockerhub-push-app"]);
        self.run(Who::Operator, &write.replace(&role.to_string(), &named.to_string()), &["Data written to"]);
        let login = block("hublease login\n");
        self.run(Who::CircleCi, &login, &["as acmebot by vault, until"]);
        self.sandbox.issuer().set_identity(|identity| identity.project_id = "another".to_owned());
        let refused = self.job(&login);
        assert_eq!(refused.code, 4, "{refused:?}");
        self.sandbox
            .issuer()
            .set_identity(|identity| identity.project_id = "33333333-4444-4555-8666-777777777777".to_owned());
    }

    /// The role of the page's other platform.
    fn a_github_job_of_the_environment_is_let_in(&self) {
        let (issuer, mount) = (self.sandbox.issuer(), "auth/jwt-github/login");
        let log_in = || {
            let jwt = issuer.github().audience(AUDIENCE).sign();
            let ask = self.bao.ask("POST", mount).json(&json!({ "role": "push-app", "jwt": jwt }));
            let ask = if self.namespace.is_empty() { ask } else { ask.header("X-Vault-Namespace", self.namespace) };
            ask.send().unwrap()
        };
        let answer = log_in();
        assert_eq!(answer.status, 200, "{}", answer.text);
        issuer.set_identity(|identity| identity.environment = None);
        assert_eq!(log_in().status, 400);
    }

    /// The leases that the logouts could not end: the server queues them, and gives them up, here at once.
    fn given_up_leases_are_listed_and_forgotten(&self) {
        let lines = block(IRREVOCABLE);
        let [list, forget] = lines.lines().collect::<Vec<_>>()[..] else { panic!("{lines}") };
        plugin::set(&self.sandbox, Deletes::Hopeless);
        let end = format!(
            "for lease in $(vault list -format=json sys/leases/lookup/{PATH} | tr -d '[\",]'); do \
             vault write sys/leases/revoke lease_id={PATH}/\"$lease\" sync=false; done"
        );
        self.run(Who::Operator, &end, &[]);
        hublease_peers::until("the server has given up", || {
            self.operate(self.namespace, list).said("error:failed to revoke entry")
        });
        self.run(Who::Operator, forget, &["Force revoked any leases with prefix"]);
        self.run(Who::Operator, list, &["lease_count    0"]);
        assert!(!self.operate(self.namespace, &format!("vault list sys/leases/lookup/{PATH}")).said("Keys"));
    }
}

/// The role in what `whoami` prints: the JSON between the lines of its command.
fn role_in(printed: &str) -> Value {
    let begin = printed.find("vault rule").and_then(|at| Some(at + printed[at..].find('{')?)).unwrap();
    let end = printed.rfind('}').unwrap();
    serde_json::from_str(&printed[begin..=end]).unwrap_or_else(|error| panic!("{error}: {printed}"))
}
