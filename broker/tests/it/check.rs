//! `check` with the real program: what it says of a configuration, and how it explains a decision.
//! The whole output is compared, so the tables are as long as it is.

use serde_json::{Value, json};

use crate::desk::{Desk, URL};
use crate::testing::{CONFIG, circleci_claims};

/// The tests' configuration and a CircleCI job's claims in files.
fn desk(claims: &Value) -> Desk {
    let desk = Desk::new();
    desk.write("config.toml", CONFIG);
    desk.write("claims.json", &claims.to_string());
    desk
}

#[test]
fn a_configuration_is_told_in_a_few_lines_with_its_holes() {
    let desk = desk(&json!({}));
    let told = desk.run(&["check", "--config", "config.toml"], "");
    let expected = "\
address: the address it listens on, 127.0.0.1:0
issuer circleci: https://oidc.circleci.com/org/0f0e, CircleCI
issuer github: https://token.actions.githubusercontent.com, GitHub Actions
account acme: organization tokens of `acme` (at most 10), made by `acme-broker`
account someone: personal tokens of `someone`
rule app-main: jobs of circleci may pull, push \"acme/app\", \"acme/base\" for up to 15 min, from acme, without public images
rule release: jobs of github may pull, push \"acme/app\", glob \"acme/tool-*\" for up to 30 min, from acme, without public images
rule personal: jobs of github may pull \"someone/app\" for up to 15 min, from someone, with public images
file the journal: not there yet
warning: rule `app-main`: is open to forks and strangers: it does not name `oidc.circleci.com/vcs-origin`, and a fork's pull \
request runs in this project where \"Pass secrets to builds from forked pull requests\" is on (open_to_forks)
warning: rule `personal`: is open to forks and strangers: it does not name `event_name`, so a pull request may name the \
environment too, unless the environment's own protection says otherwise (open_to_forks)
warning: rule `personal`: is account-wide: whatever repositories it lists, its tokens reach all that `someone` reaches, because \
Docker Hub cannot limit personal tokens (account_wide)
";
    assert_eq!((told.code, told.out.as_str(), told.err.as_str()), (0, expected, ""));
    assert_eq!(desk.run(&["check", "--config", "config.toml", "--strict"], "").code, 1);
    let json = desk.run(&["check", "--config", "config.toml", "--output", "json"], "").json();
    assert_eq!(json["configuration"]["rules"][1]["repositories"], json!(["\"acme/app\"", "glob \"acme/tool-*\""]));
    assert_eq!(json["warnings"][2]["about"], "rule `personal`");

    desk.write("broken.toml", &CONFIG.replace("max_life_seconds = 1800", "max_life_seconds = 5"));
    let broken = desk.run(&["check", "--config", "broken.toml"], "");
    assert_eq!((broken.code, broken.out.as_str()), (2, ""));
    assert!(broken.err.contains("broken.toml: line 4"), "{}", broken.err);
}

#[test]
fn a_grant_is_explained_rule_by_rule() {
    let desk = desk(&circleci_claims());
    let config = CONFIG.replace("\"auto\"", "\"https://broker.example\"");
    desk.write("config.toml", &config);
    let words = ["check", "--config", "config.toml", "--claims", "claims.json", "--scope", "repository:acme/app:push"];
    let told = desk.run(&[&words[..], &["--expires-in", "600"]].concat(), "");
    let expected = "\
job: issuer circleci, project p1, job j1 (claims from a file, which prove nothing)
asks for: repository:acme/app:pull,push, 10 min

rule app-main: grants this, for up to 15 min
  ok  oidc.circleci.com/project-id  wants \"p1\", found \"p1\"
  ok  oidc.circleci.com/ssh-rerun   wants false, found false
  ok  oidc.circleci.com/vcs-ref     wants \"refs/heads/main\", found \"refs/heads/main\"
  ok  repository acme/app
rule release: is about tokens of github
rule personal: is about tokens of github

granted by rule app-main: repository:acme/app:pull,push from account acme, for 10 min
";
    assert_eq!((told.out.as_str(), told.err.as_str(), told.code), (expected, "", 0));
}

