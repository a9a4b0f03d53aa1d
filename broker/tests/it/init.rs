//! `init` with the real program: what it writes is understood by `check`, and, filled in, keeps out whom it should.

use std::os::unix::fs::PermissionsExt as _;

use hublease_sandbox::KUBERNETES_ISSUER;
use serde_json::{Value, json};

use crate::desk::{Desk, URL};

/// A template's places with what a team puts there.
const FILLED_IN: [(&str, &str); 13] = [
    ("https://replace-with-broker-host", URL),
    ("github.com/replace-with-owner/replace-with-name", "github.com/acme/app"),
    ("replace-with-organization-id", "0f0e"),
    ("replace-with-organization", "acme"),
    ("replace-with-repository-id", "77"),
    ("replace-with-repository", "app"),
    ("replace-with-owner-id", "5"),
    ("replace-with-owner", "acme-broker"),
    ("replace-with-project-id", "p1"),
    ("https://replace-with-issuer-host", "https://cluster.example"),
    ("replace-with-namespace", "ci"),
    ("replace-with-service-account", "builder"),
    ("/run/secrets/dockerhub-password", "/nowhere"),
];

/// Each CI system with the claims of a job that is meant, and with changes that make it a fork's, another branch's or another
/// project's.
fn jobs() -> [(&'static str, Value, Vec<Value>); 4] {
    [
        (
            "circleci",
            json!({
                "iss": "https://oidc.circleci.com/org/0f0e", "aud": URL, "sub": "org/0f0e/project/p1/user/u1",
                "oidc.circleci.com/project-id": "p1", "oidc.circleci.com/vcs-origin": "github.com/acme/app",
                "oidc.circleci.com/vcs-ref": "refs/heads/main", "oidc.circleci.com/ssh-rerun": false,
            }),
            vec![
                json!({"oidc.circleci.com/vcs-origin": "github.com/stranger/app"}),
                json!({"oidc.circleci.com/vcs-ref": "refs/heads/other"}),
                json!({"oidc.circleci.com/vcs-ref": "refs/pull/7/head"}),
                json!({"oidc.circleci.com/ssh-rerun": true}),
                json!({"oidc.circleci.com/project-id": "p2"}),
            ],
        ),
        (
            "github",
            json!({
                "iss": "https://token.actions.githubusercontent.com", "aud": URL, "repository_id": "77",
                "repository_owner_id": "5", "event_name": "push", "ref": "refs/heads/main", "jti": "t1",
            }),
            vec![
                json!({"event_name": "pull_request", "ref": "refs/pull/7/merge"}),
                json!({"event_name": "pull_request_target"}),
                json!({"ref": "refs/heads/other"}),
                json!({"repository_id": "78"}),
                json!({"repository_owner_id": "6"}),
            ],
        ),
        (
            "gitlab",
            json!({
                "iss": "https://gitlab.com", "aud": URL, "project_id": "p1", "pipeline_id": "4", "job_id": "9",
                "ref": "main", "ref_path": "refs/heads/main", "ref_protected": "true",
            }),
            vec![
                json!({"project_id": "p2"}),
                json!({"ref_path": "refs/heads/other", "ref": "other"}),
                json!({"ref_path": "refs/merge-requests/1/head", "ref_protected": "false"}),
                json!({"ref_protected": "false"}),
                json!({"ref_protected": true}),
            ],
        ),
        (
            "kubernetes",
            json!({
                "iss": "https://cluster.example", "aud": [URL],
                "kubernetes.io": {"namespace": "ci", "serviceaccount": {"name": "builder", "uid": "s"}, "pod": {"uid": "u"}},
            }),
            vec![
                json!({"kubernetes.io": {"namespace": "other", "serviceaccount": {"name": "builder"}}}),
                json!({"kubernetes.io": {"namespace": "ci", "serviceaccount": {"name": "default"}}}),
                json!({"kubernetes.io": {"namespace": "ci"}}),
            ],
        ),
    ]
}

#[test]
fn a_template_names_its_open_places_and_filled_in_keeps_strangers_out() {
    let desk = Desk::new();
    for (system, claims, strangers) in jobs() {
        let written = desk.run(&["init", "--ci", system], "");
        assert_eq!((written.code, written.err.as_str()), (0, ""), "{system}");
        desk.write("template.toml", &written.out);
        let open = desk.run(&["check", "--config", "template.toml", "--strict", "--output", "json"], "");
        let codes: Vec<_> =
            open.json()["warnings"].as_array().unwrap().iter().map(|warning| warning["code"].clone()).collect();
        assert!(open.code == 1 && codes.len() >= 4 && codes.iter().all(|code| code == "placeholder"), "{codes:?}");

        let filled = FILLED_IN.iter().fold(written.out, |text, (from, to)| text.replace(from, to));
        desk.write("filled.toml", &filled);
        let sound = desk.run(&["check", "--config", "filled.toml", "--strict"], "");
        assert!(sound.code == 0 && sound.out.ends_with("no warnings\n"), "{system}: {}{}", sound.out, sound.err);

        let decide = |claims: &Value| {
            desk.write("claims.json", &claims.to_string());
            let words = ["check", "--config", "filled.toml", "--claims", "claims.json", "--output", "json"];
            let ended = desk.run(&words, "");
            (ended.code, ended.json()["decision"].clone())
        };
        let (code, granted) = decide(&claims);
        assert_eq!(
            (code, &granted["outcome"], &granted["expires_in"]),
            (0, &json!("granted"), &json!(900)),
            "{system}"
        );
        assert_eq!(granted["scope"], "repository:acme/app:pull,push repository:*/*/public:pull", "{system}");
        assert_eq!(granted["public_pull"], json!(true), "{system}");
        for changes in strangers {
            let mut claims = claims.clone();
            claims.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
            let (code, refused) = decide(&claims);
            assert_eq!((code, &refused["code"]), (1, &json!("no_rule_matches")), "{system} {changes}");
        }
    }
}

/// A configuration without the random digits of its `instance`, and these.
fn without_instance(text: &str) -> (String, String) {
    let (_, rest) = text.split_once("\ninstance = \"production-").unwrap();
    let digits = rest.split('"').next().unwrap().to_owned();
    assert!(digits.len() == 6 && digits.bytes().all(|digit| digit.is_ascii_hexdigit()), "{digits}");
    (text.replacen(&format!("production-{digits}"), "", 1), digits)
}

#[test]
fn a_file_is_its_owners_and_never_written_over() {
    let desk = Desk::new();
    let written = desk.run(&["init", "--ci", "github", "--output", "new.toml"], "");
    assert_eq!((written.code, written.out.as_str()), (0, ""));
    assert_eq!(
        written.said(),
        ["wrote new.toml: fill it in, then run `hublease-broker check --config new.toml --strict`"]
    );
    assert_eq!(desk.path("new.toml").metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let [(file, instance), (printed, other)] =
        [desk.read("new.toml"), desk.run(&["init", "--ci", "github"], "").out].map(|text| without_instance(&text));
    assert_eq!(file, printed);
    assert_ne!(instance, other, "two teams that share an organization would remove each other's tokens");

    desk.write("mine.toml", "# mine\n");
    std::os::unix::fs::symlink(desk.path("nothing"), desk.path("link.toml")).unwrap();
    for name in ["mine.toml", "new.toml", "link.toml"] {
        let refused = desk.run(&["init", "--ci", "gitlab", "--output", name], "");
        assert_eq!(refused.code, 1);
        assert_eq!(refused.said(), [format!("`{name}` is there already, and is left alone")]);
    }
    assert_eq!(desk.read("mine.toml"), "# mine\n");
    assert!(!desk.path("nothing").exists(), "not even through a link");
    let nowhere = desk.run(&["init", "--ci", "gitlab", "--output", "no/such/place.toml"], "");
    assert!(nowhere.code == 1 && nowhere.said()[0].starts_with("cannot write `no/such/place.toml`: "));
    assert_eq!(desk.run(&["init", "--ci", "jenkins"], "").code, 2);
}

/// A cluster shows its keys only to who reads their own kind of JSON; the template says where they are, and without that the cluster does.
#[test]
fn the_keys_of_a_cluster_are_read() {
    let desk = Desk::new();
    let cluster = format!("\n[[issuer]]\nname = \"cluster\"\nkind = \"kubernetes\"\nurl = \"{KUBERNETES_ISSUER}\"\n");
    for place in [String::new(), format!("jwks_uri = \"{KUBERNETES_ISSUER}/openid/v1/jwks\"\n")] {
        desk.write("cluster.toml", &(desk.read("broker.toml") + &cluster + &place));
        let token = desk.sandbox.issuer().kubernetes().audience(URL).sign();
        let told = desk.run(&["check", "--config", "cluster.toml", "--token", "-", "--output", "json"], &token);
        assert_eq!(told.json()["decision"]["code"], "no_rule_matches", "{place}");
    }
}
