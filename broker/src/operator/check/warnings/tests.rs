//! From a configuration that there is nothing to say about, with one thing changed.
//! `each_hole_is_named` is over 60 lines, because it is one table and a row per line is how it is read.

use crate::config::Config;
use crate::operator::check::warnings::warnings;
const SOUND: &str = r#"
listen = "127.0.0.1:0"
public_url = "https://broker.example"
trusted_proxies = ["127.0.0.1/32"]
instance = "test"
journal = { path = "/var/lib/hublease/journal.db" }
issuer = [
    { name = "circleci", kind = "circleci", url = "https://oidc.circleci.com/org/0f0e" },
    { name = "github", kind = "github", url = "https://token.actions.githubusercontent.com" },
    { name = "gitlab", kind = "other", url = "https://gitlab.example", project_claim = "project_id" },
    { name = "cluster", kind = "kubernetes", url = "https://cluster.example" },
]
account = [{ name = "acme", kind = "oat", organization = "acme", username = "acme-broker", password_env = "HUB_PASSWORD" }]

[[rule]]
name = "c"
issuer = "circleci"
account = "acme"
repositories = ["acme/app"]
actions = ["pull"]
revoke_workflow = true
claims = { "oidc.circleci.com/project-id" = "p1", "oidc.circleci.com/vcs-origin" = "github.com/acme/app", "oidc.circleci.com/vcs-ref" = "refs/heads/main", "oidc.circleci.com/ssh-rerun" = false }

[[rule]]
name = "g"
issuer = "github"
account = "acme"
repositories = ["acme/app"]
actions = ["pull"]
claims = { repository_id = "77", event_name = ["push"], ref = { glob = "refs/tags/v*" } }

[[rule]]
name = "l"
issuer = "gitlab"
account = "acme"
repositories = ["acme/app"]
actions = ["pull"]
claims = { project_id = "7", ref_path = "refs/heads/main" }

[[rule]]
name = "k"
issuer = "cluster"
account = "acme"
repositories = ["acme/app"]
actions = ["pull"]
max_life_seconds = 3600
claims = { "/kubernetes.io/namespace" = "ci", "/kubernetes.io/serviceaccount/name" = "builder" }
"#;

/// The two lines of a broker behind a proxy on its own machine.
const BEHIND: &str = r#"public_url = "https://broker.example"
trusted_proxies = ["127.0.0.1/32"]"#;

/// What is warned of, as `code about`.
fn found(text: &str) -> Vec<String> {
    let config = Config::parse(text).unwrap();
    warnings(&config).iter().map(|warning| format!("{} {}", warning.code, warning.about)).collect()
}

#[test]
fn a_sound_configuration_is_left_in_peace() {
    assert_eq!(found(SOUND), [""; 0]);
}

