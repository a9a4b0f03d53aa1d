//! What an account may not say, and that its secrets are not looked at.
//! The tables are longer than a function should be, because a row per line is how they are read.

use std::path::PathBuf;

use super::{changed, error};
use crate::config::Config;
use crate::secret_source::SecretSource;
use crate::testing::CONFIG;

/// The account `someone` as a pool of two tokens.
const POOL: &str = r#"kind = "pool"
username = "someone"

[[account.token]]
name = "push"
token_file = "/run/secrets/push"
repositories = ["someone/app", "else/app"]
actions = ["pull", "push"]

[[account.token]]
name = "pull"
token_env = "PULL_TOKEN"
repositories = [{ glob = "someone/*" }]
actions = ["pull"]
"#;

/// The configuration of the tests with that pool, of which one thing is changed.
fn pool(from: &str, to: &str) -> String {
    let text = pool_text();
    assert!(text.contains(from), "{from}");
    let message = error(&text.replacen(from, to, 1));
    message.split_once(": ").map_or(message.clone(), |(_, reason)| reason.to_owned())
}

fn pool_text() -> String {
    let personal = "kind = \"pat\"\nusername = \"someone\"\npassword_env = \"HUB_PASSWORD\"\n";
    assert!(CONFIG.contains(personal));
    CONFIG.replace(personal, POOL).replace("account_wide = true\n", "")
}

#[test]
fn minting_accounts() {
    let one_place = "an account has one of `password_file`, `password_env` and `password_vault`";
    for (from, to, reason) in [
        ("kind = \"oat\"", "kind = \"bot\"", "`kind` is `oat`, `pat` or `pool`"),
        ("organization = \"acme\"\n", "", "`kind = \"oat\"` needs `organization`"),
        ("kind = \"pat\"", "kind = \"pat\"\norganization = \"x\"", "`kind = \"pat\"` has no `organization`"),
        ("kind = \"pat\"", "kind = \"pat\"\nquota = 10", "`kind = \"pat\"` has no `quota`"),
        (
            "organization = \"acme\"",
            "organization = \"../x\"",
            "a Docker ID is lower-case letters, digits, `-` and `_`",
        ),
        ("password_env = \"HUB_PASSWORD\"\n", "", one_place),
        ("password_env =", "password_file = \"x\"\npassword_env =", one_place),
        (
            "password_env = \"HUB_PASSWORD\"",
            "password_env = \"HUB-PASSWORD\"",
            "a variable's name is letters, digits and `_`",
        ),
        (
            "password_env = \"HUB_PASSWORD\"\n",
            "password_env = \"HUB_PASSWORD\"\n\n[[account.token]]\nname = \"t\"\ntoken_env = \"T\"\nrepositories = [\"acme/app\"]\nactions = [\"pull\"]\n",
            "`kind = \"oat\"` has no `token`",
        ),
        ("name = \"someone\"", "name = \"acme\"", "the name `acme` comes twice"),
    ] {
        assert_eq!(changed(from, to), reason, "{to}");
    }
    let unknown = changed("password_env =", "password = \"SENTINEL\"\npassword_env =");
    assert!(unknown.starts_with("unknown field `password`") && !unknown.contains("SENTINEL"));
}

#[test]
fn a_password_in_vault() {
    let vault = r#"password_vault = { address = "https://vault.example:8200/", path = "/v1/secret/data/hub", identity_token_file = "/run/token" }"#;
    let text = CONFIG.replacen("password_env = \"HUB_PASSWORD\"", vault, 1);
    assert_eq!(error(&text), "accepted");
    for path in ["/v1/secret/data/my app & co/100%/größe", "kv/a%20b"] {
        assert_eq!(error(&text.replace("/v1/secret/data/hub", path)), "accepted", "{path}");
    }
    assert_eq!(error(&text.replace("https://vault", "HTTPS://Vault")), "accepted");
    let segments = "a path in Vault is made of segments of printable text, separated by single slashes";
    let namespace = "a namespace of Vault is made of segments of visible ASCII, separated by single slashes";
    let copied = "`address` of Vault: the address of a server ends before its `/v1` or `/ui`";
    for (from, to, reason) in [
        (
            "https://vault",
            "http://vault",
            "`address` of Vault: an address begins with `https://`; plain `http://` is for this machine only",
        ),
        ("/v1/secret/data/hub", "secret//hub", segments),
        ("/v1/secret/data/hub", "secret/../hub", segments),
        ("https://vault.example:8200/", "https://vault.example:8200/v1/", copied),
        ("https://vault.example:8200/", "https://vault.example:8200/ui/vault/secrets", copied),
        ("identity_token_file", "auth_path = \"a//b\", identity_token_file", segments),
        ("identity_token_file", "namespace = \"\", identity_token_file", namespace),
        ("identity_token_file", "namespace = \"a b\", identity_token_file", namespace),
        (
            "identity_token_file",
            "token = \"SENTINEL\", identity_token_file",
            "unknown field `token`, expected one of `address`, `namespace`, `auth_path`, `role`, `identity_token_file`, `path`, `field`, `ca_file`",
        ),
        ("path = \"/v1/secret/data/hub\", ", "", "missing field `path`"),
    ] {
        assert!(text.contains(from), "{from}");
        let message = error(&text.replacen(from, to, 1));
        assert_eq!(message.split_once(": ").unwrap().1, reason, "{to}");
    }
}

