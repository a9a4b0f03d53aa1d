//! Several logins of one job: in docker's own directory one after the other, in a private one side by side.

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::places::{ALICE, HUB, config_in, private};
use super::runner::Step;
use crate::action::REVOKED;
use crate::support::World;
use crate::support::driven::leased;
use crate::support::job::Provider;

/// Post steps run in the opposite order of their steps.
#[test]
fn two_steps_in_one_job_end_one_after_the_other() {
    for (isolated, second) in [(false, "docker.io"), (true, "docker.io"), (false, "dhi.io")] {
        let world = World::new();
        world.write_config(&format!(r#"{{"auths":{{"{HUB}":{{"auth":"{ALICE}"}}}}}}"#));
        let one = Step::new(&world, Provider::Vault).input("isolated", isolated.to_string());
        let first = one.main().code(0);
        let two = Step::new(&world, Provider::Broker).input("isolated", isolated.to_string()).input("registry", second);
        let two = two.after(&first);
        let last = two.main().code(0);
        let two = two.after(&last);
        let post = two.post(&last).code(0).says("the credential of acme: revoked and confirmed");
        let one = one.after(&last).after(&post);
        one.post(&first).code(0).says(REVOKED);
        assert_eq!(leased(&world), Vec::<String>::new());
        assert_eq!(world.read_config()["auths"][HUB]["auth"], ALICE, "{isolated} {second}");
        assert_eq!(fs::read_dir(world.path("tmp/hublease")).map_or(0, Iterator::count), 0);
    }
}

/// The users in a private file, by what the key begins with.
fn users(directory: &Path) -> Vec<(String, String)> {
    let config = config_in(directory);
    let entries = config["auths"].as_object().unwrap().iter();
    let entries = entries.filter_map(|(key, entry)| {
        let pair = STANDARD.decode(entry["auth"].as_str()?).unwrap();
        let pair = String::from_utf8(pair).unwrap();
        Some((key.replace(HUB, "docker.io"), pair.split_once(':').unwrap().0.to_owned()))
    });
    entries.collect()
}

/// Logins of one job stack in one directory: which registry the second is for, which of the two ends first, and who is logged
/// in after each.
#[test]
fn two_private_steps_share_a_directory_and_end_in_any_order() {
    const ONE: (&str, &str) = ("docker.io", "acmebot");
    for (second, first_ends, both, one_left) in [
        ("docker.io", 1, &[("docker.io", "acme")][..], ONE),
        ("docker.io", 0, &[("docker.io", "acme")], ("docker.io", "acme")),
        ("dhi.io", 1, &[("dhi.io", "acme"), ONE], ONE),
        ("dhi.io", 0, &[("dhi.io", "acme"), ONE], ("dhi.io", "acme")),
    ] {
        let world = World::new();
        world.write_config(r#"{"auths":{},"credsStore":"none-of-ours"}"#);
        let one = Step::new(&world, Provider::Vault).input("isolated", "true");
        let first = one.main().code(0);
        let directory = private(&world, &first);
        let two = Step::new(&world, Provider::Broker).input("isolated", "true").input("registry", second).after(&first);
        let last = two.main().code(0);
        assert_eq!(private(&world, &last), directory, "later steps find both");
        let shown = || users(&directory).into_iter().collect::<Vec<_>>();
        let owned = |(registry, user): &(&str, &str)| ((*registry).to_owned(), (*user).to_owned());
        assert_eq!(shown(), both.iter().map(owned).collect::<Vec<_>>(), "{second}");
        fs::write(directory.join(".token_seed"), "of both").unwrap();

        let steps = [(one.after(&last), first), (two.after(&last), last)];
        let (step, main) = &steps[first_ends];
        let post = step.post(main).code(0);
        assert!(!post.env.contains_key("DOCKER_CONFIG"), "the other one is still in it");
        assert_eq!(shown(), [owned(&one_left)], "{second} {first_ends}");
        assert!(!directory.join(".token_seed").exists(), "bearers of the one are not the other's");
        let (step, main) = &steps[1 - first_ends];
        let post = step.post(main).code(0);
        assert_eq!(post.env["DOCKER_CONFIG"], world.home().join(".docker").display().to_string());
        assert_eq!(leased(&world), Vec::<String>::new());
        assert!(!world.path("tmp/hublease").exists());
    }
}
