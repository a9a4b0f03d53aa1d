//! What the configuration refuses, with line and reason; and that the example is accepted.
//! The tables are longer than a function should be, because a row per line is how they are read.

mod accounts;
mod rules;
mod server;

use hublease_hub::client::Client;
use hublease_hub::token::TokenKind;

use super::*;
use crate::account::Account;
use crate::testing::CONFIG;

fn error(text: &str) -> String {
    Config::parse(text).err().map_or_else(|| "accepted".to_owned(), |error| error.to_string())
}

/// The message for a configuration in which one thing is changed, without its line.
fn changed(from: &str, to: &str) -> String {
    assert!(CONFIG.contains(from), "{from}");
    let text = CONFIG.replacen(from, to, 1);
    let message = error(&text);
    let Some((line, reason)) = message.strip_prefix("line ").and_then(|rest| rest.split_once(": ")) else {
        return message;
    };
    let line: usize = line.parse().unwrap();
    assert!(table_of(&text, CONFIG.find(from).unwrap()).contains(&line), "line {line} is blamed for {to}");
    reason.to_owned()
}

/// The lines, from 1, of the table that a byte stands in, with the tables that it holds.
fn table_of(text: &str, at: usize) -> Range<usize> {
    let line = text[..at].matches('\n').count() + 1;
    let heads = text
        .lines()
        .enumerate()
        .filter(|(_, text)| text.starts_with("[[") && !text.contains('.'))
        .map(|(index, _)| index + 1);
    let heads: Vec<_> = heads.collect();
    let start = heads.iter().rev().find(|head| **head <= line).copied().unwrap_or(1);
    let end = heads.iter().find(|head| **head > line).copied().unwrap_or(text.lines().count() + 1);
    start..end
}

/// What an account makes; a pool makes nothing.
fn kind(account: &Account) -> Option<&TokenKind> {
    account.client().map(Client::kind)
}

#[test]
fn the_example_is_accepted() {
    let example = include_str!("../../example.toml");
    let config = Config::parse(example).unwrap();
    assert_eq!(config.issuers.len(), 2);
    assert!(config.rules.len() >= 2);
    assert!(config.accounts.iter().any(|account| matches!(kind(account), Some(TokenKind::Oat { .. }))));
    assert!(config.public_url.is_some_and(|url| url.starts_with("https://")));
}

#[test]
fn what_the_example_shows_of_accounts_in_comments_is_accepted_too() {
    let example = include_str!("../../example.toml");
    let (head, rest) = example.split_once("# ---- Who issues").unwrap();
    let (accounts, tail) = rest.split_once("# ---- Who may have what").unwrap();
    let is_key =
        |line: &str| line.starts_with('[') || line.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '));
    let shown = accounts.lines().map(|line| line.strip_prefix("# ").filter(|line| is_key(line)).unwrap_or(line));
    // Of the three places of a password Vault is left.
    let shown = shown.skip(1).filter(|line| !line.starts_with("password_file"));
    let shown = shown.collect::<Vec<_>>().join("\n").replacen("password_env", "# password_env", 1);
    let config = Config::parse(&format!("{head}{shown}\n# {tail}")).unwrap();
    let kinds: Vec<_> = config.accounts.iter().map(kind).collect();
    assert!(matches!(kinds[..], [Some(TokenKind::Oat { .. }), Some(TokenKind::Pat), None]), "{kinds:?}");
}

#[test]
fn the_line_is_the_one_to_blame() {
    let text = CONFIG.replace("max_life_seconds = 1800", "max_life_seconds = 999999");
    let line = text.lines().position(|line| line.starts_with("max_life_seconds")).unwrap() + 1;
    assert_eq!(error(&text), format!("line {line}: `max_life_seconds` lies between 60 and 21600"));
    assert!(error("listen = 1\n").starts_with("line 1: invalid type: integer"));
    assert!(error("\n\nlisten = \"x\n").starts_with("line 3: "));
    assert_eq!(error("listen = \"127.0.0.1:0\"\n"), "line 1: missing field `public_url`");
    assert_eq!(changed("instance =", "limits = 1\ninstance ="), "invalid type: integer `1`, expected a table");
}