#[test]
fn pools() {
    assert_eq!(error(&pool_text()), "accepted");
    let place = "a token has either `token_file` or `token_env`";
    for (from, to, reason) in [
        ("kind = \"pool\"", "kind = \"pool\"\norganization = \"x\"", "`kind = \"pool\"` has no `organization`"),
        ("kind = \"pool\"", "kind = \"pool\"\nquota = 10", "`kind = \"pool\"` has no `quota`"),
        ("kind = \"pool\"", "kind = \"pool\"\npassword_env = \"X\"", "`kind = \"pool\"` has no `password_env`"),
        ("name = \"pull\"", "name = \"push\"", "the name `push` comes twice"),
        ("name = \"pull\"", "name = \"Pull\"", "a name is lower-case letters, digits and `-`"),
        ("token_env = \"PULL_TOKEN\"\n", "", place),
        ("token_env = \"PULL_TOKEN\"", "token_env = \"PULL_TOKEN\"\ntoken_file = \"x\"", place),
        ("[{ glob = \"someone/*\" }]", "[]", "`repositories` names at least one repository"),
        (
            "[{ glob = \"someone/*\" }]",
            "[{ glob = \"some*/app\" }]",
            "a repository is `NAMESPACE/NAME`, without `*` in the namespace",
        ),
        (
            "actions = [\"pull\", \"push\"]\n\n[[account.token]]\nname = \"pull\"",
            "actions = [\"push\"]\n\n[[account.token]]\nname = \"pull\"",
            "Docker Hub's `push` includes `pull`, and its `delete` includes `push`: list them too",
        ),
    ] {
        assert_eq!(pool(from, to), reason, "{to}");
    }
    let empty = pool_text();
    let (head, tail) = (empty.find("[[account.token]]").unwrap(), empty.find("[[rule]]").unwrap());
    let message = error(&format!("{}{}", &empty[..head], &empty[tail..]));
    assert!(message.ends_with("`kind = \"pool\"` needs at least one `[[account.token]]`"), "{message}");
}

#[test]
fn a_rule_of_a_pool_names_what_some_token_reaches() {
    for (repository, actions, reason) in [
        ("\"someone/other\"", "[\"pull\"]", "accepted"),
        ("\"else/app\"", "[\"pull\", \"push\"]", "accepted"),
        (
            "\"someone/other\"",
            "[\"pull\", \"push\"]",
            "no token of the account reaches `someone/other` with all of the rule's `actions`",
        ),
        ("\"third/app\"", "[\"pull\"]", "no token of the account reaches `third/app` with all of the rule's `actions`"),
    ] {
        let rule = format!("repositories = [{repository}]\nactions = {actions}\nclaims = {{ repository_id = \"78\"");
        let from = "repositories = [\"someone/app\"]\nactions = [\"pull\"]\nclaims = { repository_id = \"78\"";
        assert_eq!(pool(from, &rule), reason);
    }
    for (glob, count) in [("someone/*", 0), ("someone/app-*", 1), ("third/*", 1)] {
        let text = pool_text().replace("[\"someone/app\"]", &format!("[{{ glob = \"{glob}\" }}]"));
        let warnings = Config::parse(&text).unwrap().warnings;
        assert_eq!(warnings.len(), count, "{warnings:?}");
        assert!(warnings.iter().all(|warning| warning.rule == "personal"));
    }
}

#[test]
fn secrets_are_named_and_not_read() {
    let config = Config::parse(&pool_text()).unwrap();
    let pool = config.accounts[1].pool().unwrap();
    let sources: Vec<_> = pool.tokens.iter().map(|token| token.source.clone()).collect();
    let (file, variable) = (PathBuf::from("/run/secrets/push"), "PULL_TOKEN".to_owned());
    assert_eq!(sources, [SecretSource::File(file), SecretSource::Variable(variable)]);
}
