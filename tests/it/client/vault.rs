//! Vault and OpenBao in the shapes in which people run them.

use hublease_sandbox::vault::{
    Capability, DockerHubAccount, DynamicEngine, Flavour, Generation, JwtMount, Queue, Role, TokenType,
};
use hublease_sandbox::{ACCOUNT, Action, Fault, PASSWORD, Service};
use serde_json::{Map, json};

use crate::support::World;
use crate::support::driven::leased;
use crate::support::job::{Job, Provider};

/// The role of the tests, for changing one thing about it.
fn role(world: &World) -> Role {
    Role {
        bound_audiences: vec![world.sandbox.vault_url()],
        user_claim: "oidc.circleci.com/project-id".to_owned(),
        token_policies: vec!["dockerhub".to_owned()],
        token_ttl: 600,
        ..Role::default()
    }
}

fn write(world: &World, role: Role) {
    assert!(world.sandbox.vault().write_role("auth/jwt-circleci", "dockerhub", role));
}

/// A login that asks this path, and nothing else of what the harness usually adds.
fn login<'w>(world: &'w World, flags: &[&str]) -> Job<'w> {
    let url = world.sandbox.vault_url();
    let job = world.job("login").args(&["--vault-addr", &url, "--client", "none"]).args(flags);
    let variables = world.sandbox.circleci_environment_for(&url);
    variables.into_iter().fold(job, |job, (name, value)| job.env(&name, value))
}

fn logout(world: &World) -> Job<'_> {
    world.job("logout").usual(Provider::Vault)
}

const CIRCLECI: &[&str] = &["--vault-auth-path", "jwt-circleci", "--vault-role", "dockerhub"];

#[test]
fn both_generations_of_the_plugin_mint_and_revoke() {
    for (path, method) in [
        ("dockerhub/token/acmebot/write", "write"),
        ("dockerhub-2021/token/acmebot/acme", "write"),
        // Reading is not allowed by the policy, or not supported by the plugin; then it is written.
        ("dockerhub/token/acmebot/write", "auto"),
        ("/v1/dockerhub/token/acmebot/read/", "auto"),
        ("dockerhub-2021/token/acmebot/acme", "auto"),
    ] {
        let world = World::new();
        let flags = ["--vault-path", path, "--vault-method", method];
        let flags =
            if method == "write" { [&flags[..], &["--vault-data", "label=it"]].concat() } else { flags.to_vec() };
        let job = login(&world, &[CIRCLECI, &flags].concat());
        // Without a label Docker Hub refuses the token, and the older plugin dies of it; both are told in Vault's own words.
        if method == "auto" {
            let why = if path.contains("2021") {
                "error reading from server: EOF"
            } else {
                "failed to create auth token: 400"
            };
            job.run().code(5).says("status 500").says(why).says("`--vault-data label=NAME`");
            assert_eq!(leased(&world), Vec::<String>::new());
            continue;
        }
        job.run().code(0).says("as acmebot by vault");
        logout(&world).run().code(0).says("revoked and confirmed");
        assert_eq!(leased(&world), Vec::<String>::new(), "{path}");
    }
}

#[test]
fn the_old_plugin_answers_204_for_a_namespace_that_it_does_not_know() {
    let world = World::new();
    let flags = ["--vault-path", "dockerhub-2021/token/acmebot/other", "--vault-data", "label=it"];
    login(&world, &[CIRCLECI, &flags].concat()).run().code(5).says("created no credential").says("status 204");
    assert_eq!(leased(&world), Vec::<String>::new());
}

#[test]
fn refusals_in_vaults_own_words_become_ours() {
    type Change = fn(&World, &mut Role);
    let rows: [(&str, Change, &str, u8); 6] = [
        (
            "another audience",
            |_, role| role.bound_audiences = vec!["https://other.example.com".into()],
            "does not accept the audience of the identity token",
            4,
        ),
        (
            "no audience bound",
            |_, role| role.bound_audiences.clear(),
            "does not accept the audience of the identity token",
            4,
        ),
        (
            "another project",
            |_, role| drop(role.bound_claims.insert("oidc.circleci.com/project-id".into(), json!("other"))),
            "no rule of",
            4,
        ),
        (
            "a rerun over SSH only",
            |_, role| drop(role.bound_claims.insert("oidc.circleci.com/ssh-rerun".into(), json!(true))),
            "no rule of",
            4,
        ),
        ("a second factor", |_, role| role.requires_mfa = true, "wants a second factor, which a job cannot give", 4),
        ("no policy for the path", |_, role| role.token_policies.clear(), "does not let this job use the path", 4),
    ];
    for (name, change, says, code) in rows {
        let world = World::new();
        let mut changed = role(&world);
        change(&world, &mut changed);
        write(&world, changed);
        world.job("login").usual(Provider::Vault).run().code(i32::from(code)).says(says).says("hint: ");
        assert_eq!(leased(&world), Vec::<String>::new(), "{name}");
        assert_eq!(world.record_files().len(), 0, "{name}");
    }
    let world = World::new();
    login(&world, &["--vault-auth-path", "jwt-circleci", "--vault-role", "nobody", "--vault-path", "kv1/ci/dockerhub"])
        .run()
        .code(4)
        .says("does not know the role");
}

