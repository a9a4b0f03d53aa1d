//! The real docker CLI on its default path to Docker Hub: no server argument, no engine, only proxy and CA from the environment.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hublease_sandbox::{ACCOUNT, CONNECTION_ID, PASSWORD, Sandbox, Service};
use serde_json::json;

use crate::support::{Docker, text, through_proxy};

const HUB_KEY: &str = "https://index.docker.io/v1/";

#[test]
fn a_token_logs_in_and_logout_removes_it() {
    let sandbox = Sandbox::start().unwrap();
    let (token, _) = sandbox.hub().personal_token(ACCOUNT, "ci", &["repo:write"], None);
    let docker = Docker::new(&sandbox);

    let login = docker.login(ACCOUNT, &token);
    assert!(login.status.success(), "{}", text(&login.stderr));
    assert_eq!(text(&login.stdout), "Login Succeeded\n");
    assert_eq!(docker.config()["auths"][HUB_KEY]["auth"], STANDARD.encode(format!("{ACCOUNT}:{token}")));

    let asked: Vec<_> = sandbox
        .log()
        .iter()
        .map(|entry| format!("{} {} {} {:?}", entry.method, entry.host, entry.path, entry.status))
        .collect();
    assert_eq!(
        asked,
        [
            "GET registry-1.docker.io /v2/ Some(401)",
            "GET auth.docker.io /token Some(200)",
            "GET registry-1.docker.io /v2/ Some(200)",
        ]
    );
    let query = &sandbox.requests(Service::RegistryAuth)[0].query;
    assert_eq!(query, "account=acmebot&client_id=docker&offline_token=true&service=registry.docker.io");

    let logout = docker.run(&["logout"], "");
    assert!(logout.status.success());
    assert_eq!(text(&logout.stdout), format!("Removing login credentials for {HUB_KEY}\n"));
    assert!(docker.config()["auths"].get(HUB_KEY).is_none());
    assert_eq!(sandbox.unexpected(), [""; 0]);
}

#[test]
fn a_wrong_password_is_refused_in_the_hubs_words() {
    let sandbox = Sandbox::start().unwrap();
    let docker = Docker::new(&sandbox);
    let login = docker.login(ACCOUNT, "wrong");
    assert_eq!(login.status.code(), Some(1));
    assert!(text(&login.stderr).contains("unauthorized: incorrect username or password"), "{}", text(&login.stderr));
    assert!(docker.config()["auths"].get(HUB_KEY).is_none());
}

#[test]
fn a_password_behind_a_second_factor_or_sso_does_not_log_in() {
    let sandbox = Sandbox::start().unwrap();
    assert!(Docker::new(&sandbox).login(ACCOUNT, PASSWORD).status.success());
    sandbox.hub().set_two_factor(ACCOUNT, true);
    let refused = Docker::new(&sandbox).login(ACCOUNT, PASSWORD);
    assert!(text(&refused.stderr).contains("please use personal access token to login"), "{}", text(&refused.stderr));
    sandbox.hub().set_two_factor(ACCOUNT, false);
    sandbox.hub().enforce_sso("acme", true);
    assert_eq!(Docker::new(&sandbox).login(ACCOUNT, PASSWORD).status.code(), Some(1));
}

#[test]
fn a_revoked_token_is_refused_though_its_login_is_stored() {
    let sandbox = Sandbox::start().unwrap();
    let (token, uuid) = sandbox.hub().personal_token(ACCOUNT, "ci", &["repo:write"], None);
    let docker = Docker::new(&sandbox);
    assert!(docker.login(ACCOUNT, &token).status.success());
    let inspect = docker.run(&["manifest", "inspect", "acme/app:latest"], "");
    assert!(inspect.status.success(), "{}", text(&inspect.stderr));

    assert!(sandbox.hub().delete_token(&uuid));
    let inspect = docker.run(&["manifest", "inspect", "acme/app:latest"], "");
    assert_eq!(inspect.status.code(), Some(1));
    assert!(text(&inspect.stderr).contains("incorrect username or password"), "{}", text(&inspect.stderr));
    assert_eq!(docker.login(ACCOUNT, &token).status.code(), Some(1));
}

#[test]
fn nobody_cannot_read_a_private_repository() {
    let sandbox = Sandbox::start().unwrap();
    let docker = Docker::new(&sandbox);
    assert_eq!(docker.run(&["manifest", "inspect", "acme/app:latest"], "").status.code(), Some(1));
    assert!(docker.run(&["manifest", "inspect", "ratelimitpreview/test:latest"], "").status.success());
}

#[test]
fn a_docker_identity_token_logs_in_as_the_organization_until_it_expires() {
    let sandbox = Sandbox::start().unwrap();
    let identity = sandbox.issuer().github().audience("https://identity.docker.com").sign();
    let form = format!(
        "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Atoken-exchange&subject_token_type=urn%3Aietf%3Aparams%3Aoauth%3Atoken-type%3Aid_token\
         &subject_token={identity}&connection_id={CONNECTION_ID}&expires_in=900"
    );
    let answer = through_proxy(&sandbox, "identity.docker.com", "POST /oauth/token", "", form.as_bytes());
    assert_eq!(answer.status, 200, "{}", answer.json());
    let token = answer.json()["access_token"].as_str().unwrap().to_owned();
    assert_eq!(answer.json()["expires_in"], json!(900));

    assert!(Docker::new(&sandbox).login("acme", &token).status.success());
    assert_eq!(
        Docker::new(&sandbox).login(ACCOUNT, &token).status.code(),
        Some(1),
        "only the organization's name goes with it"
    );
    sandbox.advance(901);
    assert_eq!(Docker::new(&sandbox).login("acme", &token).status.code(), Some(1));
    assert!(sandbox.live().is_empty());
}
