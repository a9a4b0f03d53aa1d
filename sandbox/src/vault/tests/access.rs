//! Tokens, policies and namespaces.

use serde_json::{Value, json};

use super::super::Capability::{Create, Deny, Read, Update};
use super::super::{Capability, DockerHubAccount, Generation, JwtMount, Role, TokenRequest};
use super::{Bench, EXAMPLE_PASSWORD, ORG, circleci_claims};

const ACL_DENIED: (u16, &str) = (403, "1 error occurred:\n\t* permission denied\n\n");
const MINT: &str = "dockerhub/token/acmebot/read";

type Rules<'rules> = &'rules [(&'rules str, &'rules [Capability])];

/// What is granted, what is asked, and the answer.
const POLICIES: [(&str, Rules<'_>, &str, &str, u16); 14] = [
    ("nothing", &[], "POST", MINT, 403),
    ("exact", &[(MINT, &[Create])], "POST", MINT, 200),
    ("prefix", &[("dockerhub/token/*", &[Create])], "POST", MINT, 200),
    ("everything", &[("*", &[Create])], "POST", MINT, 200),
    // The plugin's existence check never finds anything, so that every mint is a create.
    ("update", &[(MINT, &[Update])], "POST", MINT, 403),
    ("read", &[(MINT, &[Read])], "POST", MINT, 403),
    ("deny beats all", &[(MINT, &[Create, Deny])], "POST", MINT, 403),
    ("exact beats prefix", &[("dockerhub/*", &[Create]), (MINT, &[Deny])], "POST", MINT, 403),
    ("longer prefix", &[("dockerhub/*", &[Deny]), ("dockerhub/token/*", &[Create])], "POST", MINT, 200),
    ("no star, no prefix", &[("dockerhub/token/", &[Create])], "POST", MINT, 403),
    ("a star inside is no star", &[("dockerhub/*/acmebot/read", &[Create])], "POST", MINT, 403),
    ("another path", &[("secret/data/ci/*", &[Read])], "GET", "secret/data/other", 403),
    ("read kv", &[("secret/data/ci/*", &[Read])], "GET", "secret/data/ci/dockerhub", 200),
    ("kv v1 path for v2", &[("secret/ci/*", &[Read])], "GET", "secret/data/ci/dockerhub", 403),
];

#[test]
fn policies_name_paths_and_capabilities() {
    for (name, rules, method, path, status) in POLICIES {
        let bench = Bench::new();
        bench.vault.write_policy("", "P", rules);
        let token = bench.token(&["p"]);
        let answer = bench.call(&token, method, path, &Value::Null);
        assert_eq!(answer.status, status, "{name}: {answer:?}");
        if status == 403 {
            assert_eq!(answer.error(), ACL_DENIED, "{name}");
        }
    }
}

#[test]
fn rules_of_several_policies_add_up() {
    let bench = Bench::new();
    bench.vault.write_policy("", "a", &[(MINT, &[Read])]);
    bench.vault.write_policy("", "b", &[(MINT, &[Create])]);
    assert_eq!(bench.call(&bench.token(&["a", "b"]), "POST", MINT, &Value::Null).status, 200);
    bench.vault.write_policy("", "c", &[(MINT, &[Deny])]);
    let denied = bench.call(&bench.token(&["a", "b", "c"]), "POST", MINT, &Value::Null);
    assert_eq!(denied.error(), ACL_DENIED);
}

#[test]
fn the_last_use_ends_a_token_and_keeps_its_secret() {
    let bench = Bench::new();
    bench.vault.write_policy("", "p", &[(MINT, &[Create])]);
    let token = |num_uses| {
        let policies = vec!["p".to_owned()];
        bench.vault.create_token(TokenRequest { policies, num_uses, ttl: 600, ..TokenRequest::default() })
    };
    let label = json!({ "label": "job" });
    let refused = bench.call(&token(1), "POST", MINT, &label);
    assert_eq!(
        refused.error(),
        (400, "Secret cannot be returned; token had one use left, so leased credentials were immediately revoked.")
    );
    let two = token(2);
    assert_eq!(bench.call(&two, "POST", MINT, &label).status, 200);
    assert_eq!(bench.call(&two, "GET", "auth/token/lookup-self", &Value::Null).body["data"]["num_uses"], -1);
    assert_eq!(bench.call(&two, "POST", MINT, &label).error(), (403, "permission denied"));
    assert_eq!(bench.live("lease"), [""; 0]);
}

#[test]
fn a_living_token_is_refused_from_elsewhere_and_while_its_entity_is_disabled() {
    let bench = Bench::new();
    let blocks = ["10.0.0.0/8", "192.168.7.1", "fd00::/16"].map(str::to_owned).to_vec();
    let request =
        TokenRequest { bound_cidrs: blocks, entity_id: "somebody".to_owned(), ttl: 600, ..TokenRequest::default() };
    let token = bench.vault.create_token(request);
    let ask = || bench.call(&token, "GET", "auth/token/lookup-self", &Value::Null);
    for (address, is_admitted) in [
        ("10.200.1.1", true),
        ("11.0.0.1", false),
        ("192.168.7.1", true),
        ("192.168.7.2", false),
        ("fd00::1", true),
        ("fd01::1", false),
    ] {
        bench.vault.come_from(address.parse().unwrap());
        assert_eq!(ask().status, if is_admitted { 200 } else { 403 }, "{address}");
    }
    bench.vault.come_from("10.0.0.1".parse().unwrap());
    bench.vault.disable_entity("somebody");
    assert_eq!(ask().error(), (403, "permission denied"));
    bench.vault.enable_entity("somebody");
    assert_eq!(ask().status, 200);
}

#[test]
fn the_default_policy_is_what_revokes_oneself() {
    let bench = Bench::new();
    let with = bench.token(&[]);
    let without = bench.vault.create_token(TokenRequest { no_default_policy: true, ..TokenRequest::default() });
    for (method, path) in [("GET", "auth/token/lookup-self"), ("POST", "auth/token/revoke-self")] {
        assert_eq!(bench.call(&without, method, path, &Value::Null).error(), ACL_DENIED);
        assert!(bench.call(&with, method, path, &Value::Null).status < 300, "{path}");
    }
    let revoke = bench.call(&bench.token(&[]), "POST", "sys/leases/revoke", &json!({ "lease_id": "x" }));
    assert_eq!(revoke.error(), ACL_DENIED);
}

#[test]
fn tokens_come_in_two_headers() {
    let bench = Bench::new();
    let token = bench.token(&[]);
    let bearer = format!("Bearer {token}");
    let cases: [(&[(&str, &str)], u16); 6] = [
        (&[("X-Vault-Token", &token)], 200),
        (&[("Authorization", &bearer)], 200),
        (&[("X-Vault-Token", &token), ("Authorization", "Bearer wrong")], 200),
        (&[("Authorization", &token)], 403),
        (&[("X-Vault-Token", "wrong")], 403),
        (&[], 403),
    ];
    for (headers, status) in cases {
        let answer = bench.send("GET", "/v1/auth/token/lookup-self", headers, &Value::Null);
        assert_eq!(answer.status, status, "{headers:?}");
        if status == 403 {
            assert_eq!(answer.error(), (403, "permission denied"));
        }
    }
}

/// Namespaces `team` and `team/ci`; logins in `team`, the plugin in `team/ci`.
fn team() -> Bench {
    let bench = Bench::empty();
    bench.vault.add_namespace("team");
    bench.vault.add_namespace("/team/ci/");
    bench.vault.enable_jwt("team/auth/jwt", JwtMount::default());
    let role = Role {
        bound_audiences: vec![ORG.to_owned()],
        user_claim: "sub".to_owned(),
        token_policies: vec!["mint".to_owned()],
        token_ttl: 600,
        ..Role::default()
    };
    assert!(bench.vault.write_role("team/auth/jwt", "r", role));
    bench.vault.enable_docker_hub("team/ci/dockerhub", Generation::Head);
    bench.vault.mend_docker_hub();
    let account = DockerHubAccount { password: EXAMPLE_PASSWORD.to_owned(), allowed: vec!["read".to_owned()] };
    assert!(bench.vault.write_docker_hub_account("team/ci/dockerhub", "acmebot", account));
    let rules: [(&str, &[Capability]); 2] = [("ci/dockerhub/token/*", &[Create]), ("ci/sys/leases/revoke", &[Update])];
    bench.vault.write_policy("team", "mint", &rules);
    bench
}

#[test]
fn a_namespace_is_a_header_or_a_prefix() {
    let login = json!({ "role": "r", "jwt": circleci_claims().to_string() });
    for (login_path, login_namespace, path, namespace) in [
        ("auth/jwt/login", "team", MINT, "team/ci"),
        ("auth/jwt/login", "/team/", MINT, "team/ci/"),
        ("team/auth/jwt/login", "", "team/ci/dockerhub/token/acmebot/read", ""),
        ("auth/jwt/login", "team", "ci/dockerhub/token/acmebot/read", "team"),
    ] {
        let bench = team();
        let header = ("X-Vault-Namespace", login_namespace);
        let answer = bench.send("POST", &format!("/v1/{login_path}"), &[header], &login);
        let token = answer.text("/auth/client_token");
        let headers = [("X-Vault-Token", token.as_str()), ("X-Vault-Namespace", namespace)];
        let minted = bench.send("POST", &format!("/v1/{path}"), &headers, &Value::Null);
        assert_eq!(minted.status, 200, "{path} {namespace} {minted:?}");
        let lease_id = minted.text("/lease_id");
        let (path, suffix) = lease_id.rsplit_once('.').unwrap();
        assert!(path.starts_with("dockerhub/token/acmebot/read/") && suffix.len() == 5, "{lease_id}");
        let headers = [("X-Vault-Token", token.as_str()), ("X-Vault-Namespace", "team/ci")];
        let body = json!({ "lease_id": lease_id, "sync": true });
        assert_eq!(bench.send("POST", "/v1/sys/leases/revoke", &headers, &body).status, 204);
        assert_eq!(bench.hub.count(), 0);
    }
}

#[test]
fn a_token_stays_in_its_namespace_but_for_what_it_asks_of_itself() {
    let bench = team();
    let login = json!({ "role": "r", "jwt": circleci_claims().to_string() });
    let unknown = bench.send("POST", "/v1/auth/jwt/login", &[], &login);
    assert_eq!(unknown.error(), (403, "permission denied"));
    let unknown = bench.send("POST", "/v1/auth/jwt/login", &[("X-Vault-Namespace", "else")], &login);
    assert_eq!(unknown.error(), (404, "namespace not found"));
    let answer = bench.send("POST", "/v1/team/auth/jwt/login", &[], &login);
    let token = answer.text("/auth/client_token");
    let ask = |method: &str, path: &str, namespace: &str| {
        let headers = [("X-Vault-Token", token.as_str()), ("X-Vault-Namespace", namespace)];
        bench.send(method, &format!("/v1/{path}"), &headers, &Value::Null)
    };
    assert_eq!(ask("GET", "kv1/ci/dockerhub", "").error(), ACL_DENIED);
    assert_eq!(ask("GET", "kv1/ci/dockerhub", "team/ci").error(), ACL_DENIED);
    // But what it asks of itself it may ask everywhere.
    for namespace in ["", "team/ci", "team"] {
        assert_eq!(ask("GET", "auth/token/lookup-self", namespace).status, 200, "{namespace}");
    }
    assert_eq!(ask("POST", "auth/token/revoke-self", "").status, 204);
}