#[test]
fn a_batch_token_needs_the_policy_for_leases() {
    for (policy, says, is_dead) in [
        ("dockerhub", "revoked and confirmed", true),
        ("dockerhub-mint-only", "a batch token cannot be revoked", false),
    ] {
        let world = World::new();
        write(&world, Role { token_type: TokenType::Batch, token_policies: vec![policy.to_owned()], ..role(&world) });
        world.job("login").usual(Provider::Vault).run().code(0);
        logout(&world).run().code(0).says(says);
        assert_eq!(leased(&world).is_empty(), is_dead, "{policy}");
        assert_eq!(world.record_files().is_empty(), is_dead, "{policy}");
    }
}

#[test]
fn without_the_policy_the_lease_ends_with_the_token_when_vault_comes_to_it() {
    for flavour in [Flavour::Vault, Flavour::OpenBao] {
        let world = World::new();
        world.sandbox.vault().set_flavour(flavour);
        write(&world, Role { token_policies: vec!["dockerhub-mint-only".to_owned()], ..role(&world) });
        world.job("login").usual(Provider::Vault).run().code(0);
        world.sandbox.vault().set_queue(Queue::Manual);
        logout(&world)
            .run()
            .code(0)
            .says("requested, not confirmed (the policy of the role lacks `update` on sys/leases/revoke)");
        assert!(!leased(&world).is_empty(), "the queue has not run: nothing better could be said");
        world.sandbox.vault().run_queue();
        assert_eq!(leased(&world), Vec::<String>::new());
    }
}

#[test]
fn a_plugin_that_deletes_and_reports_an_error_is_told_as_it_is() {
    let world = World::new();
    let vault = world.sandbox.vault();
    // As it is published.
    vault.enable_docker_hub("dockerhub", Generation::Head);
    let account = DockerHubAccount { password: PASSWORD.to_owned(), allowed: vec!["write".to_owned()] };
    assert!(vault.write_docker_hub_account("dockerhub", ACCOUNT, account));
    world.job("login").usual(Provider::Vault).run().code(0);
    logout(&world).run().code(0).says("not revoked; its lease ends at").says("failed to delete auth token 204");
    assert_eq!(world.sandbox.live().iter().filter(|live| live.kind == "personal access token").count(), 0);
    logout(&world).arg("--strict-revoke").run().code(7).says("failed to delete auth token 404");
}

#[test]
fn everything_may_lie_in_a_namespace() {
    let world = World::new();
    let vault = world.sandbox.vault();
    vault.add_namespace("team");
    let issuer = world.sandbox.issuer().identity().circleci_issuer();
    let config = JwtMount { discovery_issuer: Some(issuer.clone()), bound_issuer: Some(issuer), ..JwtMount::default() };
    vault.enable_jwt("team/auth/jwt", config);
    assert!(vault.write_role("team/auth/jwt", "push", role(&world)));
    vault.enable_docker_hub("team/hub", Generation::Head);
    vault.mend_docker_hub();
    let account = DockerHubAccount { password: PASSWORD.to_owned(), allowed: vec!["write".to_owned()] };
    assert!(vault.write_docker_hub_account("team/hub", ACCOUNT, account));
    let mint =
        [("hub/token/*", &[Capability::Create, Capability::Update][..]), ("sys/leases/revoke", &[Capability::Update])];
    vault.write_policy("team", "dockerhub", &mint);
    let flags = ["--vault-role", "push", "--vault-path", "hub/token/acmebot/write", "--vault-data", "label=it"];
    login(&world, &flags).run().code(4);
    login(&world, &flags).env("VAULT_NAMESPACE", "team").run().code(0);
    logout(&world).env("VAULT_NAMESPACE", "team").run().code(0).says("revoked and confirmed");
    assert_eq!(leased(&world), Vec::<String>::new());
}

