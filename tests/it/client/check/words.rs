//! Hostile words: what is typed as an image, and what Docker Hub may say.

use std::os::unix::ffi::OsStringExt;
use std::process;

use hublease_sandbox::{Action, Fault, Service};
use serde_json::json;

use crate::client::check::Login::Personal;
use crate::client::check::{check, world};
use crate::support::hostile::{harmless, texts};
use crate::support::typed::MARK;
use crate::support::untouched::Untouched;
use crate::support::{World, binary};

#[test]
fn what_is_no_image_at_docker_hub_is_refused_by_its_place_and_not_repeated() {
    let world = World::new();
    let before = Untouched::of(&world);
    let mut words: Vec<String> = [
        "ghcr.io/acme/hunter2XYZZY",
        "localhost:5000/hunter2XYZZY",
        "registry-1.docker.io/acme/hunter2XYZZY",
        "dhi.io/hunter2XYZZY",
        "https://docker.io/hunter2XYZZY",
        "user:hunter2XYZZY@docker.io/acme/app",
        "acme/app:hunter2XYZZY:1",
        "acme/app@hunter2XYZZY",
        "acme/../../token?hunter2XYZZY",
        "acme/app:1\r\nX-Injected: hunter2XYZZY",
        "acme/app hunter2XYZZY",
        "acme/app%0ahunter2XYZZY",
        "acme/\u{430}pp-hunter2XYZZY",
        "\u{1b}[2Jhunter2XYZZY",
        "",
        "/",
        "@",
        ":",
        "-",
    ]
    .map(str::to_owned)
    .to_vec();
    words.push(format!("acme/{}", MARK.to_lowercase().repeat(100)));
    for word in &words {
        let outcome = harmless(check(&world, &["alpine", word]).run().code(2));
        let outcome = outcome.says("error: the value of IMAGE (number 2) cannot be used\n  because: ");
        assert_eq!(outcome.stdout, "");
        outcome.does_not_say(MARK).does_not_say(&MARK.to_lowercase());
    }
    check(&world, &["--", "-v"]).run().code(2).says("IMAGE (number 1)");
    check(&world, &["--registry=dhi.io"]).run().code(2).says("there is no such argument");
    let most: Vec<_> = (0..51).map(|number| format!("acme/app:{number}")).collect();
    let most: Vec<_> = most.iter().map(String::as_str).collect();
    check(&world, &most).run().code(2).says("at most 50 images are checked at once");
    check(&world, &most[..50]).arg("--dry-run").run().code(0);
    before.still(&world, "images that are none");
}

#[test]
fn an_image_that_is_not_utf8_is_refused() {
    let word = std::ffi::OsString::from_vec(b"acme/app\xff".to_vec());
    let output = process::Command::new(binary("HUBLEASE_BIN")).arg("check").arg(word).env_clear().output().unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), said.contains("an argument is not UTF-8")), (Some(2), true), "{said}");
}

#[test]
fn what_docker_hub_says_is_shown_as_harmless_lines() {
    let world = world(Personal("repo:write"));
    for text in texts() {
        for body in [json!({"details": text}), json!({"errors": [{"code": "X", "message": text}]})] {
            let refusal = Action::json(401, &body);
            // The login itself, and then the images alone.
            for skipped in [0, 2] {
                let fault = Fault::on(Service::RegistryAuth, "/token").skip(skipped).always();
                world.sandbox.fault(fault.then(refusal.clone()));
                for output in ["--output=text", "--output=json"] {
                    harmless(check(&world, &[output, "acme/app"]).run().code(4));
                }
                world.sandbox.clear_faults();
            }
        }
    }
}

#[test]
fn headers_of_the_registry_are_shown_as_harmless_words_or_not_at_all() {
    let world = world(Personal("repo:write"));
    for text in ["::error::x", "##[error]x", "100;w=1;w=2", "\t", &"9".repeat(3000)] {
        for name in ["ratelimit-limit", "ratelimit-remaining", "docker-ratelimit-source"] {
            let headers = Action::Headers(vec![(name.to_owned(), text.to_owned())]);
            world.sandbox.fault(Fault::on(Service::Registry, "/v2/").always().then(headers));
            harmless(check(&world, &["acme/app"]).run().code(0)).says("acme/app:latest: pull works, push allowed\n");
            world.sandbox.clear_faults();
        }
    }
}

/// The search of the world finds it, should it be shown.
#[test]
fn a_token_server_that_repeats_the_credential_is_not_quoted() {
    let world = World::new();
    let (secret, _) = world.sandbox.hub().personal_token("acmebot", "by hand", &["repo:read"], None);
    let basic = crate::client::docker_traps::auth("acmebot", &secret);
    let hub = crate::client::docker_traps::HUB;
    world.write_config(&format!(r#"{{"auths":{{"{hub}":{{"auth":"{basic}"}}}}}}"#));
    for echo in [&secret, &basic] {
        let refusal = Action::json(401, &json!({"details": format!("no such user: {echo}")}));
        world.sandbox.fault(Fault::on(Service::RegistryAuth, "/token").always().then(refusal));
        check(&world, &["acme/app"]).run().code(4).says("its message is withheld");
        world.sandbox.clear_faults();
    }
}
