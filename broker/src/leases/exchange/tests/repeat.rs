//! Repetitions: of requests, of tokens, and after what was not answered.

use std::sync::mpsc;
use std::thread;

use hublease_protocol::oauth::Code;
use serde_json::json;

use crate::client_address::Client;
use crate::identity::claims::sha256;
use crate::leases::exchange::IssuedLease;
use crate::leases::exchange::tests::{ask, circleci, github};
use crate::leases::revoke::revoke;
use crate::leases::sweep::Removed;
use crate::limits::{REPEAT_SECONDS, UNCLEAR_SECONDS};
use crate::testing::{CONFIG, NOW, Trouble, World, circleci_form};

#[test]
fn a_repeated_request_replaces_its_first_lease() {
    let world = World::new(CONFIG);
    let first = circleci(&world, "&request_id=r1").ok().unwrap();
    let second = circleci(&world, "&request_id=r1").ok().unwrap();
    assert_ne!(first.lease_id, second.lease_id);
    assert_eq!(world.hub.labels(), [format!("hublease/test/{}", second.lease_id)]);
    assert_eq!(world.audit.outcomes(), ["exchange issued", "replace confirmed", "exchange issued"]);
    // The same name from another job is another request.
    let other = json!({"oidc.circleci.com/job-id": "j2"});
    assert!(ask(&world, &circleci_form(&other, "&request_id=r1")).is_ok());
    assert_eq!(world.hub.labels().len(), 2);
}

#[test]
fn a_single_use_token_counts_once_except_for_its_own_request() {
    let world = World::new(CONFIG);
    assert!(github(&world, &json!({}), "&request_id=r1").is_ok());
    assert_eq!(github(&world, &json!({}), "").err(), Some(Code::TokenReplayed));
    assert_eq!(github(&world, &json!({}), "&request_id=r2").err(), Some(Code::TokenReplayed));
    assert!(github(&world, &json!({}), "&request_id=r1").is_ok(), "its own request may be repeated");
    assert_eq!(github(&world, &json!({"run_id": "2"}), "&request_id=r1").err(), Some(Code::TokenReplayed));
    assert!(github(&world, &json!({"jti": "i2"}), "&request_id=r1").is_ok(), "so may it with a fresh token");
    assert_eq!(world.hub.tokens().len(), 1);
    // Without a request id there is nothing to repeat.
    assert!(github(&world, &json!({"jti": "i3"}), "").is_ok());
    assert_eq!(github(&world, &json!({"jti": "i3"}), "").err(), Some(Code::TokenReplayed));
}

#[test]
fn a_used_token_is_remembered_for_as_long_as_it_is_accepted() {
    let world = World::new(CONFIG);
    assert!(github(&world, &json!({}), "").is_ok());
    world.clock.set(NOW + 359);
    assert_eq!(github(&world, &json!({}), "").err(), Some(Code::TokenReplayed));
    world.clock.set(NOW + 360);
    assert_eq!(github(&world, &json!({}), "").err(), Some(Code::TokenExpired));
}