#[test]
fn a_refusal_says_what_was_wanted_and_what_was_found() {
    let desk = desk(&json!({
        "iss": "https://token.actions.githubusercontent.com", "repository_id": "77", "event_name": "deployment",
        "ref": ["refs/tags/v1"], "jti": "t1",
    }));
    let words = ["check", "--config", "config.toml", "--claims", "claims.json", "--scope", "repository:acme/x:delete"];
    let told = desk.run(&words, "");
    let expected = "\
job: issuer github, project 77, job (none) (claims from a file, which prove nothing)
asks for: repository:acme/x:pull,push,delete, as long as the rule allows

rule app-main: is about tokens of circleci
rule release: does not accept the job
  NO  event_name     wants \"push\" or \"release\", found \"deployment\"
  NO  ref            wants glob \"refs/tags/v*\", found [\"refs/tags/v1\"]
  ok  repository_id  wants \"77\", found \"77\"
rule personal: does not accept the job
  NO  environment    wants \"production\", found nothing
  NO  repository_id  wants \"78\", found \"77\"

refused: no_rule_matches: no rule accepts this job: `event_name`, `ref` did not match
";
    assert_eq!((told.out.as_str(), told.err.as_str(), told.code), (expected, "", 1));

    let json = desk.run(&[&words[..], &["--connection-id", "0f0e0d", "--output", "json"]].concat(), "").json();
    let verdicts: Vec<_> = json["rules"].as_array().unwrap().iter().map(|rule| &rule["verdict"]).collect();
    assert_eq!(verdicts, ["other_issuer", "claims_differ", "other_connection"]);
    let [event, reference, _] = json["rules"][1]["claims"].as_array().unwrap().as_slice() else { unreachable!() };
    assert_eq!((&event["matches"], &event["found"]), (&json!(false), &json!("deployment")));
    assert_eq!(reference["wanted"], json!(["glob \"refs/tags/v*\""]));
    assert_eq!(json["decision"]["code"], "no_rule_matches");
}

#[test]
fn scope_and_life_are_held_against_the_rule() {
    let desk = desk(&circleci_claims());
    let refused = |words: &[&str]| {
        let words = [&["check", "--config", "config.toml", "--claims", "claims.json"], words].concat();
        let told = desk.run(&words, "");
        let lines =
            told.out.lines().filter(|line| line.starts_with("rule app-main") || line.contains("repository acme"));
        (told.code, lines.chain(told.out.lines().last()).map(str::to_owned).collect::<Vec<_>>().join("\n"))
    };
    let (code, scope) = refused(&["--scope", "repository:acme/base:delete repository:acme/other:pull"]);
    let expected = "\
rule app-main: accepts the job, and does not grant all of the scope
  NO  repository acme/base: delete not granted
  NO  repository acme/other: not named by the rule
refused: scope_not_granted: the rules accept this job, but no single one grants all of the scope";
    assert_eq!((code, scope.as_str()), (1, expected));
    let (code, life) = refused(&["--expires-in", "1200"]);
    assert_eq!(code, 0);
    assert!(
        life.starts_with("rule app-main: grants the scope, and for up to 15 min instead of what is asked\n"),
        "{life}"
    );
    assert!(life.ends_with("from account acme, for 15 min instead of 20 min"), "{life}");
    let (code, life) = refused(&["--expires-in", "1200", "--min-expires-in", "901"]);
    assert_eq!(code, 1);
    assert!(
        life.starts_with("rule app-main: grants the scope, for up to 15 min and not for what is asked\n"),
        "{life}"
    );
    assert!(
        life.ends_with("refused: life_not_granted: `min_expires_in` is over the longest life of 900 seconds"),
        "{life}"
    );
    let (code, connection) = refused(&["--connection-id", "nowhere"]);
    assert!(
        code == 1 && connection.ends_with("connection_unknown: `connection_id` names no connection of this broker")
    );
}

