//! Every example of the orb, and every whole config of the documents, from the first step to the last: logged in, an
//! image moved that only somebody who is logged in can move, revoked.

use std::panic::{AssertUnwindSafe, catch_unwind};

use hublease_sandbox::Service;
use serde_json::{Value, json};

use super::{
    machine::Image,
    play::{Booleans, Circleci, Played},
    source::Orb,
    workflow::Status,
    yaml,
};
use crate::{
    docs::Document,
    registry::installed,
    support::{World, binary},
};

/// How the documents call the orb.
pub const NAME: &str = "hublease/dockerhub";

/// The page with configs for CircleCI.
const PAGE: &str = "docs/circleci.md";

/// How many configs are played at a time: they wait for programs more than they work.
const AT_A_TIME: usize = 4;

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

/// Every config with its name, several at a time; all that fail are named.
fn all_succeed(configs: Vec<(String, Value)>) {
    let mut failed = Vec::new();
    for some in configs.chunks(AT_A_TIME) {
        std::thread::scope(|scope| {
            let runs: Vec<_> = some
                .iter()
                .map(|(name, config)| {
                    let run = scope.spawn(|| {
                        catch_unwind(AssertUnwindSafe(|| drop(play(config, Image::Bash, Booleans::Digits)))).is_ok()
                    });
                    (name, run)
                })
                .collect();
            failed.extend(runs.into_iter().filter_map(|(name, run)| (!run.join().unwrap()).then_some(name.clone())));
        });
    }
    assert_eq!(failed, Vec::<String>::new());
}

#[test]
fn every_example_of_the_orb_logs_in_moves_an_image_and_revokes() {
    if !installed(&["docker-registry", "skopeo"]) {
        return;
    }
    let orb = packed();
    let examples = orb["examples"].as_object().unwrap();
    assert!(examples.len() >= 6, "{} examples", examples.len());
    all_succeed(examples.iter().map(|(name, example)| (name.clone(), example["usage"].clone())).collect());
}

#[test]
fn every_config_of_the_documents_logs_in_moves_an_image_and_revokes() {
    if !installed(&["docker-registry", "skopeo"]) {
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
    all_succeed(whole);
}
