//! What a rule may not say.
//! The tables are longer than a function should be, because a row per line is how they are read.

use super::changed;

#[test]
fn rules_name_their_project_and_their_start() {
    for (from, to, reason) in [
        (
            "\"oidc.circleci.com/project-id\" = \"p1\", ",
            "",
            "the rule does not say which project: `claims` needs `oidc.circleci.com/project-id`",
        ),
        (
            "= \"p1\"",
            "= [\"p1\", { glob = \"p*\" }]",
            "`oidc.circleci.com/project-id` is an id and is compared exactly, as a text",
        ),
        ("= \"p1\"", "= 1", "`oidc.circleci.com/project-id` is an id and is compared exactly, as a text"),
        ("= \"p1\"", "= []", "an empty list would match nothing"),
        (", environment = \"production\"", "", "a rule for GitHub names `event_name` or `environment` in its `claims`"),
        ("issuer = \"github\"", "issuer = \"gitlab\"", "there is no issuer `gitlab`"),
        ("account = \"acme\"", "account = \"other\"", "there is no account `other`"),
        ("account = \"acme\"", "account = \"a\\n\\u001b[31m\"", "there is no account `a \\u{1b}[31m`"),
        (
            "connection_id = \"personal\"",
            "connection_id = \"0f0e0d\"",
            "the rules of connection `0f0e0d` have several accounts",
        ),
        (
            "connection_id = \"personal\"",
            "connection_id = \"a b\"",
            "`connection_id` is 1 to 128 letters, digits, `-`, `_` and `.`",
        ),
        ("name = \"release\"", "name = \"app-main\"", "the name `app-main` comes twice"),
    ] {
        assert_eq!(changed(from, to), reason, "{to}");
    }
}

#[test]
fn rules_promise_only_what_the_account_can_keep() {
    assert!(
        changed("account_wide = true\n", "")
            .starts_with("personal access tokens reach every repository of the account")
    );
    for (from, to, reason) in [
        ("\"acme/base\"", "\"other/base\"", "the account's tokens reach the repositories of `acme` only"),
        ("\"acme/base\"", "{ glob = \"other/b*\" }", "the account's tokens reach the repositories of `acme` only"),
        ("\"acme/base\"", "{ glob = \"ac*/base\" }", "a repository is `NAMESPACE/NAME`, without `*` in the namespace"),
        ("\"acme/base\"", "\"base\"", "a repository is `NAMESPACE/NAME`, without `*` in the namespace"),
        ("\"acme/base\"", "\"acme/base/x\"", "a repository is `NAMESPACE/NAME`, without `*` in the namespace"),
        (
            "\"acme/base\"",
            "\"docker.io/acme/base\"",
            "a repository name starts with its namespace, not with a host: `docker.io/acme/base`",
        ),
        ("\"acme/base\"", "\"Acme/base\"", "a repository name is lower case: `Acme/base`"),
        ("\"acme/base\"", "7", "a repository is a text"),
        ("[\"acme/app\", \"acme/base\"]", "[]", "`repositories` names at least one repository"),
        ("[\"pull\", \"push\"]", "[]", "`actions` names at least one action"),
        (
            "[\"pull\", \"push\"]",
            "[\"push\"]",
            "Docker Hub's `push` includes `pull`, and its `delete` includes `push`: list them too",
        ),
        ("[\"pull\", \"push\"]", "[\"admin\"]", "`actions` are `pull`, `push` and `delete`"),
        ("max_life_seconds = 1800", "max_life_seconds = 59", "`max_life_seconds` lies between 60 and 21600"),
    ] {
        assert_eq!(changed(from, to), reason, "{to}");
    }
}

