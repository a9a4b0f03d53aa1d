//! What a project and a rule may ask for in a minute.

use hublease_protocol::oauth::Code;
use serde_json::{Value, json};

use crate::client_address::Client;
use crate::leases::exchange::exchange;
use crate::leases::exchange::tests::{ask, circleci, github};
use crate::testing::{CONFIG, NOW, World, circleci_form};

fn limited(limit: &str) -> World {
    World::new(&format!("{CONFIG}\n[limits]\n{limit} = 1\n"))
}

fn job(name: &str) -> Value {
    json!({"oidc.circleci.com/job-id": name})
}

#[test]
fn a_refusal_says_when_to_come_again() {
    for (limit, who) in [
        ("exchanges_per_minute_per_project", "this project asks"),
        ("exchanges_per_minute_per_rule", "the jobs of this rule ask"),
    ] {
        let world = limited(limit);
        assert!(circleci(&world, "").is_ok());
        let refusal =
            exchange(&world.broker, Client::ThisMachine, circleci_form(&job("j2"), "").as_bytes()).err().unwrap();
        assert_eq!((refusal.code, refusal.status()), (Code::RateLimited, 429));
        assert_eq!(refusal.retry_after, Some(60 - NOW % 60));
        assert_eq!(refusal.sentence, format!("{who} for more tokens in a minute than the broker allows"));
        assert_eq!(world.audit.outcomes(), ["exchange issued", "exchange rate_limited"]);
        world.clock.set(NOW - NOW % 60 + 60);
        assert!(ask(&world, &circleci_form(&job("j2"), "")).is_ok());
    }
}

#[test]
fn a_refusal_uses_nothing_up() {
    let world = limited("exchanges_per_minute_per_project");
    assert!(github(&world, &json!({"jti": "i0", "run_id": "0"}), "").is_ok());
    let calls = world.hub.calls().len();
    for _ in 0..3 {
        assert_eq!(github(&world, &json!({}), "&request_id=r1").err(), Some(Code::RateLimited));
    }
    assert_eq!((world.hub.calls().len(), world.hub.tokens().len()), (calls, 1));
    // The token counts once, and still counts.
    world.clock.set(NOW - NOW % 60 + 60);
    assert!(github(&world, &json!({}), "").is_ok());
}

#[test]
fn who_has_not_proved_anything_is_not_counted_for_a_project() {
    let world = limited("exchanges_per_minute_per_project");
    for changes in [json!({"exp": 1}), json!({"aud": "x"}), json!({"oidc.circleci.com/vcs-ref": "refs/heads/x"})] {
        assert!(ask(&world, &circleci_form(&changes, "")).is_err());
    }
    assert!(circleci(&world, "").is_ok());
}
