//! Text from others: claims and remote errors.
//!
//! Whatever it is, it is shown as one harmless line or not at all. That no secret is shown, even one that a server
//! echoes, is the business of the search that ends every run.

use hublease_sandbox::{Action, Fault, Service, TokenBuilder};
use serde_json::{Value, json};

use crate::support::World;
use crate::support::hostile::{harmless, known, texts, vault_error};
use crate::support::job::Provider;

/// Every text claim, its issuer aside unless `all`, becomes `text`; one holds a list and an object of it.
fn with_hostile_claims(token: TokenBuilder, text: &str, all: bool) -> TokenBuilder {
    let Value::Object(claims) = token.claims() else { panic!("no claims") };
    let texts =
        claims.iter().filter(|(name, value)| value.is_string() && (all || !matches!(name.as_str(), "iss" | "aud")));
    let token = texts.fold(token.clone(), |token, (name, _)| token.claim(name, json!(text)));
    token.claim(text, json!(1)).claim("nested", json!({ text: [text, { "a": text }] }))
}

#[test]
fn claims_are_shown_as_harmless_lines() {
    let world = World::new();
    let vault = world.sandbox.vault_url();
    let issuer = world.sandbox.issuer();
    for shape in [issuer.circleci(), issuer.github()] {
        let shape = shape.audience(&vault);
        for text in texts() {
            let tokens = if text.len() > 1000 {
                // One at a time, or the token is too large.
                ["sub", "iss", "ref", "oidc.circleci.com/vcs-ref"]
                    .map(|name| shape.clone().claim(name, json!(text)))
                    .to_vec()
            } else {
                let lists = shape.clone().claim("aud", json!([text, vault]));
                vec![
                    with_hostile_claims(shape.clone(), &text, false),
                    with_hostile_claims(shape.clone(), &text, true),
                    lists,
                ]
            };
            for token in tokens {
                let token = token.sign();
                let job = |command| world.job(command).args(&["--identity-token-env=MY_TOKEN"]).env("MY_TOKEN", &token);
                let shown = harmless(job("whoami").run().code(0)).stdout;
                assert!(shown.contains("not verified"), "{shown}");
                let json = harmless(job("whoami").arg("--output=json").run().code(0)).stdout;
                assert!(serde_json::from_str::<Value>(&json).unwrap()["claims"].is_object());
                let login = job("token").args(&["-v", "--vault-addr", &vault, "--vault-path=secret/data/ci/dockerhub"]);
                harmless(login.arg("--vault-role=dockerhub").run()).says("identity token of");
            }
        }
    }
}

/// One place where a server may put its own words.
struct Place {
    name: &'static str,
    provider: Provider,
    code: i32,
    fault: fn(&str) -> Fault,
}

/// Every field in which a provider, or docker's token server, explains itself.
fn places() -> Vec<Place> {
    let place = |name, provider, code, fault| Place { name, provider, code, fault };
    let docker: fn(&str) -> Fault =
        |text| refusal(Service::DockerIdentity, &json!({"error": text, "error_description": text, "message": text}));
    vec![
        place("Vault's login", Provider::Vault, 4, |text| {
            Fault::on(Service::Vault, "/v1/auth/").then(Action::json(400, &vault_error(text)))
        }),
        place("Vault's path, denied", Provider::Vault, 4, |text| {
            Fault::on(Service::Vault, "/v1/dockerhub/").then(Action::json(403, &vault_error(text)))
        }),
        place("Vault's path, refused by the plugin", Provider::Vault, 4, |text| {
            Fault::on(Service::Vault, "/v1/dockerhub/").then(Action::json(400, &vault_error(text)))
        }),
        place("Vault's path, failing", Provider::Vault, 5, |text| {
            Fault::on(Service::Vault, "/v1/dockerhub/").then(Action::json(500, &vault_error(text)))
        }),
        place("Docker Identity, everywhere", Provider::Docker, 4, docker),
        place("Docker Identity, `message`", Provider::Docker, 4, |text| {
            refusal(Service::DockerIdentity, &json!({"error": "access_denied", "message": text}))
        }),
        place("the broker, everywhere", Provider::Broker, 4, |text| {
            refusal(Service::Forwarded, &json!({"error": text, "error_description": text}))
        }),
        place("the broker, after its code", Provider::Broker, 4, |text| {
            let description = format!("no_rule_matches: {text}");
            refusal(Service::Forwarded, &json!({"error": "invalid_request", "error_description": description}))
        }),
        place("the broker's metadata", Provider::Broker, 5, |text| {
            let document = json!({"issuer": text, "token_endpoint": text, "revocation_endpoint": text});
            Fault::on(Service::Forwarded, "/.well-known/").then(Action::json(200, &document))
        }),
        place("docker's token server", Provider::Vault, 6, |text| {
            Fault::on(Service::RegistryAuth, "/").then(Action::json(401, &json!({"details": text})))
        }),
    ]
}