#[test]
fn patterns_mean_what_they_say() {
    let operator = "the only operator is `{ glob = \"…\" }` with a text";
    for (from, to, reason) in [
        (
            "ref = { glob = \"refs/tags/v*\" }",
            "ref = \"refs/tags/v*\"",
            "a plain text is compared exactly, `*` included: write `{ glob = \"…\" }` for a pattern",
        ),
        ("{ glob = \"refs/tags/v*\" }", "{ glob = \"*\" }", "a `glob` cannot start with `*`"),
        ("{ glob = \"refs/tags/v*\" }", "{ glob = \"refs/**\" }", "a `glob` holds no `**`; one `*` never crosses `/`"),
        (
            "{ glob = \"refs/tags/v*\" }",
            "{ glob = \"refs/tags/[v]*\" }",
            "a `glob` knows only `*`; there are no classes, alternatives or escapes",
        ),
        ("{ glob = \"refs/tags/v*\" }", "{ glob = \"*/v1\" }", "a `glob` cannot start with `*`"),
        ("{ glob = \"refs/tags/v*\" }", "[\"refs/heads/main\", { glob = \"*\" }]", "a `glob` cannot start with `*`"),
        (
            "{ glob = \"refs/tags/v*\" }",
            "{ glob = \"refs/tags/v?*\" }",
            "a `glob` knows only `*`; there are no classes, alternatives or escapes",
        ),
        (
            "{ glob = \"refs/tags/v*\" }",
            "{ glob = \"refs/{tags,heads}/v*\" }",
            "a `glob` knows only `*`; there are no classes, alternatives or escapes",
        ),
        ("{ glob = \"refs/tags/v*\" }", "{ glob = \"r*e*f*s*/*\" }", "a `glob` holds at most 4 `*`"),
        (
            "{ glob = \"refs/tags/v*\" }",
            "[\"refs/heads/*\"]",
            "a plain text is compared exactly, `*` included: write `{ glob = \"…\" }` for a pattern",
        ),
        (
            "{ glob = \"refs/tags/v*\" }",
            "[[\"refs/heads/main\"]]",
            "a claim is compared with a text, a whole number, `true` or `false`",
        ),
        ("{ glob = \"refs/tags/v*\" }", "{ Glob = \"refs/*\" }", operator),
        (
            "{ glob = \"refs/tags/v*\" }",
            "{ glob = \"refs/tags/v\" }",
            "a `glob` without `*` is a plain text: write it as one",
        ),
        ("{ glob = \"refs/tags/v*\" }", "{ regex = \"x\" }", operator),
        ("{ glob = \"refs/tags/v*\" }", "{ glob = [\"a*\"] }", operator),
        ("{ glob = \"refs/tags/v*\" }", "{ glob = \"a*\", not = true }", operator),
        ("{ glob = \"refs/tags/v*\" }", "1.5", "a claim is compared with a text, a whole number, `true` or `false`"),
        ("{ glob = \"refs/tags/v*\" }", "\"\"", "a text has 1 to 512 characters"),
    ] {
        assert_eq!(changed(from, to), reason, "{to}");
    }
    assert_eq!(
        changed("\"refs/heads/main\"", "[\"refs/heads/main\", { glob = \"refs/heads/release-*\" }]"),
        "accepted"
    );
}

#[test]
fn a_glob_stands_for_references_environments_workflow_paths_and_repositories_only() {
    let place =
        "`glob` is for references, environments, workflow paths and repositories; this claim is compared exactly";
    let github = |claim: &str| changed("ref = {", &format!("{claim} = {{"));
    assert_eq!(changed("event_name = [\"push\", \"release\"]", "event_name = { glob = \"pu*\" }"), place);
    for claim in ["ref", "environment", "workflow_ref", "job_workflow_ref", "repository"] {
        assert_eq!(github(claim), "accepted", "{claim}");
    }
    for claim in [
        "sub",
        "actor",
        "repository_owner",
        "repository_owner_id",
        "workflow",
        "sha",
        "head_ref",
        "base_ref",
        "ref_type",
        "aud",
        "iss",
        "run_id",
        "enterprise",
        "job_workflow_sha",
    ] {
        assert_eq!(github(claim), place, "{claim}");
    }
    let circleci = |claim: &str| {
        changed("\"oidc.circleci.com/vcs-ref\" = \"refs/heads/main\"", &format!("\"{claim}\" = {{ glob = \"a*\" }}"))
    };
    for claim in ["oidc.circleci.com/vcs-ref", "oidc.circleci.com/vcs-origin"] {
        assert_eq!(circleci(claim), "accepted", "{claim}");
    }
    for claim in
        ["sub", "oidc.circleci.com/context-ids", "oidc.circleci.com/org-id", "vcs-ref", "/oidc.circleci.com~1vcs-ref"]
    {
        assert_eq!(circleci(claim), place, "{claim}");
    }
}

#[test]
fn all_of_is_for_claims_that_are_lists() {
    for (from, to, reason) in [
        (
            "{ glob = \"refs/tags/v*\" }",
            "{ all_of = [\"refs/heads/main\"] }",
            "`all_of` is for claims that are lists; this one names one thing",
        ),
        ("= \"p1\"", "= { all_of = [\"p1\"] }", "`all_of` is for claims that are lists; this one names one thing"),
        ("ssh-rerun\" = false", "ssh-rerun\" = { all_of = false }", "`all_of` is a list"),
        ("ssh-rerun\" = false", "ssh-rerun\" = { all_of = [] }", "an empty list would match nothing"),
        (
            "ssh-rerun\" = false",
            "ssh-rerun\" = { all_of = [\"a\"], glob = \"a*\" }",
            "the only operator is `{ glob = \"…\" }` with a text",
        ),
    ] {
        assert_eq!(changed(from, to), reason, "{to}");
    }
}