#[test]
fn general_settings() {
    for (from, to, reason) in [
        ("127.0.0.1:0", "localhost:0", "`listen` is an address and a port, such as `127.0.0.1:8080`"),
        ("127.0.0.1:0", "0.0.0.0:0", "`public_url` can be `auto` only when `listen` is a loopback address"),
        ("\"test\"", "\"Te st\"", "`instance` is 1 to 32 lower-case letters, digits and `-`"),
        ("\"test\"", "\"\"", "`instance` is 1 to 32 lower-case letters, digits and `-`"),
    ] {
        assert_eq!(changed(from, to), reason);
    }
    let wrong_url = "`public_url` is `https://` and a host in lower case, without a path and without the usual port: clients use it as issuer and audience";
    for url in [
        "http://broker.example",
        "https://broker.example/",
        "https://b.example/x",
        "https://",
        "https://:443",
        "https://u@b.example",
        "b.example",
    ] {
        assert_eq!(changed("\"auto\"", &format!("\"{url}\"")), wrong_url, "{url}");
    }
    for url in [
        "https://broker.example",
        "https://broker.example:8443",
        "http://127.0.0.1:8080",
        "http://[::1]:8080",
        "http://localhost",
    ] {
        assert_eq!(changed("\"auto\"", &format!("\"{url}\"")), "accepted", "{url}");
    }
    assert!(changed("instance =", "hub_url = \"https://x\"\ninstance =").starts_with("unknown field `hub_url`"));
}

#[test]
fn an_issuer_of_a_known_kind_has_that_kind() {
    for (from, to, reason) in [
        (
            "kind = \"github\"",
            "kind = \"other\"\nproject_claim = \"repository_id\"",
            "this is an issuer of GitHub Actions, whose events and forks `kind = \"github\"` knows",
        ),
        (
            "kind = \"circleci\"",
            "kind = \"other\"\nproject_claim = \"oidc.circleci.com/project-id\"",
            "this is an issuer of CircleCI, whose events and forks `kind = \"circleci\"` knows",
        ),
    ] {
        assert_eq!(changed(from, to), reason, "{to}");
    }
}

#[test]
fn issuers() {
    let url =
        "`url` is the issuer exactly as tokens spell it in `iss`, to the slash at its end: `https`, without query";
    for (from, to, reason) in [
        ("name = \"github\"", "name = \"circleci\"", "the name `circleci` comes twice"),
        (
            "kind = \"github\"",
            "kind = \"jenkins\"",
            "`kind` is one of `circleci`, `github`, `gitlab`, `kubernetes` and `other`",
        ),
        (
            "kind = \"github\"",
            "kind = \"other\"",
            "`kind = \"other\"` needs `project_claim`, the project's immutable id",
        ),
        (
            "kind = \"github\"",
            "kind = \"other\"\nproject_claim = \"a\\n\\\"b\"",
            "a claim's name is printable and holds no quote and no backslash",
        ),
        ("org/0f0e\"", "org/0f0e/\"", "accepted"),
        ("https://oidc", "http://oidc", url),
        ("https://oidc", "https://user@oidc", url),
        ("org/0f0e\"", "org/0f0e?x\"", url),
        ("jwks_uri = \"https", "jwks_uri = \"http", "`jwks_uri` is an `https` address"),
        ("jwks_uri =", "algorithm = \"HS256\"\njwks_uri =", "`algorithm` is `RS256` or `ES256`"),
        ("jwks_uri =", "algorithm = \"none\"\njwks_uri =", "`algorithm` is `RS256` or `ES256`"),
        ("jwks_uri =", "identity_use = \"twice\"\njwks_uri =", "`identity_use` is `once` or `reusable`"),
        (
            "org/0f0e\"",
            "org/0f0e\"\nidentity_use = \"once\"",
            "CircleCI's tokens have no `jti`, so `identity_use` cannot be `once`",
        ),
        ("jwks_uri =", "max_mints_per_identity = 0\njwks_uri =", "a limit per identity lies between 1 and 1000"),
        (
            "jwks_uri =",
            "project_claim = \"x\"\njwks_uri =",
            "`project_claim`, `job_claims` and `workflow_claims` belong to `kind = \"other\"`; this kind knows its own",
        ),
        (
            "jwks_uri =",
            "accept_default_audience = true\njwks_uri =",
            "`accept_default_audience` is for a CircleCI issuer of the form `https://oidc.circleci.com/org/ID`",
        ),
        (
            "org/0f0e\"",
            "org/0f0e/\"\naccept_default_audience = true",
            "`accept_default_audience` is for a CircleCI issuer of the form `https://oidc.circleci.com/org/ID`",
        ),
    ] {
        assert_eq!(changed(from, to), reason, "{to}");
    }
    let accepting = CONFIG.replacen("org/0f0e\"", "org/0f0e\"\naccept_default_audience = true", 1);
    let config = Config::parse(&accepting).unwrap();
    assert_eq!(config.issuers[0].default_audience.as_deref(), Some("0f0e"));
}
