//! The obstacles of `tests/it/client/way.rs`, as the Action's host meets them.

use super::runner::Step;
use crate::client::way::{Obstacle, obstacles};
use crate::support::World;
use crate::support::job::Provider;

#[test]
fn each_obstacle_is_told_by_its_own_cause() {
    let world = World::new();
    let token = world.sandbox.issuer().github().audience("https://vault.example.com").sign();
    let run = |obstacle: &Obstacle| {
        let step = Step::new(&world, Provider::Vault).input("vault-addr", &obstacle.address).input("client", "none");
        // GitHub is asked through the same proxy, and is not what is tried here.
        let step = step.input("identity-token-env", "MY_TOKEN").env("MY_TOKEN", &token);
        obstacle.variables.iter().fold(step, |step, (name, value)| step.env(name, value)).start_main()
    };
    let obstacles = obstacles();
    let running: Vec<_> = obstacles.iter().map(run).collect();
    for (obstacle, running) in obstacles.iter().zip(running) {
        let main = running.wait().code(5);
        obstacle.check(&main.shown().replace("%0A", "\n"));
        assert!(main.requests.is_empty(), "{}", obstacle.name);
    }
}

/// GitHub's endpoint behind the same obstacles: the hint is the obstacle's, and no page of GitHub's.
#[test]
fn an_obstacle_on_the_way_to_github_is_no_fault_of_github_s() {
    let world = World::new();
    let refusing = obstacles().into_iter().find(|obstacle| obstacle.name == "407").unwrap();
    let step = Step::new(&world, Provider::Vault).env("HTTPS_PROXY", &refusing.variables[0].1);
    let main = step.main().code(3).says("GitHub did not issue an identity token");
    let main = main.says("because: the proxy refuses the way to GitHub's identity endpoint").says("status 407");
    assert!(main.stdout.contains("hint: HTTPS_PROXY") && !main.stdout.contains("githubstatus"), "{}", main.stdout);
}
