//! `dockerhub/whoami` in a job: the rules stand in the step's log, and nothing is logged in.

use crate::orb::around::{Given, config, ready};
use crate::support::World;

const NEEDS: [&str; 2] = ["docker-registry", "skopeo"];

#[test]
fn the_step_prints_the_rules_and_logs_in_nowhere() {
    if !ready(&NEEDS) {
        return;
    }
    let world = World::new();
    let steps = "- dockerhub/whoami: {provider: vault, vault_addr: $ADDRESS/}";
    let environment = "environment: {ADDRESS: https://vault.example.com}";
    let played = Given::usual(&world).play_one(&config(environment, steps));
    let step = played.step("Print what this job can prove");
    step.code(0).says("identity: CircleCI\n").says("narrowest broker rule that would accept this job:\n");
    step.says("\"oidc.circleci.com/ssh-rerun\" = false\n").says("\"https://vault.example.com\"\n");
    assert!(!world.has_login() && world.record_files().is_empty(), "{played:#?}");
}
