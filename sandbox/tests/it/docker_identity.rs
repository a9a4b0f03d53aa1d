//! Docker's own exchange: what it refuses, and how it says so.

use hublease_sandbox::{CONNECTION_ID, Connection, DOCKER_IDENTITY_AUDIENCE, Sandbox};

use crate::support::{Answer, through_proxy};

fn exchange(sandbox: &Sandbox, fields: &[(&str, &str)]) -> Answer {
    let mut form = vec![
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:id_token"),
    ];
    form.retain(|(name, _)| !fields.iter().any(|(other, _)| other == name));
    form.extend(fields);
    let body: Vec<_> = form.iter().map(|(name, value)| format!("{name}={}", value.replace(':', "%3A"))).collect();
    through_proxy(sandbox, "identity.docker.com", "POST /oauth/token", "", body.join("&").as_bytes())
}

#[test]
fn refusals_carry_dockers_texts() {
    let sandbox = Sandbox::start().unwrap();
    let github = || sandbox.issuer().github().audience(DOCKER_IDENTITY_AUDIENCE);
    let good = github().sign();
    let expired = github().claim("exp", 1.into()).sign();
    let elsewhere = github().audience("https://example.com").sign();
    let foreign = sandbox.issuer().circleci().audience(DOCKER_IDENTITY_AUDIENCE).sign();
    let other = github().claim("sub", "repo:other/app:ref:refs/heads/main".into()).sign();
    let unnamed = "connection_id is required when subject_token_type is id_token";
    for (token, connection, life, text) in [
        ("", CONNECTION_ID, "", "subject_token is required"),
        (good.as_str(), "", "", unnamed),
        (&good, "nobody", "", "connection_id is invalid"),
        ("nonsense", CONNECTION_ID, "", "subject_token is invalid"),
        (&expired, CONNECTION_ID, "", "subject_token has expired"),
        (&elsewhere, CONNECTION_ID, "", "subject_token audience mismatch"),
        (&foreign, CONNECTION_ID, "", "subject_token issuer mismatch"),
        (&other, CONNECTION_ID, "", "access denied"),
        (&good, CONNECTION_ID, "299", "expires_in must be between 300 and 21600"),
        (&good, CONNECTION_ID, "21601", "expires_in must be between 300 and 21600"),
    ] {
        let fields = [("subject_token", token), ("connection_id", connection), ("expires_in", life)];
        let refused = exchange(&sandbox, &fields);
        assert_eq!(refused.status, 400, "{text}");
        assert_eq!(refused.json()["message"], text);
        assert!(refused.json()["error"].is_string());
    }
    assert!(sandbox.live().is_empty());
}

#[test]
fn a_life_is_300_seconds_unless_asked_otherwise() {
    let sandbox = Sandbox::start().unwrap();
    let token = sandbox.issuer().github().audience(DOCKER_IDENTITY_AUDIENCE).sign();
    let fields = [("subject_token", token.as_str()), ("connection_id", CONNECTION_ID)];
    assert_eq!(exchange(&sandbox, &fields).json()["expires_in"], 300);
    assert_eq!(sandbox.live().len(), 1);
    sandbox.advance(300);
    assert!(sandbox.live().is_empty());
}

#[test]
fn a_deactivated_connection_is_like_none_and_nothing_can_be_revoked() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.docker_identity().set_connection(Connection {
        id: CONNECTION_ID.to_owned(),
        organization: "acme".to_owned(),
        subjects: vec!["*".to_owned()],
        repositories: Vec::new(),
        active: false,
    });
    let token = sandbox.issuer().github().audience(DOCKER_IDENTITY_AUDIENCE).sign();
    let refused = exchange(&sandbox, &[("subject_token", &token), ("connection_id", CONNECTION_ID)]);
    assert_eq!(refused.json()["message"], "connection_id is invalid");
    assert_eq!(through_proxy(&sandbox, "identity.docker.com", "POST /oauth/revoke", "", b"token=x").status, 404);
}
