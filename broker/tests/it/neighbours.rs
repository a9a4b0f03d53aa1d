//! Two brokers with names of their own issue from one account: neither ever touches what the other has made.

use std::sync::Arc;

use hublease_broker::client_address::Client;
use hublease_broker::journal::{Selection, Trust};
use hublease_broker::leases::exchange::exchange;
use hublease_broker::limits::RECONCILE_SECONDS;
use serde_json::json;

use crate::testing::{CONFIG, NOW, Outside, World, circleci_form};

#[test]
fn two_instances_on_one_account_never_touch_each_others_tokens() {
    let hub: Arc<Outside> = Arc::default();
    let worlds = ["test", "test-2"].map(|instance| {
        let config = CONFIG.replace("instance = \"test\"", &format!("instance = \"{instance}\""));
        World::beside(&config, Arc::clone(&hub))
    });
    for world in &worlds {
        world.sweep();
        assert!(exchange(&world.broker, Client::ThisMachine, circleci_form(&json!({}), "").as_bytes()).is_ok());
    }
    let [first, second] = &worlds;
    for turn in 1..4 {
        for world in &worlds {
            world.clock.set(NOW + turn * RECONCILE_SECONDS / 2);
            world.sweep();
        }
        assert_eq!(hub.labels().len(), 2, "comparison {turn}");
    }
    // The first gives up everything, and then its journal is lost.
    for lease in first.broker.journal.condemn(&Selection::default(), NOW).unwrap() {
        assert!(lease.label.starts_with("hublease/test/"));
    }
    first.sweep();
    let left = second.broker.journal.select(&Selection::default()).unwrap();
    assert_eq!(hub.labels(), [left[0].label.clone()]);
    let empty = World::beside(CONFIG, Arc::clone(&hub));
    empty.sweep();
    assert_eq!(empty.broker.journal.trust("acme"), Ok(Trust::Known), "what the other has made is not its own past");
    assert_eq!(hub.labels().len(), 1);
}