#[test]
fn each_hole_is_named() {
    let (forks, branch) = ("open_to_forks rule `c`", "open_to_any_branch rule `c`");
    let (github_forks, github_branch) = ("open_to_forks rule `g`", "open_to_any_branch rule `g`");
    let revoke = "revoke_workflow_open_to_forks rule `c`";
    let uncounted = "uncounted_clients trusted_proxies";
    let origin = r#""oidc.circleci.com/vcs-origin" = "github.com/acme/app", "#;
    let reference = r#""oidc.circleci.com/vcs-ref" = "refs/heads/main""#;
    let tags = r#"ref = { glob = "refs/tags/v*" }"#;
    let table: &[(&str, &str, &[&str])] = &[
        // Forks.
        (origin, "", &[forks, revoke]),
        (origin, r#""oidc.circleci.com/vcs-origin" = { glob = "github.com/acme/*" }, "#, &[]),
        (r#"["push"]"#, r#""push""#, &[]),
        (r#"["push"]"#, r#"["push", "pull_request"]"#, &[github_forks]),
        (r#"["push"]"#, r#""pull_request_target""#, &[github_forks]),
        (r#"["push"]"#, r#""pull_request_review""#, &[github_forks]),
        (r#"["push"]"#, r#""workflow_run""#, &[github_forks]),
        (r#"["push"]"#, r#""issue_comment""#, &[github_forks]),
        (r#"event_name = ["push"]"#, r#"environment = "production""#, &[github_forks]),
        (r#"event_name = ["push"]"#, r#"event_name = "push", environment = "production""#, &[]),
        // Branches.
        (reference, r#""oidc.circleci.com/pipeline-definition-id" = "d1""#, &[branch]),
        (reference, r#""oidc.circleci.com/vcs-ref" = { glob = "refs/heads/*" }"#, &[branch]),
        (reference, r#""oidc.circleci.com/vcs-ref" = { glob = "refs/*/*" }"#, &[branch]),
        (reference, r#""oidc.circleci.com/vcs-ref" = ["refs/heads/main", { glob = "refs/heads/*" }]"#, &[branch]),
        (reference, r#""oidc.circleci.com/vcs-ref" = { glob = "refs/heads/*/*" }"#, &[branch]),
        (reference, r#""oidc.circleci.com/vcs-ref" = { glob = "refs/heads/release-*" }"#, &[]),
        (tags, r#"ref_type = "branch""#, &[github_branch]),
        (tags, r#"job_workflow_ref = "acme/ci/.github/workflows/x.yml@refs/heads/main""#, &[github_branch]),
        (tags, r#"workflow_ref = { glob = "acme/app/.github/workflows/x.yml@refs/heads/*" }"#, &[github_branch]),
        (tags, r#"workflow_ref = { glob = "acme/app/.github/workflows/*.yml@refs/heads/main" }"#, &[]),
        (tags, r#"ref = { glob = "refs/heads/*" }, environment = "production""#, &[]),
        (r#"ref_path = "refs/heads/main""#, r#"ref_type = "branch""#, &["open_to_any_branch rule `l`"]),
        (r#"ref_path = "refs/heads/main""#, r#"ref_protected = "true""#, &[]),
        // People inside, other service accounts.
        (r#", "oidc.circleci.com/ssh-rerun" = false"#, "", &["open_to_ssh_rerun rule `c`"]),
        (
            r#""oidc.circleci.com/ssh-rerun" = false"#,
            r#""oidc.circleci.com/ssh-rerun" = [false, true]"#,
            &["open_to_ssh_rerun rule `c`"],
        ),
        (r#", "/kubernetes.io/serviceaccount/name" = "builder""#, "", &["open_to_any_service_account rule `k`"]),
        // `sub` alone, which may say the rest or not.
        (tags, r#"sub = "repo:acme/app:ref:refs/heads/main""#, &["sub_alone rule `g`"]),
        (tags, r#"sub = "repo:acme/app:pull_request""#, &[github_branch, "sub_alone rule `g`"]),
        (tags, r#"sub = "repo:acme/app:ref:refs/heads/main", ref = "refs/heads/main""#, &[]),
        (
            r#""/kubernetes.io/serviceaccount/name" = "builder""#,
            r#"sub = "system:serviceaccount:ci:builder""#,
            &["sub_alone rule `k`"],
        ),
        // Who cannot be told apart behind a proxy on this machine.
        (r#"trusted_proxies = ["127.0.0.1/32"]"#, "", &[uncounted]),
        (r#"trusted_proxies = ["127.0.0.1/32"]"#, r#"trusted_proxies = ["10.0.0.0/8"]"#, &[uncounted]),
        (r#"listen = "127.0.0.1:0""#, r#"listen = "[::1]:0""#, &[uncounted]),
        (r#"["127.0.0.1/32"]"#, r#"["127.0.0.0/8"]"#, &[]),
        (BEHIND, r#"public_url = "auto""#, &[]),
        (BEHIND, r#"public_url = "http://127.0.0.1:8080""#, &[]),
        (
            r#"listen = "127.0.0.1:0""#,
            "listen = \"0.0.0.0:0\"\ntls = { certificate_file = \"/c\", key_file = \"/k\" }",
            &[],
        ),
        // Issuers and accounts.
        (r#"org/0f0e" }"#, r#"org/0f0e", accept_default_audience = true }"#, &["default_audience issuer `circleci`"]),
        (
            r#"org/0f0e" },"#,
            r#"org/0f0e" }, { name = "x", kind = "kubernetes", url = "https://x.example" },"#,
            &["unused issuer `x`"],
        ),
        (
            r#"password_env = "HUB_PASSWORD" }]"#,
            r#"password_env = "A" }, { name = "x", kind = "pat", username = "x", password_env = "B" }]"#,
            &["unused account `x`"],
        ),
        (
            r#"kind = "oat", organization = "acme", username = "acme-broker", password_env = "HUB_PASSWORD" }]"#,
            r#"kind = "pat", username = "acme", password_env = "B" }]"#,
            &["account_wide rule `c`", "account_wide rule `g`", "account_wide rule `l`", "account_wide rule `k`"],
        ),
        (
            r#"}]

[[rule]]
name = "c"
issuer = "circleci"
account = "acme"
repositories = ["acme/app"]"#,
            r#"}, { name = "pool", kind = "pool", username = "acme", token = [{ name = "t", token_env = "T", repositories = [{ glob = "acme/*" }], actions = ["pull"] }] }]

[[rule]]
name = "c"
issuer = "circleci"
account = "pool"
repositories = ["acme/app", { glob = "acme/tool-*" }]"#,
            &["beyond_pool rule `c`"],
        ),
        ("max_life_seconds = 3600", "max_life_seconds = 3601", &["long_life rule `k`"]),
    ];
    for (from, to, expected) in table {
        assert!(SOUND.contains(from), "{from}");
        let mut text = SOUND.replacen(from, to, 1);
        if to.contains(r#"kind = "pat", username = "acme""#) {
            text = text.replace("actions =", "account_wide = true\nactions =");
        }
        assert_eq!(found(&text), *expected, "{to}");
    }
}

#[test]
fn gitlab_s_references_are_known() {
    let other = r#"kind = "other", url = "https://gitlab.example", project_claim = "project_id" }"#;
    let text = SOUND.replacen(other, r#"kind = "gitlab", url = "https://gitlab.example" }"#, 1);
    assert_ne!(text, SOUND);
    let (forks, branch) = ("open_to_forks rule `l`", "open_to_any_branch rule `l`");
    let table: &[(&str, &[&str])] = &[
        (r#"ref_path = "refs/heads/main""#, &[]),
        (r#"ref_path = { glob = "refs/tags/v*" }"#, &[]),
        (r#"ref_protected = "true""#, &[]),
        (r#"ref_path = "refs/merge-requests/7/head""#, &[forks]),
        (r#"ref_path = ["refs/heads/main", { glob = "refs/merge-requests/*/head" }]"#, &[forks]),
        (r#"ref = "main""#, &[branch]),
        (r#"environment = "production""#, &[branch]),
        (r#"environment = "production", environment_protected = "true""#, &[]),
    ];
    for (claims, expected) in table {
        assert_eq!(found(&text.replacen(r#"ref_path = "refs/heads/main""#, claims, 1)), *expected, "{claims}");
    }
}

#[test]
fn what_a_template_left_open_is_named() {
    for (from, to, about) in [
        ("https://broker.example", "https://replace-with-host", "public_url"),
        (r#""test""#, r#""replace-with-instance""#, "instance"),
        ("/org/0f0e", "/org/replace-with-id", "issuer `circleci`"),
        (
            r#""https://cluster.example""#,
            r#""https://cluster.example", jwks_uri = "https://replace-with-x""#,
            "issuer `cluster`",
        ),
        (r#"username = "acme-broker""#, r#"username = "replace-with-owner""#, "account `acme`"),
        (r#""p1""#, r#""replace-with-project""#, "rule `c`"),
        ("refs/tags/v*", "replace-with-tag-*", "rule `g`"),
        (r#"["acme/app"]"#, r#"["acme/replace-with-app"]"#, "rule `c`"),
    ] {
        assert_eq!(found(&SOUND.replacen(from, to, 1)), [format!("placeholder {about}")], "{to}");
    }
}
