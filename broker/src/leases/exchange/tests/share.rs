//! What one job, project or rule may cost the others at Docker Hub.

use hublease_protocol::oauth::Code;
use serde_json::{Value, json};

use crate::leases::exchange::tests::{circleci, github};
use crate::limits::HUB_CALLS_PER_JOB;
use crate::testing::{CONFIG, NOT_FOUND, NOW, Trouble, World};

const MINT: &str = "POST /v2/orgs/";

/// A Docker Hub that allows so many calls in a minute.
fn world(window: u64) -> World {
    let world = World::new(CONFIG);
    world.hub.set_rate(window, window, NOW + 60);
    world.clock.set(NOW - NOW % 60);
    world
}

/// Asks for repositories that do not exist, each time another one; gives how many were refused by Docker Hub.
fn ask_for_nothing(world: &World, tried: usize, job: impl Fn(usize) -> Value) -> usize {
    let ask = |number: usize| {
        world.hub.trouble(MINT, Trouble::Status(404, NOT_FOUND));
        let asked = github(world, &job(number), &format!("%20repository:acme/tool-{number}:push"));
        world.hub.heal();
        let code = asked.err().unwrap();
        assert!(matches!(code, Code::HubRefused | Code::RateLimited), "{code:?}");
        code == Code::HubRefused
    };
    (0..tried).filter(|number| ask(*number)).count()
}

#[test]
fn a_job_that_asks_for_what_does_not_exist_costs_its_own_calls_and_nobody_elses() {
    let world = world(200);
    let refused = ask_for_nothing(&world, 290, |number| json!({"jti": format!("i{number}")}));
    let calls = world.hub.calls().len() as u64;
    assert!(refused < 30 && calls <= HUB_CALLS_PER_JOB, "of 290: {refused} refused, {calls} calls");
    assert!(circleci(&world, "").is_ok(), "another project logs in");
    let other = json!({"jti": "other", "run_id": "2"});
    assert!(github(&world, &other, "").is_ok(), "and so does another job of the same project");
}

#[test]
fn a_project_leaves_a_part_of_the_window_to_others_and_has_less_while_they_ask() {
    let job = |number: usize| json!({"jti": format!("i{number}"), "run_id": format!("{number}")});
    // Whether somebody else asks, and how many of 100 calls the project may cause.
    for (others_ask, most) in [(false, 60), (true, 40)] {
        let world = world(100);
        if others_ask {
            assert!(circleci(&world, "").is_ok());
        }
        let before = world.hub.calls().len();
        ask_for_nothing(&world, 290, job);
        let calls = world.hub.calls().len() - before;
        assert!((most - 3..=most).contains(&calls), "of 290 with others: {others_ask}: {calls} calls");
        assert!(circleci(&world, "").is_ok(), "there is a part left");
        // With the minute the count is over.
        world.clock.set(NOW - NOW % 60 + 60);
        assert!(github(&world, &json!({"jti": "late", "run_id": "late", "iat": NOW}), "").is_ok());
    }
}