#[test]
fn what_a_pool_lends_is_held_against_the_scope_as_serve_does() {
    let desk = desk(&circleci_claims());
    let account = r#"kind = "oat"
organization = "acme"
username = "acme-broker"
password_env = "HUB_PASSWORD"
"#;
    let pool = r#"kind = "pool"
username = "acme"
[[account.token]]
name = "app"
token_env = "APP"
repositories = ["acme/app"]
actions = ["pull", "push"]
[[account.token]]
name = "rest"
token_env = "REST"
repositories = ["acme/base", { glob = "acme/tool-*" }]
actions = ["pull", "push"]
"#;
    assert!(CONFIG.contains(account));
    let config = CONFIG.replace(account, pool).replace(r#""acme/app", { glob = "acme/tool-*" }"#, r#""acme/app""#);
    desk.write("config.toml", &config);
    let words = ["check", "--config", "config.toml", "--claims", "claims.json", "--output", "json", "--scope"];
    let decided = |scope: &str| desk.run(&[&words[..], &[scope]].concat(), "").json()["decision"].clone();
    assert_eq!(decided("repository:acme/app:pull")["outcome"], "granted");
    let both = decided("repository:acme/app:pull repository:acme/base:pull");
    assert_eq!((&both["outcome"], &both["code"]), (&json!("refused"), &json!("scope_not_granted")));
    let told = desk.run(&["check", "--config", "config.toml"], "").out;
    assert!(told.contains("account acme: a pool of 2 tokens of `acme`, made by an administrator"), "{told}");
}

#[test]
fn foreign_text_is_made_harmless() {
    let hostile = "\u{1b}[2J\u{202e}\n::add-mask::x##[error]";
    let mut claims = circleci_claims();
    for (name, value) in [
        ("oidc.circleci.com/job-id", json!(hostile)),
        ("oidc.circleci.com/vcs-ref", json!(format!("{hostile}{}", "y".repeat(5000)))),
        ("oidc.circleci.com/ssh-rerun", json!({"a": hostile})),
    ] {
        claims[name] = value;
    }
    let desk = desk(&claims);
    let words = ["check", "--config", "config.toml", "--claims", "claims.json"];
    for form in ["text", "json"] {
        let told = desk.run(&[&words[..], &["--output", form]].concat(), "");
        let shown = format!("{}{}", told.out, told.err);
        let is_harmless = |letter: char| letter == '\n' || letter == '…' || (' '..='~').contains(&letter);
        assert!(told.code == 1 && shown.chars().all(is_harmless), "{shown}");
        assert!(form == "json" || !shown.contains("::") && !shown.contains("##["), "{shown}");
        assert!(form == "json" || shown.lines().all(|line| line.chars().count() < 400), "{shown}");
    }
}

#[test]
fn a_file_of_claims_is_one_object_of_a_known_issuer() {
    let desk = desk(&json!({}));
    let told = |claims: &str| {
        desk.write("claims.json", claims);
        let told = desk.run(&["check", "--config", "broker.toml", "--claims", "claims.json"], "");
        (told.code, format!("{}{}", told.out, told.said().join("\n")))
    };
    let malformed = "`claims.json` is not one JSON object without repeated keys";
    for claims in ["", "[]", "{", r#"{"iss":"a","iss":"a"}"#, "{} {}"] {
        assert_eq!(told(claims), (2, malformed.to_owned()), "{claims}");
    }
    let no_issuer = "the claims have no `iss`, so it is not known which issuer's rules count";
    assert_eq!(told("{}"), (2, no_issuer.to_owned()));
    let unknown = "refused: issuer_unknown: the `iss` is not an issuer of this broker\n";
    assert_eq!(told(r#"{"iss":"https://evil.example"}"#), (1, unknown.to_owned()));
    let github = json!({"iss": "https://token.actions.githubusercontent.com"});
    for id in [None, Some(json!(7)), Some(json!("x".repeat(1000)))] {
        let mut claims = github.clone();
        claims.as_object_mut().unwrap().extend(id.map(|id| ("jti".to_owned(), id)));
        let no_id = "refused: claim_malformed: the claim `jti` is missing, too long or not a text\n";
        assert_eq!(told(&claims.to_string()), (1, no_id.to_owned()), "a token that counts once is known by it");
    }
    let elsewhere = json!({"iss": "https://token.actions.githubusercontent.com", "aud": "https://github.com/acme"});
    let (code, audience) = told(&elsewhere.to_string());
    assert_eq!((code, audience), (1, format!("refused: audience_mismatch: the token's `aud` is not `{URL}`\n")));
}

#[test]
fn a_token_is_verified_as_serve_does_and_never_printed() {
    let desk = Desk::new();
    let issuer = desk.sandbox.issuer();
    let words = ["check", "--config", "broker.toml", "--token", "-", "--output", "json"];
    let now = desk.sandbox.now();
    let table = [
        (issuer.circleci().audience(URL), 0, Value::Null),
        (issuer.github().audience(URL), 0, Value::Null),
        (issuer.circleci(), 1, json!("audience_mismatch")),
        (issuer.circleci().audience(URL).claim("exp", json!(now - 3600)), 1, json!("token_expired")),
        (issuer.circleci().audience(URL).with_another_key(), 1, json!("signature_invalid")),
        (issuer.kubernetes().audience(URL), 1, json!("issuer_unknown")),
        (issuer.github().audience(URL).claim("repository_id", json!("1")), 1, json!("no_rule_matches")),
    ];
    for (token, expected, code) in table {
        let token = token.sign();
        let told = desk.run(&words, &format!("{token}\n"));
        assert_eq!((told.code, &told.json()["decision"]["code"]), (expected, &code), "{}", told.err);
        assert_eq!(told.err, "");
        for part in token.split('.').skip(1) {
            assert!(!told.out.contains(part) && !told.out.contains(&part[..12]), "the token was printed");
        }
    }
    let proved = desk.run(&words, &issuer.circleci().audience(URL).sign()).json();
    assert_eq!(proved["identity"]["proved"], json!(true));
    assert_eq!(proved["identity"]["job"], json!(issuer.identity().job_id));
    assert_eq!(desk.run(&words, "").json()["decision"]["code"], "token_malformed");
    assert_eq!(desk.run(&words, &"x".repeat(1024 * 1024)).json()["decision"]["code"], "token_malformed");
    assert!(desk.sandbox.unexpected().is_empty());
}

#[test]
fn usage_repeats_no_token() {
    let desk = Desk::new();
    let token = desk.sandbox.issuer().circleci().audience(URL).sign();
    let told = desk.run(&["check", "--config", "broker.toml", "--token", &token], "");
    assert_eq!((told.code, told.out.as_str()), (2, ""));
    let sentence = "a token is read from standard input: say `--token -`; arguments are visible to everybody";
    assert_eq!(told.said(), [sentence]);
    for words in [
        &["--scope", "repository:acme/app:pull"][..],
        &["--claims", "x", "--token", "-"],
        &["--claims", "x", "--scope", "everything"],
        &["--strict", "--token", "-"],
        &["--token", "-", "--expires-in", "soon"],
    ] {
        let told = desk.run(&[&["check", "--config", "broker.toml"], words].concat(), "");
        assert_eq!((told.code, told.out.as_str()), (2, ""), "{words:?} {}", told.err);
    }
}

#[test]
fn an_audience_that_is_known_only_while_listening_is_said() {
    let desk = desk(&json!({}));
    let words = ["check", "--config", "config.toml", "--token", "-"];
    let unknown = desk.run(&words, "x");
    assert_eq!(unknown.code, 2);
    assert!(unknown.err.contains("`public_url` is `auto` and `listen` has port 0"), "{}", unknown.err);
    let config = desk.read("broker.toml").replace(URL, "auto").replace("127.0.0.1:0", "127.0.0.1:8077");
    desk.write("config.toml", &config);
    let taken = desk.run(&words, &desk.sandbox.issuer().github().audience("http://127.0.0.1:8077").sign());
    assert_eq!(
        (taken.code, taken.said()),
        (0, vec!["`public_url` is `auto`: the audience is taken to be `http://127.0.0.1:8077`"])
    );
}
