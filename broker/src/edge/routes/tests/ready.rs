//! What is said of the broker's own health, and to whom.

use rusqlite::{Connection, TransactionBehavior};
use serde_json::json;

use crate::client_address::Client;
use crate::edge::routes::tests::{Front, Visit, text};
use crate::leases::exchange::exchange;
use crate::limits::READINESS_SECONDS;
use crate::testing::{CONFIG, NOW, Trouble, circleci_form};

#[test]
fn readiness_says_why_not() {
    let front = Front::new(CONFIG, true);
    let get_from = |peer, path| {
        let response = front.visit(&Visit { peer, is_encrypted: false, forwarded_for: None, path });
        (response.status().as_u16(), text(&front, response))
    };
    let get = |path| get_from("127.0.0.1", path);
    let not_ready = |reason: &str| (503, format!(r#"{{"ready":false,"reasons":["{reason}"]}}"#));
    let ready = (200, r#"{"ready":true}"#.to_owned());
    assert_eq!(get("/readyz"), ready);
    // Somebody holds the journal's file for longer than the broker waits for it.
    let mut holder = Connection::open(front.world.journal()).unwrap();
    let held = holder.transaction_with_behavior(TransactionBehavior::Immediate).unwrap();
    assert_eq!(get("/readyz"), ready, "an answer is repeated for a while");
    front.world.clock.set(NOW + READINESS_SECONDS);
    let reason = "the journal could not be used: somebody else holds it for too long";
    assert_eq!(get("/readyz"), not_ready(reason));
    assert_eq!(get("/healthz"), (200, "ok\n".to_owned()), "the process lives");
    drop(held);
    assert_eq!(get("/readyz"), not_ready(reason));
    front.world.clock.set(NOW + 2 * READINESS_SECONDS);
    assert_eq!(get("/readyz"), ready);
    front.world.hub.trouble("POST /v2/orgs/", Trouble::Status(500, "SENTINEL"));
    assert!(exchange(&front.world.broker, Client::ThisMachine, circleci_form(&json!({}), "").as_bytes()).is_err());
    front.world.clock.set(NOW + 3 * READINESS_SECONDS);
    let account = "account `acme`: Docker Hub is not available: it answered with a fault of its own";
    assert_eq!(get("/readyz"), not_ready(account));
    assert_eq!(get_from("10.0.0.1", "/readyz"), not_ready(account), "so is a proxy's own look");
    let told = (503, r#"{"ready":false}"#.to_owned());
    assert_eq!(get_from("192.0.2.1", "/readyz"), told, "a stranger learns no account's name");
    let passed_on = Visit { peer: "10.0.0.1", is_encrypted: false, forwarded_for: Some(b"192.0.2.1"), path: "/readyz" };
    assert_eq!(text(&front, front.visit(&passed_on)), told.1);
    front.app.end();
    assert_eq!(get("/readyz"), not_ready("the broker is ending"));
}