#[test]
fn any_engine_fits_by_naming_its_fields() {
    let world = World::new();
    let vault = world.sandbox.vault();
    vault.enable_dynamic(
        "engine",
        DynamicEngine {
            username: ACCOUNT.to_owned(),
            password: PASSWORD.to_owned(),
            scope: "repo:read".to_owned(),
            username_field: "login".to_owned(),
            secret_field: "credential".to_owned(),
            extra: Map::new(),
            ttl: 1200,
        },
    );
    vault.write_policy(
        "",
        "dockerhub",
        &[("engine/*", &[Capability::Read][..]), ("sys/leases/revoke", &[Capability::Update])],
    );
    let path = [CIRCLECI, &["--vault-path", "engine/creds/app"]].concat();
    login(&world, &path).run().code(5).says("the secret has no usable field").says("--vault-secret-field");
    assert_eq!(leased(&world), Vec::<String>::new(), "what was minted and could not be used is revoked");
    let named = [&path[..], &["--vault-username-field", "login", "--vault-secret-field", "credential"]].concat();
    login(&world, &named).run().code(0).says("as acmebot by vault");
    logout(&world).run().code(0).says("revoked and confirmed");
    assert_eq!(leased(&world), Vec::<String>::new());
}

#[test]
fn an_agent_that_wants_its_header_gets_it() {
    let world = World::new();
    world.sandbox.vault().require_request_header(true);
    world.job("login").usual(Provider::Vault).run().code(0);
    logout(&world).run().code(0).says("revoked and confirmed");
}

#[test]
fn a_sealed_vault_is_named_and_the_record_waits_for_it() {
    let world = World::new();
    world.job("login").usual(Provider::Vault).run().code(0);
    world.sandbox.vault().seal();
    logout(&world).run().code(0).says("not revoked; its lease ends at").says("is sealed or in maintenance");
    world.sandbox.vault().unseal();
    logout(&world).run().code(0).says("revoked and confirmed");
    assert_eq!(leased(&world), Vec::<String>::new());
}

#[test]
fn after_a_failed_revocation_nothing_better_is_said_until_it_is_true() {
    let world = World::new();
    world.job("login").usual(Provider::Vault).run().code(0);
    world.sandbox.hub().set_two_factor(ACCOUNT, true);
    logout(&world).run().code(0).says("not revoked; its lease ends at");
    let again = logout(&world).arg("--strict-revoke").run().code(7).says("not revoked; its lease ends at");
    again.does_not_say("already over");
    // The Vault token was kept for this.
    world.sandbox.hub().set_two_factor(ACCOUNT, false);
    logout(&world).arg("--strict-revoke").run().code(0).says("the credential of acmebot: revoked and confirmed");
    assert_eq!(leased(&world), Vec::<String>::new());
}

#[test]
fn a_logout_in_another_namespace_is_another_address() {
    let world = World::new();
    world.job("login").usual(Provider::Vault).run().code(0);
    let other = logout(&world).args(&["--vault-namespace", "team", "--strict-revoke"]);
    other.run().code(7).says("this logout names another namespace (`--vault-namespace`)");
    logout(&world).run().code(0).says("revoked and confirmed");
    assert_eq!(leased(&world), Vec::<String>::new());
}

#[test]
fn a_token_that_may_not_revoke_itself_is_told() {
    let world = World::new();
    write(
        &world,
        Role { token_policies: vec!["dockerhub-mint-only".to_owned()], token_no_default_policy: true, ..role(&world) },
    );
    world.job("login").usual(Provider::Vault).run().code(0);
    logout(&world).arg("--strict-revoke").run().code(7).says("lacks `update` on auth/token/revoke-self");
    assert_eq!(world.record_files().len(), 1);
}

#[test]
fn a_vault_token_of_kv_that_cannot_be_ended_stays_in_the_record() {
    let world = World::new();
    let fault = Fault::on(Service::Vault, "/v1/auth/token/revoke-self").then(Action::status(400)).always();
    world.sandbox.fault(fault);
    let path = [CIRCLECI, &["--vault-path", "kv1/ci/dockerhub"]].concat();
    login(&world, &path).run().code(0).says("the Vault token could not be ended");
    world.sandbox.clear_faults();
    logout(&world).run().code(0).says("not a lease, lives on at its owner");
    assert!(world.sandbox.live().iter().all(|item| item.kind != "token"));
}