fn refusal(service: Service, body: &Value) -> Fault {
    Fault::on(service, "/oauth/token").then(Action::json(400, body))
}

#[test]
fn remote_errors_are_shown_as_harmless_lines() {
    let world = World::new();
    let before = world.sandbox.live();
    for place in places() {
        for text in texts() {
            world.sandbox.fault((place.fault)(&text).always());
            let (job, _) = known(&world, place.provider);
            let outcome = harmless(job.run());
            assert_eq!(outcome.code, place.code, "{}: {}", place.name, outcome.stderr);
            world.sandbox.clear_faults();
            assert_eq!(world.sandbox.live(), before, "{}", place.name);
        }
    }
}

#[test]
fn an_error_that_repeats_the_identity_token_is_withheld() {
    let world = World::new();
    // Docker's token server never gets the identity token.
    for place in places().into_iter().filter(|place| place.code != 6) {
        let (_, token) = known(&world, place.provider);
        let segments: Vec<&str> = token.split('.').collect();
        for echo in [
            token.clone(),
            format!("cannot read `{token}`"),
            segments[1].to_owned(),
            format!("signature {} is wrong", segments[2]),
            segments[2][20..60].to_owned(),
            format!("{}…", &token[..60]),
        ] {
            world.sandbox.fault((place.fault)(&echo).always());
            let (job, _) = known(&world, place.provider);
            let outcome = harmless(job.env("MY_TOKEN", &token).run());
            assert_eq!(outcome.code, place.code, "{}: {}", place.name, outcome.stderr);
            world.sandbox.clear_faults();
        }
    }
}

/// At logout the credential is not known any more, so a look at its form has to do.
#[test]
fn an_error_that_holds_any_credential_is_withheld() {
    let world = World::new();
    for (echo, says) in [
        ("failed to delete dckr_pat_0123456789abcdefghij", "withheld"),
        ("organization token dckr_oat_0123456789abcdefghij", "withheld"),
        ("bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl", "withheld"),
        ("token hvs.CAESIJ0123456789abcdefghij is over", "withheld"),
        ("the account is locked", "the account is locked"),
    ] {
        let credential = echo.split(' ').max_by_key(|word| word.len()).filter(|_| says == "withheld");
        credential.iter().for_each(|word| world.add_secret("an echo", word));
        world.job("login").usual(Provider::Vault).arg("--client=none").run().code(0);
        let complaint = Action::json(400, &vault_error(echo));
        world.sandbox.fault(Fault::on(Service::Vault, "/v1/sys/leases/revoke").times(1).then(complaint));
        harmless(world.job("logout").usual(Provider::Vault).run()).code(0).says("not revoked").says(says);
        world.job("logout").usual(Provider::Vault).run().code(0);
    }
}

#[test]
fn a_revocation_that_explains_itself_is_shown_as_a_harmless_line() {
    let world = World::new();
    for text in texts() {
        world.job("login").usual(Provider::Vault).arg("--client=none").run().code(0);
        let path = "/v1/sys/leases/revoke";
        world.sandbox.fault(Fault::on(Service::Vault, path).times(2).then(Action::json(400, &vault_error(&text))));
        harmless(world.job("logout").usual(Provider::Vault).arg("-v").run()).code(0).says("not revoked, lives until");
        let strict = world.job("logout").usual(Provider::Vault).args(&["--strict-revoke", "--output=json"]);
        harmless(strict.run()).code(7).says("not everything was revoked");
        world.job("logout").usual(Provider::Vault).run().code(0);
    }
}
