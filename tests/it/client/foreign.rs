//! Somebody else's logins in docker's file: hublease reads the whole file and writes it back, and shows and sends none of it.

use std::fs;
use std::path::PathBuf;

use hublease::effect::docker::{Config, File, Found, LARGEST_FILE, Trouble};
use hublease::effect::{Effect, Outcome};
use hublease_protocol::secret::Secret;

use crate::client::docker_traps::HUB;
use crate::client::docker_traps::private::directory_of;
use crate::support::World;
use crate::support::driven::drive;
use crate::support::job::{Job, Provider, Shape};

/// `somebody:Hn5xkQ2vT8bYw0ZrLmJ4`, as docker keeps it.
pub const PAIR: &str = "c29tZWJvZHk6SG41eGtRMnZUOGJZdzBackxtSjQ=";

/// What is secret in a file with logins of every kind, by name.
pub const PARTS: [(&str, &str); 5] = [
    ("a password", "Hn5xkQ2vT8bYw0ZrLmJ4"),
    ("an `auth`", PAIR),
    ("an identity token", "Zp7-identity-token-of-somebody-else"),
    ("a registry token", "Qx9-registry-token-of-somebody-else"),
    ("a header", "Wk4-header-for-the-engine-of-somebody"),
];

/// A world whose docker's file holds all of these, for other registries than ours.
pub fn world() -> World {
    let world = World::new();
    for (name, value) in PARTS {
        world.add_foreign(name, value);
    }
    world.write_config(&content());
    world.copy_stdin_of_docker();
    world
}

/// The file, in nobody's usual form.
pub fn content() -> String {
    let [_, (_, auth), (_, identity), (_, registry), (_, header)] = PARTS;
    format!(
        "{{ \"HttpHeaders\": {{\"X-Meta\":\"{header}\"}},\r\n  \"auths\": {{ \"ghcr.io\" :{{\"auth\":\"{auth}\"}},\n\
         \"quay.io\": {{ \"identitytoken\": \"{identity}\" , \"auth\":\"PHRva2VuPjo=\" }},\n\n\
         \"registry.example\": {{\"registrytoken\":\"{registry}\"}} }} }}\n"
    )
}

/// Whether the file at home still has every foreign part.
#[track_caller]
pub fn all_are_there(world: &World) {
    let config = world.read_config();
    let text = config.to_string();
    assert!(PARTS[1..].iter().all(|(_, value)| text.contains(value)), "somebody else's login is lost");
}

fn on_github<'w>(world: &'w World, command: &str) -> Job<'w> {
    let provider = Provider::Vault;
    let job = world.job(command);
    if command == "check" { job } else { job.shape(Shape::Github, provider).arg("-v") }
}

#[test]
fn the_logins_of_others_are_in_no_request_output_record_or_message() {
    for flags in [&[][..], &["--client=none"], &["--isolated"]] {
        let world = world();
        let is_private = flags.iter().any(|flag| flag.starts_with("--isolated"));
        if is_private {
            // Headers are a setting, which comes along; the records lie beside.
            world.foreign_may_be_in(world.records());
        }
        let login = on_github(&world, "login").args(flags).run().code(0);
        if is_private {
            let config = fs::read_to_string(directory_of(&login).join("config.json")).unwrap();
            assert!(config.contains("ghcr.io"));
            assert!(config.contains(PARTS[4].1));
        }
        for record in world.record_files() {
            let record = fs::read_to_string(record).unwrap();
            assert!(PARTS.iter().all(|(_, value)| !record.contains(value)));
        }
        all_are_there(&world);
        assert_eq!(
            flags == ["--client=none"],
            world.stdin_of_docker().is_empty(),
            "what docker was given is looked at"
        );
        on_github(&world, "check").args(&["alpine"]).run();
        on_github(&world, "logout").run().code(0).says("revoked and confirmed");
        all_are_there(&world);
        assert_eq!(world.record_files(), Vec::<PathBuf>::new());
    }
}

#[test]
fn the_logins_of_others_are_in_no_error() {
    let whole = content();
    for broken in [
        // Cut, of another type, and not UTF-8.
        whole.trim_end().trim_end_matches('}').as_bytes().to_vec(),
        whole.replace("\"auths\"", "\"psFormat\"").into_bytes(),
        [whole.as_bytes(), b"\xff"].concat(),
    ] {
        let world = world();
        fs::write(world.config(), &broken).unwrap();
        for command in ["login", "check"] {
            on_github(&world, command).run().code(6).says("config.json is not valid JSON");
        }
        assert_eq!(fs::read(world.config()).unwrap(), broken);
    }
}

#[test]
fn without_docker_every_byte_of_others_stays_as_it_was() {
    let world = world();
    let job = |command| on_github(&world, command);
    job("login").arg("--client=none").run().code(0);
    let text = fs::read_to_string(world.config()).unwrap();
    // Where docker writes it: its key is between theirs.
    let whole = content();
    let (head, tail) = whole.split_at(whole.find(",\n\"quay.io\"").unwrap());
    let ours = text.strip_prefix(head).and_then(|rest| rest.strip_suffix(tail)).unwrap();
    assert!(ours.starts_with(&format!(",\n\t\t\"{HUB}\": {{\n\t\t\t\"auth\": \"")) && ours.ends_with("\"\n\t\t}"));
    job("logout").run().code(0);
    assert_eq!(fs::read_to_string(world.config()).unwrap(), content());
}

/// Somebody logs in elsewhere between our look at the file and our change of it.
#[test]
fn a_login_that_comes_meanwhile_is_not_overwritten() {
    let world = world();
    let job = on_github(&world, "login").arg("--client=none");
    let mut interrupted = false;
    let driven = drive(job, None, |_, asked| {
        if let Effect::Config(Config::Write { .. }) = &asked.effect
            && !interrupted
        {
            interrupted = true;
            fs::write(world.config(), content().replace("quay.io", "new.example")).unwrap();
        }
        None
    });
    assert_eq!(driven.code(), 0);
    let is_write = |effect: &Effect| matches!(effect, Effect::Config(Config::Write { .. }));
    assert_eq!(driven.trace.iter().filter(|asked| is_write(&asked.effect)).count(), 2);
    assert!(world.has_login() && world.read_config()["auths"]["new.example"].is_object());
}

#[test]
fn a_file_that_never_stays_as_it_was_read_is_given_up() {
    let world = world();
    let job = on_github(&world, "login").arg("--client=none");
    let driven = drive(job, None, |_, asked| match &asked.effect {
        Effect::Config(Config::Write { .. }) => Some(Outcome::Config(Err(Trouble::Changed))),
        _ => None,
    });
    assert_eq!(driven.code(), 6);
    assert_eq!(driven.error().causes(), ["another program keeps changing config.json"]);
    assert_eq!(fs::read_to_string(world.config()).unwrap(), content());
}

/// The limit is the story's own: a host that sends more is not believed.
#[test]
fn a_file_that_is_too_large_is_refused_by_the_story_itself() {
    let world = world();
    let job = on_github(&world, "login").arg("--client=none");
    let driven = drive(job, None, |_, asked| match &asked.effect {
        Effect::Config(Config::Read { .. }) => {
            let content = Secret::new(" ".repeat(LARGEST_FILE + 1));
            Some(Outcome::Config(Ok(Found::File(File { content, exposed: false, exists: true }))))
        }
        _ => None,
    });
    assert_eq!(driven.code(), 6);
    assert_eq!(driven.error().causes(), ["config.json: it is larger than 1 MiB"]);
}
