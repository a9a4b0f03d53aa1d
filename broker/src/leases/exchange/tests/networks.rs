//! A rule that says where requests come from.

use hublease_protocol::oauth::{Code, Revocation};
use serde_json::json;

use crate::client_address::Client;
use crate::leases::exchange::exchange;
use crate::leases::revoke::revoke;
use crate::testing::{CONFIG, World, circleci_form};

#[test]
fn a_request_from_elsewhere_is_refused_and_what_was_given_may_be_given_back_from_anywhere() {
    let networks = r#"networks = ["192.0.2.0/24", "2001:db8::/32", "198.51.100.7"]"#;
    let rule = "repositories = [\"acme/app\", \"acme/base\"]";
    let config = CONFIG.replacen(rule, &format!("{networks}\n{rule}"), 1);
    let at = |address: &str| Client::At(address.parse().unwrap());
    for (client, is_near) in [
        (at("192.0.2.9"), true),
        (at("::ffff:192.0.2.9"), true),
        (at("2001:db8:7::1"), true),
        (at("198.51.100.7"), true),
        (at("198.51.100.8"), false),
        (at("192.0.3.9"), false),
        (at("2001:db9::1"), false),
        (Client::Unnamed, false),
        (Client::ThisMachine, false),
    ] {
        let world = World::new(&config);
        let issued = exchange(&world.broker, client, circleci_form(&json!({}), "").as_bytes());
        let code = issued.as_ref().err().map(|refusal| refusal.code);
        assert_eq!(code, (!is_near).then_some(Code::NoRuleMatches), "{client:?}");
        let Ok(issued) = issued else { continue };
        let handle = format!("token={}", issued.revocation_handle.expose());
        assert_eq!(revoke(&world.broker, Client::Unnamed, handle.as_bytes()), Ok(Revocation::Confirmed), "{client:?}");
    }
}
