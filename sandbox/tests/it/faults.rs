//! Faults and latches.

use std::thread;
use std::time::Duration;

use hublease_sandbox::{ACCOUNT, Action, Fault, Hold, Sandbox, Service};
use serde_json::json;

use crate::support::{Answer, hub_bearer, through_proxy, try_through_proxy};

const LIST: &str = "GET /v2/access-tokens";

fn get(sandbox: &Sandbox) -> Option<Answer> {
    try_through_proxy(sandbox, "hub.docker.com", LIST, "", b"")
}

fn with(action: Action) -> Option<Answer> {
    let sandbox = Sandbox::start().unwrap();
    sandbox.fault(Fault::on(Service::Hub, "/v2/access").method("get").then(action));
    let answer = get(&sandbox);
    assert_eq!(get(&sandbox).map(|answer| answer.status), Some(401), "the fault is used up");
    answer
}

#[test]
fn each_action_does_what_it_says() {
    let answer = with(Action::json(429, &json!({ "x": 1 }))).unwrap();
    assert_eq!((answer.status, answer.json()), (429, json!({ "x": 1 })));
    assert!(with(Action::CloseBeforeAnswering).is_none());
    assert!(with(Action::CloseAfterHandling).is_none());
    let cut = with(Action::CutMidBody(5)).unwrap();
    assert_eq!(cut.body.len(), 5);
    assert!(cut.header("content-length").unwrap().parse::<usize>().unwrap() > 5);
    let slow = with(Action::Slow { bytes: 64, pause: Duration::ZERO }).unwrap();
    assert_eq!(slow.json()["detail"], "access token is missing, invalid or expired");
    let large = with(Action::Oversized(2_000_000)).unwrap();
    assert_eq!(large.body.len(), 2_000_000);
    assert!(large.json().is_object());
    assert!(with(Action::NotJson).unwrap().json().is_null());
    let empty = with(Action::Empty).unwrap();
    assert_eq!((empty.status, empty.body.len(), empty.header("content-length")), (204, 0, None));
    let redirect = with(Action::Redirect(307, "https://elsewhere.example.com/".to_owned())).unwrap();
    assert_eq!((redirect.status, redirect.header("location")), (307, Some("https://elsewhere.example.com/")));
    assert_eq!(with(Action::RawBody(b"{".to_vec())).unwrap().body, b"{");
    let headers = with(Action::Headers(vec![("x-ratelimit-limit".to_owned(), "7".to_owned())])).unwrap();
    assert_eq!((headers.status, headers.header("x-ratelimit-limit")), (401, Some("7")));
}

#[test]
fn the_deed_can_be_done_while_the_answer_is_lost() {
    let sandbox = Sandbox::start().unwrap();
    let bearer = hub_bearer(&sandbox);
    let body = json!({ "token_label": "x", "scopes": ["repo:read"] }).to_string();
    let create = || try_through_proxy(&sandbox, "hub.docker.com", "POST /v2/access-tokens", &bearer, body.as_bytes());
    sandbox.fault(Fault::on(Service::Hub, "/v2/access-tokens").then(Action::CloseBeforeAnswering));
    assert!(create().is_none());
    assert_eq!(sandbox.live().len(), 0);
    sandbox.fault(Fault::on(Service::Hub, "/v2/access-tokens").then(Action::CloseAfterHandling));
    assert!(create().is_none());
    assert_eq!(sandbox.live().len(), 1);
    sandbox.fault(Fault::on(Service::Hub, "/v2/access-tokens").after_handling().then(Action::status(500)));
    assert_eq!(create().unwrap().status, 500);
    assert_eq!(sandbox.live().len(), 2);
    let statuses: Vec<_> = sandbox.requests(Service::Hub).iter().skip(1).map(|entry| entry.status).collect();
    assert_eq!(statuses, [None, None, Some(500)]);
}

#[test]
fn faults_apply_in_order_and_as_often_as_they_say() {
    let sandbox = Sandbox::start().unwrap();
    sandbox.fault(Fault::on(Service::Hub, "/v2/").skip(1).times(2).then(Action::status(500)));
    sandbox.fault(Fault::on(Service::Hub, "/v2/").always().then(Action::status(502)));
    sandbox.fault(Fault::on(Service::Vault, "/").always());
    let seen: Vec<_> = (0..5).map(|_| get(&sandbox).unwrap().status).collect();
    assert_eq!(seen, [502, 500, 500, 502, 502]);
    sandbox.clear_faults();
    assert_eq!(get(&sandbox).unwrap().status, 401);
}

#[test]
fn a_latch_holds_a_request_before_or_after_the_deed() {
    let sandbox = Sandbox::start().unwrap();
    let (_, uuid) = sandbox.hub().personal_token(ACCOUNT, "x", &["repo:read"], None);
    let (_, second) = sandbox.hub().personal_token(ACCOUNT, "y", &["repo:read"], None);
    let bearer = hub_bearer(&sandbox);
    let delete = |uuid: &str| {
        through_proxy(&sandbox, "hub.docker.com", &format!("DELETE /v2/access-tokens/{uuid}"), &bearer, b"").status
    };
    let before = sandbox.latch(Hold::before(Service::Hub, &format!("/v2/access-tokens/{uuid}")).method("DELETE"));
    let after = sandbox.latch(Hold::after(Service::Hub, &format!("/v2/access-tokens/{second}")));
    thread::scope(|scope| {
        let first = scope.spawn(|| delete(&uuid));
        before.reached().unwrap();
        assert_eq!(sandbox.live().len(), 2, "not done yet");
        assert_eq!(sandbox.log().last().unwrap().status, None);
        before.release();
        assert_eq!(first.join().unwrap(), 204);
        let second = scope.spawn(|| delete(&second));
        after.reached().unwrap();
        assert_eq!(sandbox.live().len(), 0, "done, not answered");
        after.release();
        assert_eq!(second.join().unwrap(), 204);
    });
}

#[test]
fn a_held_request_does_not_keep_the_sandbox_alive() {
    let sandbox = Sandbox::start().unwrap();
    let latch = sandbox.latch(Hold::before(Service::Hub, "/"));
    let held = crate::support::send_only(&sandbox, "hub.docker.com", LIST);
    latch.reached().unwrap();
    drop(sandbox);
    drop(held);
}
