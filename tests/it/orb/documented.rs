//! Every example of the orb, and every whole config of the documents, from the first step to the last: logged in, an
//! image moved that only somebody who is logged in can move, revoked.

use std::os::unix::fs::symlink;

use hublease_sandbox::Service;
use serde_json::{Value, json};

use crate::docs::Document;
use crate::orb::around::{each, ready};
use crate::orb::machine::Image;
use crate::orb::play::{Booleans, Circleci, Played};
use crate::orb::source::Orb;
use crate::orb::workflow::Status;
use crate::orb::yaml;
use crate::support::{World, binary};

/// How the documents call the orb.
pub const NAME: &str = "hublease/dockerhub";

/// The page with configs for CircleCI.
const PAGE: &str = "docs/circleci.md";

/// What the documents keep in a context: names and a token that no provider made.
const VARIABLES: [(&str, &str); 2] = [("DOCKERHUB_USERNAME", "acmebot"), ("DOCKER_LOGIN", "acmebot")];
const TOKENS: [&str; 2] = ["DOCKERHUB_TOKEN", "DOCKER_PASSWORD"];

/// The orb as `cargo xtask test` packed it, with the checksums of the client that it built.
pub fn packed() -> Value {
    let path = binary("HUBLEASE_ORB");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    yaml::read(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Plays a config in a world of its own, and looks at what is left.
fn play(config: &Value, image: Image, booleans: Booleans) -> Vec<Played> {
    let (world, orb) = (World::new(), packed());
    let uses_a_token = config.to_string().contains("static");
    let token = if uses_a_token { world.static_token() } else { String::new() };
    let circleci = Circleci::new(&world, image, vec![Orb { name: NAME, packed: &orb }]).booleans(booleans);
    let circleci = VARIABLES.iter().fold(circleci, |circleci, (name, value)| circleci.variable(name, value));
    let circleci = TOKENS.iter().fold(circleci, |circleci, name| circleci.variable(name, &token));
    if config["orbs"].is_null() {
        // An image with the client in it.
        symlink(binary("HUBLEASE_STATIC"), world.path("bin/hublease")).unwrap();
    }
    circleci.machine().publish(&images(config));
    let before = (world.sandbox.live(), world.sandbox.requests(Service::Registry).len());
    let played = circleci.play(config).unwrap_or_else(|refusal| panic!("{refusal}"));
    for job in &played {
        assert_eq!(job.status, Status::Success, "{job:#?}");
    }
    let moved = world.sandbox.requests(Service::Registry).into_iter().skip(before.1);
    let moved = moved.filter(|request| matches!(request.status, Some(200 | 201)) && request.path.contains("acme/app"));
    assert_ne!(moved.count(), 0, "nothing needed the login: {played:#?}");
    assert_eq!(world.sandbox.live(), before.0, "{played:#?}");
    assert_eq!(world.record_files().len(), 0);
    assert!(!world.has_login());
    played
}

/// The images of Docker Hub that a config names, as if somebody had pushed them before.
fn images(config: &Value) -> Vec<String> {
    let text = config.to_string();
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && !"/:._-".contains(letter));
    let mut images: Vec<_> = words.filter(|word| word.starts_with("acme/app:")).map(str::to_owned).collect();
    images.sort();
    images.dedup();
    images.retain(|image| image.matches(':').count() == 1);
    images
}

fn all_succeed(configs: &[(String, Value)]) {
    each(configs, |_, (name, _)| name.clone(), |(_, config)| drop(play(config, Image::Bash, Booleans::Digits)));
}

#[test]
fn every_example_of_the_orb_logs_in_moves_an_image_and_revokes() {
    if !ready(&["docker-registry", "skopeo"]) {
        return;
    }
    let orb = packed();
    let examples = orb["examples"].as_object().unwrap();
    assert!(examples.len() >= 6, "{} examples", examples.len());
    let usages = examples.iter().map(|(name, example)| (name.clone(), example["usage"].clone()));
    all_succeed(&usages.collect::<Vec<_>>());
}

#[test]
fn every_config_of_the_documents_logs_in_moves_an_image_and_revokes() {
    if !ready(&["docker-registry", "skopeo"]) {
        return;
    }
    let blocks = Document::read(PAGE).blocks().into_iter().filter(|block| block.language == "yaml");
    let configs = blocks.map(|block| {
        let place = format!("{PAGE}:{}", block.line);
        let config = yaml::read(&block.lines.join("\n")).unwrap_or_else(|error| panic!("{place}: {error}"));
        (place, config)
    });
    let whole: Vec<_> = configs.filter(|(_, config)| config["version"] == json!(2.1)).collect();
    assert!(whole.len() >= 3, "{} configs", whole.len());
    all_succeed(&whole);
}

/// An image without bash, and scripts that are told booleans in words.
#[test]
fn a_login_works_in_every_shell_and_with_booleans_in_digits_and_in_words() {
    if !ready(&["docker-registry", "skopeo", "busybox", "dash"]) {
        return;
    }
    let orb = packed();
    let cases = [
        (Image::Bash, Booleans::Words),
        (Image::Dash, Booleans::Digits),
        (Image::Dash, Booleans::Words),
        (Image::Busybox, Booleans::Digits),
        (Image::Busybox, Booleans::Words),
    ];
    each(
        &cases,
        |_, case| format!("{case:?}"),
        |(image, booleans)| {
            for name in ["push_within_a_login", "push_by_one_command"] {
                drop(play(&orb["examples"][name]["usage"], *image, *booleans));
            }
        },
    );
}
