//! Whether a login may pull public images, of the logins that a broker gives.

use hublease_sandbox::BrokerLimits;
use serde_json::json;

use crate::client::check::{check, json as report};
use crate::support::World;
use crate::support::broker::{Broker, URL};

/// What a login of the broker reaches beside its repositories, with what its rule says of public images.
#[test]
fn public_images_are_for_a_login_whose_rule_says_so() {
    for (rule, says, reads, code) in [
        ("public_pull = true\n", "public images: may be pulled\n", true, 0),
        ("public_pull = false\n", "public images: may not be pulled; this login reaches", false, 4),
        ("", "public images: may not be pulled; this login reaches", false, 4),
    ] {
        let world = World::new();
        let config = world.sandbox.broker_configuration(URL, &world.path(""), BrokerLimits::default());
        let changed = config.replace("max_life_seconds = 900\n", &format!("max_life_seconds = 900\n{rule}"));
        let _broker = Broker::with(&world, &changed);
        let job = world.job("login").args(&["--broker-url", URL]);
        let variables = world.sandbox.circleci_environment_for(URL);
        variables.iter().fold(job, |job, (name, value)| job.env(name, value)).run().code(0);
        let outcome = check(&world, &["acme/app", "alpine"]).run().code(code);
        outcome.says(says).says("acme/app:latest: pull works, push allowed\n");
        let shown = report(&check(&world, &["--output=json"]).run());
        assert_eq!(shown["public_images"], json!(reads), "{rule:?}");
    }
}
