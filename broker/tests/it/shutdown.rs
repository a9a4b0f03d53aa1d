//! The end: what was begun is finished, and one request is served once at a time.

use std::net::TcpStream;
use std::sync::mpsc;
use std::thread;

use serde_json::json;

use crate::stub::{Running, header, post_form, text};
use crate::testing::{CONFIG, World, circleci_form};

#[test]
fn a_mint_in_flight_is_finished_before_the_end() {
    let world = World::new(CONFIG);
    let (release, latch) = mpsc::channel();
    let (reached, arrived) = mpsc::channel();
    *world.hub.latch.lock().unwrap() = Some((reached, latch));
    let mut running = Running::start(world.broker.clone());
    let url = format!("{}/oauth/token", running.url);
    let client = thread::spawn(move || {
        let response = post_form(&url, &circleci_form(&json!({}), ""));
        (response.status().as_u16(), text(response))
    });
    arrived.recv().unwrap();
    running.ask_to_stop();
    // The end has begun when nobody listens any more.
    let address = running.url.strip_prefix("http://").unwrap();
    while TcpStream::connect(address).is_ok() {
        thread::yield_now();
    }
    release.send(()).unwrap();
    running.join();
    let (status, body) = client.join().unwrap();
    assert_eq!(status, 200);
    assert!(body.contains("dckr_oat_secret-token-0001"));
    assert_eq!(world.audit.outcomes(), ["exchange issued"]);
}

#[test]
fn the_same_request_is_not_served_twice_at_one_time() {
    let world = World::new(CONFIG);
    let (release, latch) = mpsc::channel();
    let (reached, arrived) = mpsc::channel();
    *world.hub.latch.lock().unwrap() = Some((reached, latch));
    let running = Running::start(world.broker.clone());
    let url = format!("{}/oauth/token", running.url);
    let form = circleci_form(&json!({}), "&request_id=r1");
    let first = thread::spawn({
        let (url, form) = (url.clone(), form.clone());
        move || post_form(&url, &form).status().as_u16()
    });
    arrived.recv().unwrap();
    let second = post_form(&url, &form);
    assert_eq!((second.status().as_u16(), header(&second, "retry-after")), (503, "5"));
    assert!(text(second).contains("request_in_progress"));
    release.send(()).unwrap();
    assert_eq!(first.join().unwrap(), 200);
    assert_eq!(post_form(&url, &form).status(), 200);
    assert_eq!(world.hub.tokens().len(), 1);
}