#[test]
fn a_refusal_uses_nothing_up() {
    let world = World::new(CONFIG);
    assert_eq!(github(&world, &json!({}), "&min_expires_in=9999").err(), Some(Code::LifeNotGranted));
    for (second, trouble) in
        [(0, Trouble::Status(403, "{}")), (120, Trouble::Status(400, r#"{"fields":{}}"#)), (240, Trouble::Wait(429, 7))]
    {
        world.clock.set(NOW + second);
        world.hub.trouble("POST /v2/orgs/", trouble);
        assert!(github(&world, &json!({}), "").is_err());
    }
    world.clock.set(NOW + 247);
    assert!(github(&world, &json!({}), "").is_ok());
    assert_eq!(world.hub.tokens().len(), 1);
}

#[test]
fn a_refused_repetition_leaves_its_token_used() {
    let world = World::new(CONFIG);
    assert!(github(&world, &json!({}), "&request_id=r1").is_ok());
    for second in [0, 7] {
        world.clock.set(NOW + second);
        world.hub.trouble("POST /v2/orgs/", Trouble::Wait(429, 7));
        assert_eq!(github(&world, &json!({}), "&request_id=r1").err(), Some(Code::HubUnavailable));
        assert_eq!(github(&world, &json!({}), "&request_id=r2").err(), Some(Code::TokenReplayed));
    }
    world.clock.set(NOW + 14);
    assert!(github(&world, &json!({}), "&request_id=r1").is_ok(), "its own request may still be repeated");
    assert_eq!(world.hub.tokens().len(), 1);
}

#[test]
fn a_token_whose_answer_was_lost_is_found_by_its_label() {
    let world = World::new(CONFIG);
    world.hub.trouble("POST /v2/orgs/", Trouble::Lost);
    assert_eq!(circleci(&world, "&request_id=r1").err(), Some(Code::HubUnavailable));
    assert_eq!(world.hub.labels().len(), 1, "the hub made it all the same");
    let second = circleci(&world, "&request_id=r1").ok().unwrap();
    assert_eq!(world.hub.labels().len(), 2, "the first may not be judged yet");
    assert_eq!(world.sweep(), Removed::default());
    world.clock.set(NOW + UNCLEAR_SECONDS);
    assert_eq!(world.sweep(), Removed { gone: 1, kept: 0, left: 0 });
    assert_eq!(world.hub.labels(), [format!("hublease/test/{}", second.lease_id)]);
}

#[test]
fn a_mint_is_not_looked_for_while_it_may_go_on() {
    let world = World::new(CONFIG);
    assert!(circleci(&world, "&request_id=r1").is_ok());
    let (release, latch) = mpsc::channel();
    let (reached, arrived) = mpsc::channel();
    *world.hub.latch.lock().unwrap() = Some((reached, latch));
    thread::scope(|scope| {
        let second = scope.spawn(|| circleci(&world, "&request_id=r1").is_ok());
        arrived.recv().unwrap();
        // Taking the first lease back and minting may each wait for a login, log in and call, and do it all again.
        world.clock.set(NOW + 60 + 60 + 119);
        let swept = world.sweep();
        release.send(()).unwrap();
        assert_eq!(swept, Removed::default());
        assert!(second.join().unwrap());
    });
    assert_eq!(world.hub.labels().len(), 1);
}

fn give_back(world: &World, issued: &IssuedLease) {
    revoke(&world.broker, Client::ThisMachine, format!("token={}", issued.revocation_handle.expose()).as_bytes())
        .unwrap();
}

#[test]
fn a_request_that_is_over_mints_nothing_more_whoever_has_its_name() {
    let world = World::new(CONFIG);
    let (fields, verifier) = ("&request_id=r1", "0123456789abcdef");
    let challenged = format!("{fields}&request_challenge={}", sha256(verifier.as_bytes()));
    let proved = format!("{challenged}&request_verifier={verifier}");
    let first = github(&world, &json!({}), &challenged).ok().unwrap();
    // While the job works: without the verifier, with another one, and with a challenge of one's own.
    let forged = [
        fields.to_owned(),
        challenged.clone(),
        format!("{challenged}&request_verifier=fedcba9876543210"),
        format!("{fields}&request_challenge={}&request_verifier=own", sha256(b"own")),
        format!("{fields}&request_verifier={verifier}x"),
        format!("{proved}&expires_in=60"),
    ];
    let through = |tries: &[String]| tries.iter().filter(|more| github(&world, &json!({}), more).is_ok()).count();
    assert_eq!(through(&forged), 0, "of {}", forged.len());
    assert_eq!(world.hub.labels(), [format!("hublease/test/{}", first.lease_id)], "the live lease is left alone");
    // Its own client, whose answer was lost, gets another, once more if need be.
    let second = github(&world, &json!({}), &proved).ok().unwrap();
    let third = github(&world, &json!({}), &proved).ok().unwrap();
    assert_eq!(world.hub.labels(), [format!("hublease/test/{}", third.lease_id)]);
    assert_ne!(second.lease_id, third.lease_id);
    // After the revocation nobody gets anything by it.
    give_back(&world, &third);
    let tries = vec![proved; 9];
    assert_eq!(through(&tries), 0, "of 9 after the revocation");
    assert_eq!(github(&world, &json!({}), fields).err(), Some(Code::TokenReplayed));
    assert_eq!(world.hub.tokens().len(), 0);
}

#[test]
fn a_client_that_proves_nothing_may_repeat_while_its_lease_is_young_and_only_the_same() {
    // What is asked first, what is asked again, how much later, and whether that is a repetition.
    let wish = "&request_id=r1&scope=repository:acme/app:pull";
    for (first, again, later, expected) in [
        (wish, wish, 0, Ok(())),
        (wish, wish, REPEAT_SECONDS - 1, Ok(())),
        (wish, wish, REPEAT_SECONDS, Err(Code::TokenReplayed)),
        (wish, "&request_id=r1&scope=repository:acme/base:pull", 0, Err(Code::TokenReplayed)),
        (wish, "&request_id=r1&scope=repository:acme/app:push", 0, Err(Code::TokenReplayed)),
        (wish, "&request_id=r1&scope=repository:acme/app:pull&expires_in=60", 0, Err(Code::TokenReplayed)),
        (wish, "&request_id=r2&scope=repository:acme/base:pull", 0, Ok(())),
    ] {
        let world = World::new(CONFIG);
        circleci(&world, first).ok().unwrap();
        world.clock.set(NOW + later);
        assert_eq!(circleci(&world, again).map(drop), expected, "{again} after {later} s");
    }
    let world = World::new(CONFIG);
    circleci(&world, wish).ok().unwrap();
    // The time runs from the first try, however often it is repeated.
    for later in [60, REPEAT_SECONDS - 1] {
        world.clock.set(NOW + later);
        assert!(circleci(&world, wish).is_ok(), "{later}");
    }
    world.clock.set(NOW + REPEAT_SECONDS);
    assert_eq!(circleci(&world, wish).err(), Some(Code::TokenReplayed));
}
